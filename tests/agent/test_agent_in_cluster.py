"""The agent with a real API server: it knows the pods of its node, and what each was given."""

import secrets
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from aliquot_lab import Cluster
from aliquot_lab.pytest_plugin import NodeMaker
from demo.fake_gpus import library, state
from demo.fake_gpus.model import GpuProcess
from demo.fake_gpus.products import node
from tests.agent.agent_process import running
from tests.kube.eventually import eventually

pytestmark = pytest.mark.cluster

PID = 4_242
MIB = 1 << 20


@pytest.fixture
def namespace(lab: Cluster) -> Generator[str]:
    name = f"t-agent-{secrets.token_hex(4)}"
    lab.add_namespace(name)
    yield name
    lab.remove_namespace(name)


def sharer(uuid: str, node_name: str) -> dict[str, Any]:
    """A pod with a quarter of a GPU, as the operator leaves it."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "sharer",
            "annotations": {"aliquot.dev/gpu-ids": uuid, "aliquot.dev/gpu-portion": "0.25"},
        },
        "spec": {
            "nodeName": node_name,
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "main", "image": "localhost/x:1"}],
        },
    }


async def test_a_sharer_has_a_name_and_a_limit_until_it_is_gone(
    lab: Cluster, lab_nodes: NodeMaker, namespace: str, tmp_path: Path
) -> None:
    [name] = lab_nodes(1)
    cards = node(name, 1)
    uuid = cards.gpus[0].uuid
    state.write(tmp_path / "state", cards.with_gpu(0, processes=[GpuProcess(pid=PID, memory_used_mib=21_000)]))
    made = lab.api.call("POST", f"/api/v1/namespaces/{namespace}/pods", sharer(uuid, name))
    process = tmp_path / "proc" / str(PID)
    process.mkdir(parents=True)
    (process / "cgroup").write_text(f"0::/kubepods/pod{made['metadata']['uid']}/{'a' * 64}\n")
    settings = {
        "ALIQUOT_IDENTITY__NODE": name,
        "ALIQUOT_SOURCES__PODS": "api",
        "ALIQUOT_SOURCES__PROC": str(tmp_path / "proc"),
        "KUBECONFIG": str(lab.kubeconfig),
    }
    with running(tmp_path / "state", library.ensure(), **settings) as agent:
        await eventually(lambda: agent.get("readyz") == (200, "ok"))
        pod = {"namespace": namespace, "pod": "sharer", "pod_uid": made["metadata"]["uid"], "uuid": uuid, "node": name}
        assert agent.metric("aliquot_pod_gpu_memory_used_bytes", **pod) == 21_000 * MIB
        assert agent.metric("aliquot_pod_gpu_allocated_ratio", **pod) == 0.25
        limit = 81_559 * MIB * 25 // 100
        assert agent.metric("aliquot_pod_gpu_memory_limit_bytes", **pod) == limit
        assert agent.metric("aliquot_pod_gpu_memory_overuse_bytes", **pod) == 21_000 * MIB - limit
        assert agent.metric("aliquot_gpu_stray_processes", uuid=uuid) == 0
        lab.api.call("DELETE", f"/api/v1/namespaces/{namespace}/pods/sharer")
        await eventually(lambda: agent.metric("aliquot_gpu_stray_processes", uuid=uuid) == 1)
        assert agent.metric("aliquot_gpu_allocated_ratio", uuid=uuid) == 0
