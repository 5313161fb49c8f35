"""What of the API is deprecated, since when, and what is there instead (control-plane-api.md 6).

Headers, flags in the OpenAPI document and docs/deprecated.md are made of this. What is listed stays served for two more
releases (by the first two numbers of a version), and for six months; a test compares with what releases served. When it
is taken away afterwards, it stays listed, with the version that lacks it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final


@dataclass(frozen=True, slots=True)
class Deprecation:
    """Something that is deprecated.

    Attributes:
        what: a route (`GET /v1/k8s/users`), a parameter of one (`GET /v1/k8s/users?roles`), or a field (`Model.field`).
        since: the version of Aliquot that said so first.
        announced: the day from which on it is deprecated. For what Run:ai announced it is the day of that.
        instead: path of the route that does it better, with the parameters of the deprecated one; for fields: words.
        ends: the day on which it goes, if that was decided.
        removed: the version that does not have it any more; empty: all have it.
    """

    what: str
    since: str
    announced: date
    instead: str
    ends: date | None = None
    removed: str = ""


_FIRST: Final = "0.1.0"
_V2_17: Final = date(2024, 4, 14)
_V2_18: Final = date(2024, 6, 30)
_OURS: Final = date(2026, 11, 29)
"""The newer releases of Run:ai that say so of the rest have no public date here."""

_RULES: Final = "/api/v1/authorization/access-rules"
_CLUSTER: Final = "/v1/k8s/clusters/{clusterId}"
_RUNNING: Final = "/v1/k8s/clusters/{uuid}"
_METRICS: Final = "/v1/k8s/clusters/{clusterUuid}"

_ROUTES: Final[dict[date, dict[str, str]]] = {
    _V2_17: {
        "POST /v1/k8s/auth/oauth/apptoken": "/api/v1/token",
        "POST /v1/k8s/auth/oauth/tokens/refresh": "/api/v1/token",
        "GET /v1/k8s/auth/token/exchange": "/api/v1/token",
        "GET /v1/k8s/users": "/api/v1/users",
        "POST /v1/k8s/users": "/api/v1/users",
        "GET /v1/k8s/users/roles": "/api/v1/authorization/roles",
        "GET /v1/k8s/users/{userId}": "/api/v1/users/{userId}",
        "PUT /v1/k8s/users/{userId}": _RULES,
        "DELETE /v1/k8s/users/{userId}": "/api/v1/users/{userId}",
        "GET /v1/k8s/users/{userId}/roles": _RULES,
        "GET /v1/k8s/groups": _RULES,
        "POST /v1/k8s/groups": _RULES,
        "GET /v1/k8s/groups/{groupName}": _RULES,
        "PUT /v1/k8s/groups/{groupName}": _RULES,
        "DELETE /v1/k8s/groups/{groupName}": _RULES,
        "GET /v1/k8s/apps": "/api/v1/apps",
        "POST /v1/k8s/apps": "/api/v1/apps",
        "GET /v1/k8s/apps/{clientId}": "/api/v1/apps/{clientId}",
        "PUT /v1/k8s/apps/{clientId}": "/api/v1/apps/{clientId}",
        "DELETE /v1/k8s/apps/{clientId}": "/api/v1/apps/{clientId}",
        "POST /v1/k8s/apps/{clientId}/secret": "/api/v1/apps/{clientId}/secret",
        f"PUT {_CLUSTER}/departments/{{departmentId}}/access-control": _RULES,
        f"GET {_RUNNING}/jobs": "/api/v1/workloads",
        f"GET {_RUNNING}/jobs/count": "/api/v1/workloads/count",
        f"GET {_RUNNING}/jobs/{{jobId}}/pods": "/api/v1/workloads/{jobId}/pods",
        f"GET {_RUNNING}/pods": "/api/v1/workloads/pods",
        f"GET {_METRICS}/metrics": "/api/v1/clusters/{clusterUuid}/metrics",
    },
    _V2_18: {
        f"GET {_CLUSTER}/departments": "/api/v1/org-unit/departments",
        f"POST {_CLUSTER}/departments": "/api/v1/org-unit/departments",
        f"GET {_CLUSTER}/departments/{{departmentId}}": "/api/v1/org-unit/departments/{departmentId}",
        f"PUT {_CLUSTER}/departments/{{departmentId}}": "/api/v1/org-unit/departments/{departmentId}",
        f"DELETE {_CLUSTER}/departments/{{departmentId}}": "/api/v1/org-unit/departments/{departmentId}",
        f"GET {_CLUSTER}/projects": "/api/v1/org-unit/projects",
        f"POST {_CLUSTER}/projects": "/api/v1/org-unit/projects",
        f"GET {_CLUSTER}/projects/{{id}}": "/api/v1/org-unit/projects/{id}",
        f"PUT {_CLUSTER}/projects/{{id}}": "/api/v1/org-unit/projects/{id}",
        f"DELETE {_CLUSTER}/projects/{{id}}": "/api/v1/org-unit/projects/{id}",
        f"GET {_RUNNING}/deployments": "/api/v1/workloads",
        f"GET {_RUNNING}/deployments/{{deploymentId}}": "/api/v1/workloads/{deploymentId}",
        f"GET {_METRICS}/departments/metrics": "/api/v1/org-unit/departments",
        f"GET {_METRICS}/departments/{{departmentId}}/metrics": "/api/v1/org-unit/departments/{departmentId}",
        f"GET {_METRICS}/projects/metrics": "/api/v1/org-unit/projects",
        f"GET {_METRICS}/projects/{{projectId}}/metrics": "/api/v1/org-unit/projects/{projectId}",
        "GET /v1/k8s/tenant/{tenantId}/logo": "/api/v1/logo",
        "POST /v1/k8s/tenant/{tenantId}/logo": "/api/v1/logo",
    },
    _OURS: {
        "GET /api/v1/apps/installer": "/api/v1/apps",
        "GET /v1/k8s/audit": "/api/v1/audit/log",
        "GET /v1/k8s/clusters": "/api/v1/clusters",
        "POST /v1/k8s/clusters": "/api/v1/clusters",
        "GET /v1/k8s/clusters/{uuid}": "/api/v1/clusters/{uuid}",
        "DELETE /v1/k8s/clusters/{uuid}": "/api/v1/clusters/{uuid}",
        f"GET {_RUNNING}/installfile": "/api/v1/clusters/{uuid}/cluster-install-info",
        f"GET {_CLUSTER}/node-pools": "/api/v1/node-pools",
        f"POST {_CLUSTER}/node-pools": "/api/v1/node-pools",
        f"PUT {_CLUSTER}/node-pools/{{id}}": "/api/v1/node-pools/{id}",
        f"PUT {_CLUSTER}/node-pools/{{id}}/labels": "/api/v1/node-pools/{id}",
        f"DELETE {_CLUSTER}/node-pools/{{id}}": "/api/v1/node-pools/{id}",
    },
}

_FIELDS: Final[dict[date, dict[tuple[str, ...], dict[str, str]]]] = {
    _V2_17: {
        ("OlderProjectCreation", "OlderProjectUpdate", "OlderProject"): {
            "permissions": "access rules",
            "resources": "`nodePoolsResources`",
            "deservedGpus": "`nodePoolsResources`",
            "maxAllowedGpus": "`nodePoolsResources`",
            "gpuOverQuotaWeight": "`nodePoolsResources`",
        },
        ("OlderDepartmentCreation", "OlderDepartmentUpdate", "OlderDepartment"): {
            "resources": "`nodePoolsResources`",
            "deservedGpus": "`nodePoolsResources`",
            "allowOverQuota": "`nodePoolsResources`",
            "maxAllowedGpus": "`nodePoolsResources`",
        },
    },
    _V2_18: {("PermittedScopes",): {"tenant": "`tenants`"}},
}


def _all() -> Iterator[Deprecation]:
    for announced, routes in _ROUTES.items():
        for what, instead in routes.items():
            yield Deprecation(what, _FIRST, announced, instead)
    for announced, fields_of in _FIELDS.items():
        for models, fields in fields_of.items():
            for model in models:
                for field, instead in fields.items():
                    yield Deprecation(f"{model}.{field}", _FIRST, announced, instead)


DEPRECATIONS: Final = tuple(_all())
"""All that is or was deprecated."""
