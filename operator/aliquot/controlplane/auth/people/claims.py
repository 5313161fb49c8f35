"""What an issuer's ID token says, and what of it counts (OpenID Connect Core 1.0, 3.1.3.7). Pure.

The rules are those of a Kubernetes API server where it has any, so that the same person has the same name and groups
in clusters.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from joserfc import jwt
from joserfc.errors import JoseError

from aliquot.errors import AliquotError

LONGEST_NAME: Final = 253
"""Characters of users' and groups' names, as access rules have them."""
LONGEST_SUBJECT: Final = 255
"""OpenID Connect Core 1.0, 2: `sub` must not be longer."""
MOST_GROUPS_CHARACTERS: Final = 8192
"""Of all groups of somebody together: they stand in tokens, which headers have to hold."""


class NotBelieved(AliquotError):  # noqa: N818 - it says what a token is
    """An ID token does not count; says why."""


@dataclass(frozen=True, slots=True)
class Trust:
    """An issuer, and what of its words counts.

    Attributes:
        url: how it calls itself: `https://…`.
        client_id: who we are there.
        client_secret: proves it; None: nothing does.
        username_claim: what is somebody's name.
        groups_claim: what are their groups.
        required_claims: what has to be said of somebody who may come in.
        hosts: of its endpoints, beside its own.
    """

    url: str
    client_id: str
    client_secret: str | None
    username_claim: str
    groups_claim: str
    required_claims: Mapping[str, str]
    hosts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody is, by the word of an issuer.

    Attributes:
        subject: who they are there, for ever.
        name: how access rules and clusters call them, in small letters.
        groups: they are in, sorted.
        until: when the issuer's word ends, in seconds since 1970.
        nonce: of the sign-in, by which its beginner knows it.
    """

    subject: str
    name: str
    groups: tuple[str, ...]
    until: int
    nonce: str | None


def person(claims: Mapping[str, Any], trust: Trust, now: float, leeway_seconds: int) -> Person:
    """Say who a token is about.

    Args:
        claims: of a token whose signature is the issuer's.
        trust: what counts.
        now: seconds since 1970.
        leeway_seconds: so much the issuer's clock may differ.

    Raises:
        NotBelieved: it does not count.
    """
    registry = jwt.JWTClaimsRegistry(
        now=int(now),
        leeway=leeway_seconds,
        iss={"essential": True, "value": trust.url},
        sub={"essential": True},
        aud={"essential": True, "value": trust.client_id},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        registry.validate(dict(claims))
    except (JoseError, TypeError, ValueError) as error:
        raise NotBelieved(str(error)) from error
    until = int(claims["exp"])
    if until <= now:
        raise NotBelieved("exp: is over")
    _check_party(claims, trust)
    for name, value in sorted(trust.required_claims.items()):
        if not _has(claims.get(name), value):
            raise NotBelieved(f"{name}: {claims.get(name)!r} is not allowed: the tenant asks for {value!r}")
    nonce = claims.get("nonce")
    if nonce is not None and not isinstance(nonce, str):
        raise NotBelieved("nonce: is no text")
    subject = _text(claims, "sub", LONGEST_SUBJECT)
    return Person(subject, _name(claims, trust), _groups(claims, trust), until, nonce)


def _check_party(claims: Mapping[str, Any], trust: Trust) -> None:
    party = claims.get("azp")
    audience = claims["aud"]
    if party is None and isinstance(audience, list) and len(cast("list[object]", audience)) > 1:
        raise NotBelieved("azp: is missing, where aud names several")
    if party is not None and party != trust.client_id:
        raise NotBelieved(f"azp: {party!r} is not allowed: the token was given to somebody else")


def _has(said: object, value: str) -> bool:
    """Whether a claim says this, or says it among other things."""
    if isinstance(said, bool):
        return value == str(said).lower()
    return value in cast("list[object]", said) if isinstance(said, list) else said == value


def _name(claims: Mapping[str, Any], trust: Trust) -> str:
    name = _text(claims, trust.username_claim, LONGEST_NAME)
    if trust.username_claim == "email" and claims.get("email_verified", True) is not True:
        raise NotBelieved("email_verified: the issuer does not know that the address is theirs")
    return name.lower()


def _text(claims: Mapping[str, Any], claim: str, longest: int) -> str:
    said = claims.get(claim)
    if not isinstance(said, str) or not 0 < len(said) <= longest or not said.isprintable():
        shown = "missing" if said is None else f"{said!r:.130} is not allowed"
        raise NotBelieved(f"{claim}: {shown}: 1 to {longest} printable characters")
    return said


def _groups(claims: Mapping[str, Any], trust: Trust) -> tuple[str, ...]:
    """The groups, without those that no access rule can name."""
    said = claims.get(trust.groups_claim)
    listed = cast("list[object]", said) if isinstance(said, list) else [] if said is None else [said]
    if not all(isinstance(group, str) for group in listed):
        raise NotBelieved(f"{trust.groups_claim}: is neither a text nor a list of texts")
    named = {str(group) for group in listed}
    groups = sorted(group for group in named if 0 < len(group) <= LONGEST_NAME and group.isprintable())
    if sum(map(len, groups)) > MOST_GROUPS_CHARACTERS:
        raise NotBelieved(
            f"{trust.groups_claim}: {len(groups)} groups are too many: {MOST_GROUPS_CHARACTERS} characters in all are "
            "allowed; have the issuer name fewer"
        )
    return tuple(groups)
