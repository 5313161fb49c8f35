"""Which nodes are used, as the RunaiConfig of a cluster says while the operator runs (cluster-api.md 3.5)."""

from collections.abc import Generator
from typing import Any, Final

import pytest

from tests.crashes.stage import Stage

pytestmark = [pytest.mark.cluster, pytest.mark.crashes, pytest.mark.xdist_group("crashes-broken")]

_CONFIGS: Final = "/apis/run.ai/v1/namespaces/runai/runaiconfigs"
_ROLE: Final = "node-role.kubernetes.io/runai-gpu-worker"


@pytest.fixture(autouse=True)
def no_config(stage: Stage) -> Generator[None]:
    """No RunaiConfig is left to other tests."""
    yield
    stage.delete(f"{_CONFIGS}/runai")


def use_only(stage: Stage, **members: Any) -> None:
    """Have the RunaiConfig say this of nodes."""
    config = {"apiVersion": "run.ai/v1", "kind": "RunaiConfig", "metadata": {"name": "runai"}}
    stage.lab.api.call("POST", _CONFIGS, {**config, "spec": {"global": members}})


def place(stage: Stage, namespace: str, name: str) -> str:
    """Submit a workload, wait until it runs, and say on which node."""
    stage.submit(namespace, name)
    stage.until_phase(namespace, name, "Running")
    [pod] = stage.pods(namespace, name)
    return str(pod["spec"]["nodeName"])


def test_only_nodes_with_a_role_are_used_as_long_as_it_says_so(stage: Stage) -> None:
    stage.operator()
    [first] = stage.nodes(1, gpus=2)
    namespace = stage.project("a", deserved=8)
    assert place(stage, namespace, "before") == first
    use_only(stage, nodeAffinity={"restrictScheduling": True})
    stage.until_node(first, "Ready,SchedulingDisabled")
    stage.submit(namespace, "waits")
    said = stage.until_reason(namespace, "waits", "NoSuchNode")
    assert f"has the label {_ROLE}" in said["phaseMessage"]
    stage.until_phase(namespace, "before", "Running")
    [worker] = stage.nodes(1, gpus=2, labels={_ROLE: ""})
    stage.until_phase(namespace, "waits", "Running")
    assert [pod["spec"]["nodeName"] for pod in stage.pods(namespace, "waits")] == [worker]
    stage.delete(f"{_CONFIGS}/runai")
    stage.until_node(first, "Ready")
    assert {place(stage, namespace, name) for name in ("c", "d")} == {first, worker}


def test_nodes_that_are_not_managed_are_left_alone(stage: Stage) -> None:
    [ours] = stage.nodes(1, gpus=1, labels={"team": "ai"})
    [theirs] = stage.nodes(1, gpus=8)
    term = {"matchExpressions": [{"key": "team", "operator": "In", "values": ["ai"]}]}
    use_only(stage, managedNodes={"inclusionCriteria": {"nodeSelectorTerms": [term]}})
    stage.operator()
    stage.until_node(theirs, "Ready,SchedulingDisabled")
    namespace = stage.project("a", deserved=8)
    assert place(stage, namespace, "first") == ours
    stage.submit(namespace, "second")
    stage.until_reason(namespace, "second", "NotEnoughResources")
    stage.delete(f"{_CONFIGS}/runai")
    stage.until_phase(namespace, "second", "Running")
    assert [pod["spec"]["nodeName"] for pod in stage.pods(namespace, "second")] == [theirs]
