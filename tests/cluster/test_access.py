"""Access rules on a real API server: what people may do then is asked of its RBAC, by impersonation."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from aliquot_lab.errors import LabError
from tests.support.arena import PROJECTS, Arena

pytestmark = pytest.mark.cluster

RULES = "/apis/run.ai/v1alpha1/accessrules"
ADA = "ada@example.com"


def binding(namespace: str, name: str) -> str:
    return f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings/runai-{name}"


def rule(arena: Arena, name: str, **spec: str) -> str:
    """Make a rule; returns its full name."""
    full = f"{arena.name}-{name}"
    given = {"subjectId": ADA, "subjectType": "user", "roleName": "L1 researcher", "scopeType": "project", **spec}
    arena.make(
        RULES, {"apiVersion": "run.ai/v1alpha1", "kind": "AccessRule", "metadata": {"name": full}, "spec": given}
    )
    return full


def until_phase(arena: Arena, name: str, phase: str, says: str = "") -> None:
    """Wait until a rule is in a phase, and says why in these words."""

    def there() -> bool:
        status: dict[str, Any] = arena.get(f"{RULES}/{name}").get("status", {})
        return status.get("phase") == phase and says in status.get("message", "")

    arena.until(there, f"the rule {name} to be {phase}{f' and to say {says!r}' if says else ''}")


def may(arena: Arena, namespace: str, verb: str, what: str, *who: str) -> bool:
    """What the API server says to somebody, in the groups that are named."""
    asked = ("auth", "can-i", verb, what, "--namespace", namespace, *(who or (f"--as={ADA}",)))
    try:
        return arena.lab.kubectl(*asked).strip() == "yes"
    except LabError:
        return False


def submit(arena: Arena, namespace: str, name: str) -> Callable[[], str]:
    spec = {"name": {"value": name}, "image": {"value": "registry.example.com/test:1"}}
    metadata = {"name": name, "namespace": namespace}
    workload = {"apiVersion": "run.ai/v2alpha1", "kind": "TrainingWorkload", "metadata": metadata, "spec": spec}
    return lambda: arena.lab.kubectl(f"--as={ADA}", "create", "-f", "-", input=yaml.safe_dump(workload))


def test_a_researcher_of_a_project_can_submit_there_and_not_elsewhere(arena: Arena) -> None:
    arena.nodes(1)
    here, elsewhere = arena.project("a", deserved=1), arena.project("b", deserved=1)
    with pytest.raises(LabError, match="forbidden"):
        submit(arena, here, "early")()
    until_phase(arena, rule(arena, "ada", scopeName=f"{arena.name}-a"), "Ready")
    arena.until(lambda: may(arena, here, "create", "trainingworkloads"), "the API server to know of the rights")
    submit(arena, here, "first")()
    arena.until_phase(here, "first", "Running")
    with pytest.raises(LabError, match="forbidden"):
        submit(arena, elsewhere, "first")()
    allowed = {
        (verb, what)
        for verb in ("create", "get", "delete")
        for what in ("trainingworkloads", "interactiveworkloads", "trainingpolicies", "pods", "secrets", "rolebindings")
        if may(arena, here, verb, what)
    }
    workloads = {(v, w) for v in ("create", "get", "delete") for w in ("trainingworkloads", "interactiveworkloads")}
    assert allowed == workloads | {("get", "trainingpolicies"), ("get", "pods")}
    assert not may(arena, "runai", "get", "pods")


def test_a_group_has_its_role_in_every_project_of_a_department_present_and_future(arena: Arena) -> None:
    department = arena.department("d", deserved=2)
    team = ("--as=eve", f"--as-group={arena.name}-team")
    members = {"subjectId": f"{arena.name}-team", "subjectType": "group", "roleName": "Viewer"}
    until_phase(arena, rule(arena, "team", scopeType="department", scopeName=department, **members), "Ready")
    inside = arena.project("a", deserved=1, department=department)
    outside = arena.project("b", deserved=1)
    arena.until(lambda: may(arena, inside, "get", "trainingworkloads", *team), "the group to see the new project")
    assert not may(arena, inside, "create", "trainingworkloads", *team)
    assert not may(arena, inside, "get", "trainingworkloads", "--as=eve")
    assert not may(arena, outside, "get", "trainingworkloads", *team)
    arena.patch(f"{PROJECTS}/{arena.name}-a", {"spec": {"department": None}})
    arena.until(lambda: not may(arena, inside, "get", "trainingworkloads", *team), "the group to lose what left")


def test_what_is_changed_or_deleted_by_hand_is_put_back_and_all_goes_with_the_rule(arena: Arena) -> None:
    namespace = arena.project("a", deserved=1)
    name = rule(arena, "ada", scopeName=f"{arena.name}-a")
    until_phase(arena, name, "Ready")
    path = binding(namespace, name)
    made = arena.get(path)
    api, others = "rbac.authorization.k8s.io", [{"kind": "User", "name": "eve"}]
    arena.patch(path, {"subjects": [{"apiGroup": api, **other} for other in others]})
    arena.until(lambda: arena.get(path)["subjects"] == made["subjects"], "the subject to be put back")
    arena.delete(path)
    arena.until(lambda: arena.get(path).get("subjects") == made["subjects"], "the RoleBinding to be made again")
    arena.patch(f"{RULES}/{name}", {"spec": {"roleName": "Viewer"}})
    arena.until(lambda: arena.get(path).get("roleRef", {}).get("name") == "aliquot-project-viewer", "the other role")
    arena.patch(f"{RULES}/{name}", {"spec": {"roleName": "King"}})
    until_phase(arena, name, "NotReady", "spec.roleName: 'King' is not allowed")
    arena.until(lambda: arena.get(path) == {}, "who has no role that is known to lose all rights")
    arena.patch(f"{RULES}/{name}", {"spec": {"roleName": "Editor"}})
    until_phase(arena, name, "Ready")
    arena.until(lambda: may(arena, namespace, "create", "trainingpolicies"), "the new rights")
    arena.delete(f"{RULES}/{name}")
    arena.until(lambda: arena.get(path) == {}, "the RoleBinding to go with its rule")
    arena.until(lambda: not may(arena, namespace, "get", "pods"), "the rights to go")


def test_a_binding_of_somebody_else_stays_as_it_is_and_is_told(arena: Arena) -> None:
    namespace = arena.project("a", deserved=1)
    name = f"{arena.name}-ada"
    api = "rbac.authorization.k8s.io"
    theirs = {
        "apiVersion": f"{api}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": f"runai-{name}"},
        "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": "view"},
        "subjects": [{"apiGroup": api, "kind": "User", "name": "eve"}],
    }
    arena.lab.api.call("POST", binding(namespace, name).rpartition("/")[0], theirs)
    rule(arena, "ada", scopeName=f"{arena.name}-a")
    until_phase(arena, name, "NotReady", f"RoleBinding runai-{name} in {namespace} is not the rule's")
    assert arena.get(binding(namespace, name))["subjects"] == theirs["subjects"]
