"""Ports of nodes that pods use, as resources of which each node has one (see `PORT_PREFIX`)."""

from collections.abc import Iterator
from typing import Final

from aliquot.contracts.kubernetes import Container, PodSpec
from aliquot.core.quantities import PORT_PREFIX, WHOLE_PORT

_EVERY_ADDRESS: Final = ("", "0.0.0.0", "::")  # noqa: S104 - read, not listened at


def host_ports(spec: PodSpec) -> tuple[tuple[str, int], ...]:
    """The ports of its node that the pod uses while it runs, as other resources of a request."""
    addresses: dict[str, set[str]] = {}
    for container in _lasting(spec):
        for port in container.ports:
            if port.host_port > 0:
                name = f"{PORT_PREFIX}{port.protocol or 'TCP'}/{port.host_port}"
                addresses.setdefault(name, set()).add("" if port.host_ip in _EVERY_ADDRESS else port.host_ip)
    needs: list[tuple[str, int]] = []
    for name, used in addresses.items():
        if "" in used:
            needs.append((name, WHOLE_PORT))
        else:
            needs += [(name, len(used)), *((f"{name}/{address}", 1) for address in used)]
    return tuple(sorted(needs))


def _lasting(spec: PodSpec) -> Iterator[Container]:
    yield from spec.containers
    yield from (container for container in spec.init_containers if container.restart_policy == "Always")
