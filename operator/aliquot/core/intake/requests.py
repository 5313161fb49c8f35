"""What a pod needs of its node, as Kubernetes reckons it, and what a node has.

Containers run side by side, so their requests add up. Init containers run one after the other before them, each beside
the sidecars (init containers that restart) started so far; sidecars stay. A pod needs the more of both, and its
overhead:

    max( containers + sidecars,  each init container + the sidecars before it ) + overhead

An amount that cannot be read is taken for the worst: more than any node has when it is asked for, nothing when it is
offered. Amounts beyond that are cut there, so that sums of them stay far from overflowing.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from aliquot import names
from aliquot.contracts.kubernetes import Container, PodSpec
from aliquot.core.quantities import Vector, parse_bytes, parse_cpu_milli, parse_gpu_percent

TOO_MUCH: Final = 2**50
"""More than any node has, on any axis: 1 PiB, as many milli-CPU, hundredths of a GPU, or pods."""

Written = Mapping[str, str | int | float]

Needs = Counter[str]
"""Amounts by the name of the resource; of GPUs in hundredths, of CPU in milli."""

_CPU: Final = "cpu"
_MEMORY: Final = "memory"
_PODS: Final = "pods"
_AXES: Final = (names.GPU_RESOURCE, _CPU, _MEMORY, _PODS)
_PARSERS: Final[Mapping[str, Callable[[str | int | float], int]]] = {
    names.GPU_RESOURCE: parse_gpu_percent,
    _CPU: parse_cpu_milli,
}


def pod_request(spec: PodSpec) -> Vector:
    """What the pod needs on the axes of vectors, incl. one pod."""
    return on_axes(pod_needs(spec))


def pod_needs(spec: PodSpec) -> Needs:
    """What the pod needs of every resource, incl. one pod."""
    sidecars, peak = Needs(), Needs()
    for container in spec.init_containers:
        needs = _container_needs(container)
        if container.restart_policy == "Always":
            sidecars = sidecars + needs
            peak |= sidecars
        else:
            peak |= sidecars + needs
    together = sidecars
    for container in spec.containers:
        together = together + _container_needs(container)
    needs = (together | peak) + _asked(spec.overhead, {})
    needs[_PODS] = 1
    return needs


def on_axes(needs: Needs) -> Vector:
    """The part of it that vectors have an axis for."""
    return Vector(*(needs[name] for name in _AXES))


def beside_axes(needs: Needs) -> tuple[tuple[str, int], ...]:
    """The other resources, sorted by name."""
    return tuple(sorted((name, min(TOO_MUCH, count)) for name, count in needs.items() if name not in _AXES and count))


def amount_there(written: Written) -> Vector:
    """What a node offers on the axes of vectors."""
    return on_axes(Needs({name: _offered(name, written.get(name, 0)) for name in _AXES}))


def others_there(written: Written) -> dict[str, int]:
    """What else a node offers."""
    there = {name: _offered(name, amount) for name, amount in written.items() if name not in _AXES}
    return {name: amount for name, amount in there.items() if amount}


def _offered(name: str, written: str | int | float) -> int:
    return min(TOO_MUCH - 1, _read(name, written, unreadable=0))


def _container_needs(container: Container) -> Needs:
    return _asked(container.resources.requests, container.resources.limits)


def _asked(requests: Written, limits: Written) -> Needs:
    """A limit without a request is a request (the API server fills it in); of GPUs both are the same."""
    written = {**limits, **requests}
    if names.GPU_RESOURCE in limits:
        written[names.GPU_RESOURCE] = limits[names.GPU_RESOURCE]
    written.pop(_PODS, None)
    return Needs({name: _read(name, amount, unreadable=TOO_MUCH) for name, amount in written.items()})


def _read(name: str, written: str | int | float, *, unreadable: int) -> int:
    try:
        return min(TOO_MUCH, max(0, _PARSERS.get(name, parse_bytes)(written)))
    except (ValueError, ArithmeticError):  # no quantity, or a number beyond all precision
        return unreadable
