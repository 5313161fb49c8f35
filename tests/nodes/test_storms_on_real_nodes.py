"""A storm of whole GPUs and parts of them on a real kubelet: no card is given twice; containers see their records."""

import time
from typing import Any, Final

import pytest

from aliquot_lab import Cluster
from demo.fake_gpus import library
from tests.agent.agent_process import running
from tests.nodes.gpu_node import GpuNode
from tests.nodes.test_fractions_on_real_nodes import seen_inside, worker
from tests.support import auditor
from tests.support.arena import Arena
from tests.support.gpu_storm import Snapshot, Storm, batches, expected_inside, plan

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("real-nodes")]

GPUS: Final = 4
CARD_MIB: Final = 81_500
"""Of what the node's label says, the full hundreds."""
STEPS: Final = 200
TOGETHER: Final = 20
UNSOUND: Final = "books do not add up"
VARIABLES: Final = ("NVIDIA_VISIBLE_DEVICES", "GPU_PORTION")


class Inside:
    """Looks into containers, into each once in its life."""

    def __init__(self, arena: Arena, namespace: str) -> None:
        self.looked_at: set[str] = set()
        self._arena = arena
        self._namespace = namespace

    def check(self, seen: Snapshot) -> None:
        """See that those that run see what they were given."""
        for pod in seen.workers:
            if pod["status"]["phase"] == "Running" and started(pod).isdisjoint(self.looked_at):
                name = pod["metadata"]["name"]
                said = seen_inside(self._arena, self._namespace, name)
                found = {key: {*said[key].split(",")} for key in VARIABLES if key in said}
                assert found == expected_inside(pod), name
                self.looked_at |= started(pod)


def started(pod: Any) -> set[str]:
    """The ids of the containers that run in a pod: others come when they start again."""
    return {each["containerID"] for each in pod["status"].get("containerStatuses", ()) if "running" in each["state"]}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_card_is_given_twice_in_a_storm(arena: Arena, gpus: GpuNode, seed: int) -> None:
    begun, namespace = time.time(), arena.project("a", deserved=GPUS)
    storm = Storm(arena, namespace, {gpus.node.name: GPUS}, CARD_MIB, worker())
    inside = Inside(arena, namespace)
    for steps in batches(plan(seed, STEPS, gpus=GPUS, card_mib=CARD_MIB), TOGETHER):
        inside.check(storm.settle(steps))
    assert len(inside.looked_at) > STEPS / 8
    auditor.check(arena.lab, about=arena.name, since=begun)
    assert UNSOUND not in arena.lab.log("operator").read_text()


def test_an_agent_that_is_killed_changes_nothing(cluster: Cluster, arena: Arena, gpus: GpuNode) -> None:
    """It tells of what there is, and decides nothing."""
    namespace = arena.project("a", deserved=GPUS)
    storm = Storm(arena, namespace, {gpus.node.name: GPUS}, CARD_MIB, worker())
    inside = Inside(arena, namespace)
    settings = {
        "ALIQUOT_IDENTITY__NODE": gpus.node.name,
        "ALIQUOT_SOURCES__PODS": "api",
        "ALIQUOT_SOURCES__KUBELET_SOCKET": str(gpus.node.pod_resources),
        "KUBECONFIG": str(cluster.kubeconfig),
    }
    for steps in batches(plan(4, 30, gpus=GPUS, card_mib=CARD_MIB), TOGETHER):
        with running(gpus.file, library.ensure(), **settings):
            storm.begin(steps)
        inside.check(storm.settle())


def test_a_power_cut_in_a_storm_leaves_nothing_given_twice(arena: Arena, gpus: GpuNode) -> None:
    """The device plugin is there when the kubelet comes: pods start again with what they had, or are refused."""
    namespace = arena.project("a", deserved=GPUS)
    storm = Storm(arena, namespace, {gpus.node.name: GPUS}, CARD_MIB, worker())
    inside = Inside(arena, namespace)
    steps = plan(5, 24, gpus=GPUS, card_mib=CARD_MIB)
    before = storm.settle(steps[:12])
    inside.check(before)
    ran = {container for pod in (*before.workers, *before.reservations) for container in started(pod)}
    gpus.node.power_off()
    gpus.node.power_on()

    def noticed() -> bool:
        seen = storm.look()
        return ran.isdisjoint(each for pod in (*seen.workers, *seen.reservations) for each in started(pod))

    arena.until(noticed, "the kubelet to say that nothing runs that ran before")
    gpus.until_allocatable(GPUS)
    inside.check(storm.settle(disturbed=True))
    inside.check(storm.settle(steps[12:]))
