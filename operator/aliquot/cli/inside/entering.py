"""What `logs`, `exec`, `bash` and `attach` do (cluster-api.md 7.1)."""

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

import typer

from aliquot.cli.failures import told
from aliquot.cli.inside.access import Container, LogChoice, PodAccess
from aliquot.cli.inside.terminal import talk
from aliquot.cli.looking.finding import job_named, pod_named
from aliquot.cli.looking.jobs import Job
from aliquot.cli.preferences import read_preferences
from aliquot.cli.session import in_project
from aliquot.cli.submission.manifest import DURATION_ALLOWED
from aliquot.contracts.kubernetes import Pod
from aliquot.core.submission.durations import parse_duration
from aliquot.errors import UserError

_SHELL: Final = ("/bin/sh", "-c", "command -v bash > /dev/null && exec bash || exec sh")
"""bash where the image has it: many small ones do not."""
_MOST_FOLLOWED: Final = 64
"""Logs that are read at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFlags:
    """Which part of which log, as it was typed."""

    follow: bool = False
    pod: str | None = None
    since: str | None = None
    since_time: str | None = None
    tail: int | None = None
    timestamps: bool = False


def show_logs(name: str, project: str | None, flags: LogFlags) -> None:
    """Show what a job has printed; of a distributed job what all its pods have, unless one is named."""
    with told():
        seconds = seconds_back(flags.since, flags.since_time, datetime.now(UTC))
    choice = LogChoice(follow=flags.follow, since_seconds=seconds, tail=flags.tail, timestamps=flags.timestamps)
    job = in_project(project, lambda session: job_named(session, name))
    with told(f"job {name}"):
        merged = flags.pod is None and job.distributed and len(job.pods) > 1
        pods = job.pods if merged else [pod_named(job, flags.pod)]
        access = PodAccess(read_preferences(os.environ).cluster)
        if not merged:
            for piece in access.log(_container(job, pods[0]), choice):
                _write(piece)
            return
        with ThreadPoolExecutor(min(len(pods), _MOST_FOLLOWED)) as workers:
            readings = [workers.submit(_merge, access, _container(job, each), choice) for each in pods]
            for reading in readings:
                reading.result()


def seconds_back(since: str | None, since_time: str | None, now: datetime) -> int | None:
    """Say how far back a log shall go, in seconds; None: to its beginning.

    Raises:
        UserError: what was typed is no time.
    """
    if since is not None and since_time is not None:
        raise UserError("--since-time", since_time, "left out, because --since says how far back")
    if since is not None:
        seconds = parse_duration(since)
        if not seconds:
            raise UserError("--since", since, DURATION_ALLOWED)
        return seconds
    if since_time is None:
        return None
    try:
        moment = datetime.fromisoformat(since_time)
    except ValueError as error:
        raise UserError("--since-time", since_time, "a time, such as 2026-01-31T12:00:00Z") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(1, round((now - moment).total_seconds()))


def execute(name: str, project: str | None, pod: str | None, command: Sequence[str], *, stdin: bool, tty: bool) -> None:
    """Run a command beside a job; ends with its exit code."""
    with told():
        if not command:
            raise UserError("COMMAND", None, "what to run, such as -- nvidia-smi")
    _converse(name, project, pod, "exec", command, stdin=stdin, tty=tty)


def bash(name: str, project: str | None, pod: str | None) -> None:
    """Open a shell beside a job: bash, or sh where there is none."""
    _converse(name, project, pod, "exec", _SHELL, stdin=True, tty=sys.stdin.isatty())


def attach(name: str, project: str | None, pod: str | None, *, stdin: bool = True, tty: bool = True) -> None:
    """Attach to a job; ends when it ends."""
    _converse(name, project, pod, "attach", (), stdin=stdin, tty=tty and sys.stdin.isatty())


def _converse(
    name: str,
    project: str | None,
    pod: str | None,
    verb: Literal["exec", "attach"],
    command: Sequence[str],
    *,
    stdin: bool,
    tty: bool,
) -> None:
    job = in_project(project, lambda session: job_named(session, name))
    with told(f"job {name}"):
        chosen = pod_named(job, pod)
        if verb == "attach":
            typer.echo(f"Connecting to pod {chosen.metadata.name}", err=True)
        access = PodAccess(read_preferences(os.environ).cluster)
        with access.converse(_container(job, chosen), verb, command=command, stdin=stdin, tty=tty) as stream:
            code, said = talk(stream, stdin=stdin, raw=tty and sys.stdin.isatty())
    if said:
        typer.echo(f"aliquot: {said}", err=True)
    if code:
        raise typer.Exit(code)


def _container(job: Job, pod: Pod) -> Container:
    first = pod.spec.containers[0].name if pod.spec.containers else ""
    return Container(job.namespace, pod.metadata.name, first)


def _write(piece: bytes) -> None:
    sys.stdout.buffer.write(piece)
    sys.stdout.flush()


def _merge(access: PodAccess, container: Container, choice: LogChoice) -> None:
    """Print the lines of one of several logs, each with its pod before it."""
    beginning, rest = f"[{container.pod}] ".encode(), b""
    for piece in access.log(container, choice):
        *lines, rest = (rest + piece).split(b"\n")
        if lines:
            _write(b"".join(beginning + line + b"\n" for line in lines))
    if rest:
        _write(beginning + rest + b"\n")
