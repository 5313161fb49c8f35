"""What pods ask for beyond CPU, memory and whole GPUs: parts of GPUs, other resources, ports, affinity."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot import names
from aliquot.contracts.kubernetes import Metadata, Node, Pod
from aliquot.core.intake import Tenant, device_problems, node_fact, pod_facts, pod_problems
from aliquot.core.intake.requests import TOO_MUCH
from aliquot.core.quantities import WHOLE_PORT, GpuPart, Request, Vector, on_every_node
from aliquot.core.scheduling import (
    ClusterState,
    JobChanged,
    NodeChanged,
    NodeRemoved,
    QueueChanged,
    TaskChanged,
    check,
    decide,
)
from aliquot.core.scheduling.facts import Affinity, NodeTerm, PodTerm, Queue, Requirement, Share, Task

TENANT = Tenant("vision", ())
GPU = names.GPU_RESOURCE
UNREADABLE = ((names.UNREADABLE_RESOURCE, 1),)


def read(
    *,
    annotations: dict[str, str] | None = None,
    labels: dict[str, str] | None = None,
    limits: dict[str, str] | None = None,
    ports: list[dict[str, Any]] | None = None,
    affinity: dict[str, Any] | None = None,
    node: str = "",
    scheduler: str = names.SCHEDULER_NAME,
    name: str = "p",
) -> Pod:
    """A pod, decoded from the API server's bytes."""
    written = {
        "metadata": {
            "name": name,
            "namespace": "runai-vision",
            "uid": name,
            "annotations": annotations or {},
            "labels": labels or {},
        },
        "spec": {
            "schedulerName": scheduler,
            "nodeName": node,
            "containers": [{"name": "c", "resources": {"limits": limits or {}}, "ports": ports or []}],
            **({"affinity": affinity} if affinity is not None else {}),
        },
    }
    return msgspec.json.decode(msgspec.json.encode(written), type=Pod)


def task_of(pod: Pod) -> Task:
    return pod_facts(pod, TENANT).task


PARTS: dict[str, tuple[dict[str, str], GpuPart]] = {
    "half": ({"gpu-fraction": "0.5"}, GpuPart(percent=50)),
    "rounded to hundredths": ({"gpu-fraction": "0.333"}, GpuPart(percent=33)),
    "half a hundredth rounds up": ({"gpu-fraction": "0.335"}, GpuPart(percent=34)),
    "next to nothing": ({"gpu-fraction": "0.001"}, GpuPart(percent=1)),
    "next to all": ({"gpu-fraction": "0.999"}, GpuPart(percent=99)),
    "memory": ({"gpu-memory": "4000"}, GpuPart(memory_mib=4000)),
    "of two devices": ({"gpu-fraction": "0.5", "gpu-fraction-num-devices": "2"}, GpuPart(percent=50, devices=2)),
    "with a limit as large": ({"gpu-fraction": "0.25", "runai-gpu-limit": "0.25"}, GpuPart(percent=25)),
    "which may be all of it": ({"gpu-fraction": "0.25", "runai-gpu-limit": "1"}, GpuPart(percent=25)),
    "or memory": ({"gpu-memory": "4000", "runai-gpu-limit": "8Gi"}, GpuPart(memory_mib=4000)),
    "memory of four": ({"gpu-memory": "1", "gpu-fraction-num-devices": "4"}, GpuPart(memory_mib=1, devices=4)),
}


@pytest.mark.parametrize(("annotations", "wanted"), PARTS.values(), ids=PARTS)
def test_a_part_of_a_gpu(annotations: dict[str, str], wanted: GpuPart) -> None:
    pod = read(annotations=annotations)
    assert task_of(pod).request == Request(Vector(pods=1), wanted)
    assert pod_problems(pod) == ()


BETWEEN = "allowed is a number between 0 and 1, such as 0.5"
BAD: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "nothing": ({"gpu-fraction": "0"}, {}, f"gpu-fraction is '0': {BETWEEN}"),
    "a whole one": ({"gpu-fraction": "1.0"}, {}, f"gpu-fraction is '1.0': {BETWEEN}"),
    "more than one": ({"gpu-fraction": "1.5"}, {}, f"gpu-fraction is '1.5': {BETWEEN}"),
    "less than nothing": ({"gpu-fraction": "-0.5"}, {}, f"gpu-fraction is '-0.5': {BETWEEN}"),
    "no number": ({"gpu-fraction": "half"}, {}, f"gpu-fraction is 'half': {BETWEEN}"),
    "not a number": ({"gpu-fraction": "NaN"}, {}, f"gpu-fraction is 'NaN': {BETWEEN}"),
    "no memory": ({"gpu-memory": "0"}, {}, "gpu-memory is '0': allowed is a whole number from 1 to 1073741824"),
    "memory with a unit": (
        {"gpu-memory": "4Gi"},
        {},
        "gpu-memory is '4Gi': allowed is a whole number from 1 to 1073741824",
    ),
    "both": (
        {"gpu-fraction": "0.5", "gpu-memory": "1"},
        {},
        "gpu-fraction is '0.5' and gpu-memory is '1': allowed is one of them",
    ),
    "with a whole one": (
        {"gpu-fraction": "0.5"},
        {GPU: "1"},
        "gpu-fraction is '0.5': not allowed together with whole GPUs or MIG devices",
    ),
    "with a MIG device": (
        {"gpu-memory": "1"},
        {"nvidia.com/mig-1g.10gb": "1"},
        "gpu-memory is '1': not allowed together with whole GPUs or MIG devices",
    ),
    "for a container that is not there": (
        {"gpu-fraction": "0.5", "gpu-fraction-container-name": "side"},
        {},
        "gpu-fraction-container-name is 'side': allowed are the names of the pod's containers, c",
    ),
    "of no device": (
        {"gpu-fraction": "0.5", "gpu-fraction-num-devices": "0"},
        {},
        "gpu-fraction-num-devices is '0': allowed is a whole number from 1 to 128",
    ),
    "of too many": (
        {"gpu-fraction": "0.5", "gpu-fraction-num-devices": "999999999"},
        {},
        "gpu-fraction-num-devices is '999999999': allowed is a whole number from 1 to 128",
    ),
    "a limit below the part": (
        {"gpu-fraction": "0.25", "runai-gpu-limit": "0.2"},
        {},
        "runai-gpu-limit is '0.2': allowed is a number from gpu-fraction, which is 0.25, to 1",
    ),
    "a limit of more than all": (
        {"gpu-fraction": "0.25", "runai-gpu-limit": "1.01"},
        {},
        "runai-gpu-limit is '1.01': allowed is a number from gpu-fraction, which is 0.25, to 1",
    ),
    "a limit that is no number": (
        {"gpu-fraction": "0.25", "runai-gpu-limit": "NaN"},
        {},
        "runai-gpu-limit is 'NaN': allowed is a number from gpu-fraction, which is 0.25, to 1",
    ),
    "a limit below the memory": (
        {"gpu-memory": "4000", "runai-gpu-limit": "4G"},
        {},
        "runai-gpu-limit is '4G': allowed is an amount of memory of at least gpu-memory, which is 4000Mi, such as 8Gi",
    ),
    "a limit without a part": (
        {"runai-gpu-limit": "0.5"},
        {},
        "runai-gpu-limit is '0.5': allowed only with gpu-fraction or gpu-memory",
    ),
    "a service without a part": ({"mps": "true"}, {}, "mps is 'true': allowed only with gpu-fraction or gpu-memory"),
    "a service or not": ({"gpu-fraction": "0.25", "mps": "yes"}, {}, "mps is 'yes': allowed are true and false"),
    "devices without a part": (
        {"gpu-fraction-num-devices": "2"},
        {},
        "gpu-fraction-num-devices is '2': allowed only with gpu-fraction or gpu-memory",
    ),
}


@pytest.mark.parametrize(("annotations", "limits", "wanted"), BAD.values(), ids=BAD)
def test_a_part_that_cannot_be_fits_nowhere_and_is_told(
    annotations: dict[str, str], limits: dict[str, str], wanted: str
) -> None:
    pod = read(annotations=annotations, limits=limits)
    request = task_of(pod).request
    assert request.part is None
    assert set(UNREADABLE) <= set(request.extended)
    assert pod_problems(pod) == (f"metadata.annotations: {wanted}",)


def test_who_shares_through_a_service_goes_where_it_runs() -> None:
    wanted = {"aliquot.dev/mps": "true"}
    assert task_of(read(annotations={"gpu-fraction": "0.25", "mps": "true"})).node_selector == wanted
    assert task_of(read(annotations={"gpu-fraction": "0.25", "mps": "false"})).node_selector == {}
    assert pod_problems(read(annotations={"mps": "false"})) == ()


def test_pods_of_other_schedulers_get_no_parts() -> None:
    pod = read(annotations={"gpu-fraction": "0.5"}, scheduler="default-scheduler", node="n1")
    assert task_of(pod).request == Request(Vector(pods=1))
    assert pod_problems(read(annotations={"gpu-fraction": "x"}, scheduler="default-scheduler")) == ()


LIMITS: dict[str, tuple[str, Request, int]] = {
    "a part by limit": ("0.5", Request(Vector(pods=1), GpuPart(percent=50)), 0),
    "whole ones": ("2", Request(Vector(gpu_percent=200, pods=1)), 0),
    "one and a half": ("1.5", Request(Vector(gpu_percent=150, pods=1), extended=UNREADABLE), 1),
    "no number": ("many", Request(Vector(gpu_percent=TOO_MUCH, pods=1)), 0),
}


@pytest.mark.parametrize(("limit", "wanted", "problems"), LIMITS.values(), ids=LIMITS)
def test_gpus_by_limit(limit: str, wanted: Request, problems: int) -> None:
    pod = read(limits={GPU: limit})
    assert task_of(pod).request == wanted
    assert len(pod_problems(pod)) == problems


HALF = {"gpu-fraction": "0.5"}
GROUPS: dict[str, tuple[Pod, tuple[str, ...]]] = {
    "the one that the label names": (read(annotations=HALF, labels={"runai-gpu-group": "g1"}, node="n1"), ("g1",)),
    "several, by a label each": (
        read(annotations=HALF, labels={"runai-gpu-group/g2": "g2", "runai-gpu-group/g1": "g1"}, node="n1"),
        ("g1", "g2"),
    ),
    "named in both ways once": (
        read(annotations=HALF, labels={"runai-gpu-group/g1": "g1", "runai-gpu-group": "g1"}, node="n1"),
        ("g1",),
    ),
    "none before it has a node": (read(annotations=HALF, labels={"runai-gpu-group": "g1"}), ()),
    "none without a part": (read(limits={GPU: "1"}, labels={"runai-gpu-group": "g1"}, node="n1"), ()),
}


@pytest.mark.parametrize(("pod", "wanted"), GROUPS.values(), ids=GROUPS)
def test_the_devices_that_a_pod_has_parts_of(pod: Pod, wanted: tuple[str, ...]) -> None:
    assert task_of(pod).devices == wanted


def test_other_resources_are_taken_over_by_name() -> None:
    limits = {"nvidia.com/mig-1g.10gb": "2", "rdma/hca": "1", "cpu": "1", "example.com/none": "0"}
    request = task_of(read(limits=limits)).request
    assert request == Request(Vector(0, 1000, 0, 1), None, (("nvidia.com/mig-1g.10gb", 2), ("rdma/hca", 1)))


def test_another_resource_that_cannot_be_read_fits_nowhere() -> None:
    assert task_of(read(limits={"rdma/hca": "lots"})).request.extended == (("rdma/hca", TOO_MUCH),)


def port(number: int, address: str = "", protocol: str = "TCP") -> dict[str, Any]:
    return {"containerPort": 80, "hostPort": number, "hostIP": address, "protocol": protocol}


def test_ports_of_the_node_are_resources() -> None:
    ports = [port(80), port(81, "10.0.0.1"), port(81, "10.0.0.2"), port(53, "0.0.0.0", "UDP"), {"containerPort": 9}]
    assert task_of(read(ports=ports)).request.extended == (
        ("hostport/TCP/80", WHOLE_PORT),
        ("hostport/TCP/81", 2),
        ("hostport/TCP/81/10.0.0.1", 1),
        ("hostport/TCP/81/10.0.0.2", 1),
        ("hostport/UDP/53", WHOLE_PORT),
    )


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("hostport/TCP/80", WHOLE_PORT),
        ("hostport/TCP/80/10.0.0.1", 1),
        ("hostport/TCP/80/fd00::1", 1),
        ("hostport/tcp", 0),  # as a pod could call a resource
        ("rdma/hca", 0),
    ],
)
def test_every_node_has_all_ports_and_nothing_else(name: str, wanted: int) -> None:
    assert on_every_node(name) == wanted


SHARING: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "the same port": (port(80), port(80), False),
    "another port": (port(80), port(81), True),
    "another protocol": (port(80), port(80, protocol="UDP"), True),
    "different addresses": (port(80, "10.0.0.1"), port(80, "10.0.0.2"), True),
    "the same address": (port(80, "10.0.0.1"), port(80, "10.0.0.1"), False),
    "one address and all": (port(80, "10.0.0.1"), port(80), False),
    "all and one address": (port(80), port(80, "10.0.0.1"), False),
}


def node(name: str) -> NodeChanged:
    written = {
        "metadata": {"name": name, "labels": {"zone": name}},
        "status": {
            "allocatable": {"cpu": "8", "memory": "8Gi", "pods": "110", GPU: "2", "rdma/hca": "1"},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }
    return NodeChanged(node_fact(msgspec.json.decode(msgspec.json.encode(written), type=Node), ()))


def placed(*pods: Pod, nodes: tuple[str, ...] = ("n1",)) -> list[str]:
    """Where the pods go that have no node."""
    events: list[NodeChanged | QueueChanged | JobChanged | TaskChanged] = [node(name) for name in nodes]
    events.append(QueueChanged(Queue("vision", "default", gpu=Share(1000))))
    for pod in pods:
        facts = pod_facts(pod, TENANT)
        events += [JobChanged(facts.job), TaskChanged(facts.task)]
    plan = decide(ClusterState.rebuild(events), 0.0)
    return [f"{bind.task} on {bind.node}" for bind in plan.binds]


@pytest.mark.parametrize(("there", "wanted", "both"), SHARING.values(), ids=SHARING)
@pytest.mark.parametrize("runs", [True, False], ids=["one runs", "both wait"])
def test_who_may_share_a_node_by_ports(there: dict[str, Any], wanted: dict[str, Any], both: bool, runs: bool) -> None:
    first = read(ports=[there], name="a", node="n1" if runs else "")
    started = placed(first, read(ports=[wanted], name="b"))
    assert ("b on n1" in started) is both


def test_who_cannot_share_a_port_goes_elsewhere() -> None:
    pods = [read(ports=[port(80)], name=name) for name in ("a", "b", "c")]
    assert placed(*pods, nodes=("n1", "n2")) == ["a on n1", "b on n2"]


def test_a_new_node_has_all_ports() -> None:
    facts = [pod_facts(read(ports=[port(80)], name=name, node=on), TENANT) for name, on in (("a", "n1"), ("b", ""))]
    queue = QueueChanged(Queue("vision", "default", gpu=Share(1000)))
    known = [event for each in facts for event in (JobChanged(each.job), TaskChanged(each.task))]
    state = ClusterState.rebuild([queue, *known, node("n1")])
    assert decide(state, 0.0).binds == ()
    state.apply(node("n2"))
    plan = decide(state, 0.0)
    assert check(state, plan) == []
    assert [(bind.task, bind.node) for bind in plan.binds] == [("b", "n2")]
    state.apply(NodeRemoved("n1"))
    assert check(state) == []


def test_another_resource_runs_out() -> None:
    pods = [read(limits={"rdma/hca": "1"}, name=name) for name in ("a", "b", "c")]
    assert placed(*pods, nodes=("n1", "n2")) == ["a on n1", "b on n2"]


REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
IN_A = {"key": "zone", "operator": "In", "values": ["a"]}
WEB = {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": "zone"}
WEB_SELECTOR = (Requirement("app", "In", ("web",)),)
HERE = PodTerm(WEB_SELECTOR, "zone", ("runai-vision",))
NOBODY = (Requirement("", "In"),)

AFFINITIES: dict[str, tuple[dict[str, Any], Affinity]] = {
    "nothing": ({}, Affinity()),
    "nodes by label and name": (
        {
            "nodeAffinity": {
                REQUIRED: {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [IN_A], "matchFields": [{**IN_A, "key": "metadata.name"}]},
                        {"matchExpressions": [{"key": "cores", "operator": "Gt", "values": ["3"]}]},
                    ]
                },
                PREFERRED: [{"weight": 7, "preference": {"matchExpressions": [IN_A]}}],
            }
        },
        Affinity(
            node_required=(
                NodeTerm((Requirement("zone", "In", ("a",)),), (Requirement("metadata.name", "In", ("a",)),)),
                NodeTerm((Requirement("cores", "Gt", ("3",)),)),
            ),
            node_preferred=((7, NodeTerm((Requirement("zone", "In", ("a",)),))),),
        ),
    ),
    "a demand without terms": (
        {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": []}}},
        Affinity(node_required=(NodeTerm(),)),
    ),
    "near, in its own namespace": ({"podAffinity": {REQUIRED: [WEB]}}, Affinity(near_required=(HERE,))),
    "far": ({"podAntiAffinity": {REQUIRED: [WEB]}}, Affinity(far_required=(HERE,))),
    "wishes": (
        {
            "podAffinity": {PREFERRED: [{"weight": 1, "podAffinityTerm": WEB}]},
            "podAntiAffinity": {PREFERRED: [{"weight": 2, "podAffinityTerm": WEB}]},
        },
        Affinity(near_preferred=((1, HERE),), far_preferred=((2, HERE),)),
    ),
    "in other namespaces": (
        {"podAffinity": {REQUIRED: [{**WEB, "namespaces": ["y", "x"]}]}},
        Affinity(near_required=(PodTerm(WEB_SELECTOR, "zone", ("x", "y")),)),
    ),
    "in all namespaces": (
        {"podAffinity": {REQUIRED: [{**WEB, "namespaceSelector": {}}]}},
        Affinity(near_required=(PodTerm(WEB_SELECTOR, "zone", ("*",)),)),
    ),
    "far from namespaces that are not known": (
        {"podAntiAffinity": {REQUIRED: [{**WEB, "namespaceSelector": {"matchLabels": {"a": "b"}}}]}},
        Affinity(far_required=(PodTerm(WEB_SELECTOR, "zone", ("*",)),)),
    ),
    "near to namespaces that are not known": (
        {"podAffinity": {REQUIRED: [{**WEB, "namespaceSelector": {"matchLabels": {"a": "b"}}}]}},
        Affinity(near_required=(PodTerm(NOBODY, "zone", ("runai-vision",)),)),
    ),
    "all pods": (
        {"podAffinity": {REQUIRED: [{"labelSelector": {}, "topologyKey": "zone"}]}},
        Affinity(near_required=(PodTerm((), "zone", ("runai-vision",)),)),
    ),
    "no pods": (
        {"podAffinity": {REQUIRED: [{"topologyKey": "zone"}]}},
        Affinity(near_required=(PodTerm(NOBODY, "zone", ("runai-vision",)),)),
    ),
    "an expression": (
        {
            "podAntiAffinity": {
                REQUIRED: [
                    {
                        "labelSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]},
                        "topologyKey": "zone",
                    }
                ]
            }
        },
        Affinity(far_required=(PodTerm((Requirement("app", "Exists"),), "zone", ("runai-vision",)),)),
    ),
}


@pytest.mark.parametrize(("written", "wanted"), AFFINITIES.values(), ids=AFFINITIES)
def test_affinity(written: dict[str, Any], wanted: Affinity) -> None:
    assert task_of(read(affinity=written)).affinity == wanted


def test_namespaces_by_selector_are_told() -> None:
    term = {**WEB, "namespaceSelector": {"matchLabels": {"a": "b"}}}
    pod = read(affinity={"podAntiAffinity": {PREFERRED: [{"weight": 1, "podAffinityTerm": term}]}})
    (told,) = pod_problems(pod)
    assert told.startswith(f"spec.affinity.podAntiAffinity.{PREFERRED}[0].podAffinityTerm: namespaceSelector")


def test_real_pods_keep_off_one_another() -> None:
    apart = {"podAntiAffinity": {REQUIRED: [WEB]}}
    pods = [read(labels={"app": "web"}, affinity=apart, name=name) for name in ("a", "b", "c")]
    assert placed(*pods, nodes=("n1", "n2")) == ["a on n1", "b on n2"]


TEXT = st.text(max_size=12) | st.sampled_from(["0.5", "1", "2", "NaN", "-1", "1e9", "infinity", "٣"])


@given(fraction=TEXT | st.none(), memory=TEXT | st.none(), devices=TEXT | st.none(), limit=TEXT, key=TEXT)
def test_whatever_the_annotations_say_the_pod_can_be_read_and_placed(
    fraction: str | None, memory: str | None, devices: str | None, limit: str, key: str
) -> None:
    given_ = {"gpu-fraction": fraction, "gpu-memory": memory, "gpu-fraction-num-devices": devices}
    pod = read(
        annotations={name: text for name, text in given_.items() if text is not None},
        labels={f"runai-gpu-group/{key}": key},
        limits={key: limit},
        name="a",
    )
    request = task_of(pod).request
    part = request.part
    assert part is None or (0 <= part.percent < 100 and part.memory_mib >= 0 and 1 <= part.devices <= 128)
    assert part is None or (part.percent > 0) != (part.memory_mib > 0)
    assert all(0 < amount <= TOO_MUCH for _, amount in request.extended)
    if (names.UNREADABLE_RESOURCE, 1) in request.extended:
        assert pod_problems(pod)
        assert placed(pod) == []


A100 = {"nvidia.com/gpu.memory": "1000"}
SHARERS: dict[str, tuple[dict[str, str], list[dict[str, str]], tuple[str, ...]]] = {
    # labels of the node, what each pod asks for of device g, what is told
    "full": ({}, [{"gpu-fraction": "0.7"}, {"gpu-fraction": "0.3"}], ()),
    "by fractions": (
        {},
        [{"gpu-fraction": "0.7"}, {"gpu-fraction": "0.6"}],
        ("GPU g is held to 130 %, by pods runai-vision/p0, runai-vision/p1: allowed is 100 %",),
    ),
    "by memory": (
        A100,
        [{"gpu-memory": "600"}, {"gpu-memory": "500"}],
        ("GPU g is held to 110 %, by pods runai-vision/p0, runai-vision/p1: allowed is 100 %",),
    ),
    "memory of which nobody knows the whole": ({}, [{"gpu-memory": "600"}, {"gpu-memory": "500"}], ()),
    "what makes no sense counts nothing": ({}, [{"gpu-fraction": "0.7"}, {"gpu-fraction": "1.5"}], ()),
}


@pytest.mark.parametrize(("labels", "asked", "wanted"), SHARERS.values(), ids=SHARERS)
def test_a_device_that_is_given_away_twice_is_told(
    labels: dict[str, str], asked: list[dict[str, str]], wanted: tuple[str, ...]
) -> None:
    node = Node(metadata=Metadata(name="n1", labels=labels))
    pods = [
        read(annotations=each, labels={"runai-gpu-group": "g"}, node="n1", name=f"p{number}")
        for number, each in enumerate(asked)
    ]
    assert device_problems(node, pods) == wanted
