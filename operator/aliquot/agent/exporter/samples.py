"""A view as samples: which metric, values of its labels in their order, and its value."""

from collections.abc import Iterator

from aliquot.agent.attribution import DeviceUse, PodUse, Usage
from aliquot.agent.exporter import devices
from aliquot.agent.exporter.devices import Sample
from aliquot.agent.exporter.view import Health, View
from aliquot.contracts.metrics import agent, gpus, pods, runai

_MIB = 1 << 20
_PERCENT = 100


def samples(view: View) -> Iterator[Sample]:
    """Everything that a view says."""
    yield from _about_itself(view.node, view.health)
    if view.usage is None:
        return
    for device in view.usage.devices:
        yield from devices.samples(view.node, view.driver_version, device)
        yield from _allocation(view, device)
    for use in view.usage.pods:
        yield from _of_pod(view, use)
    for pod, seconds in view.idle_seconds.items():
        yield pods.IDLE, (view.node, pod.namespace, pod.name, pod.uid), seconds
    yield from _of_node(view, view.usage)


def _about_itself(node: str, health: Health) -> Iterator[Sample]:
    yield agent.NVML_UP, (node,), health.nvml_up
    if health.age_seconds is not None:
        yield agent.READING_AGE, (node,), health.age_seconds
    if health.duration_seconds is not None:
        yield agent.READING_DURATION, (node,), health.duration_seconds
    yield agent.READING_HUNG, (node,), health.hung_seconds
    yield agent.FAILED_READINGS, (node,), health.failed_readings
    for (function, error), count in sorted(health.errors.items()):
        yield agent.NVML_ERRORS, (node, function, error), count
    for function, count in sorted(health.refused.items()):
        yield agent.REFUSED_VALUES, (node, function), count
    yield agent.POD_RESOURCES_UP, (node,), health.kubelet_answering
    yield agent.PODS_KNOWN, (node,), health.pods_known


def _allocation(view: View, use: DeviceUse) -> Iterator[Sample]:
    device = use.device
    ours = (view.node, str(device.index), device.uuid)
    theirs = (view.cluster, str(device.index), view.node)
    yield gpus.ALLOCATED, ours, use.allocated_percent / _PERCENT
    yield gpus.STRAY_MEMORY, ours, use.stray_bytes
    yield gpus.STRAY_PROCESSES, ours, use.stray_processes
    yield runai.ALLOCATED_PER_GPU, theirs, bool(use.holders)
    if device.uuid in view.last_used:
        yield gpus.LAST_USED, ours, view.last_used[device.uuid]
        yield runai.LAST_USE_PER_GPU, theirs, view.last_used[device.uuid]
    if device.utilization_percent is not None:
        yield runai.UTILIZATION_PER_GPU, theirs, device.utilization_percent
    if device.memory is not None:
        yield runai.MEMORY_USED_PER_GPU, theirs, device.memory.used_bytes / _MIB
        yield runai.MEMORY_TOTAL_PER_GPU, theirs, device.memory.total_bytes / _MIB


def _of_pod(view: View, use: PodUse) -> Iterator[Sample]:
    ref, gpu = use.pod, str(use.device.index)
    ours = (view.node, gpu, use.unit, ref.namespace, ref.name, ref.uid)
    theirs = (view.cluster, ref.name, ref.uid, ref.namespace, view.node, gpu)
    # The names of the field know GPUs and no MIG devices on them, of which a pod may have two on one GPU.
    compatible = use.unit == use.device.uuid
    if use.grant is None or use.grant.percent is not None:
        yield pods.ALLOCATED, ours, (0 if use.grant is None else use.grant.percent or 0) / _PERCENT
    if use.limit_bytes is not None and use.grant is not None:
        yield pods.MEMORY_LIMIT, ours, use.limit_bytes
    if use.used_bytes is not None:
        yield pods.MEMORY_USED, ours, use.used_bytes
        if compatible:
            yield runai.MEMORY_USED_PER_POD, theirs, use.used_bytes / _MIB
    if use.overuse_bytes is not None:
        yield pods.MEMORY_OVERUSE, ours, use.overuse_bytes
    if use.utilization_percent is not None:
        yield pods.UTILIZATION, ours, use.utilization_percent / _PERCENT
        if compatible:
            yield runai.UTILIZATION_PER_POD, theirs, use.utilization_percent


def _of_node(view: View, usage: Usage) -> Iterator[Sample]:
    node = (view.cluster, view.node)
    all_gpus = [use.device for use in usage.devices]
    told = [device.utilization_percent for device in all_gpus if device.utilization_percent is not None]
    memories = [device.memory for device in all_gpus if device.memory is not None]
    if told:
        yield runai.UTILIZATION_PER_NODE, node, sum(told) / len(told)
    if memories:
        yield runai.MEMORY_USED_PER_NODE, node, sum(memory.used_bytes for memory in memories) / _MIB
        yield runai.MEMORY_TOTAL_PER_NODE, node, sum(memory.total_bytes for memory in memories) / _MIB
    yield runai.MIG_GPUS, node, sum(device.mig is not None for device in all_gpus)
    yield runai.ALLOCATED_PER_NODE, node, sum(use.allocated_percent for use in usage.devices) / _PERCENT
    given: dict[tuple[str, ...], int] = {}
    for use in usage.pods:
        if use.grant is not None and use.grant.percent is not None:
            key = (view.cluster, use.pod.name, use.pod.uid, use.pod.namespace, view.node)
            given[key] = given.get(key, 0) + use.grant.percent
    for key, percent in given.items():
        yield runai.ALLOCATED_PER_POD, key, percent / _PERCENT
