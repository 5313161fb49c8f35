"""What of a RunaiConfig is refused at its submission, and what is warned of (cluster-api.md 3.5)."""

from typing import Any

import pytest

from aliquot.contracts.kinds import RunaiConfig
from aliquot.core.admission import review
from tests.support.written_cluster import Cluster


def config(name: str = "runai", /, **spec: Any) -> RunaiConfig:
    return RunaiConfig.model_validate({"metadata": {"name": name, "namespace": "runai"}, "spec": spec})


def terms(*given: object) -> dict[str, Any]:
    return {"global": {"managedNodes": {"inclusionCriteria": {"nodeSelectorTerms": list(given)}}}}


IN = {"key": "team", "operator": "In", "values": ["ai"]}
MANAGED = "spec.global.managedNodes.inclusionCriteria.nodeSelectorTerms"

CASES: dict[str, tuple[RunaiConfig, list[str], list[str]]] = {
    # the object, how the refusals begin, how the warnings do
    "nothing": (config(), [], []),
    "what is followed": (config(limitRange={"cpuDefaultRequestGpuFactor": "4"}), [], []),
    "what another cluster has, and nobody here": (
        config(prometheus={"spec": {"retention": "2h"}}),
        [],
        ["spec.prometheus: unknown, and ignored"],
    ),
    "what is not done here": (
        config(**{"project-controller": {"clusterWideSecret": True}}),
        [],
        ["spec.project-controller.clusterWideSecret: True is not allowed: false, which holds here"],
    ),
    "everything that is wrong, at once": (
        config(limitRange={"cpuDefaultRequestGpuFactor": "much", "other": 1}, **{"runai-scheduler": {"args": "fast"}}),
        [
            "spec.limitRange.cpuDefaultRequestGpuFactor: 'much' is not allowed: a number of CPU cores",
            "spec.runai-scheduler.args: 'fast' is not allowed: an object",
        ],
        ["spec.limitRange.other: unknown"],
    ),
    "a flag as a text": (
        config(**{"global": {"nodeAffinity": {"restrictScheduling": "true"}}}),
        ["spec.global.nodeAffinity.restrictScheduling: 'true' is not allowed: true or false"],
        [],
    ),
    "terms that Kubernetes would take": (
        config(
            **terms(
                {"matchExpressions": [IN, {"key": "gone", "operator": "DoesNotExist"}]},
                {"matchExpressions": [{"key": "size", "operator": "Gt", "values": ["7"]}]},
                {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]},
            )
        ),
        [],
        [],
    ),
    "no term": (config(**terms()), [f"{MANAGED}: [] is not allowed: a list of terms"], []),
    "a term without conditions": (config(**terms({})), [f"{MANAGED}: [{{}}] is not allowed: a list of terms"], []),
    "an unknown member of a term": (config(**terms({"matchLabels": {"team": "ai"}})), [f"{MANAGED}: "], []),
    "an operator that there is not": (
        config(**terms({"matchExpressions": [{**IN, "operator": "Is"}]})),
        [f"{MANAGED}: "],
        [],
    ),
    "no value to compare with": (config(**terms({"matchExpressions": [{**IN, "values": []}]})), [f"{MANAGED}: "], []),
    "values where there is nothing to compare": (
        config(**terms({"matchExpressions": [{**IN, "operator": "Exists"}]})),
        [f"{MANAGED}: "],
        [],
    ),
    "more than a text": (
        config(**terms({"matchExpressions": [{"key": "size", "operator": "Gt", "values": ["big"]}]})),
        [f"{MANAGED}: "],
        [],
    ),
    "a field that is none": (config(**terms({"matchFields": [IN]})), [f"{MANAGED}: "], []),
    "another name, whatever it says": (
        config("other", limitRange={"cpuDefaultRequestGpuFactor": "much"}),
        [],
        ["only the RunaiConfig called runai is followed"],
    ),
}


@pytest.mark.parametrize(("given", "refused", "warned"), CASES.values(), ids=CASES)
def test_what_is_said_of_a_config(given: RunaiConfig, refused: list[str], warned: list[str]) -> None:
    verdict = review(given, None, Cluster())
    assert len(verdict.refusals) == len(refused), verdict.message
    assert all(str(each).startswith(says) for each, says in zip(verdict.refusals, refused, strict=True)), verdict
    assert len(verdict.warnings) == len(warned), verdict.warnings
    assert all(each.startswith(says) for each, says in zip(verdict.warnings, warned, strict=True)), verdict


def test_one_that_was_stored_with_a_mistake_can_be_changed_elsewhere() -> None:
    old = config(limitRange={"cpuDefaultRequestGpuFactor": "much"})
    new = config(limitRange={"cpuDefaultRequestGpuFactor": "much", "memoryDefaultRequestGpuFactor": "1Gi"})
    worse = config(limitRange={"cpuDefaultRequestGpuFactor": "more"})
    assert review(new, old, Cluster()).allowed
    assert not review(worse, old, Cluster()).allowed
