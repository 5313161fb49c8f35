"""Bringing a lab up: directory, binaries, supervisor, control plane, hollow nodes' kwok."""

import datetime
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import orjson

from aliquot_lab import binaries, directories, hollow
from aliquot_lab.api import Api
from aliquot_lab.cluster import RECORD, Cluster
from aliquot_lab.control_plane import API_SERVER, HOLLOW_KUBELETS, ControlPlane, Options
from aliquot_lab.errors import LabError
from aliquot_lab.kubeconfig import Access, read, write
from aliquot_lab.processes import ProcessSpec
from aliquot_lab.supervision import Owner, SupervisorClient, tail

READY_SECONDS = 300.0
PROGRAMS_TO_ATTACH = ("kubectl", "helm", hollow.NAME)
_ATTEMPTS = 3

Say = Callable[[str], None]


def start(
    options: Options | None = None,
    *,
    directory: Path | None = None,
    owner: Owner | None = None,
    progress: binaries.Progress | None = None,
    say: Say | None = None,
) -> Cluster:
    """Start a lab that ends with its owner.

    Args:
        options: What kind of control plane; None is `Options()`.
        directory: Where; None makes a temporary directory.
        owner: The process whose death ends the lab; None is this process.
        progress: Told about programs that have to be built first.
        say: Told what is being started.

    Returns:
        The lab: API server ready, controllers and kwok running, no nodes yet.

    Raises:
        LabError: a program is missing, or the lab did not get ready.
    """
    options = options or Options()
    programs = binaries.ensure(progress)
    for attempt in range(1, _ATTEMPTS + 1):
        home, lock = directories.create(directory)
        supervisor = SupervisorClient.launch(home, lock, owner or Owner.this_process())
        try:
            return _start_in(home, supervisor, programs, options, say or _silent)
        except _PortTakenError:
            supervisor.shutdown()
            if attempt == _ATTEMPTS:
                raise
        except BaseException:
            supervisor.shutdown()
            raise
    raise AssertionError("the last attempt returns or raises")


@contextmanager
def dedicated(options: Options | None = None, *, nodes: int = 0, gpus: int = 8) -> Generator[Cluster]:
    """A lab of one's own for a `with` block, for whoever wants to restart or break its control plane.

    Args:
        options: What kind of control plane.
        nodes: Hollow nodes to add.
        gpus: GPUs on each of them.
    """
    cluster = start(options)
    try:
        if nodes:
            cluster.add_nodes(nodes, gpus=gpus)
        yield cluster
    finally:
        cluster.close()


def attach(
    kubeconfig: Path,
    *,
    directory: Path | None = None,
    owner: Owner | None = None,
    progress: binaries.Progress | None = None,
) -> Cluster:
    """A handle on a cluster that somebody else runs, such as kind; only kwok is started for it, and ends with us.

    Args:
        kubeconfig: Of an administrator.
        directory: Where the handle's files are; None makes a temporary directory.
        owner: The process whose death ends kwok; None is this process.
        progress: Told about programs that have to be built first.

    Raises:
        LabError: the kubeconfig is not usable, or the cluster does not answer.
    """
    access = read(kubeconfig)
    if not Api(access).answers("/readyz"):
        message = f"the cluster of {kubeconfig} ({access.server}) does not answer"
        raise LabError(message)
    programs = binaries.ensure(progress, only=PROGRAMS_TO_ATTACH)
    home, lock = directories.create(directory)
    supervisor = SupervisorClient.launch(home, lock, owner or Owner.this_process())
    try:
        (home / "logs").mkdir()
        for name in ("kubeconfig", f"{hollow.NAME}.kubeconfig"):
            write(home / name, access, user="administrator")
        _record(home, access, programs, Options())
        supervisor.run(hollow.prepare(home, programs, fast=False))
    except BaseException:
        supervisor.shutdown()
        raise
    return Cluster(home)


def _silent(_: str) -> None: ...


class _PortTakenError(LabError):
    """Another process took a port between our choosing it and the lab's listening on it."""


def _start_in(
    home: Path, supervisor: SupervisorClient, programs: binaries.Binaries, options: Options, say: Say
) -> Cluster:
    plane = ControlPlane(home, programs, options)
    administrator = plane.prepare()
    api = Api(administrator)
    say("etcd and kube-apiserver")
    supervisor.run(plane.etcd())
    supervisor.run(plane.api_server())
    _wait(lambda: api.answers("/readyz"), "the API server", home, supervisor)
    say("kube-controller-manager, kube-scheduler and kwok")
    later: list[ProcessSpec] = [
        plane.controller_manager(),
        plane.scheduler(),
        hollow.prepare(home, programs, fast=options.fast, node_grace=options.node_grace),
    ]
    for spec in later:
        supervisor.run(spec)
    hollow.keep_to_own_pods(api, HOLLOW_KUBELETS)
    accounts = "/api/v1/namespaces/default/serviceaccounts/default"
    _wait(lambda: api.answers(accounts), "the controller manager", home, supervisor)
    _record(home, administrator, programs, options)
    return Cluster(home)


def _record(home: Path, access: Access, programs: binaries.Binaries, options: Options) -> None:
    document = {
        "server": access.server,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "options": options.document(),
        "binaries": {name: str(path) for name, path in programs.paths.items()},
    }
    unfinished = home / f".{RECORD}"
    unfinished.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    unfinished.rename(home / RECORD)


def _wait(condition: Callable[[], bool], what: str, home: Path, supervisor: SupervisorClient) -> None:
    started = set(supervisor.processes())
    deadline = time.monotonic() + READY_SECONDS
    while not condition():
        for name in sorted(started - set(supervisor.processes())):
            log = tail(home / "logs" / f"{name}.log")
            problem = _PortTakenError if "address already in use" in log else LabError
            raise problem(f"{name} ended while the lab started:\n{log}")
        if time.monotonic() > deadline:
            message = f"{what} was not ready after {READY_SECONDS:.0f} s:\n{tail(home / 'logs' / f'{API_SERVER}.log')}"
            raise LabError(message)
        time.sleep(0.05)
