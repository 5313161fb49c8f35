"""Tokens, users and applications: scenarios A1 to A4, A17, A18 (control-plane-api.md, section 7)."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tests.controlplane.forged import signed_with_public_key
from tests.controlplane.plane import Caller, Plane, Tenant, running

TOKEN = "/api/v1/token"


def _realm(tenant: Tenant, **form: str) -> httpx.Response:
    path = f"/auth/realms/{tenant.made.tenant}/protocol/openid-connect/token"
    return tenant.plane.http.post(path, data=form)


def _with(tenant: Tenant, token: str) -> Caller:
    return Caller(tenant.plane.http, tenant.host, token)


def _claims(token: str) -> dict[str, Any]:
    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


def test_a1_an_application_gets_a_token_as_from_keycloak(tenant: Tenant) -> None:
    app, _ = tenant.application()
    plain = {"grant_type": "client_credentials", "client_id": app["name"], "client_secret": app["secret"]}
    for form in (plain, {**plain, "scope": "openid", "response_type": "id_token"}):
        got = _realm(tenant, **form).json()
        assert (got["token_type"], got["expires_in"]) == ("Bearer", 36_000)
        for token in (got["access_token"], got["id_token"]):
            _with(tenant, token).done("GET", "/api/v1/authorization/permissions")
    wrong = _realm(tenant, **{**plain, "client_secret": "guess"})
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    odd = _realm(tenant, **{**plain, "grant_type": "implicit"})
    assert (odd.status_code, odd.json()["error"]) == (400, "unsupported_grant_type")


def test_a2_an_application_gets_a_token_however_it_spells_its_names(tenant: Tenant) -> None:
    app, _ = tenant.application()
    for name, secret in (("AppId", "AppSecret"), ("appID", "appSecret"), ("appid", "APPSECRET")):
        body = {"grantType": "app_token", name: app["name"], secret: app["secret"]}
        claims = _claims(tenant.nobody.done("POST", TOKEN, body)["accessToken"])
        assert claims["exp"] == claims["iat"] + 36_000
        assert claims["tenantId"] == tenant.id
    wrong = {"grantType": "app_token", "AppId": app["name"], "AppSecret": "guess"}
    tenant.nobody.refused(400, "POST", TOKEN, wrong)
    assert "appSecret" in tenant.nobody.refused(400, "POST", TOKEN, {"grantType": "app_token", "AppId": "x"})
    assert "grantType" in tenant.nobody.refused(400, "POST", TOKEN, {"AppId": "x"})


def test_a3_a_user_gets_a_token_and_another_one_without_the_password(tenant: Tenant) -> None:
    body = {
        "grantType": "password",
        "clientID": "cli",
        "username": tenant.made.username,
        "password": tenant.made.password,
    }
    got = tenant.nobody.done("POST", TOKEN, body)
    again = tenant.nobody.done("POST", TOKEN, {"grantType": "refresh_token", "refreshToken": got["refreshToken"]})
    _with(tenant, again["accessToken"]).done("GET", "/api/v1/clusters")
    _with(tenant, got["refreshToken"]).refused(401, "GET", "/api/v1/clusters")
    tenant.nobody.refused(400, "POST", TOKEN, {"grantType": "refresh_token", "refreshToken": got["accessToken"]})


def test_a4_without_a_token_that_counts_there_is_nothing(plane: Plane, tenant: Tenant) -> None:
    foreign = plane.tenant()
    token = tenant.admin.token or ""
    head, middle, signature = token.split(".")
    own = _claims(token)
    other = RSAKey.generate_key(2048)
    public = plane.services.keys.published()[0]
    kid = {"kid": public["kid"]}
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none", **kid}).encode()).decode().rstrip("=")
    bad = {
        "no JWT": "a.b.c",
        "huge": "a" * 20_000,
        "alg none": f"{none}.{middle}.",
        "signature of another token": f"{head}.{middle}.{(foreign.admin.token or '').split('.')[2]}",
        "changed claims": f"{head}.{(foreign.admin.token or '').split('.')[1]}.{signature}",
        "another key": jwt.encode({"alg": "RS256", **kid}, own, other),
        "an unknown key": jwt.encode({"alg": "RS256", "kid": "x"}, own, other),
        "public key as a secret": signed_with_public_key({"alg": "HS256", **kid}, own, public),
    }
    for what, token in bad.items():
        assert "Issuer is not familiar." in _with(tenant, token).refused(401, "GET", "/api/v1/clusters"), what
    said = tenant.nobody.call("GET", "/api/v1/clusters")
    assert (said.status_code, said.headers["www-authenticate"]) == (401, "Bearer")
    _, caller = tenant.application()
    assert "sufficient permissions" in caller.refused(403, "GET", "/api/v1/clusters")


def test_tokens_count_from_when_they_are_issued_until_they_expire(plane: Plane, tenant: Tenant) -> None:
    try:
        plane.clock.later_seconds = 36_000 + 120
        tenant.admin.refused(401, "GET", "/api/v1/clusters")
        later = plane.tenant()
        later.admin.done("GET", "/api/v1/clusters")
    finally:
        plane.clock.later_seconds = 0
    assert later.admin.refused(401, "GET", "/api/v1/clusters"), "a token of the future does not count yet"
    tenant.admin.done("GET", "/api/v1/clusters")


def test_anybody_can_check_our_tokens_with_the_published_keys(tenant: Tenant) -> None:
    http = tenant.plane.http
    found = http.get(f"/auth/realms/{tenant.made.tenant}/.well-known/openid-configuration").json()
    keys = KeySet.import_key_set(http.get(found["jwks_uri"]).json())
    assert all("d" not in key for key in http.get(found["jwks_uri"]).json()["keys"]), "private halves stay here"
    claims = jwt.decode(tenant.admin.token or "", keys, algorithms=["RS256"]).claims
    assert claims["iss"] == found["issuer"]
    assert http.get("/auth/realms/no-such/.well-known/openid-configuration").status_code == 404


def test_a_key_is_replaced_in_time_and_its_tokens_count_to_their_end(tmp_path: Any) -> None:
    day = 86_400
    with running(
        f"sqlite:///{tmp_path}/aliquot.db", tokens={"access_seconds": 7 * day, "refresh_seconds": 7 * day}
    ) as plane:
        tenant = plane.tenant()
        (first,) = (key["kid"] for key in plane.services.keys.published())
        plane.clock.later_seconds = 29.5 * day
        before = plane.tenant().admin.token or ""
        kids = [key["kid"] for key in plane.services.keys.published()]
        assert kids[0] == first
        assert len(kids) == 2, "the next key is published a day before it signs"
        assert _kid(before) == first
        plane.clock.later_seconds = 31 * day
        after = plane.tenant().admin.token or ""
        assert _kid(after) == kids[1]
        _with(tenant, before).done("GET", "/api/v1/authorization/permissions")
        plane.clock.later_seconds = 38 * day
        assert [key["kid"] for key in plane.services.keys.published()] == [kids[1]], (
            "nothing that the first signed counts"
        )


def _kid(token: str) -> str:
    head = token.split(".", maxsplit=1)[0]
    return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]


def test_a17_users_come_get_passwords_and_go(tenant: Tenant) -> None:
    made = tenant.admin.done("POST", "/api/v1/users", {"email": "U@example.com", "resetPassword": False})
    tenant.admin.refused(409, "POST", "/api/v1/users", {"email": "u@example.com", "resetPassword": False})
    shown = next(user for user in tenant.admin.done("GET", "/api/v1/users") if user["id"] == made["id"])
    assert (shown["username"], shown["isLocal"], shown["lastLogin"]) == ("u@example.com", True, None)
    user = tenant.signed_in("u@example.com", made["tempPassword"])
    user.done("GET", "/api/v1/authorization/permissions")
    path = f"/api/v1/users/{made['id']}"
    renewed = tenant.admin.done("POST", f"{path}/password")["tempPassword"]
    user.refused(401, "GET", "/api/v1/authorization/permissions")
    body = {"grantType": "password", "username": "u@example.com", "password": made["tempPassword"]}
    tenant.nobody.refused(400, "POST", TOKEN, body)
    again = tenant.signed_in("u@example.com", renewed)
    assert tenant.admin.call("DELETE", path).status_code == 204
    again.refused(401, "GET", "/api/v1/authorization/permissions")
    tenant.admin.refused(404, "GET", path)


def test_a_password_that_was_handed_out_has_to_be_changed_first(tenant: Tenant) -> None:
    made = tenant.admin.done("POST", "/api/v1/users", {"email": "u@example.com"})
    rule = {"subjectId": "u@example.com", "subjectType": "user", "roleId": 1, "scopeType": "tenant"}
    tenant.admin.done("POST", "/api/v1/authorization/access-rules", {**rule, "scopeId": str(tenant.id)})
    user = tenant.signed_in("u@example.com", made["tempPassword"])
    assert "/api/v1/me/password" in user.refused(403, "GET", "/api/v1/clusters")
    change = {"currentPassword": made["tempPassword"], "newPassword": "a much better one"}
    assert "currentPassword" in user.refused(400, "POST", "/api/v1/me/password", {**change, "currentPassword": "x"})
    assert "newPassword" in user.refused(400, "POST", "/api/v1/me/password", {**change, "newPassword": "short"})
    user.done("POST", "/api/v1/me/password", change)
    user.refused(401, "GET", "/api/v1/clusters")
    tenant.signed_in("u@example.com", "a much better one").done("GET", "/api/v1/clusters")


def test_logged_out_a_user_has_to_sign_in_again(tenant: Tenant) -> None:
    made = tenant.admin.done("POST", "/api/v1/users", {"email": "u@example.com", "resetPassword": False})
    body = {"grantType": "password", "username": "u@example.com", "password": made["tempPassword"]}
    got = tenant.nobody.done("POST", TOKEN, body)
    tenant.admin.done("POST", f"/api/v1/users/{made['id']}/logout")
    _with(tenant, got["accessToken"]).refused(401, "GET", "/api/v1/authorization/permissions")
    tenant.nobody.refused(400, "POST", TOKEN, {"grantType": "refresh_token", "refreshToken": got["refreshToken"]})


def test_a18_applications_come_are_locked_out_and_go(tenant: Tenant) -> None:
    app, caller = tenant.application("ci")
    tenant.admin.refused(409, "POST", "/api/v1/apps", {"name": "ci"})
    path, body = f"/api/v1/apps/{app['id']}", {"grantType": "app_token", "AppId": "ci", "AppSecret": app["secret"]}
    renewed = tenant.admin.done("POST", f"{path}/secret")["secret"]
    caller.refused(401, "GET", "/api/v1/authorization/permissions")
    tenant.nobody.refused(400, "POST", TOKEN, body)
    body["AppSecret"] = renewed
    caller = _with(tenant, tenant.nobody.done("POST", TOKEN, body)["accessToken"])
    caller.done("GET", "/api/v1/authorization/permissions")
    assert tenant.admin.done("PATCH", path, {"enabled": False})["enabled"] is False
    caller.refused(401, "GET", "/api/v1/authorization/permissions")
    tenant.nobody.refused(400, "POST", TOKEN, body)
    tenant.admin.done("PATCH", path, {"enabled": True})
    tenant.nobody.done("POST", TOKEN, body)
    assert tenant.admin.call("DELETE", path).status_code == 204
    tenant.nobody.refused(400, "POST", TOKEN, body)


INSTALLER = "/api/v1/apps/installer"


def test_the_installer_is_made_once_and_its_secret_can_be_asked_for_again(plane: Plane, tenant: Tenant) -> None:
    answer = tenant.admin.call("GET", INSTALLER)
    assert answer.headers["Cache-Control"] == "no-store"
    made = answer.json()
    assert made["name"] == "installer"
    assert tenant.admin.done("GET", INSTALLER) == made
    assert [each["id"] for each in tenant.admin.done("GET", "/api/v1/apps")] == [made["id"]]
    (record,) = tenant.admin.done("GET", "/api/v1/audit/log", filterBy="entityType==app")["records"]
    assert (record["action"], record["entityName"]) == ("create", "installer")
    seen = "".join(
        tenant.admin.call("GET", path).text for path in ("/api/v1/apps", "/v1/k8s/apps", "/api/v1/audit/log")
    )
    assert made["secret"] not in seen
    renewed = tenant.admin.done("POST", f"/api/v1/apps/{made['id']}/secret")["secret"]
    assert tenant.admin.done("GET", INSTALLER) == {**made, "secret": renewed}
    tenant.nobody.refused(
        400, "POST", TOKEN, {"grantType": "app_token", "AppId": "installer", "AppSecret": made["secret"]}
    )
    older = tenant.admin.done("POST", f"/v1/k8s/apps/{made['id']}/secret")["secret"]
    assert tenant.admin.done("GET", INSTALLER)["secret"] == older
    other = plane.tenant().admin.done("GET", INSTALLER)
    assert (other["name"], other["id"] == made["id"], other["secret"] == older) == ("installer", False, False)
    assert tenant.admin.call("DELETE", f"/api/v1/apps/{made['id']}").status_code == 204
    assert tenant.admin.done("GET", INSTALLER)["id"] != made["id"]


def test_the_installer_has_the_rights_that_somebody_gives_it_and_no_others(tenant: Tenant) -> None:
    made = tenant.admin.done("GET", INSTALLER)
    body = {"grantType": "app_token", "AppId": made["name"], "AppSecret": made["secret"]}
    installer = _with(tenant, tenant.nobody.done("POST", TOKEN, body)["accessToken"])
    assert installer.done("GET", "/api/v1/authorization/permissions") == []
    own, other = tenant.cluster(), tenant.cluster()
    installer.refused(403, "GET", f"/api/v1/clusters/{own}/cluster-install-info", version="2.18")
    operator = {"subjectType": "app", "subjectId": "installer", "roleId": 1711, "scopeType": "cluster", "scopeId": own}
    tenant.admin.done("POST", "/api/v1/authorization/access-rules", operator)
    assert installer.done("GET", f"/api/v1/clusters/{own}/cluster-install-info", version="2.18")["clientSecret"]
    installer.refused(403, "GET", f"/api/v1/clusters/{other}/cluster-install-info", version="2.18")
    installer.refused(403, "GET", INSTALLER)


def test_the_installer_is_one_however_many_ask_for_it_first(tenant: Tenant) -> None:
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(tenant.admin.done, "GET", INSTALLER) for _ in range(4)]
    made = [each.result() for each in asked]
    assert made == [made[0]] * 4


def test_an_application_that_somebody_called_installer_is_not_shown_with_a_secret(tenant: Tenant) -> None:
    tenant.admin.done("POST", "/api/v1/apps", {"name": "installer"})
    assert "installer" in tenant.admin.refused(409, "GET", INSTALLER)


def test_secrets_are_shown_once(tenant: Tenant) -> None:
    app, _ = tenant.application()
    user = tenant.admin.done("POST", "/api/v1/users", {"email": "u@example.com"})
    seen = "".join(
        tenant.admin.call("GET", path).text for path in ("/api/v1/apps", "/api/v1/users", "/api/v1/audit/log?limit=500")
    )
    assert app["id"] in seen
    for secret in (app["secret"], user["tempPassword"], "argon2"):
        assert secret not in seen


def test_who_guesses_has_to_wait_and_the_right_one_from_then_on_does_not(plane: Plane, tenant: Tenant) -> None:
    app, _ = tenant.application()
    right = {"grantType": "app_token", "AppId": app["name"], "AppSecret": app["secret"]}
    wrong = {**right, "AppSecret": "guess"}
    try:
        for _ in range(5):
            tenant.nobody.refused(400, "POST", TOKEN, wrong)
        held = tenant.nobody.call("POST", TOKEN, right)
        assert held.status_code == 429, "the right secret has to wait, too: else it could be guessed"
        plane.clock.later_seconds += int(held.headers["retry-after"])
        tenant.nobody.refused(400, "POST", TOKEN, wrong)
        longer = int(tenant.nobody.call("POST", TOKEN, right).headers["retry-after"])
        assert longer > int(held.headers["retry-after"])
        plane.clock.later_seconds += longer
        tenant.nobody.done("POST", TOKEN, right)
        tenant.nobody.refused(400, "POST", TOKEN, wrong)
        tenant.nobody.done("POST", TOKEN, right)
    finally:
        plane.clock.later_seconds = 0


@pytest.mark.parametrize("secret", ["\ud800", "\x00", "a" * 1024, "' OR 1=1 --"], ids=ascii)
def test_odd_secrets_are_wrong_secrets(tenant: Tenant, secret: str) -> None:
    app, _ = tenant.application()
    tenant.nobody.refused(400, "POST", TOKEN, {"grantType": "app_token", "AppId": app["name"], "AppSecret": secret})
    body = {"grantType": "password", "username": secret, "password": secret}
    tenant.nobody.refused(400, "POST", TOKEN, body)
