"""Users, groups and applications of the older surface, and its tokens: scenarios A17, A18 and rows C and E of 2.1."""

from typing import Any

import httpx
import pytest

from tests.controlplane.plane import Caller, Tenant

USERS, GROUPS, APPS, PROJECTS = "/v1/k8s/users", "/v1/k8s/groups", "/v1/k8s/apps", "/api/v1/org-unit/projects"
RULES = "/api/v1/authorization/access-rules"
PASSWORD = "a-long-enough-password"


def _user(email: str = "u@example.com", **changes: Any) -> dict[str, Any]:
    return {"email": email, "password": PASSWORD, "roles": ["editor"], "permitAllClusters": True, **changes}


def _rules(tenant: Tenant, subject: str) -> list[tuple[int, str]]:
    found = tenant.admin.done("GET", RULES, subjectIds=subject)["accessRules"]
    return [(rule["roleId"], rule["scopeType"]) for rule in found]


def test_a17_a_user_is_made_with_roles_and_signs_in(tenant: Tenant) -> None:
    answer = tenant.admin.call("POST", USERS, _user(entityType="regular-user", tenantId=tenant.id))
    assert answer.status_code == 200, answer.text
    made = answer.json()
    assert (made["email"], made["roles"], made["permitAllClusters"]) == ("u@example.com", ["editor"], True)
    assert made["entityType"] == "regular-user"
    assert _rules(tenant, "u@example.com") == [(3, "tenant")]
    tenant.admin.refused(409, "POST", USERS, _user())
    caller = tenant.signed_in("u@example.com", PASSWORD)
    caller.done("GET", "/api/v1/clusters")
    me = caller.done("GET", "/v1/k8s/auth/me")
    assert (me["id"], me["roles"], me["permitAllClusters"]) == (made["userId"], ["editor"], True)
    (newer,) = tenant.admin.done("GET", "/api/v1/users")[1:]
    assert newer["id"] == made["userId"]
    assert tenant.admin.done("GET", f"{USERS}/{made['userId']}/roles") == ["editor"]
    assert "admin" in tenant.admin.done("GET", f"{USERS}/roles")
    gone = tenant.admin.call("DELETE", f"{USERS}/{made['userId']}")
    assert (gone.status_code, _rules(tenant, "u@example.com")) == (200, [])


def test_roles_of_a_user_are_changed_in_clusters(tenant: Tenant) -> None:
    first, second = tenant.cluster(), tenant.cluster()
    path = f"{USERS}/{tenant.admin.done('POST', USERS, _user())['userId']}"
    shown = tenant.admin.done("PUT", path, {"permitAllClusters": False, "permittedClusters": [second, first]})
    assert (shown["permitAllClusters"], shown["permittedClusters"]) == (False, sorted([first, second]))
    assert _rules(tenant, "u@example.com") == [(3, "cluster"), (3, "cluster")]
    assert tenant.admin.done("PUT", path, shown) == shown, "what was shown can be sent back"
    assert "stays so" in tenant.admin.refused(400, "PUT", path, {"email": "other@example.com"})
    unknown = {"permittedClusters": [first, "no-such"]}
    assert "permittedClusters.1: 'no-such'" in tenant.admin.refused(400, "PUT", path, unknown)
    tenant.admin.done("PUT", path, {"roles": []})
    assert _rules(tenant, "u@example.com") == []


def test_researchers_get_nothing_before_a_project_names_them(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    other = tenant.project(cluster, "other")
    made = tenant.admin.done("POST", USERS, _user(roles=["researcher"]))
    caller = tenant.signed_in("u@example.com", PASSWORD)
    caller.refused(403, "GET", PROJECTS)
    body = {"name": "mine", "permissions": {"users": [made["userId"]]}}
    project = tenant.admin.done("POST", f"/v1/k8s/clusters/{cluster}/projects", body)
    assert [each["name"] for each in caller.done("GET", PROJECTS)["projects"]] == ["mine"]
    caller.refused(403, "GET", f"{PROJECTS}/{other['id']}")
    shown = tenant.admin.done("GET", f"{USERS}/{made['userId']}")
    assert (shown["roles"], shown["permittedClusters"]) == (["researcher"], [cluster])
    tenant.admin.done("PUT", f"{USERS}/{made['userId']}", {"roles": []})
    assert (
        tenant.admin.done("GET", f"/v1/k8s/clusters/{cluster}/projects/{project['id']}")["permissions"]["users"] == []
    )


def test_an_administrator_remains(tenant: Tenant) -> None:
    (first,) = tenant.admin.done("GET", USERS)
    assert (first["roles"], first["permitAllClusters"]) == (["admin"], True)
    assert "System administrator" in tenant.admin.refused(400, "PUT", f"{USERS}/{first['userId']}", {"roles": []})
    tenant.admin.done("GET", USERS)


def test_nobody_gives_a_role_that_they_have_not(tenant: Tenant) -> None:
    cloud_operator = tenant.with_role(1711, "tenant", tenant.id)
    cloud_operator.done("POST", APPS, {"name": "without"})
    cloud_operator.refused(403, "POST", APPS, {"name": "with", "roles": ["admin"], "permitAllClusters": True})
    assert "with" not in [each["name"] for each in tenant.admin.done("GET", APPS)], "nothing is half made"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"email": "nobody"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": None}, "password"),
        ({"roles": ["king"]}, "roles.0"),
        ({"roles": None}, "roles"),
        ({"permitAllClusters": None}, "permittedClusters"),
        ({"permittedClusters": ["no"]}, "permittedClusters.0: 'no'"),
    ],
    ids=str,
)
def test_a_user_that_cannot_be_is_refused_by_field(tenant: Tenant, change: dict[str, Any], says: str) -> None:
    assert says in tenant.admin.refused(400, "POST", USERS, _user(**change))
    assert len(tenant.admin.done("GET", USERS)) == 1


def test_subjects_are_listed_by_role_and_maker(tenant: Tenant) -> None:
    tenant.admin.done("POST", USERS, _user())
    tenant.admin.done("POST", USERS, _user("v@example.com", roles=["viewer"]))
    app = tenant.with_role(1, "tenant", tenant.id)
    app.done("POST", USERS, _user("w@example.com", roles=["viewer", "editor"]))

    def listed(**parameters: Any) -> list[str]:
        return [each["email"][0] for each in app.done("GET", USERS, **parameters)]

    assert listed(roles="editor") == ["u", "w"]
    assert listed(roles="editor,viewer") == listed(roles=["editor", "viewer"]) == ["u", "v", "w"]
    assert listed(onlyCreatedByMe="true") == ["w"]
    assert listed(usersType="sso-user") == []
    assert "roles.0" in app.refused(400, "GET", USERS, roles="king")


def test_groups_are_there_as_long_as_they_have_roles(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    body = {"name": "vision team", "roles": ["viewer"], "permittedClusters": [cluster]}
    made = tenant.admin.done("POST", GROUPS, body)
    assert (made["userId"], made["entityType"], made["roles"]) == ("vision team", "group", ["viewer"])
    tenant.admin.refused(409, "POST", GROUPS, body)
    path = f"{GROUPS}/vision%20team"
    assert tenant.admin.done("GET", GROUPS) == [made] == [tenant.admin.done("GET", path)]
    changed = tenant.admin.done("PUT", path, {**made, "roles": ["editor", "viewer"]})
    assert changed["roles"] == ["editor", "viewer"]
    assert tenant.admin.call("DELETE", path).status_code == 200
    tenant.admin.refused(404, "GET", path)
    nothing = {"name": "audio", "roles": ["researcher"], "permitAllClusters": True}
    assert "where projects and departments name it" in tenant.admin.refused(400, "POST", GROUPS, nothing)


def _token(tenant: Tenant, made: dict[str, Any], secret: str) -> httpx.Response:
    body = {"id": made["clientId"], "name": made["name"], "secret": secret}
    return tenant.nobody.call("POST", "/v1/k8s/auth/oauth/apptoken", body)


def test_a18_an_application_is_made_with_roles_and_gets_tokens(tenant: Tenant) -> None:
    made = tenant.admin.done("POST", APPS, {"name": "ci", "roles": ["admin"], "permitAllClusters": True})
    answer = _token(tenant, made, made["secret"])
    assert set(answer.json()) == {"access_token", "id_token"}
    caller = Caller(tenant.plane.http, tenant.host, answer.json()["access_token"])
    assert caller.done("GET", "/v1/k8s/auth/me")["name"] == "ci"
    path = f"{APPS}/{made['clientId']}"
    renewed = tenant.admin.done("POST", f"{path}/secret")
    assert _token(tenant, made, made["secret"]).status_code == 400
    assert _token(tenant, made, renewed["secret"]).status_code == 200
    shown = tenant.admin.done("PUT", path, {"name": "ci", "revoked": True})
    assert (shown["revoked"], shown["roles"], "secret" in shown) == (True, ["admin"], False)
    assert _token(tenant, made, renewed["secret"]).status_code == 400
    tenant.admin.done("PUT", path, {"revoked": False, "roles": []})
    assert tenant.admin.done("GET", path)["roles"] == []
    assert tenant.admin.call("DELETE", path).status_code == 200
    assert "ci" not in [each["name"] for each in tenant.admin.done("GET", APPS)]


def test_users_get_another_token_without_the_password(tenant: Tenant) -> None:
    body = {
        "grantType": "password",
        "clientID": "cli",
        "username": tenant.made.username,
        "password": tenant.made.password,
    }
    refresh = tenant.nobody.done("POST", "/api/v1/token", body)["refreshToken"]
    path = "/v1/k8s/auth/oauth/tokens/refresh"
    token = tenant.nobody.done("POST", path, refresh_token=refresh)["accessToken"]
    Caller(tenant.plane.http, tenant.host, token).done("GET", "/v1/k8s/clusters")
    tenant.nobody.refused(400, "POST", path, refresh_token="wrong")
    tenant.nobody.refused(400, "POST", path)
    shown = tenant.nobody.done("GET", "/v1/k8s/config")
    assert (shown["tenantName"], shown["authRealm"]) == (tenant.made.tenant, tenant.made.tenant)
    assert shown["authUrl"] == f"{tenant.plane.url}/auth"
