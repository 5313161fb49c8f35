"""Ports of this machine that are kept for ports of a pod."""

import ipaddress
import re
import socket
from collections.abc import Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from aliquot.errors import UserError

LOCALHOST: Final = "localhost"
PORTS_FORM: Final = "LOCAL:POD, such as 8080:80; POD alone for the same port here, :POD for any"
ADDRESS_FORM: Final = "IP addresses of this machine, or localhost"
_HIGHEST: Final = 65535
_PORTS: Final = re.compile(r"(?:(?P<local>[0-9]{0,5}):)?(?P<pod>[0-9]{1,5})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pair:
    """A port here and one of the pod.

    Attributes:
        local: here; 0: any that is free.
        pod: in the pod.
        typed: as it was written.
    """

    local: int
    pod: int
    typed: str


@dataclass(frozen=True, slots=True)
class Door:
    """An address here that is kept for a port of the pod.

    Attributes:
        socket: that listens there.
        address: such as `127.0.0.1`.
        local: port here.
        pod: port of the pod.
    """

    socket: socket.socket
    address: str
    local: int
    pod: int

    @property
    def here(self) -> str:
        """Address and port: `127.0.0.1:8080`."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.local}"


def pairs(texts: Sequence[str]) -> Sequence[Pair]:
    """Read ports as they are typed.

    Raises:
        UserError: there are none, or one makes no sense.
    """
    if not texts:
        raise UserError("--port", None, PORTS_FORM)
    found: list[Pair] = []
    for text in texts:
        ports = _PORTS.fullmatch(text)
        if ports is None:
            raise UserError("--port", text, PORTS_FORM)
        pod = int(ports["pod"])
        local = pod if ports["local"] is None else int(ports["local"] or 0)
        if not 0 < pod <= _HIGHEST or local > _HIGHEST:
            raise UserError("--port", text, f"{PORTS_FORM}; ports from 1 to {_HIGHEST}")
        found.append(Pair(local, pod, text))
    return found


@contextmanager
def doors(wanted: Iterable[Pair], addresses: Sequence[str]) -> Generator[Sequence[Door]]:
    """Keep ports of this machine for the length of the context; who connects waits until somebody serves them.

    Raises:
        UserError: a port is not free, or an address is none of this machine's.
    """
    with ExitStack() as stack:
        found: list[Door] = []
        for pair in wanted:
            for address in _numeric(addresses):
                opened = stack.enter_context(socket.socket(_family(address), socket.SOCK_STREAM))
                _bind(opened, address, pair)
                found.append(Door(opened, address, opened.getsockname()[1], pair.pod))
        yield found


def _numeric(addresses: Sequence[str]) -> Sequence[str]:
    named = ["127.0.0.1" if each == LOCALHOST else each for each in addresses or (LOCALHOST,)]
    for each in named:
        try:
            ipaddress.ip_address(each)
        except ValueError as error:
            raise UserError("--address", each, ADDRESS_FORM) from error
    return list(dict.fromkeys(named))


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _bind(opened: socket.socket, address: str, pair: Pair) -> None:
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # of forwarding that has just ended
    if opened.family == socket.AF_INET6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # 0.0.0.0 may be wanted beside ::
    try:
        opened.bind((address, pair.local))
        opened.listen()
    except OSError as error:
        why = error.strerror or str(error)
        allowed = f"a port that is free on {address} ({why}); :{pair.pod} takes any that is"
        raise UserError("--port", pair.typed, allowed) from error
