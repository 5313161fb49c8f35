"""Tables of nodes, and of who holds what of them: only what the API server says, as nobody else is asked (7.1)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from aliquot import names
from aliquot.cli.looking.jobs import Job, job_status
from aliquot.cli.output import amount, columns, length
from aliquot.contracts.kubernetes import Metadata, Node, NodeSpec, NodeStatus, Pod, Projection
from aliquot.core.intake import node_fact, pod_facts
from aliquot.core.quantities import PERCENT_PER_DEVICE, Vector, quantify
from aliquot.core.scheduling import facts

NODE_HEADS: Final = (
    "NAME",
    "STATUS",
    "GPU TYPE",
    "GPUs CAPACITY",
    "GPUs ALLOCATABLE",
    "GPUs ALLOCATED",
    "GPUs FREE",
    "GPU MEMORY",
    "CPU ALLOCATED (ALLOCATABLE)",
    "MEMORY ALLOCATED (ALLOCATABLE)",
)
JOB_HEADS: Final = (
    "NAME",
    "PROJECT",
    "USER",
    "TYPE",
    "STATUS",
    "DURATION",
    "NODE",
    "GPUs ALLOCATED",
    "GPU MEMORY ALLOCATED",
)
_PRODUCT_LABEL: Final = "nvidia.com/gpu.product"
_GIB: Final = 2**30
_SEVERAL: Final = "<multiple>"


class WholeStatus(NodeStatus, frozen=True):
    """With what is built in, whether it can be used or not."""

    capacity: dict[str, str | int | float] = msgspec.field(default_factory=dict[str, str | int | float])


class WholeNode(Projection, frozen=True):
    """A node with all that is built in."""

    metadata: Metadata = Metadata()
    spec: NodeSpec = NodeSpec()
    status: WholeStatus = WholeStatus()


def node_table(nodes: Iterable[WholeNode], pods: Iterable[Pod]) -> str:
    """Lay out nodes by name, with what pods hold of them.

    Args:
        nodes: the nodes.
        pods: of all namespaces. Those that hold GPUs for others are left out: the others' parts are counted.
    """
    held, ordered = by_node(pods), sorted(nodes, key=lambda node: node.metadata.name)
    return columns(NODE_HEADS, [node_row(node, held[node.metadata.name]) for node in ordered])


def by_node(pods: Iterable[Pod]) -> defaultdict[str, list[Pod]]:
    """The pods of each node, but those that hold GPUs for others."""
    held: defaultdict[str, list[Pod]] = defaultdict(list)
    for pod in pods:
        if pod.spec.node_name and pod.metadata.namespace != names.RESERVATION_NAMESPACE:
            held[pod.spec.node_name].append(pod)
    return held


def known(node: WholeNode) -> facts.Node:
    """What the scheduler knows of a node."""
    return node_fact(Node(metadata=node.metadata, spec=node.spec, status=node.status), ())


def node_row(node: WholeNode, pods: Iterable[Pod]) -> Sequence[str]:
    """A line of the table: a node, and its own pods as of `by_node`."""
    fact = known(node)
    there, used = fact.allocatable, _used(pods, fact.device_memory_mib)
    status = "Ready" if fact.ready else "NotReady"
    written = node.metadata.labels.get(names.GPU_MEMORY_LABEL)
    return (
        node.metadata.name,
        status if fact.schedulable else f"{status},SchedulingDisabled",
        node.metadata.labels.get(_PRODUCT_LABEL, "-"),
        str(node.status.capacity.get(names.GPU_RESOURCE, 0)),
        _gpus(there.gpu_percent),
        _gpus(used.gpu_percent),
        _gpus(there.gpu_percent - used.gpu_percent),
        f"{written} MiB" if written else "-",
        f"{used.cpu_milli / 1000:.1f} ({there.cpu_milli / 1000:.1f})",
        f"{used.memory_bytes / _GIB:.1f} ({there.memory_bytes / _GIB:.1f}) GiB",
    )


def _used(pods: Iterable[Pod], device_memory_mib: int) -> Vector:
    tasks = (pod_facts(pod, None).task for pod in pods)
    return sum((quantify(each.request, device_memory_mib) for each in tasks if each.state.uses_node), Vector())


def _gpus(percent: int) -> str:
    return f"{percent / PERCENT_PER_DEVICE:.2f}"


def top_table(jobs: Iterable[Job], now: datetime) -> str:
    """Lay out what jobs hold now, most GPUs first; those that have ended hold nothing."""
    running = [job for job in jobs if not job.template and not job.ended]
    ordered = sorted(running, key=lambda job: (-_number(job), job.project, job.name, job.object_name))
    return columns(JOB_HEADS, [_job(job, now) for job in ordered])


def _number(job: Job) -> float:
    return float(job.status.total_allocated_gpu or 0)


def _job(job: Job, now: datetime) -> Sequence[str]:
    status, nodes = job.status, job.nodes
    start = status.start_time
    return (
        job.name,
        job.project,
        str(job.value("username") or ""),
        job.type,
        job_status(status.phase, status.reason),
        "-" if start is None else length((now - start).total_seconds()),
        _SEVERAL if len(nodes) > 1 else "".join(nodes),
        amount(status.total_allocated_gpu),
        f"{status.total_allocated_gpu_memory or 0} MiB",
    )


def missing(nodes: Iterable[WholeNode], wanted: Collection[str]) -> Sequence[str]:
    """Names of nodes that there are not, of those that were asked for."""
    there: Mapping[str, WholeNode] = {node.metadata.name: node for node in nodes}
    return [name for name in wanted if name not in there]
