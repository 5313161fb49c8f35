"""Tokens: JWTs that this control plane signs (RS256) and later believes.

What counts is checked in full, each time: our signature by a key that is still published, an issuer that is a realm
here, and the times. Whether the subject still exists and may have tokens is the `Gate`'s question.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import extract_compact

from aliquot.clock import Clock
from aliquot.contracts.administrator_api.tokens import LONGEST_TOKEN
from aliquot.controlplane.auth.keys import KeyRing
from aliquot.controlplane.refusals import Unauthorized
from aliquot.controlplane.settings import Tokens as TokenSettings

ALGORITHM: Final = "RS256"
AUDIENCE: Final = "runai"
"""The client id that API servers of clusters are told (control-plane-api.md 2.1)."""
REALMS: Final = "/auth/realms/"

Kind = Literal["user", "app"]
Use = Literal["Bearer", "ID", "Refresh"]


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a token is for.

    Attributes:
        realm: name of the tenant.
        tenant_id: its id.
        kind: a user or an application.
        id: of the user or application.
        name: e-mail address of the user, name of the application.
        groups: that the user is in, by the word of the tenant's issuer.
    """

    realm: str
    tenant_id: int
    kind: Kind
    id: str
    name: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says that counts.

    Attributes:
        tenant_id: whose it is.
        kind: a user's or an application's.
        id: of the user or application.
        issued_ms: when it was issued.
        of_issuer: in a refresh token, the issuer's.
    """

    tenant_id: int
    kind: Kind
    id: str
    issued_ms: int
    of_issuer: str | None = None


class Tokens:
    """Signs tokens, and reads them.

    Args:
        keys: that sign.
        url: how clients reach this control plane: `https://HOST`.
        settings: how long tokens count.
        clock: the time.
    """

    def __init__(self, keys: KeyRing, url: str, settings: TokenSettings, clock: Clock) -> None:
        self._keys = keys
        self._url = url
        self._settings = settings
        self._clock = clock

    def issuer(self, realm: str) -> str:
        """Who issues the tokens of a realm."""
        return f"{self._url}{REALMS}{realm}"

    def issued(
        self,
        holder: Holder,
        use: Use,
        until: int | None = None,
        *,
        nonce: str | None = None,
        of_issuer: str | None = None,
    ) -> str:
        """Sign a token.

        Args:
            holder: whom it is for.
            use: what for.
            until: when it ends at the latest, in seconds since 1970.
            nonce: of the sign-in.
            of_issuer: what a refresh token needs to be taken by the holder's issuer.
        """
        now = self._clock.now()
        key_id, key = self._keys.signing()
        lasts = self._settings.refresh_seconds if use == "Refresh" else self._settings.access_seconds
        claims: dict[str, Any] = {
            "iss": self.issuer(holder.realm),
            "sub": holder.id,
            "aud": AUDIENCE,
            "typ": use,
            "iat": int(now),
            "nbf": int(now),
            "exp": int(now) + lasts if until is None else min(until, int(now) + lasts),
            "jti": secrets.token_urlsafe(16),
            "tenantId": holder.tenant_id,
            "entityType": holder.kind,
            "issuedMs": int(now * 1000),
            "preferred_username": holder.name,
        }
        if holder.kind == "user":
            claims["email"] = holder.name
        if holder.groups and use == "ID":
            claims["groups"] = list(holder.groups)
        given = {"nonce": nonce, "ofIssuer": of_issuer}
        claims |= {name: value for name, value in given.items() if value is not None}
        return jwt.encode({"alg": ALGORITHM, "kid": key_id}, claims, key, algorithms=[ALGORITHM])

    def read(self, token: str, *uses: Use) -> Claims:
        """Believe a token, or not.

        Args:
            token: as it came.
            uses: what it may be for.

        Raises:
            Unauthorized: it is not ours, has expired, is not valid yet, or is for something else.
        """
        claims = self._signed(token)
        registry = jwt.JWTClaimsRegistry(
            now=int(self._clock.now()),
            leeway=self._settings.leeway_seconds,
            iss={"essential": True},
            sub={"essential": True},
            aud={"essential": True, "value": AUDIENCE},
            exp={"essential": True},
            iat={"essential": True},
            nbf={"essential": True},
            typ={"essential": True, "values": list(uses)},
        )
        try:
            registry.validate(dict(claims))
            return self._claimed(claims)
        except (JoseError, TypeError, ValueError, KeyError) as error:
            raise Unauthorized(details=f"the token does not count: {error}") from error

    def _signed(self, token: str) -> Mapping[str, Any]:
        if len(token) > LONGEST_TOKEN:
            raise Unauthorized(details=f"the token is longer than {LONGEST_TOKEN} characters")
        try:
            header = extract_compact(token.encode(errors="surrogatepass")).headers()
            key = self._keys.verifying(str(header.get("kid")))
            if key is None:
                raise Unauthorized
            return jwt.decode(token, key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise Unauthorized(details=f"the token does not count: {error}") from error

    def _claimed(self, claims: Mapping[str, Any]) -> Claims:
        if not str(claims["iss"]).startswith(f"{self._url}{REALMS}"):
            raise Unauthorized
        kind = claims["entityType"]
        assert kind in ("user", "app"), "we signed it"
        return Claims(
            int(claims["tenantId"]), kind, str(claims["sub"]), int(claims["issuedMs"]), claims.get("ofIssuer")
        )
