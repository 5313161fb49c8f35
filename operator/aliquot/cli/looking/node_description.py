"""Everything about one node, in lines (cluster-api.md 7.1: `describe node`)."""

from collections.abc import Iterable, Sequence
from typing import Final

from aliquot import names
from aliquot.cli.looking.jobs import pod_status
from aliquot.cli.looking.nodes import NODE_HEADS, WholeNode, known, node_row
from aliquot.cli.output import columns, printable
from aliquot.contracts.kubernetes import Node, Pod
from aliquot.core.grants import recorded_devices
from aliquot.core.intake import gpus_held, health_problem, pod_facts
from aliquot.core.quantities import PERCENT_PER_DEVICE, is_mig, quantify

_POD_HEADS: Final = ("POD", "NAMESPACE", "STATUS", "GPUs", "GPU IDS")


def node_description(node: WholeNode, pods: Sequence[Pod]) -> str:
    """Describe a node: what it has, what of that cannot be used, and which pods hold how much of its GPUs.

    Args:
        node: it.
        pods: its own, as of `by_node`.
    """
    fact, seen = known(node), Node(metadata=node.metadata, spec=node.spec, status=node.status)
    labels = node.metadata.labels
    lines = {
        **dict(zip(NODE_HEADS, node_row(node, pods), strict=True)),
        "GPUs THAT CANNOT BE USED": health_problem(seen) or "-",
        "MIG STRATEGY": fact.mig,
        "MIG DEVICES": ", ".join(f"{count} x {name}" for name, count in sorted(_slices(fact.extended.items()))) or "-",
        "MULTI-PROCESS SERVICE": "yes" if labels.get(names.MPS_NODE_LABEL) == "true" else "no",
        "NODE TYPE": labels.get(names.NODE_TYPE_LABEL) or "-",
        "TAINTS": ", ".join(f"{each.key}={each.value}:{each.effect}" for each in node.spec.taints) or "-",
    }
    width = max(map(len, lines)) + 3
    shown = "\n".join(f"{name.upper() + ':':<{width}}{printable(value)}" for name, value in lines.items())
    return f"{shown}\n\nPods:\n{columns(_POD_HEADS, _rows(pods, fact.device_memory_mib))}"


def _slices(extended: Iterable[tuple[str, int]]) -> Iterable[tuple[str, int]]:
    return ((name, count) for name, count in extended if is_mig(name))


def _rows(pods: Iterable[Pod], device_memory_mib: int) -> Sequence[Sequence[str]]:
    """The pods that hold GPUs, most first."""
    rows: list[tuple[int, Sequence[str]]] = []
    for pod in pods:
        task = pod_facts(pod, None).task
        held = quantify(task.request, device_memory_mib).gpu_percent if task.state.uses_node else 0
        if held:
            gpus = f"{held / PERCENT_PER_DEVICE:.2f}"
            devices = sorted({*gpus_held(pod), *recorded_devices(pod.metadata.annotations).values()})
            row = (pod.metadata.name, pod.metadata.namespace, pod_status(pod), gpus, ", ".join(devices) or "-")
            rows.append((held, row))
    return [row for _, row in sorted(rows, key=lambda each: (-each[0], each[1]))]
