"""What is wrong with a document is told with its path, the value, and what is allowed; all of it at once."""

from typing import Any

import pytest

from aliquot.core.simulation import SimulationError, document_from, simulate
from tests.core.simulation.documents import Values


def cluster(**more: Any) -> Values:
    """A small cluster with a part replaced."""
    base: Values = {
        "nodes": [{"name": "n1", "gpus": 4, "gpuMemoryMiB": 1000}, {"name": "n2", "gpus": 2}],
        "queues": [{"name": "d"}, {"name": "a", "parent": "d"}, {"name": "b"}],
        "topologies": [{"name": "racks", "levels": ["zone", "rack"]}],
    }
    return base | more


def job(*tasks: Values, **more: Any) -> Values:
    """A job with tasks that are given, or with one that waits."""
    return {"name": "j", "queue": "a", "tasks": list(tasks) or [{"name": "t"}]} | more


def jobs(*entries: Values) -> Values:
    return cluster(jobs=list(entries))


def asks(**request: Any) -> Values:
    return jobs(job({"name": "t", "request": request}))


def runs(*requests: Values, node: str = "n1") -> Values:
    """Tasks on a node, each with what it asks for and the devices that it holds."""
    tasks: list[Values] = []
    for number, request in enumerate(requests):
        held = request.pop("devices", [])
        tasks.append({"name": f"t{number}", "state": "Running", "node": node, "devices": held, "request": request})
    return jobs(job(*tasks))


def settings(**more: Any) -> Values:
    return cluster(settings=more)


def affine(**affinity: Any) -> Values:
    return jobs(job({"name": "t", "affinity": affinity}))


def node_term(**term: Any) -> Values:
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    return affine(nodeAffinity=required)


def pod_term(**term: Any) -> Values:
    return affine(podAntiAffinity={"requiredDuringSchedulingIgnoredDuringExecution": [term]})


T0, RQ = "jobs[0].tasks[0]", "jobs[0].tasks[0].request"
NODE_TERM = f"{T0}.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]"
POD_TERM = f"{T0}.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]"

BAD: dict[str, tuple[Any, str, str]] = {
    # Shape
    "a text": ("hello", "document", "a mapping"),
    "nothing": (None, "document", "a mapping"),
    "an unknown key": (cluster(node=[]), "node", "known here are settings, nodes, queues, jobs, topologies"),
    "an unknown key deep inside": (asks(gpus=1), f"{RQ}.gpus", "gpuFraction, gpuMemoryMiB, mig, gpuDevices"),
    "a field's inner name": (
        cluster(queues=[{"name": "a", "over_quota_weight": 1}]),
        "queues[0].over_quota_weight",
        "",
    ),
    "an unknown key of two lines": (cluster(**{"a\nb": 1}), '["a\\nb"]', "an unknown key"),
    "an unknown key that ends a path": (cluster(**{'a"]': 1}), '["a\\"]"]', "an unknown key"),
    "a long unknown key": (cluster(**{"x" * 500: 1}), f'["{"x" * 80}…"]', "an unknown key"),
    "a list for a mapping": (cluster(nodes={}), "nodes", "a list"),
    "a node without a name": (cluster(nodes=[{"gpus": 1}]), "nodes[0].name", "required"),
    "an empty name": (cluster(nodes=[{"name": ""}]), "nodes[0].name", "not an empty text"),
    "a number for a name": (cluster(nodes=[{"name": 7}]), "nodes[0].name", "7 is not allowed: a text"),
    "a number for a label": (cluster(nodes=[{"name": "n", "labels": {"a/b": 1}}]), 'nodes[0].labels["a/b"]', "a text"),
    "a text for a bool": (cluster(nodes=[{"name": "n", "ready": "yes"}]), "nodes[0].ready", "true or false"),
    "a bool for a number": (cluster(nodes=[{"name": "n", "gpus": True}]), "nodes[0].gpus", "a whole number"),
    "an unknown state": (jobs(job({"name": "t", "state": "Asleep"})), f"{T0}.state", "'Pending', 'Gated'"),
    "a job without a queue": (jobs({"name": "j"}), "jobs[0].queue", "required"),
    "an unknown action": (settings(actions=["evict"]), "settings.actions[0]", "'consolidate'"),
    "an unknown placement": (settings(placement={"gpu": "pack"}), "settings.placement.gpu", "'spread'"),
    "a taint of no effect": (cluster(nodes=[{"name": "n", "taints": [{"key": "k"}]}]), "nodes[0].taints[0].effect", ""),
    "a moment without a zone": (
        cluster(queues=[{"name": "q", "created": "2026-01-01T00:00:00"}]),
        "queues[0].created",
        "zone",
    ),
    "a moment that is none": (cluster(queues=[{"name": "q", "created": "soon"}]), "queues[0].created", "RFC 3339"),
    # Amounts
    "negative GPUs": (cluster(nodes=[{"name": "n", "gpus": -1}]), "nodes[0].gpus", "at least 0"),
    "10^12 GPUs of a node": (cluster(nodes=[{"name": "n", "gpus": 10**12}]), "nodes[0].gpus", "at most 1000000"),
    "10^12 GPUs of a task": (asks(gpu=10**12), f"{RQ}.gpu", "at most 1000000"),
    "10^12 deserved GPUs": (
        cluster(queues=[{"name": "q", "gpu": {"deserved": 10**12}}]),
        "queues[0].gpu.deserved",
        "at most",
    ),
    "10^12 devices": (asks(gpuFraction=0.5, gpuDevices=10**12), f"{RQ}.gpuDevices", "at most 1000000"),
    "half a whole GPU": (asks(gpu=0.5), f"{RQ}.gpu", "a whole number"),
    "negative CPU": (asks(cpu="-1"), f"{RQ}.cpu", "0 to 1000000 cores"),
    "CPU that is no quantity": (asks(cpu="two"), f"{RQ}.cpu", "500m"),
    "memory beyond any machine": (cluster(nodes=[{"name": "n", "memory": "1Ei"}]), "nodes[0].memory", "bytes"),
    "memory of NaN": (asks(memory=float("nan")), f"{RQ}.memory", "4Gi"),
    "a bool of CPU": (asks(cpu=True), f"{RQ}.cpu", "a number or a Kubernetes quantity"),
    "a share of NaN": (
        cluster(queues=[{"name": "q", "gpu": {"limit": float("nan")}}]),
        "queues[0].gpu.limit",
        "finite",
    ),
    "a negative limit": (cluster(queues=[{"name": "q", "cpu": {"limit": "-1"}}]), "queues[0].cpu.limit", "0 to"),
    "a negative weight": (
        cluster(queues=[{"name": "q", "gpu": {"overQuotaWeight": -1}}]),
        "queues[0].gpu.overQuotaWeight",
        "",
    ),
    "usage above 1": (cluster(queues=[{"name": "q", "gpu": {"usage": 1.1}}]), "queues[0].gpu.usage", "at most 1"),
    "a negative min-runtime": (
        cluster(queues=[{"name": "q", "preemptMinRuntimeSeconds": -1}]),
        "queues[0].preemptMinRuntimeSeconds",
        "",
    ),
    "negative k": (settings(timeBasedFairShare={"k": -1}), "settings.timeBasedFairShare.k", "at least 0"),
    # GPU requests
    "a fraction of 0": (asks(gpuFraction=0), f"{RQ}.gpuFraction", "more than 0"),
    "a fraction of 1": (asks(gpuFraction=1.0), f"{RQ}.gpuFraction", "less than 1"),
    "a fraction of 1.5": (asks(gpuFraction=1.5), f"{RQ}.gpuFraction", "less than 1"),
    "a fraction that rounds to 0": (asks(gpuFraction=0.004), f"{RQ}.gpuFraction", "0.01 to 0.99"),
    "a fraction that rounds to 1": (asks(gpuFraction=0.996), f"{RQ}.gpuFraction", "0.01 to 0.99"),
    "no GPU memory": (asks(gpuMemoryMiB=0), f"{RQ}.gpuMemoryMiB", "at least 1"),
    "a fraction and a whole GPU": (asks(gpu=1, gpuFraction=0.5), RQ, "only one of"),
    "a fraction and memory": (asks(gpuMemoryMiB=1, gpuFraction=0.5), RQ, "only one of"),
    "MIG and a whole GPU": (asks(gpu=1, mig={"1g.10gb": 1}), RQ, "only one of"),
    "devices of a whole GPU": (asks(gpu=2, gpuDevices=2), f"{RQ}.gpuDevices", "counted by gpu"),
    "a MIG device among others": (
        asks(extended={"nvidia.com/mig-1g.10gb": 1}),
        f'{RQ}.extended["nvidia.com/mig-1g.10gb"]',
        "mig",
    ),
    # Names
    "two nodes of a name": (
        cluster(nodes=[{"name": "n"}, {"name": "n"}]),
        "nodes[1].name",
        "nodes[0].name has this one",
    ),
    "two queues of a name": (cluster(queues=[{"name": "q"}, {"name": "q"}]), "queues[1].name", "queues[0].name"),
    "two jobs of a name": (jobs(job(), job({"name": "u"}, namespace="x")), "jobs[1].name", "jobs[0].name"),
    "two tasks of a name": (jobs(job(), job(name="k")), "jobs[1].tasks[0].name", T0),
    "two topologies of a name": (
        cluster(topologies=[{"name": "t", "levels": ["a"]}, {"name": "t", "levels": ["b"]}]),
        "topologies[1].name",
        "topologies[0].name",
    ),
    "a level twice": (cluster(topologies=[{"name": "t", "levels": ["a", "a"]}]), "topologies[0].levels", "only once"),
    "a topology without levels": (
        cluster(topologies=[{"name": "t", "levels": []}]),
        "topologies[0].levels",
        "at least one",
    ),
    "an unknown parent": (cluster(queues=[{"name": "q", "parent": "p"}]), "queues[0].parent", "'p'"),
    "a queue in itself": (cluster(queues=[{"name": "q", "parent": "q"}]), "queues[0].parent", "q in q"),
    "a ring of queues": (
        cluster(queues=[{"name": "p", "parent": "q"}, {"name": "q", "parent": "r"}, {"name": "r", "parent": "p"}]),
        "queues[0].parent",
        "p in q in r in p",
    ),
    "queues nested too deep": (
        cluster(queues=[{"name": f"q{n}", "parent": f"q{n + 1}" if n < 150 else None} for n in range(151)]),
        "queues[0].parent",
        "100 deep",
    ),
    "an unknown queue": (jobs(job(queue="c")), "jobs[0].queue", "'c' is not allowed: the name of one of `queues`"),
    "a job on a department": (jobs(job(queue="d")), "jobs[0].queue", "without children"),
    "a topology that is not known, and is": (
        jobs(job(group={"topology": {"name": "racks", "required": "rack", "known": False}})),
        "jobs[0].group.topology.known",
        "true: the topology has what is asked of it",
    ),
    "an unknown topology": (jobs(job(group={"topology": {"name": "x"}})), "jobs[0].group.topology.name", "topologies"),
    "an unknown level": (
        jobs(job(group={"podSets": [{"topology": {"name": "racks", "required": "row"}}]})),
        "jobs[0].group.podSets[0].topology.required",
        "'row' is not allowed: a level of topology racks: zone, rack",
    ),
    # Gangs
    "a job below its minimum": (
        jobs(job(group={"podSets": [{"minMember": 2}]})),
        "jobs[0].group.podSets[0].minMember",
        "2 ",
    ),
    "an unknown pod set": (jobs(job({"name": "t", "podSet": "w"})), f"{T0}.podSet", "default"),
    "a pod set whose name does not print": (
        jobs(job(group={"podSets": [{"name": "\x1b[2J", "minMember": 1}]})),
        "jobs[0].group.podSets[0].minMember",
        r"at most the number of tasks of pod set \x1b[2J, which is 0",
    ),
    "two pod sets of a name": (jobs(job(group={"podSets": [{}, {}]})), "jobs[0].group", "every pod set"),
    "two groups of a name": (
        jobs(job(group={"groups": [{"name": "g", "podSets": [{}]}, {"name": "g", "podSets": [{"name": "x"}]}]})),
        "jobs[0].group",
        "every group",
    ),
    "a group without a name": (
        jobs(job(group={"groups": [{"podSets": [{}]}]})),
        "jobs[0].group.groups[0].name",
        "a name",
    ),
    "an empty group": (
        jobs(job(group={"podSets": [{}], "groups": [{"name": "g"}]})),
        "jobs[0].group.groups[0]",
        "podSets or groups",
    ),
    # Places
    "a bound task without a node": (jobs(job({"name": "t", "state": "Bound"})), f"{T0}.node", "has a node"),
    "a pending task with a node": (jobs(job({"name": "t", "node": "n1"})), f"{T0}.node", "no node"),
    "a gated task with a node": (jobs(job({"name": "t", "state": "Gated", "node": "n1"})), f"{T0}.node", "no node"),
    "an unknown node": (jobs(job({"name": "t", "state": "Running", "node": "n9"})), f"{T0}.node", "one of `nodes`"),
    "an unknown promised node": (jobs(job(promisedNodes=["n9"])), "jobs[0].promisedNodes[0]", "name of a node"),
    "room made by one that runs": (jobs(job({"name": "t", "makesRoomFor": "j"})), f"{T0}.makesRoomFor", "null"),
    "room made for nobody": (
        jobs(job({"name": "t", "state": "Terminating", "node": "n1", "makesRoomFor": "x"})),
        f"{T0}.makesRoomFor",
        "one of `jobs`",
    ),
    # Devices
    "devices without a fraction": (runs({"gpu": 1, "devices": ["g"]}), f"{T0}.devices", "parts of devices"),
    "devices while pending": (
        jobs(job({"name": "t", "devices": ["g"], "request": {"gpuFraction": 0.5}})),
        f"{T0}.devices",
        "holds no devices",
    ),
    "more devices than asked for": (runs({"gpuFraction": 0.5, "devices": ["g", "h"]}), f"{T0}.devices", "at most 1"),
    "a device twice": (
        runs({"gpuFraction": 0.5, "gpuDevices": 2, "devices": ["g", "g"]}),
        f"{T0}.devices",
        "different",
    ),
    "a device held to 130 %": (
        runs({"gpuFraction": 0.7, "devices": ["g"]}, {"gpuFraction": 0.6, "devices": ["g"]}),
        f"{T0}.devices[0]",
        "to 130 %",
    ),
    "memory held to 110 %": (
        runs({"gpuMemoryMiB": 600, "devices": ["g"]}, {"gpuMemoryMiB": 500, "devices": ["g"]}),
        f"{T0}.devices[0]",
        "to 110 %",
    ),
    "more whole devices than there are": (
        runs({"gpu": 3}, {"gpu": 2}),
        "nodes[0].gpus",
        "4 is not allowed: at least 5",
    ),
    "more shared devices than there are": (
        runs({"gpuFraction": 0.5, "gpuDevices": 3, "devices": ["g", "h", "i"]}, node="n2"),
        "nodes[1].gpus",
        "at least 3",
    ),
    "whole and shared devices together": (
        runs({"gpu": 4}, {"gpuFraction": 0.1, "devices": ["g"]}),
        "nodes[0].gpus",
        "at least 5",
    ),
    "MIG devices that are not there": (
        runs({"mig": {"1g.10gb": 1}}),
        "nodes[0]",
        "at least 1 of nvidia.com/mig-1g.10gb",
    ),
    # Affinity
    "a term without conditions": (node_term(), NODE_TERM, "at least one condition"),
    "a field that is no name": (
        node_term(matchFields=[{"key": "spec.x", "operator": "In", "values": ["a"]}]),
        f"{NODE_TERM}.matchFields[0]",
        "metadata.name",
    ),
    "In nothing": (
        node_term(matchExpressions=[{"key": "a", "operator": "In"}]),
        f"{NODE_TERM}.matchExpressions[0].values",
        "In",
    ),
    "Exists with values": (
        node_term(matchExpressions=[{"key": "a", "operator": "Exists", "values": ["x"]}]),
        f"{NODE_TERM}.matchExpressions[0].values",
        "no values",
    ),
    "Gt a word": (
        node_term(matchExpressions=[{"key": "a", "operator": "Gt", "values": ["x"]}]),
        f"{NODE_TERM}.matchExpressions[0].values",
        "one whole number",
    ),
    "Gt among tasks": (
        pod_term(
            labelSelector={"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]}, topologyKey="z"
        ),
        f"{POD_TERM}.labelSelector.matchExpressions[0].operator",
        "one of In",
    ),
    "namespaces by label": (
        pod_term(labelSelector={}, topologyKey="z", namespaceSelector={"matchLabels": {"a": "b"}}),
        f"{POD_TERM}.namespaceSelector",
        "{} for every namespace",
    ),
    "no topology key": (pod_term(labelSelector={}), f"{POD_TERM}.topologyKey", "required"),
}


@pytest.mark.parametrize(("values", "path", "words"), BAD.values(), ids=BAD)
def test_a_bad_document_is_refused_with_path_value_and_what_is_allowed(values: Any, path: str, words: str) -> None:
    with pytest.raises(SimulationError) as refused:
        simulate(document_from(values))
    lines = str(refused.value).splitlines()
    mine = [line for line in lines if line.startswith(f"{path}: ")]
    assert mine, lines
    assert words in mine[0]
    assert " is not allowed: " in mine[0] or ": missing: " in mine[0]


GOOD: dict[str, Values] = {
    "nothing": {},
    "nulls where the spec has them": cluster(
        settings={"maxConsolidationVictims": None},
        queues=[
            {"name": "a", "parent": None, "gpu": {"deserved": None, "limit": None}, "preemptMinRuntimeSeconds": None}
        ],
        jobs=[
            job({"name": "t", "node": None, "priority": None, "request": {"gpu": None, "gpuFraction": 0.5}}, group=None)
        ],
    ),
    "no GPU beside a fraction": asks(gpu=0, gpuFraction=0.01),
    "nearly a whole device": asks(gpuFraction=0.99),
    "a device held to 100 %": runs({"gpuFraction": 0.7, "devices": ["g"]}, {"gpuFraction": 0.3, "devices": ["g"]}),
    "the same id on two nodes": jobs(
        job(
            *(
                {"name": n, "state": "Running", "node": n, "devices": ["g"], "request": {"gpuFraction": 0.9}}
                for n in ("n1", "n2")
            )
        )
    ),
    "all devices of a node": runs({"gpu": 3}, {"gpuFraction": 0.1, "devices": ["g"]}),
    "more than any node has, while pending": asks(gpuFraction=0.5, gpuDevices=9),
    "a gang that has lost a pod": jobs(
        job({"name": "t", "state": "Running", "node": "n1"}, staleSeconds=61, group={"podSets": [{"minMember": 2}]})
    ),
    "a topology for all of the default gang": jobs(job(group={"topology": {"name": "racks", "required": "rack"}})),
    "an ended task on a node": jobs(job({"name": "t", "state": "Failed", "node": "n1"})),
    "pods of other schedulers": jobs(job({"name": "t", "state": "Running", "node": "n1"}, queue=None)),
    "children that deserve more than their parent": cluster(
        queues=[{"name": "p", "gpu": {"deserved": 1}}, {"name": "c", "parent": "p", "gpu": {"deserved": 9}}]
    ),
    "quantities and numbers": cluster(nodes=[{"name": "n", "cpu": 1.5, "memory": 1000, "pods": 3}]),
    "actions in any order": settings(actions=["preempt", "allocate"]),
}


@pytest.mark.parametrize("values", GOOD.values(), ids=GOOD)
def test_a_good_document_is_taken(values: Values) -> None:
    simulate(document_from(values), 2)


def test_all_problems_are_told_at_once() -> None:
    values = cluster(
        nodes=[{"name": "n", "cpu": "x"}, {"name": "n"}], jobs=[job(queue="c"), job({"name": "t", "node": "n"})]
    )
    with pytest.raises(SimulationError) as refused:
        simulate(document_from(values))
    paths = {problem.field for problem in refused.value.problems}
    wanted = {"nodes[0].cpu", "nodes[1].name", "jobs[0].queue", "jobs[1].name", "jobs[1].tasks[0].node"}
    assert wanted <= paths


def test_long_values_and_many_problems_are_cut() -> None:
    with pytest.raises(SimulationError) as refused:
        document_from({"nodes": [{"name": "n", "x" * 10_000: 1}] * 500})
    lines = str(refused.value).splitlines()
    assert len(lines) == 101
    assert lines[-1] == "… and 400 more"
