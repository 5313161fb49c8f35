"""Speaking to issuers: their discovery documents, their keys, and codes against ID tokens.

Only HTTPS, or HTTP on this very machine; only hosts that the tenant's owner named; no redirects; answers up to a bound
in size and time; a few at once. What an issuer says of itself is kept for a while, its keys are asked for anew when a
token names one that is not known.
"""

import base64
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Lock
from typing import Any, Final, cast
from urllib.parse import quote, urlsplit

import httpx
import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import extract_compact

from aliquot import log
from aliquot.clock import Clock
from aliquot.controlplane.auth.people.claims import NotBelieved, Trust
from aliquot.controlplane.refusals import NotNow
from aliquot.controlplane.settings import People
from aliquot.errors import AliquotError

ALGORITHMS: Final = ("RS256", "ES256")
"""What ID tokens may be signed with; never what a token itself asks for."""
LONGEST_ID_TOKEN: Final = 32_768
_KEY_TYPES: Final = {"RS256": "RSA", "ES256": "EC"}
_SMALLEST_RSA_BITS: Final = 2048
_MOST_KEYS: Final = 100
_MOST_BYTES: Final = 2**20
_FOUND_FRESH_SECONDS: Final = 3600.0
_KEYS_FRESH_SECONDS: Final = 300.0
_LOOKS_AGAIN_SECONDS: Final = 10.0
"""Tokens with unknown keys make us ask for the keys, but not more often than this."""

_log = log.get(__name__)


class Refused(AliquotError):  # noqa: N818 - it says what happened
    """The issuer does not take the code or the refresh token."""


@dataclass(frozen=True, slots=True)
class Given:
    """What an issuer gives for a code: what its ID token says, and what gets the next one, if there is any."""

    claims: Mapping[str, Any]
    refresh_token: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """What an issuer says of itself."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    takes_secret_in_form: bool


Key = RSAKey | ECKey


@dataclass(slots=True)
class _Known:
    lock: Lock = field(default_factory=Lock)
    found: Found | None = None
    found_at: float = 0
    keys: tuple[tuple[str | None, Key], ...] = ()
    keys_at: float | None = None


class Provider:
    """Speaks to the issuers of all tenants.

    Args:
        settings: how patient to be.
        clock: the time.
    """

    def __init__(self, settings: People, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._turns = BoundedSemaphore(settings.requests_at_once)
        self._lock = Lock()
        self._known: dict[tuple[str, frozenset[str]], _Known] = {}
        self._http = httpx.Client(
            timeout=settings.answer_seconds,
            follow_redirects=False,
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "aliquot"},
        )

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def authorization_endpoint(self, trust: Trust) -> str:
        """Where people sign in.

        Raises:
            NotNow: the issuer does not answer, or says what cannot be.
        """
        with self._turn():
            return self._found(trust).authorization_endpoint

    def exchanged(self, trust: Trust, form: Mapping[str, str]) -> Given:
        """Give a code, or a refresh token, to the issuer.

        Args:
            trust: the issuer.
            form: as RFC 6749 has it; who we are is added.

        Raises:
            Refused: the issuer does not take it.
            NotBelieved: what it gives for it, it did not sign.
            NotNow: it does not answer, or too many others ask.
        """
        with self._turn():
            found = self._found(trust)
            sent, headers = dict(form), dict[str, str]()
            if trust.client_secret is None or found.takes_secret_in_form:
                sent["client_id"] = trust.client_id
                if trust.client_secret is not None:
                    sent["client_secret"] = trust.client_secret
            else:
                who = f"{quote(trust.client_id, safe='')}:{quote(trust.client_secret, safe='')}"
                headers["Authorization"] = f"Basic {base64.b64encode(who.encode()).decode()}"
            answer = self._asked(trust, "POST", found.token_endpoint, form=sent, headers=headers)
            id_token, refresh_token = answer.get("id_token"), answer.get("refresh_token")
            if not isinstance(id_token, str):
                raise Refused("the issuer gives no ID token: ask it for the scope openid")
            return Given(self._claims(trust, id_token), refresh_token if isinstance(refresh_token, str) else None)

    @contextmanager
    def _turn(self) -> Generator[None]:
        """Let a few in at once: whoever waits for an issuer keeps a thread."""
        if not self._turns.acquire(blocking=False):
            raise NotNow("Too many are signing in at this moment.", 1)
        try:
            yield
        finally:
            self._turns.release()

    def _found(self, trust: Trust) -> Found:
        known = self._of(trust)
        with known.lock:
            if known.found is None or self._clock.monotonic() - known.found_at >= _FOUND_FRESH_SECONDS:
                url = f"{trust.url.rstrip('/')}/.well-known/openid-configuration"
                known.found = _found(self._asked(trust, "GET", url), trust)
                known.found_at = self._clock.monotonic()
            return known.found

    def _claims(self, trust: Trust, id_token: str) -> Mapping[str, Any]:
        if len(id_token) > LONGEST_ID_TOKEN:
            raise NotBelieved(f"it is longer than {LONGEST_ID_TOKEN} characters")
        try:
            header = extract_compact(id_token.encode(errors="surrogatepass")).headers()
            algorithm, key_id = header.get("alg"), header.get("kid")
            if algorithm not in ALGORITHMS:
                raise NotBelieved(f"alg: {algorithm!r} is not allowed: one of {', '.join(ALGORITHMS)}")
            last: Exception | None = None
            for key in self._keys(trust, algorithm, key_id):
                try:
                    return jwt.decode(id_token, key, algorithms=[algorithm]).claims
                except JoseError as error:
                    last = error
            raise NotBelieved(str(last) if last else f"kid: the issuer has no such key for {algorithm}")
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise NotBelieved(str(error)) from error

    def _keys(self, trust: Trust, algorithm: str, key_id: object) -> list[Key]:
        """Keys that may have signed: the one of this id, or all of the right kind where a token names none."""
        uri = self._found(trust).jwks_uri
        known = self._of(trust)
        with known.lock:
            if known.keys_at is None or self._clock.monotonic() - known.keys_at >= _KEYS_FRESH_SECONDS:
                self._look(trust, known, uri)
            fitting = _fitting(known, algorithm, key_id)
            if not fitting and self._clock.monotonic() - (known.keys_at or 0) >= _LOOKS_AGAIN_SECONDS:
                self._look(trust, known, uri)
                fitting = _fitting(known, algorithm, key_id)
            return fitting

    def _look(self, trust: Trust, known: _Known, uri: str) -> None:
        known.keys = _keys_of(self._asked(trust, "GET", uri))
        known.keys_at = self._clock.monotonic()

    def _of(self, trust: Trust) -> _Known:
        with self._lock:
            return self._known.setdefault((trust.url, trust.hosts), _Known())

    def _asked(
        self,
        trust: Trust,
        method: str,
        url: str,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """One request.

        Raises:
            Refused: the answer is 400 or 401, where something was given to the issuer.
            NotNow: there is no answer that can be used.
        """
        status, body = self._answer(method, url, form, headers)
        said = _object(body)
        if form is not None and status in (400, 401, 403):
            shown = said.get("error_description") or said.get("error") if said else None
            raise Refused(f"the issuer answered {status}: {shown or ''!s:.300}".rstrip(": "))
        if status != 200 or said is None:
            raise self._unusable(trust, url, f"it answered {status}" if said else f"it answered {status}, and no JSON")
        return said

    def _answer(
        self, method: str, url: str, form: Mapping[str, str] | None, headers: Mapping[str, str] | None
    ) -> tuple[int, bytes]:
        until = self._clock.monotonic() + self._settings.answer_seconds
        body = bytearray()
        try:
            with self._http.stream(method, url, data=form, headers=headers) as answer:
                for chunk in answer.iter_raw():
                    body += chunk
                    if len(body) > _MOST_BYTES or self._clock.monotonic() > until:
                        raise httpx.ReadTimeout("the answer is too long, or too slow")
                return answer.status_code, bytes(body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # The address is told, never what was sent.
            raise _unreachable(url, type(error).__name__) from error

    def _unusable(self, trust: Trust, url: str, why: str) -> NotNow:
        _log.error("issuer cannot be used", issuer=trust.url, url=url, reason=why)
        return NotNow("The identity provider cannot be used at this moment.", 10)


def is_allowed(url: str, trust_url: str, hosts: frozenset[str] = frozenset()) -> bool:
    """Whether an endpoint may be spoken to: HTTPS, or HTTP on this machine if the issuer is there, on a known host."""
    try:
        parts, own = urlsplit(url), urlsplit(trust_url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment or not url.isprintable() or " " in url:
        return False
    if host != own.hostname and host not in hosts:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_here(host) and own.scheme == "http")


def _is_here(host: str) -> bool:
    return host in ("localhost", "127.0.0.1", "::1")


def _unreachable(url: str, why: str) -> NotNow:
    _log.error("issuer does not answer", url=url, reason=why)
    return NotNow("The identity provider does not answer.", 10)


def _found(said: Mapping[str, Any], trust: Trust) -> Found:
    """Read a discovery document (OpenID Connect Discovery 1.0, 4.3).

    Raises:
        NotNow: it is somebody else's, or names endpoints where nobody is asked.
    """
    if said.get("issuer") != trust.url:
        raise _wrong(trust, f"issuer: {said.get('issuer')!r:.130} is not allowed: {trust.url!r}")
    endpoints: list[str] = []
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        url = said.get(name)
        if not isinstance(url, str) or not is_allowed(url, trust.url, trust.hosts):
            raise _wrong(
                trust, f"{name}: {url!r:.130} is not allowed: HTTPS on the issuer's host, or one that was named"
            )
        endpoints.append(url)
    ways = said.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Found(*endpoints, takes_secret_in_form="client_secret_basic" not in ways)


def _wrong(trust: Trust, why: str) -> NotNow:
    _log.error("issuer cannot be used", issuer=trust.url, reason=why)
    return NotNow("The identity provider is not set up as it should be.", 60)


def _keys_of(said: Mapping[str, Any]) -> tuple[tuple[str | None, Key], ...]:
    """The keys of a JWKS that may sign ID tokens; others are passed over."""
    listed = said.get("keys")
    keys: list[tuple[str | None, Key]] = []
    for entry in cast("list[object]", listed)[:_MOST_KEYS] if isinstance(listed, list) else []:
        jwk = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
        if jwk.get("use", "sig") != "sig":
            continue
        key_id = jwk.get("kid")
        try:
            key = _key(jwk)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if key is not None:
            keys.append((key_id if isinstance(key_id, str) else None, key))
    return tuple(keys)


def _key(jwk: dict[str, Any]) -> Key | None:
    if jwk.get("kty") == "RSA":
        key = RSAKey.import_key(jwk)
        return key if key.public_key.key_size >= _SMALLEST_RSA_BITS else None
    if jwk.get("kty") == "EC" and jwk.get("crv") == "P-256":
        return ECKey.import_key(jwk)
    return None


def _fitting(known: _Known, algorithm: str, key_id: object) -> list[Key]:
    kind = _KEY_TYPES[algorithm]
    return [key for own, key in known.keys if key.key_type == kind and (key_id is None or own == key_id)]


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        read: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return cast("dict[str, Any]", read) if isinstance(read, dict) else None
