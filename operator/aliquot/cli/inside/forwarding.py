"""What `port-forward` does, and `submit` with `--service-type portforward` (S32 of cluster-api.md 8.4, and 7.3)."""

import asyncio
import contextlib
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

import typer

from aliquot.cli.failures import NotThere, complain, sentence, told
from aliquot.cli.inside.ports import LOCALHOST, Door, doors, pairs
from aliquot.cli.inside.wire import PortUnreachable, Wire, carry
from aliquot.cli.looking.finding import job_named, pod_named
from aliquot.cli.looking.jobs import Job
from aliquot.cli.session import Session, in_project
from aliquot.contracts.kubernetes import Pod
from aliquot.kube.problems import ApiProblem, Forbidden, NotFound, Unauthorized

_LOOPBACK: Final = ("127.0.0.1", "::1")
_LASTING: Final = (NotFound, Forbidden, Unauthorized)
"""Refusals that every other connection would meet, too."""

_NOBODY: Final = "connection refused"
"""What is said, among much else, when nobody listens on a port."""


def port_forward(
    name: str, project: str | None, pod: str | None, ports: Sequence[str], addresses: Sequence[str]
) -> None:
    """Forward ports of this machine to a pod of a job until Ctrl-C."""
    with told(), doors(pairs(ports), addresses) as kept:
        forward(name, project, pod, kept)


def forward(name: str, project: str | None, pod: str | None, kept: Sequence[Door]) -> None:
    """Forward these ports to a pod of a job until Ctrl-C, which is no failure."""

    async def work(session: Session) -> None:
        job = await job_named(session, name)
        chosen = _running(job, pod)
        with told(f"job {name}"):
            await _Forwarding(session, chosen).serve(kept)

    with contextlib.suppress(KeyboardInterrupt):
        in_project(project, work)


def _running(job: Job, name: str | None) -> Pod:
    pod = pod_named(job, name)
    if pod.status.phase != "Running":
        raise NotThere(f"pod {pod.metadata.name} of job {job.name} does not run: it is {pod.status.phase}")
    return pod


@dataclass(frozen=True, slots=True)
class _Forwarding:
    """What is forwarded to: a pod."""

    session: Session
    pod: Pod

    async def serve(self, kept: Sequence[Door]) -> None:
        """Take connections until one meets a refusal that all others would meet.

        Raises:
            ApiProblem: that refusal.
        """
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        connections: set[asyncio.Task[None]] = set()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(_stop, connections)
            for door in kept:

                def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int = door.pod) -> None:
                    connection = asyncio.create_task(self._take(reader, writer, port, ended))
                    connections.add(connection)
                    connection.add_done_callback(connections.discard)

                server = await asyncio.start_server(take, sock=door.socket)
                stack.callback(server.close)
            _announce(kept)
            await ended

    async def _take(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, ended: asyncio.Future[None]
    ) -> None:
        metadata = self.pod.metadata
        try:
            async with self.session.client.forward(metadata.namespace, metadata.name, port) as socket:
                await carry(reader, writer, Wire(socket))
        except PortUnreachable as problem:
            why = _NOBODY if _NOBODY in str(problem) else str(problem)
            complain(f"port {port} of pod {metadata.name} takes no connection: {why}")
        except _LASTING as problem:
            if not ended.done():
                ended.set_exception(problem)
        except ApiProblem as problem:
            complain(sentence(problem, f"port {port} of pod {metadata.name}"))
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _stop(connections: Collection[asyncio.Task[None]]) -> None:
    for connection in connections:
        connection.cancel()
    await asyncio.gather(*connections, return_exceptions=True)


def _announce(kept: Sequence[Door]) -> None:
    here = (f"{LOCALHOST}:{door.local}" if door.address in _LOOPBACK else door.here for door in kept)
    typer.echo(f"Open access point(s) to service from {', '.join(dict.fromkeys(here))}")
    for door in kept:
        typer.echo(f"Forwarding from {door.here} -> {door.pod}")
