"""Access rules, roles and what follows from them: scenarios A19 to A22 (control-plane-api.md, section 7)."""

from typing import Any

import pytest

from tests.controlplane.plane import Plane, Tenant

RULES, PROJECTS = "/api/v1/authorization/access-rules", "/api/v1/org-unit/projects"
RESEARCHER, DEPARTMENT_ADMINISTRATOR, EDITOR, RESEARCH_MANAGER, ADMINISTRATOR = 5, 1710, 3, 4, 1


def _rule(
    tenant: Tenant, role: int, scope_type: str, scope_id: object, subject: str = "u@example.com"
) -> dict[str, Any]:
    return {
        "subjectId": subject,
        "subjectType": "user",
        "roleId": role,
        "scopeType": scope_type,
        "scopeId": str(scope_id),
    }


def test_a19_access_rules_are_made_found_counted_and_deleted(tenant: Tenant) -> None:
    cluster = tenant.cluster("prod")
    project = tenant.project(cluster, "team-a")
    made = [
        tenant.admin.done("POST", RULES, _rule(tenant, RESEARCHER, "project", project["id"], f"u{n}@example.com"))
        for n in range(4)
    ]
    assert (made[0]["roleName"], made[0]["scopeName"], made[0]["clusterId"]) == ("L1 researcher", "team-a", cluster)
    own = {"scopeId": project["id"], "filterBy": "scopeType==project"}
    page = tenant.admin.done("GET", RULES, limit=2, offset=2, sortBy="createdAt", **own)
    assert (page["totalRecords"], page["displayRecords"]) == (4, 2)
    assert [rule["id"] for rule in page["accessRules"]] == [made[2]["id"], made[3]["id"]]
    assert tenant.admin.done("GET", f"{RULES}/count", filterBy="roleId==5") == {"count": 4}
    path = f"{RULES}/{made[0]['id']}"
    assert tenant.admin.done("GET", path)["scopePath"] == f"{tenant.made.tenant}/prod/default/team-a"
    assert tenant.admin.call("DELETE", path).status_code == 204
    tenant.admin.refused(404, "GET", path)
    assert tenant.admin.done("GET", f"{RULES}/count", filterBy="roleId==5") == {"count": 3}
    assert tenant.admin.done("GET", f"{RULES}/count", filterBy="roleId==5", includeDeleted="true") == {"count": 4}
    assert tenant.admin.call("PUT", path, {}).status_code == 405


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"roleId": 2}, 404),
        ({"roleId": "5"}, 400),
        ({"scopeId": "999999999"}, 404),
        ({"scopeType": "cluster", "scopeId": "no-such"}, 404),
        ({"scopeType": "system", "scopeId": "0"}, 404),
        ({"scopeType": "planet"}, 400),
        ({"subjectType": "app", "subjectId": "no-such"}, 404),
        ({"subjectId": ""}, 400),
        ({"id": 7}, 400),
    ],
    ids=str,
)
def test_a19_rules_about_what_is_not_there_are_refused(tenant: Tenant, change: dict[str, Any], status: int) -> None:
    project = tenant.project(tenant.cluster(), "team-a")
    tenant.admin.refused(status, "POST", RULES, {**_rule(tenant, RESEARCHER, "project", project["id"]), **change})
    assert tenant.admin.done("GET", f"{RULES}/count", filterBy="roleId==5") == {"count": 0}


def test_a20_a_researcher_of_a_department_sees_its_projects_and_no_others(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    own, other = tenant.new_department(cluster, "own"), tenant.new_department(cluster, "other")
    first, foreign = tenant.project(cluster, "first", own["id"]), tenant.project(cluster, "foreign", other["id"])
    caller = tenant.with_role(RESEARCHER, "department", own["id"])
    later = tenant.project(cluster, "later", own["id"])
    assert [each["id"] for each in caller.done("GET", PROJECTS)["projects"]] == [first["id"], later["id"]]
    caller.done("GET", f"{PROJECTS}/{later['id']}")
    caller.refused(403, "GET", f"{PROJECTS}/{foreign['id']}")
    body: dict[str, Any] = {"name": "mine", "clusterId": cluster, "parentId": own["id"], "resources": []}
    caller.refused(403, "POST", PROJECTS, body)
    scopes = caller.done(
        "POST", "/api/v1/authorization/permitted-scopes", {"resourceType": "project", "action": "read"}
    )
    assert scopes["read"]["departments"] == [own["id"]]
    assert scopes["create"]["departments"] == []
    assert (scopes["read"]["tenants"], scopes["read"]["tenant"]) == ([], None)
    scopes = tenant.admin.done("POST", "/api/v1/authorization/permitted-scopes", {"resourceType": "project"})
    assert (scopes["read"]["tenants"], scopes["read"]["tenant"]) == ([str(tenant.id)], str(tenant.id))
    assert [each["uuid"] for each in caller.done("GET", "/api/v1/clusters")] == [cluster], "it is in its path"


def test_a21_roles_can_be_looked_up_by_name(tenant: Tenant) -> None:
    roles = tenant.admin.done("GET", "/api/v1/authorization/roles")
    by_name = {role["name"]: role["id"] for role in roles}
    assert (len(by_name), by_name["L1 researcher"], by_name["System administrator"]) == (18, 5, 1)
    (project,) = (each for each in tenant.admin.done("GET", "/api/v1/authorization/roles/5")["permissions"]
                  if each["resourceType"] == "project")  # fmt: skip
    assert (project["actions"], project["groupId"]) == (["read"], "organization")
    tenant.admin.refused(404, "GET", "/api/v1/authorization/roles/2")


def test_a22_a_token_of_another_tenant_finds_nothing(plane: Plane, tenant: Tenant) -> None:
    foreign = plane.tenant()
    cluster = foreign.cluster()
    project = foreign.project(cluster, "secret")
    rule = foreign.admin.done("GET", RULES)["accessRules"][0]
    for path in (
        f"/api/v1/clusters/{cluster}",
        f"/api/v1/clusters/{cluster}/cluster-install-info?version=2.18",
        f"/api/v1/org-unit/departments/{project['parentId']}",
        f"{PROJECTS}/{project['id']}",
        f"/api/v1/node-pools/{foreign.pool(cluster)['id']}",
        f"/api/v1/users/{foreign.admin.done('GET', '/api/v1/users')[0]['id']}",
        f"/api/v1/apps/{foreign.application()[0]['id']}",
        f"{RULES}/{rule['id']}",
    ):
        tenant.admin.refused(404, "GET", path)
        foreign.admin.done("GET", path)
    assert tenant.admin.done("GET", PROJECTS)["projects"] == []
    assert tenant.admin.done("GET", "/api/v1/clusters") == []
    body: dict[str, Any] = {"name": "mine", "clusterId": cluster, "resources": []}
    assert "no such cluster" in tenant.admin.refused(400, "POST", PROJECTS, body)
    tenant.admin.refused(404, "POST", RULES, _rule(tenant, ADMINISTRATOR, "tenant", foreign.id))
    seen = foreign.admin.done("GET", "/api/v1/audit/log", limit=500)["records"]
    assert {record["sourceName"] for record in seen} == {foreign.made.username}


def test_nobody_gives_a_role_that_administers_more_than_their_own(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    department = tenant.new_department(cluster, "own")
    for own, gives, status in (
        (RESEARCH_MANAGER, RESEARCHER, 201),
        (RESEARCH_MANAGER, EDITOR, 403),
        (DEPARTMENT_ADMINISTRATOR, DEPARTMENT_ADMINISTRATOR, 201),
        (DEPARTMENT_ADMINISTRATOR, ADMINISTRATOR, 403),
    ):
        caller = tenant.with_role(own, "department", department["id"])
        answer = caller.call("POST", RULES, _rule(tenant, gives, "department", department["id"]))
        assert answer.status_code == status, (own, gives, answer.text)
        caller.refused(403, "POST", RULES, _rule(tenant, RESEARCHER, "cluster", cluster))


def test_rules_end_with_their_scope_and_their_subject(tenant: Tenant) -> None:
    project = tenant.project(tenant.cluster(), "team-a")
    app, caller = tenant.application("ci")
    rule = {**_rule(tenant, RESEARCHER, "project", project["id"], "ci"), "subjectType": "app"}
    tenant.admin.done("POST", RULES, rule)
    caller.done("GET", f"{PROJECTS}/{project['id']}")
    tenant.admin.done("DELETE", f"/api/v1/apps/{app['id']}")
    _, namesake = tenant.application("ci")
    namesake.refused(403, "GET", f"{PROJECTS}/{project['id']}")
    tenant.admin.done("POST", RULES, rule)
    namesake.done("GET", f"{PROJECTS}/{project['id']}")
    tenant.admin.done("DELETE", f"{PROJECTS}/{project['id']}")
    assert tenant.admin.done("GET", f"{RULES}/count", filterBy="roleId==5") == {"count": 0}


def test_somebody_can_always_administer_the_tenant(tenant: Tenant) -> None:
    (rule,) = tenant.admin.done("GET", RULES)["accessRules"]
    (user,) = tenant.admin.done("GET", "/api/v1/users")
    assert "System administrator" in tenant.admin.refused(400, "DELETE", f"{RULES}/{rule['id']}")
    assert "System administrator" in tenant.admin.refused(400, "DELETE", f"/api/v1/users/{user['id']}")
    second = tenant.admin.done("POST", "/api/v1/users", {"email": "second@example.com", "resetPassword": False})
    tenant.admin.done("POST", RULES, _rule(tenant, ADMINISTRATOR, "tenant", tenant.id, "second@example.com"))
    tenant.signed_in("second@example.com", second["tempPassword"]).done("DELETE", f"/api/v1/users/{user['id']}")
    tenant.admin.refused(401, "GET", RULES)


def test_every_change_says_who_made_it_and_what_was_before(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    caller = tenant.with_role(EDITOR, "cluster", cluster)
    project = tenant.project(cluster, "team-a")
    caller.done("PUT", f"{PROJECTS}/{project['id']}/resources", [{"gpu": {"deserved": 3}}])
    caller.refused(400, "PUT", f"{PROJECTS}/{project['id']}/resources", [{"gpu": {"deserved": -3}}])
    caller.done("DELETE", f"{PROJECTS}/{project['id']}")
    log = tenant.admin.done("GET", "/api/v1/audit/log", filterBy=["entityType==project", f"entityId=={project['id']}"])
    said = [
        (
            record["action"],
            record["sourceType"],
            *(shown and shown["resources"][0]["gpu"]["deserved"] for shown in (record["before"], record["after"])),
        )
        for record in log["records"]
    ]
    assert said == [("create", "user", None, 0), ("update", "app", 0, 3), ("delete", "app", 3, None)]
