"""What a control plane desires, as custom resources: what is written, and what is left alone."""

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot import names
from aliquot.cluster.sync.manifests import (
    MODELS,
    Held,
    Place,
    Wanted,
    difference,
    manifest,
    no_longer_wanted,
    wanted,
)
from aliquot.contracts.cluster_sync import DesiredProject
from aliquot.contracts.kinds.policies import TrainingPolicy
from aliquot.contracts.kinds.tenancy import AccessRule, Department, NodePool, Project
from aliquot.core.quantities import UNLIMITED
from aliquot.core.tenancy import project_quotas
from tests.cluster.sync.desires import CLUSTER, department, desired, policy, pool, project, queue, queues, rule

AMOUNTS = {"deserved": -1, "limit": -1, "overQuotaWeight": 2}
GPUS = {"gpu": {"deserved": 1, "limit": -1, "overQuotaWeight": 2}, "cpu": AMOUNTS, "memory": AMOUNTS}


def made(want: Wanted, **spec: Any) -> Held:
    """The object as it is once it was made, with further members that somebody has set."""
    whole = manifest(want, CLUSTER, "run.ai/v1")
    return want.place.model.model_validate({**whole, "spec": {**whole["spec"], **spec}})


def labelled(held: Held, labels: dict[str, str]) -> Held:
    return held.model_copy(update={"metadata": held.metadata.model_copy(update={"labels": labels})})


def only(*objects: Any) -> Wanted:
    [want] = wanted(desired(*objects), "runai")
    return want


SPECS: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "the pool that is always there has no label": (
        pool(),
        "NodePool default",
        {"overProvisioningRatio": 1, "placementStrategy": {"cpu": "spread", "gpu": "binpack"}},
    ),
    "a pool": (
        pool("h100", label_key="run.ai/type", label_value="h100", over_provisioning_ratio=2),
        "NodePool h100",
        {
            "labelKey": "run.ai/type",
            "labelValue": "h100",
            "overProvisioningRatio": 2,
            "placementStrategy": {"cpu": "spread", "gpu": "binpack"},
        },
    ),
    "a department": (
        department("research", queue(1)),
        "Department research",
        {"queues": [{"name": "research", "nodepool": "default", "resources": GPUS}]},
    ),
    "a project with little to say": (
        project(),
        "Project team-a",
        {
            "department": "research",
            "queues": [{"name": "team-a", "nodepool": "default", "resources": GPUS}],
        },
    ),
    "a project with a lot to say": (
        project(
            "team-a",
            queue(1),
            queue(1, "h100"),
            namespace="lab",
            default_node_pools=("h100", "default"),
            training_types=("a100",),
            interactive_types=("t4",),
            interactive_time_limit_seconds=1,
            interactive_idle_seconds=2,
            preemptible_interactive_idle_seconds=3,
            training_time_limit_seconds=4,
            training_idle_seconds=5,
        ),
        "Project team-a",
        {
            "department": "research",
            "namespace": "lab",
            "queues": [
                {"name": "team-a", "nodepool": "default", "resources": GPUS},
                {"name": "team-a-h100", "nodepool": "h100", "resources": GPUS},
            ],
            "defaultNodePools": ["h100", "default"],
            "nodeAffinityTrain": ["a100"],
            "nodeAffinityInteractive": ["t4"],
            "interactiveJobTimeLimitSecs": 1,
            "interactiveJobMaxIdleDurationSecs": 2,
            "interactivePreemptibleJobMaxIdleDurationSecs": 3,
            "trainingJobTimeLimitSecs": 4,
            "trainingJobMaxIdleDurationSecs": 5,
        },
    ),
    "an access rule is called by its id": (
        rule("7"),
        "AccessRule rule-7",
        {
            "subjectId": "ada@example.com",
            "subjectType": "user",
            "roleName": "L1 researcher",
            "scopeType": "project",
            "scopeName": "team-a",
        },
    ),
    "a policy is in the namespace of its project": (
        policy("runai-team-a", image={"value": "ubuntu"}),
        "TrainingPolicy runai-team-a/control-plane",
        {"image": {"value": "ubuntu"}},
    ),
    "one for everybody is in that of the operator": (
        policy(None, gpu={"rules": {"max": "4"}}),
        "TrainingPolicy runai/control-plane",
        {"gpu": {"rules": {"max": "4"}}},
    ),
}


@pytest.mark.parametrize(("given_", "place", "spec"), SPECS.values(), ids=list(SPECS))
def test_what_is_desired_becomes_a_custom_resource(given_: Any, place: str, spec: dict[str, Any]) -> None:
    want = only(given_)
    assert str(want.place) == place
    whole = manifest(want, CLUSTER, "run.ai/v1")
    assert whole["spec"] == spec
    assert whole["metadata"]["labels"] == {names.CONTROL_PLANE_LABEL: CLUSTER}
    assert difference(want, want.place.model.model_validate(whole), CLUSTER) is None, "what was made is as it is to be"


def test_who_is_named_is_made_before_who_names() -> None:
    order = [want.place.model for want in wanted(desired(policy(), rule(), project(), department(), pool()), "runai")]
    assert order == [NodePool, Department, Project, AccessRule, TrainingPolicy]
    assert [model for model in MODELS if model in order] == order


def test_what_somebody_changed_is_put_back() -> None:
    want = only(project())
    theirs = {"name": "x", "nodepool": "h100", "resources": {"gpu": {"deserved": 99}}}
    patch = difference(want, made(want, queues=[*want.spec["queues"], theirs], trainingJobTimeLimitSecs=9), CLUSTER)
    assert patch is not None
    assert patch["spec"]["queues"] == want.spec["queues"]
    assert patch["spec"]["trainingJobTimeLimitSecs"] is None
    assert "metadata" not in patch


def test_what_is_not_desired_any_more_is_taken_back() -> None:
    """A project whose node affinity was removed keeps none (control-plane-api.md 5.6)."""
    held = made(only(project(training_types=("a100",), default_node_pools=("default",))))
    patch = difference(only(project()), held, CLUSTER)
    assert patch is not None
    assert patch["spec"]["nodeAffinityTrain"] is None
    assert patch["spec"]["defaultNodePools"] is None


def test_what_a_control_plane_has_no_word_for_stays_as_it_is() -> None:
    want = only(project())
    [known] = want.spec["queues"]
    own = {"queues": [{**known, "reclaimMinRuntimeSecs": 900}], "permissions": {"users": ["ada"]}}
    assert difference(want, made(want, **own), CLUSTER) is None
    patch = difference(only(project("team-a", queue(2))), made(want, **own), CLUSTER)
    assert patch is not None
    assert patch["spec"]["queues"][0]["reclaimMinRuntimeSecs"] == 900
    assert patch["spec"]["queues"][0]["resources"]["gpu"]["deserved"] == 2
    assert "permissions" not in patch["spec"]


def test_what_somebody_made_under_a_desired_name_is_taken_over() -> None:
    want = only(project())
    theirs = labelled(made(want), {"mine": "1"})
    assert difference(want, theirs, CLUSTER) == {"metadata": {"labels": {names.CONTROL_PLANE_LABEL: CLUSTER}}}


def test_only_what_is_the_control_planes_goes() -> None:
    ours, others, going = (made(only(project(name))) for name in ("ours", "others", "going"))
    others = labelled(others, {names.CONTROL_PLANE_LABEL: "00000000-0000-0000-0000-000000000000"})
    deleted = {"deletion_timestamp": "2026-01-01T00:00:00Z"}
    going = going.model_copy(update={"metadata": going.metadata.model_copy(update=deleted)})
    held = [ours, others, going]
    assert [each.metadata.name for each in no_longer_wanted(held, {}, CLUSTER)] == ["ours"]
    kept = {Place(Project, "ours"): only(project("ours"))}
    assert no_longer_wanted(held, kept, CLUSTER) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"gpu": {"value": "1", "rules": {"max": "4", "min": "1"}}}, {"gpu": {"rules": {"max": "4"}}}),
        ({"gpu": {"value": "1"}}, {"cpu": {"value": "1"}}),
        (
            {"environment": {"items": {"A": {"value": "1"}, "B": {"value": "2"}}}},
            {"environment": {"items": {"A": {"value": "3"}}, "rules": {"canAdd": False}}},
        ),
        (
            {"image": {"rules": {"options": [{"value": "a"}, {"value": "b"}]}}},
            {"image": {"rules": {"options": [{"value": "b"}]}}},
        ),
    ],
)
def test_nothing_is_left_of_what_a_policy_said_before(before: dict[str, Any], after: dict[str, Any]) -> None:
    held, want = made(only(policy(**before))), only(policy(**after))
    patch = difference(want, held, CLUSTER)
    assert patch is not None
    whole = {
        "metadata": held.metadata.model_dump(),
        "spec": merged(held.spec.model_dump(exclude_unset=True), patch["spec"]),
    }
    assert whole["spec"] == after
    assert difference(want, TrainingPolicy.model_validate(whole), CLUSTER) is None


def merged(before: Any, patch: Any) -> Any:
    """What an API server makes of a JSON merge patch (RFC 7386)."""
    if not isinstance(patch, dict):
        return patch
    found: dict[str, Any] = {**before} if isinstance(before, dict) else {}
    for name, value in cast("dict[str, Any]", patch).items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), value)
    return found


cents = st.floats(0, 1e9).map(lambda value: round(value, 2))
quotas = queues(st.sampled_from(["default", "a", "b", "c"]), cents, cents, most=4)
seconds = st.one_of(st.none(), st.integers(1, 2**40))


@st.composite
def projects(draw: st.DrawFn) -> DesiredProject:
    types = draw(st.lists(st.sampled_from(["a100", "h100"]), unique=True))
    limits = {"training_types": tuple(types), "training_time_limit_seconds": draw(seconds)}
    return project("team-a", *draw(quotas), **limits)


@given(projects(), projects())
def test_a_patch_makes_of_any_object_what_is_desired(before: DesiredProject, after: DesiredProject) -> None:
    held, want = made(only(before)), only(after)
    patch = difference(want, held, CLUSTER) or {"spec": {}}
    spec = {**held.spec.model_dump(mode="json", exclude_unset=True), **patch["spec"]}
    patched = Project.model_validate(
        {
            "metadata": held.metadata.model_dump(),
            "spec": {member: value for member, value in spec.items() if value is not None},
        }
    )
    assert difference(want, patched, CLUSTER) is None
    assert patched.spec == made(want).spec


@given(projects())
def test_amounts_arrive_in_the_units_of_the_scheduler(given_: DesiredProject) -> None:
    held = made(only(given_))
    assert isinstance(held, Project)
    quotas = project_quotas(held)
    for each in given_.queues:
        quota = quotas[each.node_pool]
        for ours, theirs, unit in (
            (quota.gpu.deserved, each.gpu.deserved, 100),
            (quota.cpu.limit, each.cpu.limit, 1),
            (quota.memory.deserved, each.memory.deserved, 1_000_000),
        ):
            assert ours == UNLIMITED if theirs == -1 else abs(ours - theirs * unit) <= 1
