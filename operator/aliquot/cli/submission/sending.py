"""What `submit` and its kin do: look at what was typed, and send it (cluster-api.md 7.1)."""

import asyncio
import os
import pwd
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from time import monotonic
from typing import Any, Final

import typer

from aliquot import names
from aliquot.cli.common import command_line, program
from aliquot.cli.failures import NotThere, told, warn
from aliquot.cli.inside.entering import attach
from aliquot.cli.inside.forwarding import forward
from aliquot.cli.inside.ports import Door, doors, pairs
from aliquot.cli.looking.finding import WORKLOADS, jobs_in
from aliquot.cli.looking.jobs import Job, job_of
from aliquot.cli.output import as_yaml
from aliquot.cli.preferences import read_preferences
from aliquot.cli.session import Session, current_context, in_project, named_project, no_project
from aliquot.cli.submission.advice import advice
from aliquot.cli.submission.check import wrong_flags
from aliquot.cli.submission.flags import PodFlags
from aliquot.cli.submission.items import several
from aliquot.cli.submission.kind_flags import DistributedFlags, InferenceFlags, KindFlags, MpiFlags, PyTorchFlags
from aliquot.cli.submission.manifest import Framework, Occasion, distributed, single
from aliquot.cli.submission.pod import User, forwards
from aliquot.core.submission import InvalidWorkload
from aliquot.errors import UserError
from aliquot.kube.problems import AlreadyExists

Make = Callable[[Occasion], dict[str, object]]
_WAIT_SECONDS: Final = 1.0
_MOST_NAMES: Final = 20
"""Objects of the same beginning and second."""


def send_single(
    flags: PodFlags,
    kind: KindFlags,
    serving: InferenceFlags,
    words: Sequence[str],
    project: str | None,
    *,
    dry_run: bool,
) -> None:
    """Submit a training or interactive job, or inference; `words` stood behind `--`."""
    send(flags, kind, project, lambda occasion: single(flags, kind, serving, words, occasion), dry_run=dry_run)


def send_distributed(
    framework: Framework,
    flags: PodFlags,
    members: DistributedFlags,
    words: Sequence[str],
    project: str | None,
    *,
    dry_run: bool,
    mpi: MpiFlags | None = None,
    torch: PyTorchFlags | None = None,
) -> None:
    """Submit a job of many pods; `words` stood behind `--`."""

    def make(occasion: Occasion) -> dict[str, object]:
        return distributed(framework, flags, members, words, occasion, mpi=mpi, torch=torch)

    send(flags, None, project, make, dry_run=dry_run)


def send(flags: PodFlags, kind: KindFlags | None, project: str | None, make: Make, *, dry_run: bool) -> None:
    """Submit what was typed, or show it.

    Args:
        flags: what all kinds have.
        kind: what training and interactive jobs have; None: it is another.
        project: that was typed.
        make: makes the workload.
        dry_run: only show it.
    """
    warn(advice(flags, kind))
    with told(), ExitStack() as stack:
        # What was typed is looked at before the cluster is asked for anything.
        checked(make(occasion("")))
        if dry_run:
            namespace = names.PROJECT_NAMESPACE_PREFIX + project_offline(project)
            typer.echo(as_yaml(make(occasion(namespace))))
            return
        kept: Sequence[Door] = ()
        if forwards(flags.network):
            ports, addresses = several(flags.network.port), several(flags.network.address)
            kept = stack.enter_context(doors(pairs(ports), addresses))
        _submit(flags, project, make, kept)


def _submit(flags: PodFlags, project: str | None, make: Make, kept: Sequence[Door]) -> None:
    """Submit a job, and stay with it if that is asked for: attached, or forwarding ports that are kept for it."""
    begun = monotonic()
    found, made = in_project(project, lambda session: _create(session, make))
    job = job_of(made)
    for line in submitted(job, found, named=job.value("name") is not None):
        typer.echo(line)
    if not (flags.container.attach or kept):
        return
    typer.echo("Waiting for pod to start running...")
    in_project(found, lambda session: _until_running(session, job))
    if kept:
        typer.echo(f"INFO[{int(monotonic() - begun):04d}] Job started", err=True)
        forward(job.object_name, found, None, kept)
    else:
        attach(job.object_name, found, None)


def checked(manifest: Mapping[str, object]) -> None:
    """Refuse flags that no cluster would take.

    Raises:
        InvalidWorkload: with all of them.
    """
    if errors := wrong_flags(manifest):
        raise InvalidWorkload(errors)


def submitted(job: Job, project: str, *, named: bool) -> Sequence[str]:
    """Say that a job was submitted, and how to go on."""
    if not named:
        return (
            f"A request to submit a job has been created: {job.object_name}",
            f"You can run `{program()} describe job {job.object_name} -p {project}` to check the job status",
        )
    return (
        f"The job '{job.name}' has been submitted successfully",
        f"You can run `{program()} describe job {job.name} -p {project}` to check the job status",
    )


def project_offline(given: str | None) -> str:
    """The project that is meant, without asking the cluster.

    Raises:
        UserError: none is.
    """
    preferences = read_preferences(os.environ)
    if found := given or preferences.project:
        return found
    context = current_context(preferences)
    if found := named_project(None, preferences, context):
        return found
    raise no_project(context)


def occasion(namespace: str) -> Occasion:
    """Who submits, where and when."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = os.environ.get("USER")
    user = User(name, os.getuid(), os.getgid(), tuple(os.getgroups()))
    return Occasion(
        namespace=namespace,
        moment=datetime.now(UTC),
        user=user,
        version=version("aliquot"),
        line=command_line(),
    )


async def _create(session: Session, make: Make) -> tuple[str, dict[str, Any]]:
    manifest = make(occasion(session.namespace))
    if name := job_of(manifest).value("name"):
        await _refuse_taken(session, str(name))
    resource = WORKLOADS[str(manifest["kind"])]
    for attempt in range(1, _MOST_NAMES + 1):
        try:
            body = numbered(manifest, attempt)
            answer = await session.client.create(resource, body, namespace=session.namespace)
        except AlreadyExists:
            # Jobs without a name of their own that are submitted in the same second.
            if attempt == _MOST_NAMES:
                raise
        else:
            warn(answer.warnings)
            return session.project, answer.json()
    raise AssertionError("the last attempt returns or raises")


async def _refuse_taken(session: Session, name: str) -> None:
    """Refuse a name that another job of the project has: their pods would be called the same."""
    jobs = await jobs_in(session.client, session.namespace)
    if any(job.name == name and not job.template and not job.going for job in jobs):
        raise UserError("--name", name, "a name that no job of the project has: delete that one, or choose another")


def numbered(manifest: Mapping[str, Any], attempt: int) -> dict[str, Any]:
    """The same object under another name, from the second attempt on."""
    metadata: dict[str, Any] = manifest["metadata"]
    name = metadata["name"] if attempt == 1 else f"{metadata['name']}-{attempt}"
    return {**manifest, "metadata": {**metadata, "name": name}}


async def _until_running(session: Session, job: Job) -> None:
    while True:
        raw = (await session.client.get(WORKLOADS[job.kind], job.namespace, job.object_name)).json()
        now = job_of(raw)
        if now.status.phase == "Running":
            return
        if now.ended:
            raise NotThere(f"job {now.name} is over: {now.status.phase}: {now.status.phase_message}")
        await asyncio.sleep(_WAIT_SECONDS)
