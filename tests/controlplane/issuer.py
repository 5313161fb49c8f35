"""A small OpenID provider over real HTTP: code flow with PKCE, refresh tokens, keys that are replaced.

It does what OpenID Connect Core 1.0 asks of a provider, and, where a test says so, what it forbids.
"""

import base64
import contextlib
import functools
import hashlib
import json
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT, SECRET = "runai", "a secret & more"
TARGET = "http://127.0.0.1:9/callback"
Key = RSAKey | ECKey


def new_key(algorithm: str) -> Key:
    key = RSAKey.generate_key(2048) if algorithm == "RS256" else ECKey.generate_key("P-256")
    key.ensure_kid()
    return key


@functools.cache
def _first_key() -> Key:
    return new_key("RS256")  # making one takes a while


@dataclass
class Issuer:
    """The provider, and what a test may turn.

    Attributes:
        url: how it calls itself.
        people: claims of those who have an account, by `sub`.
        algorithm: that it signs with.
        keys: that it publishes; the last one signs.
        lasts_seconds: how long an ID token counts.
        wrong: claims that ID tokens have instead of the right ones; None: left out.
        found: members of the discovery document that are other than they should be.
        forge: makes the ID token of its header and claims instead.
        answer: what is answered to a path instead: status, headers, body.
        asked: paths that were asked for.
        public: whether clients need no secret.
    """

    url: str = ""
    people: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    algorithm: str = "RS256"
    keys: list[Key] = field(default_factory=lambda: [_first_key()])
    lasts_seconds: int = 3600
    wrong: dict[str, Any] = field(default_factory=dict[str, Any])
    found: dict[str, Any] = field(default_factory=dict[str, Any])
    forge: Callable[[dict[str, Any], dict[str, Any]], str] | None = None
    answer: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict[str, Any])
    asked: list[str] = field(default_factory=list[str])
    public: bool = False
    now: Callable[[], float] = time.time
    _codes: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict[str, Any])
    _refresh: dict[str, str] = field(default_factory=dict[str, str])

    def begin(self, url: str) -> str:
        """Somebody signs in, where they were sent to: the code that is delivered."""
        at = httpx.get(url, trust_env=False)
        assert at.status_code == 303, at.text
        return dict(parse_qsl(urlsplit(at.headers["Location"]).query))["code"]

    def code(self, subject: str, **parameters: str) -> str:
        """Somebody signs in at the issuer itself: the code that is delivered."""
        query = {"client_id": CLIENT, "response_type": "code", "redirect_uri": TARGET, "scope": "openid"}
        return self.begin(f"{self.url}/authorize?{urlencode({**query, 'login_hint': subject, **parameters})}")

    def rotate(self, *, forget: bool = False) -> None:
        self.keys = [*([] if forget else self.keys), new_key(self.algorithm)]

    def document(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [self.algorithm],
            **self.found,
        }

    def jwks(self) -> dict[str, Any]:
        return {"keys": [{**key.as_dict(private=False), "use": "sig"} for key in self.keys]}

    def authorized(self, query: dict[str, str]) -> str:
        """Where to go with a code; the person is who the login hint says."""
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        code = secrets.token_urlsafe()
        self._codes[code] = query["login_hint"], query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query.get('state', '')})}"

    def given(self, form: dict[str, str], authorization: str | None) -> tuple[int, dict[str, Any]]:
        """Tokens for a code or a refresh token."""
        if not self._knows(form, authorization):
            return 401, {"error": "invalid_client"}
        if form.get("grant_type") == "refresh_token":
            subject = self._refresh.pop(form["refresh_token"], None)
            return (400, {"error": "invalid_grant"}) if subject is None else (200, self._tokens(subject, None))
        subject, query = self._codes.pop(form.get("code", ""), ("", {}))
        if not subject or form.get("redirect_uri") != query["redirect_uri"]:
            return 400, {"error": "invalid_grant", "error_description": "no such code"}
        if (challenge := query.get("code_challenge")) is not None:
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if base64.urlsafe_b64encode(digest).decode().rstrip("=") != challenge:
                return 400, {"error": "invalid_grant", "error_description": "PKCE"}
        return 200, self._tokens(subject, query.get("nonce"))

    def id_token(self, subject: str) -> str:
        """What somebody who signed in shows."""
        return self._tokens(subject, None)["id_token"]

    def _knows(self, form: dict[str, str], authorization: str | None) -> bool:
        if self.public:
            return form.get("client_id") == CLIENT
        if authorization is None:
            return False
        client, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        return (unquote(client), unquote(secret)) == (CLIENT, SECRET)

    def _tokens(self, subject: str, nonce: str | None) -> dict[str, Any]:
        refresh = secrets.token_urlsafe()
        self._refresh[refresh] = subject
        now = int(self.now())
        claims: dict[str, Any] = {
            "iss": self.url,
            "sub": subject,
            "aud": CLIENT,
            "iat": now,
            "exp": now + self.lasts_seconds,
            **({} if nonce is None else {"nonce": nonce}),
            **self.people[subject],
            **self.wrong,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        header: dict[str, Any] = {"alg": self.algorithm, "kid": self.keys[-1].kid}
        if self.forge is not None:
            token = self.forge(header, claims)
        else:
            token = jwt.encode(header, claims, self.keys[-1], algorithms=[self.algorithm])
        return {"access_token": "x", "token_type": "Bearer", "id_token": token, "refresh_token": refresh}


@contextlib.contextmanager
def issuing(certificate: Path | None = None, key: Path | None = None) -> Generator[Issuer]:
    """The provider, on a socket of this machine: with HTTPS, if it has a certificate."""
    made = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as its base has it
            """Say nothing."""

        def do_GET(self) -> None:
            at = urlsplit(self.path)
            made.asked.append(at.path)
            if at.path in made.answer:
                self._answer(*made.answer[at.path])
            elif at.path == "/.well-known/openid-configuration":
                self._answer(200, {}, json.dumps(made.document()).encode())
            elif at.path == "/keys":
                self._answer(200, {}, json.dumps(made.jwks()).encode())
            elif at.path == "/authorize":
                query = {name: values[0] for name, values in parse_qs(at.query).items()}
                self._answer(303, {"Location": made.authorized(query)}, b"")
            else:
                self._answer(404, {}, b"")

        def do_POST(self) -> None:
            made.asked.append(self.path)
            form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            if self.path in made.answer:
                self._answer(*made.answer[self.path])
            else:
                status, body = made.given(form, self.headers.get("Authorization"))
                self._answer(status, {}, json.dumps(body).encode())

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_port}"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            made.url = f"https://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
