"""Settings, the logo, and the older audit log of a tenant (control-plane-api.md 1.4.9)."""

import base64
from typing import Any

import pytest

from tests.controlplane.plane import Plane, Tenant

SETTING, OVER_SUBSCRIPTION = "/v1/k8s/setting", "aliquot.refuse_over_subscription"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


def _written(image: bytes) -> str:
    return base64.b64encode(image).decode()


def test_settings_are_listed_read_and_changed(plane: Plane, tenant: Tenant) -> None:
    other = plane.tenant()
    listed = {each["key"]: each for each in tenant.admin.done("GET", SETTING)}
    assert (listed["department.use"]["value"], listed["department.use"]["source"]) == ("false", "Default")
    assert tenant.admin.done("PUT", SETTING, {"key": "department.use", "value": "true"}) == {"msg": "done"}
    assert tenant.admin.call("GET", f"{SETTING}/department.use").text == "true"
    assert other.admin.done("GET", f"{SETTING}/department.use") is False
    listed = {each["key"]: each for each in tenant.admin.done("GET", SETTING)}
    assert (listed["department.use"]["value"], listed["department.use"]["source"]) == ("true", "Tenant")
    tenant.admin.refused(404, "GET", f"{SETTING}/colour")
    tenant.admin.refused(404, "PUT", SETTING, {"key": "colour", "value": True})
    assert "value" in tenant.admin.refused(400, "PUT", SETTING, {"key": "department.use", "value": "perhaps"})
    (record,) = tenant.admin.done("GET", "/api/v1/audit/log", filterBy="entityType==setting")["records"]
    assert (record["entityName"], record["before"], record["after"]) == (
        "department.use",
        {"value": False},
        {"value": True},
    )


def test_a27_a_tenant_refuses_over_subscription_by_a_setting(tenant: Tenant) -> None:
    department = tenant.new_department(tenant.cluster(), "research", deserved=1)
    assert tenant.admin.done("GET", f"{SETTING}/{OVER_SUBSCRIPTION}") is False
    tenant.admin.done("PUT", SETTING, {"key": OVER_SUBSCRIPTION, "value": True})
    body = {
        "name": "p",
        "clusterId": department["clusterId"],
        "parentId": department["id"],
        "resources": [{"gpu": {"deserved": 2}}],
    }
    assert "2 GPUs" in tenant.admin.refused(400, "POST", "/api/v1/org-unit/projects", body)
    tenant.admin.done("PUT", SETTING, {"key": OVER_SUBSCRIPTION, "value": False})
    tenant.admin.done("POST", "/api/v1/org-unit/projects", body)


def test_the_logo_is_the_same_on_both_surfaces(plane: Plane, tenant: Tenant) -> None:
    older = f"/v1/k8s/tenant/{tenant.id}/logo"
    assert tenant.admin.call("GET", "/api/v1/logo").status_code == 204
    tenant.admin.refused(404, "GET", older)
    assert tenant.admin.call("POST", "/api/v1/logo", {"logo": _written(PNG)}).status_code == 200
    assert tenant.admin.done("GET", older) == tenant.admin.done("GET", "/api/v1/logo") == {"logo": _written(PNG)}
    tenant.admin.done("POST", older, {"logo": f"data:image/png;base64,{_written(PNG + b'1')}"})
    assert tenant.admin.done("GET", "/api/v1/logo") == {"logo": _written(PNG + b"1")}
    tenant.admin.refused(404, "POST", f"/v1/k8s/tenant/{plane.tenant().id}/logo", {"logo": _written(PNG)})


@pytest.mark.parametrize(
    ("logo", "status"),
    [
        ("no base64", 400),
        ("äöü", 400),
        (_written(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), 415),
        (_written(PNG + b"\0" * 2**17), 413),
    ],
    ids=["no base64", "no ASCII", "scripts may be in it", "too large"],
)
def test_what_is_no_logo_is_refused(tenant: Tenant, logo: str, status: int) -> None:
    assert "logo:" in tenant.admin.refused(status, "POST", "/api/v1/logo", {"logo": logo})
    assert tenant.admin.call("GET", "/api/v1/logo").status_code == 204


def test_the_older_audit_log_is_a_bare_array(tenant: Tenant) -> None:
    cluster = tenant.cluster("prod")
    tenant.admin.done("PUT", f"/api/v1/clusters/{cluster}", {"name": "test"})

    def listed(**parameters: Any) -> list[dict[str, Any]]:
        return tenant.admin.done("GET", "/v1/k8s/audit", **parameters)

    made, renamed = listed()
    assert (made["action"], made["entityType"], made["entityName"]) == ("create", "cluster", "prod")
    assert (renamed["body"]["name"], renamed["context"]["before"]["name"]) == ("test", "prod")
    assert listed(action="update", entity_id=cluster, success="true") == [renamed]
    assert listed(limit=1, offset=1) == [renamed]
    assert listed(success="false") == []
    assert listed(end="2024-01-31") == []
    assert len(listed(start="2024-01-31T12:00:00", source_name=tenant.made.username)) == 2
    answer = tenant.admin.call("GET", "/v1/k8s/audit", download="true")
    assert "logs.json" in answer.headers["content-disposition"]
    tenant.admin.refused(400, "GET", "/v1/k8s/audit", start="yesterday")
