"""What a pod needs of its node, as Kubernetes reckons it, and what a node has.

Containers run side by side, so their requests add up. Init containers run one after the other before them, each beside
the sidecars (init containers that restart) started so far; sidecars stay. A pod needs the more of both, and its
overhead:

    max( containers + sidecars,  each init container + the sidecars before it ) + overhead

An amount that cannot be read is taken for the worst: more than any node has when it is asked for, nothing when it is
offered. Amounts beyond that are cut there, so that sums of them stay far from overflowing.
"""

from collections.abc import Callable, Mapping
from typing import Final

from aliquot import names
from aliquot.contracts.kubernetes import Container, PodSpec
from aliquot.core.quantities import Vector, parse_bytes, parse_cpu_milli, parse_gpu_percent

TOO_MUCH: Final = 2**50
"""More than any node has, on any axis: 1 PiB, as many milli-CPU, hundredths of a GPU, or pods."""

Written = Mapping[str, str | int | float]

_CPU: Final = "cpu"
_MEMORY: Final = "memory"
_PODS: Final = "pods"
_ONE_POD: Final = Vector(pods=1)


def pod_request(spec: PodSpec) -> Vector:
    """What the pod needs, incl. one pod."""
    sidecars, peak = Vector(), Vector()
    for container in spec.init_containers:
        needs = _container_request(container)
        if container.restart_policy == "Always":
            sidecars += needs
            peak = _larger(peak, sidecars)
        else:
            peak = _larger(peak, sidecars + needs)
    together = sidecars
    for container in spec.containers:
        together += _container_request(container)
    return _larger(together, peak) + _asked(spec.overhead, {}) + _ONE_POD


def amount_there(written: Written) -> Vector:
    """What a node offers."""
    most = TOO_MUCH - 1
    return Vector(
        gpu_percent=min(most, _read(parse_gpu_percent, written.get(names.GPU_RESOURCE, 0), unreadable=0)),
        cpu_milli=min(most, _read(parse_cpu_milli, written.get(_CPU, 0), unreadable=0)),
        memory_bytes=min(most, _read(parse_bytes, written.get(_MEMORY, 0), unreadable=0)),
        pods=min(most, _read(parse_bytes, written.get(_PODS, 0), unreadable=0)),
    )


def _container_request(container: Container) -> Vector:
    return _asked(container.resources.requests, container.resources.limits)


def _asked(requests: Written, limits: Written) -> Vector:
    """A limit without a request is a request (the API server fills it in); of GPUs both are the same."""
    gpu = limits.get(names.GPU_RESOURCE, requests.get(names.GPU_RESOURCE, 0))
    cpu = requests.get(_CPU, limits.get(_CPU, 0))
    memory = requests.get(_MEMORY, limits.get(_MEMORY, 0))
    return Vector(
        gpu_percent=_read(parse_gpu_percent, gpu, unreadable=TOO_MUCH),
        cpu_milli=_read(parse_cpu_milli, cpu, unreadable=TOO_MUCH),
        memory_bytes=_read(parse_bytes, memory, unreadable=TOO_MUCH),
    )


def _read(parse: Callable[[str | int | float], int], written: str | int | float, *, unreadable: int) -> int:
    try:
        return min(TOO_MUCH, max(0, parse(written)))
    except (ValueError, ArithmeticError):  # no quantity, or a number beyond all precision
        return unreadable


def _larger(left: Vector, right: Vector) -> Vector:
    return Vector(*map(max, left.as_tuple(), right.as_tuple()))
