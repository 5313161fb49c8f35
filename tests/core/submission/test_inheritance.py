"""What a workload takes from template and policy at its submission, and keeps (S14 to S16, S18, S25)."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from aliquot.contracts.kinds.policies import InteractivePolicy
from aliquot.contracts.kinds.workloads import InteractiveSpec, InteractiveWorkload, TrainingWorkload, Workload
from aliquot.core.submission import InvalidWorkload
from aliquot.core.submission.bases import base_of
from aliquot.core.submission.inheritance import Inheritance, inherit, policy_in_force, with_inherited
from tests.support.written_cluster import Cluster

DEFAULTS: dict[str, Any] = {
    "jupyter": {"value": True},
    "image": {"value": "jupyter/scipy-notebook"},
    "name": {"value": "theirs"},
}


def workload(called: str, namespace: str = "runai-a", /, **spec: Any) -> InteractiveWorkload:
    return InteractiveWorkload.model_validate({"metadata": {"name": called, "namespace": namespace}, "spec": spec})


def policy(name: str, created: int = 0, **spec: Any) -> InteractivePolicy:
    metadata = {"name": name, "namespace": "runai", "creationTimestamp": datetime.fromtimestamp(created, UTC)}
    return InteractivePolicy.model_validate({"metadata": metadata, "spec": spec})


def effective_spec(mine: InteractiveWorkload, taken: Inheritance) -> InteractiveSpec:
    return with_inherited(mine, taken).spec


def kept(inheritance: Inheritance) -> Inheritance:
    """As it comes back from the workload's status."""
    assert inheritance.refusals == ()
    values, origins = json.loads(json.dumps([inheritance.values, inheritance.origins]))
    return Inheritance(inheritance.template, inheritance.policy, values, origins)


def test_s15_a_template_gives_what_the_workload_does_not() -> None:
    mine = workload("my-jupyter-job", gpu={"value": "1"}, baseWorkload="defaults")
    taken = inherit(mine, workload("defaults", usage="Template", **DEFAULTS), None)
    assert (taken.template, taken.policy) == ("runai-a/defaults", None)
    spec = effective_spec(mine, kept(taken))
    assert (spec.jupyter.value, spec.image.value, spec.gpu.value) == (True, "jupyter/scipy-notebook", "1")
    assert spec.name.value is None, "two workloads of one template would have one name"
    assert spec.usage == "Submit"


def test_s16_items_of_three_layers_survive_being_kept() -> None:
    def ports(**items: dict[str, Any]) -> dict[str, Any]:
        return {"items": items}

    def port(external: int) -> dict[str, Any]:
        return {"value": {"container": 30000, "external": external}}

    mine = workload("w", ports=ports(b={"deleted": True}, mine=port(8222)))
    template = workload("t", ports=ports(a=port(8100), team=port(8111), gone={"deleted": True}))
    rules = policy("p", ports=ports(a=port(8080), b=port(8081), gone=port(1)))
    taken = kept(inherit(mine, template, rules))
    spec = effective_spec(mine, taken)
    external = {label: item.value.external for label, item in spec.ports.items.items() if item.value}
    assert external == {"a": 8100, "team": 8111, "mine": 8222}


def test_s18_a_template_that_a_later_policy_forbids() -> None:
    template = workload("t", gpu={"value": "5"})
    rules = policy("p", gpu={"rules": {"max": "3"}})
    taken = inherit(workload("w"), template, rules)
    assert list(map(str, taken.refusals)) == ["gpu: must be no greater than 3"]


def test_what_was_taken_is_kept_when_the_policy_changes() -> None:
    mine = workload("w")
    taken = kept(inherit(mine, None, policy("p", gpu={"value": "1", "rules": {"max": "1"}})))
    assert taken.policy == "runai/p"
    assert effective_spec(mine, taken).gpu.value == "1"
    assert "rules" not in json.dumps(taken.values)


def test_nothing_is_kept_where_nothing_is_taken() -> None:
    mine = workload("w", gpu={"value": "1"})
    assert inherit(mine, None, None) == Inheritance()
    assert effective_spec(mine, Inheritance()) == mine.spec


@pytest.mark.parametrize(
    ("base", "found"),
    [("here", "runai-a/here"), ("both", "runai-a/both"), ("shared", "runai/shared"), ("", None), (None, None)],
)
def test_a_base_is_looked_for_in_the_namespace_first(base: str | None, found: str | None) -> None:
    there = [("runai-a", "here"), ("runai-a", "both"), ("runai", "both"), ("runai", "shared")]
    known = Cluster(templates=[workload(name, namespace) for namespace, name in there])
    held = base_of(workload("w", baseWorkload=base), known)
    assert (held and f"{held.metadata.namespace}/{held.metadata.name}") == found


def training(called: str, /, **spec: Any) -> TrainingWorkload:
    return TrainingWorkload.model_validate({"metadata": {"name": called, "namespace": "runai"}, "spec": spec})


@pytest.mark.parametrize(
    ("there", "told"),
    [
        ([], "the name of an InteractiveWorkload in the namespace runai-a or runai"),
        ([training("x")], "an InteractiveWorkload in the namespace runai-a or runai; x is a TrainingWorkload"),
        ([workload("x", baseWorkload="another")], "a workload that has no baseWorkload itself"),
        ([workload("x", baseWorkload="x")], "a workload that has no baseWorkload itself"),
    ],
    ids=["none", "of another kind", "based on another", "based on itself"],
)
def test_a_base_that_does_not_do(there: list[Workload], told: str) -> None:
    with pytest.raises(InvalidWorkload) as refusal:
        base_of(workload("w", baseWorkload="x"), Cluster(templates=there))
    assert str(refusal.value).startswith("spec.baseWorkload: 'x' is not allowed: ")
    assert str(refusal.value).endswith(told)


def test_the_oldest_policy_is_in_force() -> None:
    many = [policy("c", 5), policy("b", 3), policy("a", 3), policy("d", 9)]
    held = policy_in_force(many)
    assert held is not None
    assert held.metadata.name == "a"
    assert policy_in_force([]) is None
