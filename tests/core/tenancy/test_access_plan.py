"""Access rules: which RoleBindings they need, and what is wrong with them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from aliquot import names
from aliquot.contracts.kinds.tenancy import AccessRule, Department, Project
from aliquot.core.tenancy import (
    AccessPlan,
    Binding,
    Prefixes,
    access_plan,
    access_status,
    binding_manifest,
)

NAMESPACES = {"vision": ["vision-lab", "runai-vision"], "speech": ["runai-speech"], "roots": ["kube-system"]}


def tenant(model: type[Any], kind: str, name: str, **spec: object) -> Any:
    metadata = {"name": name, "uid": f"uid-of-{name}", "generation": 3}
    return model.model_validate({"apiVersion": "run.ai/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec})


PROJECTS: list[Project] = [
    tenant(Project, "Project", "vision", department="research"),
    tenant(Project, "Project", "speech"),
    tenant(Project, "Project", "roots", department="elsewhere"),
]
DEPARTMENTS: list[Department] = [tenant(Department, "Department", name) for name in ("research", "default")]


def rule(name: str = "ada", **spec: object) -> AccessRule:
    given = {"subjectId": "ada@example.com", "roleName": "L1 researcher", "scopeName": "vision", **spec}
    said = {key: value for key, value in given.items() if value is not None}
    found: AccessRule = tenant(AccessRule, "AccessRule", name, **said)
    return found


def planned(asked: AccessRule, prefixes: Prefixes | None = None) -> AccessPlan:
    return access_plan(asked, PROJECTS, DEPARTMENTS, lambda project: NAMESPACES[project], prefixes or Prefixes())


def bound(plan: AccessPlan) -> set[str]:
    assert plan.problem is None
    return {binding.namespace for binding in plan.bindings}


def test_a_researcher_of_a_project_is_bound_in_all_its_namespaces() -> None:
    ada = ("runai-ada", names.RESEARCHER_ROLE, "User", "ada@example.com")
    assert planned(rule()) == AccessPlan((Binding("runai-vision", *ada), Binding("vision-lab", *ada)))


@pytest.mark.parametrize(
    ("spec", "namespaces"),
    [
        ({"scopeType": "project", "scopeName": "speech"}, {"runai-speech"}),
        ({"scopeType": "Department", "scopeName": "research"}, {"runai-vision", "vision-lab"}),
        ({"scopeType": "department", "scopeName": "default"}, {"runai-speech"}),
        ({"scopeType": "cluster", "scopeName": None}, {"runai-speech", "runai-vision", "vision-lab"}),
        ({"scopeType": "tenant", "scopeName": "1001"}, {"runai-speech", "runai-vision", "vision-lab"}),
        ({"scopeName": "roots"}, set[str]()),
    ],
    ids=["project", "department", "default department", "cluster", "tenant", "nothing"],
)
def test_a_scope_reaches_these_namespaces_and_none_of_the_systems(spec: dict[str, Any], namespaces: set[str]) -> None:
    assert bound(planned(rule(**spec))) == namespaces


@pytest.mark.parametrize(
    ("role", "cluster_role"),
    [
        ("L1 researcher", names.RESEARCHER_ROLE),
        ("l2_researcher", names.RESEARCHER_ROLE),
        ("Researcher", names.RESEARCHER_ROLE),
        ("research_manager", names.RESEARCHER_ROLE),
        ("ML Engineer", names.ENGINEER_ROLE),
        ("viewer", names.VIEWER_ROLE),
        ("Department viewer", names.VIEWER_ROLE),
        ("department_admin", names.ADMINISTRATOR_ROLE),
        ("editor", names.ADMINISTRATOR_ROLE),
        ("System administrator", names.ADMINISTRATOR_ROLE),
    ],
)
def test_a_role_is_one_of_four(role: str, cluster_role: str) -> None:
    assert {binding.cluster_role for binding in planned(rule(roleName=role)).bindings} == {cluster_role}


@pytest.mark.parametrize(
    ("subject_type", "kind", "name"),
    [
        (None, "User", "oidc:ada"),
        ("user", "User", "oidc:ada"),
        ("Group", "Group", "team:ada"),
        ("app", "User", "oidc:ada"),
    ],
)
def test_a_subject_has_the_name_that_the_api_server_knows(subject_type: str | None, kind: str, name: str) -> None:
    plan = planned(rule(subjectType=subject_type, subjectId="ada"), Prefixes(user="oidc:", group="team:"))
    assert {(binding.subject_kind, binding.subject) for binding in plan.bindings} == {(kind, name)}


@pytest.mark.parametrize(
    ("spec", "code", "said"),
    [
        ({"subjectId": None}, "InvalidRule", "spec.subjectId: missing: the name of a user"),
        ({"subjectType": "robot"}, "InvalidRule", "spec.subjectType: 'robot' is not allowed: user, group or app"),
        (
            {"roleName": "cluster-admin"},
            "InvalidRule",
            "spec.roleName: 'cluster-admin' is not allowed: one of the roles",
        ),
        ({"roleName": "Cloud operator"}, "InvalidRule", "spec.roleName: 'Cloud operator' is not allowed"),
        ({"scopeType": "galaxy"}, "InvalidRule", "project, department, cluster or tenant"),
        ({"scopeName": ""}, "InvalidRule", "spec.scopeName: '' is not allowed: the name of a project"),
        ({"scopeName": "later"}, "NoScope", "There is no project later yet."),
        ({"scopeType": "department", "scopeName": "vision"}, "NoScope", "There is no department vision yet."),
    ],
    ids=str,
)
def test_a_rule_that_cannot_be_followed_gives_nothing_and_says_why(spec: dict[str, Any], code: str, said: str) -> None:
    plan = planned(rule(**spec))
    assert plan.bindings == ()
    assert plan.problem is not None
    assert plan.problem[0] == code
    assert said in plan.problem[1]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    plan = planned(rule(subjectType="robot", roleName="king", scopeType="galaxy"))
    assert plan.problem is not None
    assert all(field in plan.problem[1] for field in ("spec.subjectType", "spec.roleName", "spec.scopeType"))


def test_a_binding_goes_with_its_rule_and_has_a_name_that_is_no_other_rules() -> None:
    asked = rule("Ada.of.Vision" * 10)
    binding = planned(asked).bindings[0]
    manifest: Any = binding_manifest(binding, asked)
    assert len(manifest["metadata"]["name"]) <= 63
    assert manifest["metadata"]["name"].startswith("runai-")
    [owner] = manifest["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("AccessRule", asked.metadata.uid)
    assert planned(rule("Ada.of.Vision" * 10 + "x")).bindings[0].name != binding.name
    assert "resourceVersion" not in manifest["metadata"]
    instead: Any = binding_manifest(binding, asked, "7")
    assert instead["metadata"] == {**manifest["metadata"], "resourceVersion": "7"}


def test_a_status_keeps_its_time_until_the_rule_stands_otherwise() -> None:
    asked = rule()
    first = access_status(asked, None, 100)
    assert (first.phase, first.message, first.conditions[0].observed_generation) == ("Ready", None, 3)
    known = asked.model_copy(update={"status": first})
    assert access_status(known, None, 200) == first
    after = access_status(known, ("NoScope", "There is no project vision yet."), 300)
    assert (after.phase, after.message) == ("NotReady", "There is no project vision yet.")
    assert after.conditions[0].last_transition_time == datetime.fromtimestamp(300, UTC)


def test_where_administrators_make_rolebindings_a_rule_makes_and_takes_back_none_and_says_so() -> None:
    for asked, code in ((rule(), "RoleBindingsNotCreated"), (rule(roleName="King"), "InvalidRule")):
        plan = access_plan(asked, PROJECTS, DEPARTMENTS, lambda project: NAMESPACES[project], Prefixes(), is_ours=False)
        assert (plan.bindings, plan.is_ours) == ((), False)
        assert plan.problem is not None
        assert plan.problem[0] == code
