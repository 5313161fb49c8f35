"""People for whom an issuer outside vouches: how they come in, what they may do, and when that ends."""

import base64
import hashlib
import json
from collections.abc import Generator
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from aliquot.controlplane.auth.people.claims import Trust
from aliquot.controlplane.tenants import keep_issuer
from tests.controlplane.forged import signed_with_public_key
from tests.controlplane.issuer import CLIENT, SECRET, TARGET, Issuer, issuing, new_key
from tests.controlplane.plane import Caller, Plane, Tenant

TOKEN = "/api/v1/token"
RULES = "/api/v1/authorization/access-rules"
PERMISSIONS = "/api/v1/authorization/permissions"
ADA = {"email": "Ada@example.com", "email_verified": True, "groups": ["ml", "ops"]}


@pytest.fixture
def issuer() -> Generator[Issuer]:
    with issuing() as made:
        made.people["ada-1"] = dict(ADA)
        yield made


def _trusts(tenant: Tenant, issuer: Issuer, **other: Any) -> None:
    said: dict[str, Any] = {
        "url": issuer.url,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "username_claim": "email",
        "groups_claim": "groups",
        "required_claims": {},
        "hosts": frozenset[str](),
        **other,
    }
    keep_issuer(tenant.plane.services.database, tenant.made.tenant, Trust(**said))


@pytest.fixture
def trusting(tenant: Tenant, issuer: Issuer) -> Tenant:
    _trusts(tenant, issuer)
    return tenant


def _body(code: str, **other: str) -> dict[str, str]:
    return {"grantType": "exchange_token", "code": code, "redirectUri": TARGET, "clientID": CLIENT, **other}


def _signs_in(tenant: Tenant, issuer: Issuer, subject: str = "ada-1") -> tuple[Caller, dict[str, Any]]:
    got = tenant.nobody.done("POST", TOKEN, _body(issuer.code(subject)))
    return Caller(tenant.plane.http, tenant.host, got["accessToken"]), got


def _refused(tenant: Tenant, issuer: Issuer, status: int = 400) -> str:
    return tenant.nobody.refused(status, "POST", TOKEN, _body(issuer.code("ada-1")))


def _claims(token: str) -> dict[str, Any]:
    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


def _rule(tenant: Tenant, subject: str, kind: str = "group", role: int = 7) -> None:
    rule = {"subjectId": subject, "subjectType": kind, "roleId": role, "scopeType": "tenant", "scopeId": str(tenant.id)}
    tenant.admin.done("POST", RULES, rule)


def _user(tenant: Tenant, name: str = "ada@example.com") -> dict[str, Any]:
    return next(user for user in tenant.admin.done("GET", "/api/v1/users") if user["username"] == name)


def test_who_signs_in_for_the_first_time_becomes_a_user_with_the_rights_of_their_groups(
    trusting: Tenant, issuer: Issuer
) -> None:
    _rule(trusting, "ml")
    ada, got = _signs_in(trusting, issuer)
    ada.done("GET", "/api/v1/clusters")
    ada.refused(403, "POST", "/api/v1/clusters", {"name": "c1"})
    user = _user(trusting)
    assert (user["isLocal"], user["groups"], user["createdBy"]) == (False, ["ml", "ops"], issuer.url)
    said = _claims(got["idToken"])
    assert (said["email"], said["groups"], said["sub"]) == ("ada@example.com", ["ml", "ops"], user["id"])
    outside = trusting.admin.done("GET", "/api/v1/users", filter="runai.is_local:false")
    assert [each["username"] for each in outside] == ["ada@example.com"]
    here = trusting.admin.done("GET", "/api/v1/users", filter="runai.is_local:true")
    assert [each["username"] for each in here] == [trusting.made.username]
    scopes = ada.done("POST", "/api/v1/authorization/permitted-scopes", {"resourceType": "cluster", "action": "read"})
    assert scopes["read"]["tenants"] == [str(trusting.id)]
    (made,) = trusting.admin.done("GET", "/api/v1/audit/log", filterBy="entityName==ada@example.com")["records"]
    assert (made["action"], made["sourceName"]) == ("create", "ada@example.com")


def test_the_older_surface_tells_them_from_users_with_a_password_here(trusting: Tenant, issuer: Issuer) -> None:
    _signs_in(trusting, issuer)
    local = trusting.admin.done("GET", "/v1/k8s/users", usersType="regular-user")
    [person] = trusting.admin.done("GET", "/v1/k8s/users", usersType="sso-user")
    assert (person["email"], person["entityType"]) == ("ada@example.com", "sso-user")
    assert person["userId"] not in {each["userId"] for each in local}


def test_the_older_surface_exchanges_a_code_too(trusting: Tenant, issuer: Issuer) -> None:
    path, nobody = "/v1/k8s/auth/token/exchange", trusting.nobody
    answer = nobody.call("GET", path, code=issuer.code("ada-1"), redirect_uri=TARGET)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert answer.headers["Link"].startswith("</api/v1/token>")
    got = answer.json()
    for token in (got["accessToken"], got["idToken"]):
        Caller(trusting.plane.http, trusting.host, token).done("GET", PERMISSIONS)
    assert nobody.done("POST", "/v1/k8s/auth/oauth/tokens/refresh", refresh_token=got["refreshToken"])["accessToken"]
    assert "code" in nobody.refused(400, "GET", path, code="guess", redirect_uri=TARGET)
    assert "redirect_uri: missing" in nobody.refused(400, "GET", path, code=issuer.code("ada-1"))
    elsewhere = {"code": issuer.code("ada-1"), "redirect_uri": "http://elsewhere.example.com"}
    assert "code" in nobody.refused(400, "GET", path, **elsewhere)


def test_groups_are_those_of_the_last_sign_in(trusting: Tenant, issuer: Issuer) -> None:
    _rule(trusting, "ml")
    first, _ = _signs_in(trusting, issuer)
    issuer.people["ada-1"]["groups"] = "ops"
    second, got = _signs_in(trusting, issuer)
    for caller in (first, second):
        caller.refused(403, "GET", "/api/v1/clusters")
    assert _claims(got["idToken"])["groups"] == ["ops"]


def test_a_rule_for_somebody_counts_before_they_have_ever_come(trusting: Tenant, issuer: Issuer) -> None:
    _rule(trusting, "ADA@example.com", "user")
    ada, _ = _signs_in(trusting, issuer)
    ada.done("GET", "/api/v1/clusters")


def test_tokens_end_with_the_issuers_word(trusting: Tenant, issuer: Issuer) -> None:
    issuer.lasts_seconds = 300
    ada, got = _signs_in(trusting, issuer)
    assert got["expiresIn"] <= 300
    for token in (got["accessToken"], got["idToken"]):
        assert _claims(token)["exp"] <= _claims(token)["iat"] + 300
    try:
        trusting.plane.clock.later_seconds = 331
        ada.refused(401, "GET", PERMISSIONS)
    finally:
        trusting.plane.clock.later_seconds = 0


def test_a_refreshed_token_asks_the_issuer_again(trusting: Tenant, issuer: Issuer) -> None:
    _, got = _signs_in(trusting, issuer)
    issuer.people["ada-1"]["groups"] = ["new"]
    again = trusting.nobody.done("POST", TOKEN, {"grantType": "refresh_token", "refreshToken": got["refreshToken"]})
    assert _user(trusting)["groups"] == ["new"]
    assert again["refreshToken"] != got["refreshToken"]
    said = trusting.nobody.refused(
        400, "POST", TOKEN, {"grantType": "refresh_token", "refreshToken": got["refreshToken"]}
    )
    assert "refreshToken" in said, "the issuer takes each one once"
    trusting.admin.done("POST", f"/api/v1/users/{_user(trusting)['id']}/logout")
    body = {"grantType": "refresh_token", "refreshToken": again["refreshToken"]}
    assert "revoked" in trusting.nobody.refused(400, "POST", TOKEN, body)


def test_an_issuer_that_names_somebody_else_over_a_refresh_is_not_followed(trusting: Tenant, issuer: Issuer) -> None:
    _, got = _signs_in(trusting, issuer)
    issuer.wrong = {"sub": "eve-1"}
    body = {"grantType": "refresh_token", "refreshToken": got["refreshToken"]}
    assert "somebody else's" in trusting.nobody.refused(400, "POST", TOKEN, body)


def test_a_program_that_knows_openid_connect_needs_to_know_nothing_else(trusting: Tenant, issuer: Issuer) -> None:
    http, verifier = trusting.plane.http, "v" * 64
    found = http.get(f"/auth/realms/{trusting.made.tenant}/.well-known/openid-configuration").json()
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "response_type": "code",
        "client_id": "any",
        "redirect_uri": TARGET,
        "scope": "openid email",
        "nonce": "n-1",
        "login_hint": "ada-1",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    to = http.get(found["authorization_endpoint"], params=asked)
    assert to.headers["Location"].startswith(f"{issuer.url}/authorize?")
    code = issuer.begin(to.headers["Location"])
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": TARGET, "client_id": CLIENT}
    got = http.post(found["token_endpoint"], data={**form, "code_verifier": verifier})
    assert got.status_code == 200, got.text
    keys = KeySet.import_key_set(http.get(found["jwks_uri"]).json())
    claims = jwt.decode(got.json()["id_token"], keys, algorithms=["RS256"]).claims
    assert (claims["iss"], claims["nonce"], claims["groups"]) == (found["issuer"], "n-1", ["ml", "ops"])
    twice = http.post(found["token_endpoint"], data={**form, "code_verifier": verifier})
    assert (twice.status_code, twice.json()["error"]) == (400, "invalid_grant")


def test_codes_are_good_for_who_began_the_sign_in(trusting: Tenant, issuer: Issuer) -> None:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 64).digest()).decode().rstrip("=")
    pkce = {"code_challenge": challenge, "code_challenge_method": "S256", "nonce": "n-1"}

    def refused(**other: str) -> str:
        return trusting.nobody.refused(400, "POST", TOKEN, _body(issuer.code("ada-1", **pkce), **other))

    assert "PKCE" in refused()
    assert "PKCE" in refused(codeVerifier="w" * 64)
    assert "no such code" in refused(codeVerifier="v" * 64, redirectUri="http://127.0.0.1:9/other")
    assert "nonce" in refused(codeVerifier="v" * 64, nonce="n-2")
    assert "clientID" in refused(codeVerifier="v" * 64, clientID="somebody")
    assert "redirectUri" in trusting.nobody.refused(400, "POST", TOKEN, {"grantType": "exchange_token", "code": "c"})
    trusting.nobody.done("POST", TOKEN, _body(issuer.code("ada-1", **pkce), codeVerifier="v" * 64, nonce="n-1"))


def test_a_tenant_without_an_issuer_takes_no_codes(tenant: Tenant) -> None:
    assert "issuer" in tenant.nobody.refused(400, "POST", TOKEN, _body("c"))


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("another issuer", {"iss": "https://evil.example.com"}, "iss"),
    ("no issuer", {"iss": None}, "iss"),
    ("another audience", {"aud": "other"}, "aud"),
    ("several audiences, and nobody named", {"aud": [CLIENT, "other"]}, "azp"),
    ("given to somebody else", {"azp": "other"}, "azp"),
    ("over", {"exp": 1}, "exp"),
    ("without an end", {"exp": None}, "exp"),
    ("an end that is no time", {"exp": "tomorrow"}, "exp"),
    ("of tomorrow", {"nbf": 4_000_000_000}, "not yet"),
    ("issued tomorrow", {"iat": 4_000_000_000}, "in the future"),
    ("about nobody", {"sub": None}, "sub"),
    ("an empty subject", {"sub": ""}, "sub"),
    ("a subject that is too long", {"sub": "x" * 256}, "sub"),
    ("without a name", {"email": None}, "email"),
    ("a name that is no text", {"email": ["a@b.c"]}, "email"),
    ("a name with a line break", {"email": "a@b.c\nd"}, "email"),
    ("an address that nobody checked", {"email_verified": False}, "email_verified"),
    ("an address that nobody checked, in words", {"email_verified": "false"}, "email_verified"),
    ("groups that are no texts", {"groups": [1]}, "groups"),
    ("too many groups", {"groups": [f"{number:0200}" for number in range(50)]}, "too many"),
]


@pytest.mark.parametrize(("wrong", "says"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_an_id_token_is_looked_at_in_full(trusting: Tenant, issuer: Issuer, wrong: dict[str, Any], says: str) -> None:
    issuer.wrong = wrong
    assert says in _refused(trusting, issuer)
    assert len(trusting.admin.done("GET", "/api/v1/users")) == 1


def test_groups_that_no_rule_can_name_are_left_out(trusting: Tenant, issuer: Issuer) -> None:
    issuer.people["ada-1"]["groups"] = ["b", "", "x" * 254, "a\n", "b", "a"]
    _signs_in(trusting, issuer)
    assert _user(trusting)["groups"] == ["a", "b"]


def _encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def test_only_the_issuers_own_keys_count(trusting: Tenant, issuer: Issuer) -> None:
    def none(header: dict[str, Any], claims: dict[str, Any]) -> str:
        return f"{_encoded({**header, 'alg': 'none'})}.{_encoded(claims)}."

    def public_key_as_secret(header: dict[str, Any], claims: dict[str, Any]) -> str:
        return signed_with_public_key({**header, "alg": "HS256"}, claims, issuer.jwks()["keys"][-1])

    def another_key(header: dict[str, Any], claims: dict[str, Any]) -> str:
        return jwt.encode(header, claims, new_key("RS256"), algorithms=["RS256"])

    def unknown_key(header: dict[str, Any], claims: dict[str, Any]) -> str:
        return another_key({**header, "kid": "unknown"}, claims)

    def other_algorithm(header: dict[str, Any], claims: dict[str, Any]) -> str:
        return jwt.encode({**header, "alg": "PS256"}, claims, issuer.keys[-1], algorithms=["PS256"])

    def wrong_kind(header: dict[str, Any], claims: dict[str, Any]) -> str:
        return jwt.encode({**header, "alg": "ES256"}, claims, new_key("ES256"), algorithms=["ES256"])

    for forge in (none, public_key_as_secret, another_key, unknown_key, other_algorithm, wrong_kind):
        issuer.forge = forge
        assert "ID token" in _refused(trusting, issuer), forge.__name__
    for text in ("", "a.b.c", "a" * 40_000, "\u00e4.b.c"):
        issuer.forge = lambda _header, _claims, text=text: text
        assert "ID token" in _refused(trusting, issuer), text[:10]


def test_an_issuer_may_sign_with_either_algorithm(trusting: Tenant, issuer: Issuer) -> None:
    issuer.algorithm, issuer.keys = "ES256", [new_key("ES256")]
    _signs_in(trusting, issuer)


def test_an_issuers_keys_are_kept_until_a_token_names_another(trusting: Tenant, issuer: Issuer) -> None:
    for _ in range(3):
        _signs_in(trusting, issuer)
    assert issuer.asked.count("/keys") == 1
    assert issuer.asked.count("/.well-known/openid-configuration") == 1
    issuer.rotate()
    try:
        assert "kid" in _refused(trusting, issuer), "strangers cannot make us ask again and again"
        trusting.plane.clock.later_seconds = 11
        issuer.now = trusting.plane.clock.now
        _signs_in(trusting, issuer)
        assert issuer.asked.count("/keys") == 2
    finally:
        trusting.plane.clock.later_seconds = 0


def test_a_key_that_the_issuer_took_back_does_not_count_for_long(trusting: Tenant, issuer: Issuer) -> None:
    _signs_in(trusting, issuer)
    lost = issuer.keys[-1]
    issuer.rotate(forget=True)
    issuer.forge = lambda header, claims: jwt.encode({**header, "kid": lost.kid}, claims, lost, algorithms=["RS256"])
    try:
        trusting.plane.clock.later_seconds = 301
        issuer.now = trusting.plane.clock.now
        assert "kid" in _refused(trusting, issuer)
    finally:
        trusting.plane.clock.later_seconds = 0


def test_keys_without_names_are_tried(trusting: Tenant, issuer: Issuer) -> None:
    issuer.rotate()
    issuer.forge = lambda header, claims: jwt.encode({"alg": "RS256"}, claims, issuer.keys[-1], algorithms=["RS256"])
    _signs_in(trusting, issuer)


def _elsewhere(issuer: Issuer) -> dict[str, Any]:
    return {"token_endpoint": issuer.url.replace("127.0.0.1", "localhost") + "/token"}


def test_nobody_is_asked_whom_the_tenants_owner_did_not_name(tenant: Tenant, issuer: Issuer) -> None:
    _trusts(tenant, issuer)
    issuer.found = _elsewhere(issuer)
    _refused(tenant, issuer, 503)
    assert "/token" not in issuer.asked
    _trusts(tenant, issuer, hosts=frozenset({"localhost"}))
    _signs_in(tenant, issuer)


FOUND: list[tuple[str, dict[str, Any]]] = [
    ("is somebody else", {"issuer": "https://evil.example.com"}),
    ("names no endpoint", {"token_endpoint": None}),
    ("names another host", {"jwks_uri": "https://evil.example.com/keys"}),
    ("names a file", {"jwks_uri": "file:///etc/passwd"}),
    ("has a password in an address", {"token_endpoint": "http://a:b@127.0.0.1/token"}),
    ("has a port that is none", {"token_endpoint": "http://127.0.0.1:x/token"}),
]


@pytest.mark.parametrize("found", [row[1] for row in FOUND], ids=[row[0] for row in FOUND])
def test_an_issuer_is_not_used_that_says_what_cannot_be(
    trusting: Tenant, issuer: Issuer, found: dict[str, Any]
) -> None:
    issuer.found = found
    assert "identity provider" in _refused(trusting, issuer, 503)


ANSWERS: list[tuple[str, str, tuple[int, dict[str, str], bytes], int]] = [
    ("no document", "/.well-known/openid-configuration", (404, {}, b""), 503),
    ("a document that is no JSON", "/.well-known/openid-configuration", (200, {}, b"<html>"), 503),
    ("a document that is a list", "/.well-known/openid-configuration", (200, {}, b"[]"), 503),
    ("a redirect", "/keys", (302, {"Location": "/elsewhere"}, b""), 503),
    ("keys without end", "/keys", (200, {}, b" " * (2**20 + 1)), 503),
    ("an answer that breaks off", "/keys", (200, {"Content-Length": "100"}, b"{"), 503),
    ("no keys", "/keys", (200, {}, b"{}"), 400),
    ("keys that are none", "/keys", (200, {}, b'{"keys": [1, {"kty": "RSA"}, {"kty": "EC", "crv": "P-256"}]}'), 400),
    ("no ID token", "/token", (200, {}, b"{}"), 400),
    ("a token endpoint that fails", "/token", (500, {}, b"{}"), 503),
]


@pytest.mark.parametrize(("path", "answer", "status"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_an_issuer_that_is_broken_breaks_nothing(
    trusting: Tenant, issuer: Issuer, path: str, answer: tuple[int, dict[str, str], bytes], status: int
) -> None:
    issuer.answer[path] = answer
    _refused(trusting, issuer, status)
    assert "/elsewhere" not in issuer.asked
    issuer.answer.clear()
    try:
        trusting.plane.clock.later_seconds = 11
        issuer.now = trusting.plane.clock.now
        _signs_in(trusting, issuer)
    finally:
        trusting.plane.clock.later_seconds = 0


def test_an_issuer_that_is_away_is_told_of_and_local_users_come_in_all_the_same(tenant: Tenant) -> None:
    with issuing() as gone:
        _trusts(tenant, gone)
    answer = tenant.nobody.call("POST", TOKEN, _body("c"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    tenant.signed_in(tenant.made.username, tenant.made.password)


def test_who_is_called_like_somebody_else_here_gets_nothing_of_theirs(trusting: Tenant, issuer: Issuer) -> None:
    issuer.people["ada-1"]["email"] = trusting.made.username.upper()
    assert "a local user" in _refused(trusting, issuer, 409)
    issuer.people["ada-1"]["email"] = ADA["email"]
    _signs_in(trusting, issuer)
    issuer.people["ada-2"] = dict(ADA)
    assert "another person" in trusting.nobody.refused(409, "POST", TOKEN, _body(issuer.code("ada-2")))
    issuer.people["eve"] = {"email": _user(trusting)["id"]}
    assert "another person" in trusting.nobody.refused(409, "POST", TOKEN, _body(issuer.code("eve")))
    trusting.admin.done("DELETE", f"/api/v1/users/{_user(trusting)['id']}")
    _signs_in(trusting, issuer, "ada-2")


def test_who_gets_another_name_stays_the_same_user(trusting: Tenant, issuer: Issuer) -> None:
    _signs_in(trusting, issuer)
    before = _user(trusting)["id"]
    issuer.people["ada-1"]["email"] = "lovelace@example.com"
    _signs_in(trusting, issuer)
    assert _user(trusting, "lovelace@example.com")["id"] == before


def test_people_have_no_password_here_and_no_tenant_is_left_to_them_alone(trusting: Tenant, issuer: Issuer) -> None:
    ada, _ = _signs_in(trusting, issuer)
    _rule(trusting, "ada@example.com", "user", role=1)
    path = f"/api/v1/users/{_user(trusting)['id']}"
    assert "issuer" in trusting.admin.refused(400, "POST", f"{path}/password")
    change = {"currentPassword": "", "newPassword": "a much better one"}
    assert "issuer" in ada.refused(400, "POST", "/api/v1/me/password", change)
    for password in ("", "x"):
        body = {"grantType": "password", "username": "ada@example.com", "password": password}
        trusting.nobody.refused(400, "POST", TOKEN, body)
    admin = _user(trusting, trusting.made.username)["id"]
    assert "local user" in ada.refused(400, "DELETE", f"/api/v1/users/{admin}")


def test_only_those_come_in_of_whom_the_issuer_says_what_is_asked_for(tenant: Tenant, issuer: Issuer) -> None:
    _trusts(tenant, issuer, required_claims={"hd": "example.com", "roles": "gpu", "active": "true"})
    said = {"hd": "example.com", "roles": ["x", "gpu"], "active": True}
    for name, value in (("hd", "evil.com"), ("hd", None), ("roles", ["x"]), ("active", False)):
        issuer.wrong = {**said, name: value}
        assert name in _refused(tenant, issuer)
    issuer.wrong = said
    _signs_in(tenant, issuer)


def test_names_and_groups_are_where_the_owner_says(tenant: Tenant, issuer: Issuer) -> None:
    _trusts(tenant, issuer, username_claim="sub", groups_claim="https://example.com/teams")
    issuer.people["ada-1"] = {"https://example.com/teams": ["ml"]}
    _signs_in(tenant, issuer)
    assert _user(tenant, "ada-1")["groups"] == ["ml"]


def test_a_public_client_proves_nothing(tenant: Tenant, issuer: Issuer) -> None:
    issuer.public = True
    _trusts(tenant, issuer, client_secret=None)
    _signs_in(tenant, issuer)


def test_an_issuer_that_does_not_count_any_more_takes_its_people_along(trusting: Tenant, issuer: Issuer) -> None:
    ada, got = _signs_in(trusting, issuer)
    ada.done("GET", PERMISSIONS)
    database = trusting.plane.services.database
    keep_issuer(database, trusting.made.tenant, None)
    ada.refused(401, "GET", PERMISSIONS)
    body = {"grantType": "refresh_token", "refreshToken": got["refreshToken"]}
    trusting.nobody.refused(400, "POST", TOKEN, body)
    with issuing() as other:
        other.people["ada-1"] = dict(ADA)
        _trusts(trusting, other)
        assert "another person" in _refused(trusting, other, 409), "who this is the old issuer knew"
        ada.refused(401, "GET", PERMISSIONS)
        trusting.nobody.refused(400, "POST", TOKEN, body)
    _trusts(trusting, issuer)
    ada.done("GET", PERMISSIONS)


def test_people_of_one_tenant_are_nobody_in_another(trusting: Tenant, plane: Plane, issuer: Issuer) -> None:
    other = plane.tenant()
    _, got = _signs_in(trusting, issuer)
    body = {"grantType": "refresh_token", "refreshToken": got["refreshToken"]}
    other.nobody.refused(400, "POST", TOKEN, body)
    other.nobody.refused(400, "POST", TOKEN, _body(issuer.code("ada-1")))


def test_refusals_are_in_the_form_of_whom_they_are_told(trusting: Tenant, issuer: Issuer) -> None:
    path = f"/auth/realms/{trusting.made.tenant}/protocol/openid-connect/token"
    form = {"grant_type": "authorization_code", "redirect_uri": TARGET, "client_id": CLIENT}

    def said(code: str) -> tuple[int, str]:
        answer: httpx.Response = trusting.plane.http.post(path, data={**form, "code": code})
        return answer.status_code, answer.json()["error"]

    assert said("no such") == (400, "invalid_grant")
    issuer.people["ada-1"]["email"] = trusting.made.username
    assert said(issuer.code("ada-1")) == (409, "invalid_grant")
    issuer.answer["/token"] = (500, {}, b"")
    assert said(issuer.code("ada-1")) == (503, "temporarily_unavailable")
