"""How real nodes come to a lab and go."""

import fcntl
import shutil
import sys
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count, islice
from typing import Final
from urllib.parse import urlsplit

from aliquot_lab import cgroups
from aliquot_lab.api import Call
from aliquot_lab.binaries import Progress
from aliquot_lab.cluster import Cluster
from aliquot_lab.errors import LabError
from aliquot_lab.nodes import host, programs
from aliquot_lab.nodes.files import prepare
from aliquot_lab.nodes.machine import RECORD, Machine
from aliquot_lab.nodes.network import MOST_NODES, Switch
from aliquot_lab.nodes.node import RealNode
from aliquot_lab.processes import eventually
from aliquot_lab.waiting import wait_for

SWITCH: Final = "real-network"
_SECONDS: Final = 30.0


def add(
    cluster: Cluster,
    names: int | Sequence[str] = 2,
    *,
    labels: Mapping[str, str] | None = None,
    taints: Sequence[Mapping[str, str]] = (),
    progress: Progress | None = None,
) -> list[RealNode]:
    """Add real nodes to a lab and wait until they are Ready; they end with the lab, or by `remove`.

    Args:
        cluster: A lab on this machine, not one that was attached.
        names: Their names, or how many (then `real-0`, `real-1`, … after those there are).
        labels: Of their Nodes.
        taints: Of their Nodes, as in `spec.taints`.
        progress: Told about programs that have to be built first.

    Raises:
        LabError: this machine cannot have real nodes (see `host.obstacle`), or one is not Ready in time.
    """
    host.require()
    if not (cluster.directory / "pki" / "ca.key").exists():
        message = f"the cluster {cluster.server} is not a lab's own: real nodes cannot join it"
        raise LabError(message)
    found = programs.find(progress)
    added: list[RealNode] = []
    try:
        with _alone(cluster):
            switch = _switch(cluster)
            present = _machines(cluster)
            for name in _names(names, {machine.name for machine in present}):
                machine = Machine(
                    directory=str(cluster.directory),
                    name=name,
                    number=_free_number(present),
                    network=switch.addresses.number,
                    programs=found,
                    labels=dict(labels or {}),
                    taints=[dict(taint) for taint in taints],
                )
                prepare(machine)
                present.append(machine)
                node = RealNode(cluster, machine)
                added.append(node)
                boot = [sys.executable, "-m", "aliquot_lab.nodes.boot", str(machine.folder)]
                cluster.run(node.process, boot, {}, grace=0)
        for node in added:
            node.wait_ready()
    except BaseException:
        remove(cluster, added)
        raise
    return added


def remove(cluster: Cluster, nodes: Sequence[RealNode]) -> None:
    """Take nodes away, with their pods, processes and files."""
    with _alone(cluster):
        for node in nodes:
            if node.powered:
                node.power_off()
            _delete_pods(cluster, node)
            cluster.remove_node(node.name)
            cgroups.remove(cluster.directory, node.name)
            shutil.rmtree(node.folder)
        if not _machines(cluster):
            cluster.stop(SWITCH)
            if switch := Switch.read(cluster.directory):
                switch.forget(cluster.directory)
                # The kernel takes its time to clear a network away.
                eventually(lambda: not switch.addresses.laid(), seconds=_SECONDS)


def existing(cluster: Cluster) -> list[RealNode]:
    """The real nodes of a lab, with or without power, by their names."""
    return [RealNode(cluster, machine) for machine in _machines(cluster)]


@contextmanager
def real_nodes(
    cluster: Cluster,
    names: int | Sequence[str] = 2,
    *,
    labels: Mapping[str, str] | None = None,
    taints: Sequence[Mapping[str, str]] = (),
    progress: Progress | None = None,
) -> Generator[list[RealNode]]:
    """Real nodes for a `with` block; arguments and errors as for `add`."""
    nodes = add(cluster, names, labels=labels, taints=taints, progress=progress)
    try:
        yield nodes
    finally:
        remove(cluster, nodes)


def _switch(cluster: Cluster) -> Switch:
    """The switch of a lab, which is started if it does not run."""
    if SWITCH not in cluster.processes():
        if stale := Switch.read(cluster.directory):
            stale.forget(cluster.directory)
        target = urlsplit(cluster.server)
        place = [str(cluster.directory), str(target.hostname), str(target.port)]
        cluster.run(SWITCH, [sys.executable, "-m", "aliquot_lab.nodes.network", *place], {})
    wait_for(lambda: Switch.read(cluster.directory) is not None, "the network of real nodes", cluster, SWITCH)
    switch = Switch.read(cluster.directory)
    assert switch is not None
    return switch


@contextmanager
def _alone(cluster: Cluster) -> Generator[None]:
    """One process at a time changes what real nodes there are."""
    folder = cluster.directory / "nodes"
    folder.mkdir(exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _machines(cluster: Cluster) -> list[Machine]:
    return [Machine.read(file.parent) for file in sorted((cluster.directory / "nodes").glob(f"*/{RECORD}"))]


def _names(wanted: int | Sequence[str], present: Collection[str]) -> list[str]:
    if isinstance(wanted, int):
        free = (name for name in (f"real-{number}" for number in count()) if name not in present)
        return list(islice(free, wanted))
    if taken := sorted(set(wanted) & set(present)):
        message = f"names {', '.join(taken)}: there are real nodes of these names already"
        raise LabError(message)
    return list(wanted)


def _free_number(present: Sequence[Machine]) -> int:
    taken = {machine.number for machine in present}
    for number in range(1, MOST_NODES + 1):
        if number not in taken:
            return number
    message = f"a lab has {MOST_NODES} real nodes at most"
    raise LabError(message)


def _delete_pods(cluster: Cluster, node: RealNode) -> None:
    """Delete its pods at once: nobody else would, for a minute."""
    pods = cluster.api.call("GET", f"/api/v1/pods?fieldSelector=spec.nodeName={node.name}")["items"]
    paths = [f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}" for pod in pods]
    gone = frozenset({404})
    cluster.api.call_all([Call("DELETE", f"{path}?gracePeriodSeconds=0", allowed=gone) for path in paths])
