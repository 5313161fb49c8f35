"""The network of a lab's real nodes: addresses, and the process that is their switch.

`python -m aliquot_lab.nodes.network DIRECTORY HOST PORT` has a network namespace of its own with a bridge, from which
one cable leads to the machine's network and one to each node. So all of it goes with the process: the cables, and the
machine's routes through them. It also listens where pods look for the API server (the address of the Service
`kubernetes`, port 443), and forwards that to HOST and PORT, seen from the machine's network.

The machine reaches nodes and pods by their addresses, as they reach each other. They reach the machine at
`Addresses.machine`, and nothing behind it.
"""

import asyncio
import ipaddress
import json
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aliquot_lab.errors import LabError
from aliquot_lab.nodes import namespaces
from aliquot_lab.nodes.namespaces import ip

API_ADDRESS: Final = "10.96.0.1"
API_PORT: Final = 443
BRIDGE: Final = "br0"
MOST_NODES: Final = 200
_PREFIX: Final = "aqlab"
_NETWORKS: Final = range(64)
_FIRST: Final = 192
_CHUNK: Final = 1 << 16


@dataclass(frozen=True)
class Addresses:
    """The addresses of one lab's real nodes: 10.N.0.0/24 theirs, 10.N.i.0/24 those of the pods on node i, from 1.

    Attributes:
        number: Which of the networks that a machine may have side by side.
    """

    number: int

    @property
    def whole(self) -> ipaddress.IPv4Network:
        """All of them."""
        return ipaddress.IPv4Network(f"10.{_FIRST + self.number}.0.0/16")

    @property
    def cable(self) -> str:
        """The name of the interface in the machine's network: only one lab can have it."""
        return f"{_PREFIX}{self.number}"

    def laid(self) -> bool:
        """Whether that interface is there."""
        return Path("/sys/class/net", self.cable).exists()

    @property
    def machine(self) -> str:
        """The machine, as the nodes see it."""
        return str(self.whole[1])

    @property
    def gateway(self) -> str:
        """The bridge."""
        return str(self.whole[2])

    def node(self, number: int) -> str:
        """A node."""
        return str(self.whole[10 + number])

    def pods(self, number: int) -> str:
        """The pods of a node."""
        return f"10.{_FIRST + self.number}.{number}.0/24"


@dataclass(frozen=True)
class Switch:
    """A switch that runs.

    Attributes:
        addresses: Of its network.
        pid: The process whose network namespace has the bridge.
    """

    addresses: Addresses
    pid: int

    @classmethod
    def read(cls, directory: Path) -> "Switch | None":
        """The one of the lab in `directory`, once it is ready."""
        try:
            document = json.loads(_record(directory).read_text())
        except FileNotFoundError:
            return None
        return cls(Addresses(document["number"]), document["pid"])

    def write(self, directory: Path) -> None:
        """Say that it is ready."""
        unfinished = _record(directory).with_suffix(".tmp")
        unfinished.write_text(json.dumps({"number": self.addresses.number, "pid": self.pid}))
        unfinished.rename(_record(directory))

    def forget(self, directory: Path) -> None:
        """It has ended."""
        _record(directory).unlink(missing_ok=True)

    def connect(self, number: int) -> None:
        """Give the network of this process, which is empty, a cable to the switch and the addresses of a node."""
        address = self.addresses.node(number)
        switch = namespaces.network_of(self.pid)
        # Never the same twice: that of a node that has just ended may not be gone yet.
        there = f"n{number}-{os.urandom(4).hex()}"
        hardware = hardware_address(address)
        ip("link", "add", "eth0", "address", hardware, "type", "veth", "peer", "name", there, "netns", str(self.pid))
        ip("link", "set", "lo", "up")
        ip("addr", "add", f"{address}/24", "dev", "eth0")
        ip("link", "set", "eth0", "up")
        ip("route", "add", "default", "via", self.addresses.gateway)
        configure()
        with namespaces.inside(switch):
            ip("link", "set", there, "master", BRIDGE, "up")
            ip("route", "replace", self.addresses.pods(number), "via", address)
        os.close(switch)


def configure() -> None:
    """Let the network of this process pass on what is for others, and end with its processes.

    A connection whose other end is gone says good-bye for minutes, and keeps its network as long.
    """
    for name, value in (("ip_forward", 1), ("tcp_orphan_retries", 1), ("tcp_fin_timeout", 1)):
        Path("/proc/sys/net/ipv4", name).write_text(str(value))


def hardware_address(address: str) -> str:
    """The hardware address that goes with an address.

    Were it any, neighbours would go on sending to the one that they know: to a node's from before its power was cut,
    or to the bridge's, which changes when nodes come and go.
    """
    return ":".join(f"{byte:02x}" for byte in (0x02, 0, *ipaddress.IPv4Address(address).packed))


def _record(directory: Path) -> Path:
    return directory / "nodes" / "network.json"


def _lay(machine: int) -> Addresses:
    """Make bridge and cable in the network of this process, whose other end is in that of the machine."""
    ip("link", "set", "lo", "up")
    addresses = _free(machine)
    ip("link", "add", BRIDGE, "address", hardware_address(addresses.gateway), "type", "bridge")
    ip("link", "set", BRIDGE, "up")
    ip("link", "set", "uplink", "master", BRIDGE, "up")
    ip("addr", "add", f"{addresses.gateway}/24", "dev", BRIDGE)
    ip("addr", "add", f"{API_ADDRESS}/32", "dev", BRIDGE)
    configure()
    with namespaces.inside(machine):
        ip("addr", "add", f"{addresses.machine}/24", "dev", addresses.cable)
        ip("link", "set", addresses.cable, "up")
        ip("route", "add", str(addresses.whole), "via", addresses.gateway)
    return addresses


def _free(machine: int) -> Addresses:
    """Addresses that lead nowhere yet; they are ours as soon as the cable has their name."""
    with namespaces.inside(machine):
        routes = json.loads(ip("-json", "-4", "route", "show"))
    taken = [ipaddress.IPv4Network(route["dst"], strict=False) for route in routes if route["dst"] != "default"]
    for number in _NETWORKS:
        addresses = Addresses(number)
        if any(network.overlaps(addresses.whole) for network in taken):
            continue
        try:
            ip("link", "add", "uplink", "type", "veth", "peer", "name", addresses.cable, "netns", str(os.getppid()))
        except LabError as problem:
            if "File exists" in str(problem):
                continue
            raise
        return addresses
    message = (
        f"no free network for real nodes: all of {Addresses(0).whole} to {Addresses(_NETWORKS[-1]).whole} are taken"
    )
    raise LabError(message)


async def _serve(listener: socket.socket, machine: int, target: tuple[str, int], ready: Callable[[], None]) -> None:
    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with namespaces.inside(machine):
            outgoing = socket.socket()
        outgoing.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(outgoing, target)
        except OSError:
            outgoing.close()
            writer.close()
            return
        there, back = await asyncio.open_connection(sock=outgoing)
        await asyncio.gather(_pump(reader, back), _pump(there, writer))
        for side in (writer, back):
            side.close()

    server = await asyncio.start_server(one, sock=listener)
    ready()
    await server.serve_forever()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


def main(arguments: list[str]) -> None:
    """Entry point: DIRECTORY HOST PORT."""
    directory, target = Path(arguments[0]), (arguments[1], int(arguments[2]))
    machine = namespaces.network_of()
    namespaces.leave_network()
    addresses = _lay(machine)
    listener = socket.create_server((API_ADDRESS, API_PORT), backlog=128)
    switch = Switch(addresses, os.getpid())
    asyncio.run(_serve(listener, machine, target, lambda: switch.write(directory)))


if __name__ == "__main__":
    main(sys.argv[1:])
