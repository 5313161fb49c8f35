"""What `delete`, `suspend` and `resume` do (cluster-api.md 7.1)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import typer

from aliquot.cli.failures import REFUSED, NotThere, sentence, told
from aliquot.cli.looking.finding import WORKLOADS, jobs_in, pick
from aliquot.cli.looking.jobs import Job
from aliquot.cli.looking.showing import names_in
from aliquot.cli.session import Session, in_project
from aliquot.errors import AliquotError, UserError
from aliquot.kube.client import ApiClient
from aliquot.kube.problems import ApiProblem, NotFound

_SUSPENDABLE: Final = ("TrainingWorkload", "InteractiveWorkload")
"""Kinds that have a parameter for it."""
Change = Callable[[ApiClient, Job], Awaitable[None]]


def delete(words: Sequence[str], project: str | None, *, every: bool) -> None:
    """Delete jobs of a project, by name or all."""
    _each(project, words, _delete, "deleted", lambda _: True, every=every)


def suspend(words: Sequence[str], project: str | None, *, every: bool) -> None:
    """Stop jobs of a project for a while."""
    _each(project, words, _suspend, "suspended", _may_be_suspended, every=every)


def resume(words: Sequence[str], project: str | None, *, every: bool) -> None:
    """Let suspended jobs of a project wait for their turn again."""
    _each(project, words, _resume, "resumed", _may_be_suspended, every=every)


def _each(
    project: str | None, words: Sequence[str], change: Change, done: str, fits: Callable[[Job], bool], *, every: bool
) -> None:
    """Change each of several jobs, or all that fit; the others are changed, too, if one cannot be."""
    with told():
        if every and words:
            raise UserError("--all", True, "left out, or given without names")
        wanted = None if every else names_in(words)

    async def work(session: Session) -> bool:
        jobs = await jobs_in(session.client, session.namespace)
        if wanted is None:
            fit = [job for job in jobs if not job.template and fits(job)]
            return all([await _one(session, job, change, done) for job in fit])
        return all([await _one(session, name, change, done, jobs) for name in wanted])

    if not in_project(project, work):
        raise typer.Exit(REFUSED)


async def _one(
    session: Session,
    wanted: Job | str,
    change: Change,
    done: str,
    jobs: Sequence[Job] = (),
) -> bool:
    try:
        job = wanted if isinstance(wanted, Job) else pick(jobs, [wanted], session.project)[0]
        await change(session.client, job)
    except ApiProblem as problem:
        typer.echo(f"aliquot: {sentence(problem, f'project {session.project}')}", err=True)
        return False
    except AliquotError as problem:
        typer.echo(f"aliquot: {problem}", err=True)
        return False
    typer.echo(f"Job {job.name} {done} successfully.")
    return True


async def _delete(client: ApiClient, job: Job) -> None:
    try:
        await client.delete(WORKLOADS[job.kind], job.namespace, job.object_name, uid=job.uid, propagation="Background")
    except NotFound:
        return  # somebody else was faster


async def _suspend(client: ApiClient, job: Job) -> None:
    await _set_active(client, job, active=False)


async def _resume(client: ApiClient, job: Job) -> None:
    await _set_active(client, job, active=True)


def _may_be_suspended(job: Job) -> bool:
    return job.kind in _SUSPENDABLE and not job.distributed


async def _set_active(client: ApiClient, job: Job, *, active: bool) -> None:
    if not _may_be_suspended(job):
        allowed = "a training or interactive job: distributed ones and inference cannot be suspended"
        raise UserError("job", job.name, allowed)
    if job.ended:
        raise NotThere(f"job {job.name} is over: it is {job.status.phase}")
    body: dict[str, Any] = {"metadata": {"uid": job.uid}, "spec": {"active": {"value": active}}}
    await client.merge_patch(WORKLOADS[job.kind], job.namespace, job.object_name, body)
