"""The agent beside a real kubelet: what it tells the API server appears, and goes; also when it is killed meanwhile."""

from pathlib import Path
from typing import Any, Final

import pytest

from aliquot.contracts.agent_reports import read_health, read_overuse
from aliquot_lab import Cluster
from aliquot_lab.nodes.images import BUSYBOX
from demo.fake_gpus.model import Failure, GpuProcess
from tests.nodes.agent_on_node import AgentOnNode, pid_in, without_devices_in_status
from tests.nodes.conftest import GPUS
from tests.nodes.gpu_node import GpuNode
from tests.support.arena import Arena

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("real-nodes")]

IDLE: Final = "aliquot.dev/gpu-idle-since"
OVERUSE: Final = "aliquot.dev/gpu-memory-overuse"
HEALTH: Final = "aliquot.dev/gpu-health"
ANSWER: Final = "run.ai/reserve_for_gpu_index"
LOST: Final = 15


@pytest.fixture
def agent(cluster: Cluster, gpus: GpuNode, tmp_path: Path) -> AgentOnNode:
    return AgentOnNode(cluster, gpus.node, GPUS, tmp_path)


def halves(arena: Arena, namespace: str, count: int) -> None:
    arena.submit(
        namespace,
        "halves",
        gpu="0.5",
        image=BUSYBOX,
        imagePullPolicy="Never",
        command='sh -c "trap exit TERM; sleep 100000 & wait"',
        cpu="0.01",
        memory="10Mi",
        completions=count,
        parallelism=count,
    )
    arena.until_running_pods(namespace, count)


def annotations(arena: Arena, namespace: str) -> dict[str, dict[str, str]]:
    """Those of the pods that run, by name."""
    return {pod["metadata"]["name"]: pod["metadata"].get("annotations", {}) for pod in arena.running_pods(namespace)}


def node_metadata(cluster: Cluster, gpus: GpuNode) -> dict[str, Any]:
    return cluster.api.call("GET", f"/api/v1/nodes/{gpus.node.name}")["metadata"]


def health(cluster: Cluster, gpus: GpuNode) -> dict[str, str]:
    told = read_health(node_metadata(cluster, gpus).get("annotations", {}).get(HEALTH))
    return {device: trouble.reason for device, trouble in told.items()}


def test_idleness_overuse_and_health_come_and_go_also_when_the_agent_is_killed(
    cluster: Cluster, arena: Arena, gpus: GpuNode, agent: AgentOnNode
) -> None:
    namespace = arena.project("a", deserved=4)
    halves(arena, namespace, 2)
    pods = {pod["metadata"]["name"]: pod for pod in arena.running_pods(namespace)}
    busy, idle = sorted(pods)
    device = pods[busy]["metadata"]["annotations"]["aliquot.dev/gpu-ids"]
    card = gpus.uuids.index(device)
    pid = pid_in(pods[busy]["metadata"]["uid"])

    def told(pod: str, key: str) -> str:
        return annotations(arena, namespace)[pod].get(key, "")

    with agent.running():
        arena.until(lambda: told(busy, IDLE) and told(idle, IDLE), "both to be idle")
        since = told(idle, IDLE)
        labels = node_metadata(cluster, gpus)["labels"]
        arena.until(lambda: "nvidia.com/gpu.count" in node_metadata(cluster, gpus)["labels"], "the node's labels")
        labels = node_metadata(cluster, gpus)["labels"]
        assert labels["nvidia.com/gpu.count"] == str(GPUS)
        assert labels["nvidia.com/gpu.product"] == agent.cards.gpus[0].name.replace(" ", "-")
        work = GpuProcess(pid=pid, memory_used_mib=50_000, sm_percent=40)
        agent.has(agent.cards.with_gpu(card, processes=[work]))
        arena.until(lambda: not told(busy, IDLE), "work to end idleness")
        arena.until(lambda: told(busy, OVERUSE), "use beyond a part to be told")
        assert read_overuse(told(busy, OVERUSE))[device].used_mib == 50_000
        assert not told(idle, OVERUSE)
    # It was killed. While nobody looks the pod comes back within its part, and another GPU is lost.
    lost = (card + 1) % GPUS
    within = GpuProcess(pid=pid, memory_used_mib=20_000, sm_percent=40)
    failure = Failure(function="*", code=LOST, gpu=str(lost))
    agent.has(agent.cards.with_gpu(card, processes=[within]).with_fields(failures=[failure]))
    with agent.running():
        arena.until(lambda: not told(busy, OVERUSE), "the pod to be within its part")
        arena.until(lambda: health(cluster, gpus) == {gpus.uuids[lost]: "lost"}, "the lost GPU to be told")
        assert told(idle, IDLE) == since
        assert not told(busy, IDLE)
    agent.has(agent.cards.with_fields(failures=[]))
    with agent.running():
        arena.until(lambda: not health(cluster, gpus), "the GPU to be well")
    reservations = [pod["metadata"].get("annotations", {}) for pod in gpus.reservations()]
    assert [each for each in reservations if ANSWER in each] == [], "this kubelet says it in the status of the pods"


def test_it_answers_reservations_where_the_kubelet_does_not(arena: Arena, gpus: GpuNode, agent: AgentOnNode) -> None:
    namespace = arena.project("a", deserved=4)
    with without_devices_in_status(gpus.node), agent.running():
        gpus.until_allocatable(GPUS)
        halves(arena, namespace, 3)
        devices = {pod["aliquot.dev/gpu-ids"] for pod in annotations(arena, namespace).values()}
        answered = {pod["metadata"]["annotations"][ANSWER] for pod in gpus.reservations()}
        assert devices == answered
        assert len(devices) == 2
        assert devices < set(gpus.uuids)
        arena.clear()
        gpus.until_free()
