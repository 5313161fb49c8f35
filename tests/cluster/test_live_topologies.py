"""Topologies of a live cluster: pods that have to be close to one another, on a real API server."""

import json
from typing import Any, Final

import pytest

from aliquot.core.simulation import load, simulate
from demo.platform import OperatorProcess
from tests.support.arena import Arena
from tests.support.foreign import active, define, report
from tests.support.scheduler_state import state_of

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("topologies")]
DISTRIBUTED: Final = "DistributedWorkload"
RACK: Final = "example.com/rack"
TOPOLOGY: Final = "kai.scheduler/topology"
REQUIRED: Final = "kai.scheduler/topology-required-placement"


def name_levels(arena: Arena, group: str, version: str, *levels: str) -> None:
    """Install the kind, and make a topology of the arena's name."""
    path = define(arena, group, "Topology", version, plural="topologies", scope="Cluster")
    spec = {"levels": [{"nodeLabel": level} for level in levels]}
    body = {"apiVersion": f"{group}/{version}", "kind": "Topology", "metadata": {"name": arena.name}, "spec": spec}
    arena.make(f"{path}/topologies", body)


def submit(arena: Arena, namespace: str, name: str, topology: str, level: str, gpu: str = "1") -> None:
    """A gang of three whose own annotations say how close it has to be."""
    values = {"image": "x", "name": name, "jobType": "PyTorchJob", "workers": 2, "gpu": gpu}
    plain = ("jobType",)
    spec = {key: value if key in plain else {"value": value} for key, value in values.items()}
    metadata = {"name": name, "annotations": {TOPOLOGY: topology, REQUIRED: level}}
    body = {"apiVersion": "run.ai/v2alpha1", "kind": DISTRIBUTED, "metadata": metadata, "spec": spec}
    arena.make(arena.path(namespace, kind=DISTRIBUTED), body)


def racks_of(arena: Arena, pods: list[dict[str, Any]]) -> list[str]:
    """In which racks the pods are."""
    nodes = [arena.get(f"/api/v1/nodes/{pod['spec']['nodeName']}") for pod in pods]
    return sorted({node["metadata"]["labels"][RACK] for node in nodes})


def test_a_gang_lands_in_one_rack_and_waits_for_one_though_the_cluster_has_room(
    arena: Arena, operator: OperatorProcess
) -> None:
    """The kind is installed while the gang waits already; everybody else goes on."""
    for rack in ("r1", "r2"):
        arena.nodes(2, gpus=4, labels={RACK: rack})
    namespace = arena.project("a", deserved=64)
    submit(arena, namespace, "close", arena.name, RACK)
    status = arena.until_reason(namespace, "close", "NoSuchTopology", kind=DISTRIBUTED)
    assert f"in topology {arena.name}, but nobody has made one of that name" in status["phaseMessage"]
    arena.submit(namespace, "other")
    arena.until_phase(namespace, "other", "Running")

    name_levels(arena, "kai.scheduler", "v1alpha1", RACK, "kubernetes.io/hostname")
    arena.until_phase(namespace, "close", "Running", kind=DISTRIBUTED)
    arena.until(lambda: len(active(arena.pods(namespace, "close"))) == 3, "all three to have nodes")
    assert len(racks_of(arena, arena.pods(namespace, "close"))) == 1

    submit(arena, namespace, "wide", arena.name, RACK, gpu="3")
    said = arena.until_reason(namespace, "wide", "NotEnoughResources", kind=DISTRIBUTED)["phaseMessage"]
    assert f"needs 3 pods with 3 GPUs each within one domain of {RACK}; the roomiest of 2 in pool" in said
    assert "has room for 2 of them" in said
    submit(arena, namespace, "astray", arena.name, "example.com/row")
    status = arena.until_reason(namespace, "astray", "NoSuchTopology", kind=DISTRIBUTED)
    assert f"topology {arena.name} has only the levels {RACK}, kubernetes.io/hostname" in status["phaseMessage"]

    document = arena.until(lambda: state_of(operator, arena.name), "the operator to tell what it knows")
    assert {"name": arena.name, "levels": [RACK, "kubernetes.io/hostname"]} in document["topologies"]
    [only] = simulate(load(json.dumps(document).encode()), 1).rounds
    assert (only.bind, only.evict, only.nominate) == ([], [], [])
    assert {entry.job.partition("-")[0]: entry.reason for entry in only.waiting} == {
        "wide": "NotEnoughResources",
        "astray": "NoSuchTopology",
    }


def test_pods_of_nobodys_workload_that_are_a_group_go_to_the_rack_that_holds_them(arena: Arena) -> None:
    """The topology is Kueue's kind of object."""
    name_levels(arena, "kueue.x-k8s.io", "v1beta1", RACK)
    arena.nodes(1, gpus=1, labels={RACK: "small"})
    arena.nodes(2, gpus=1, labels={RACK: "large"})
    namespace = arena.project("a", deserved=8)
    together = {"pod-group-name": "ring", "aliquot.dev/min-member": "2", TOPOLOGY: arena.name, REQUIRED: RACK}
    for number in range(2):
        arena.pod(namespace, f"ring-{number}", metadata={"annotations": together})
    arena.until(lambda: len(active(arena.pods(namespace))) == 2, "both to have nodes")
    assert racks_of(arena, arena.pods(namespace)) == ["large"]
    alone = {TOPOLOGY: arena.name, REQUIRED: "example.com/cage"}
    arena.pod(namespace, "astray", metadata={"annotations": alone})
    arena.until(
        lambda: "NoSuchTopology" in json.dumps(report(arena, namespace, "astray")), "the report to say why it waits"
    )


def test_a_topology_that_names_nothing_is_told_of_and_one_that_is_mended_is_followed(arena: Arena) -> None:
    arena.nodes(1, labels={RACK: "r1"})
    namespace = arena.project("a", deserved=8)
    name_levels(arena, "kai.scheduler", "v1alpha1")

    def told(about: str) -> bool:
        notes = [event["note"] for event in arena.events("default", arena.name) if event["reason"] == "InvalidTopology"]
        return any(about in note for note in notes)

    arena.until(lambda: told("spec.levels: it names no node label"), "the object without levels to be told of")
    submit(arena, namespace, "close", arena.name, RACK)
    arena.until_reason(namespace, "close", "NoSuchTopology", kind=DISTRIBUTED)
    levels = [{"nodeLabel": RACK}, {"nodeLabel": RACK}, {"nodeLabel": ""}]
    path = f"/apis/kai.scheduler/v1alpha1/topologies/{arena.name}"
    arena.patch(path, {"spec": {"levels": levels}})
    arena.until_phase(namespace, "close", "Running", kind=DISTRIBUTED)
    arena.until(lambda: told("spec.levels[2].nodeLabel: '' is not the key of a node label"), "levels to be told of")
    arena.until(lambda: told(f"spec.levels[1].nodeLabel: '{RACK}' is named by an earlier level"), "the other of them")
