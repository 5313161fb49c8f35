"""RunaiJobs: their pods, their end and their statuses; to them we are what the Job controller is to Jobs.

    job ─▶ core.submission ─▶ core.lifecycle.plan_job ─▶ POST and DELETE of pods ─▶ status: PUT if it differs
     └── its pods, by owner reference                                          └──▶ look again later, or delete it

Its pods are scheduled as those of workloads of other kinds (`cluster.foreign`): each by itself, with the priority class
that the job's label names. Pod names are deterministic, so a POST whose answer was lost meets AlreadyExists.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aliquot import naming
from aliquot.clock import Clock
from aliquot.cluster.mirror.cache import Cache, Key
from aliquot.cluster.mirror.known import parsed_into
from aliquot.cluster.mirror.mirror import Listener, Mirror, identify, key_of
from aliquot.cluster.mirror.parse import Whole
from aliquot.cluster.reconcilers.object_writes import delete_pod, delete_whole, read_pod
from aliquot.cluster.reconcilers.status_writes import put_status
from aliquot.cluster.reconcilers.uncertain_pods import UncertainPods
from aliquot.cluster.resources import RUNAI_JOBS
from aliquot.cluster.triggers import Add
from aliquot.cluster.work import Task
from aliquot.contracts.kinds.runaijob import RunaiJob, RunaiJobStatus
from aliquot.contracts.kubernetes import OwnerReference, Pod
from aliquot.core.lifecycle import (
    NO_LIMITS,
    Limits,
    NewPod,
    ObservedPod,
    Retry,
    job_status,
    limits_of,
    observe,
    plan_job,
)
from aliquot.core.rendering import Owner, job_pod
from aliquot.core.submission import InvalidWorkload, ValidJob, effective_job
from aliquot.errors import UserError
from aliquot.kube.client import ApiClient
from aliquot.kube.informer import filled
from aliquot.kube.informers import Informers
from aliquot.kube.problems import AlreadyExists, Forbidden, Invalid, NotFound

_FILL_SECONDS: Final = 20.0
_SETTLE_SECONDS: Final = 0.1
"""Pods of a job come and go together."""
_TAKEN_SECONDS: Final = 5.0
CREATE_REFUSED: Final = "CreateRefused"
NAME_TAKEN: Final = "NameTaken"


class RunaiJobs:
    """RunaiJobs and their pods, for a term.

    Args:
        client: reads and writes.
        informers: makes the informer.
        mirror: the pods.
        clock: the time given to plans and statuses.
        retry: how failed pods are tried again.
        add: takes work.
        tell: takes a job, and in one word and a sentence why a pod of it cannot be made.

    Attributes:
        tasks: how the work is done.
        jobs: all jobs.
        listeners: told of each change of one of them, with it before and after.
    """

    def __init__(
        self,
        client: ApiClient,
        informers: Informers,
        mirror: Mirror,
        clock: Clock,
        retry: Retry,
        add: Add,
        tell: Callable[[RunaiJob, str, str], None],
    ) -> None:
        self._client = client
        self._mirror = mirror
        self._clock = clock
        self._retry = retry
        self._add = add
        self._tell = tell
        self.listeners: list[Listener[RunaiJob]] = []
        self.jobs = Cache[RunaiJob](identify, self._job_changed)
        self._heard = informers.of(RUNAI_JOBS, Whole)
        self._heard.add_handler(parsed_into(self.jobs, RunaiJob))
        self._pods_of: dict[str, dict[str, Pod]] = {}
        self._uncertain = UncertainPods(client, mirror)
        mirror.listeners.pod.append(self._pod_changed)
        self.tasks: Mapping[Task, Callable[[Key], Awaitable[None]]] = {Task.RUNAI_JOB: self.reconcile}

    async def fill(self, group: asyncio.TaskGroup) -> None:
        """Start the watch, as a task of the group; return when what can be read is known."""
        group.create_task(self._heard.run())
        await filled(self._heard, _FILL_SECONDS)

    def look_at_everything(self) -> None:
        """Have every job looked at."""
        for job in self.jobs:
            self._add(Task.RUNAI_JOB, key_of(job))

    async def reconcile(self, key: Key) -> None:
        """Take the job's next steps, and write its status if it differs.

        Raises:
            ApiProblem: a step could not be taken; call again.
        """
        job = self.jobs.get(key)
        if job is None or job.metadata.deletion_timestamp is not None:
            self._uncertain.forget(key)
            return
        await self._uncertain.find_out(key)
        valid, errors = _read(job)
        try:
            if valid is not None and await self._step(key, job, valid):
                return
        finally:
            await self._write_status(job, valid, errors)

    async def _step(self, key: Key, job: RunaiJob, valid: ValidJob) -> bool:
        """Take the next steps; returns whether the job is gone by that."""
        now = self._clock.now()
        steps = plan_job(valid, self._pods(job), job.status, now, self._retry)
        if steps.delete_workload:
            await self._delete_job(job)
            return True
        if steps.look_again_at is not None:
            self._add(Task.RUNAI_JOB, key, max(_SETTLE_SECONDS, steps.look_again_at - now))
        for name in steps.delete:
            await delete_pod(self._client, self._mirror, Key(key.namespace, name))
        for new in steps.create:
            await self._create_pod(job, valid, new)
        return False

    def _pods(self, job: RunaiJob) -> list[ObservedPod]:
        held = self._pods_of.get(job.metadata.uid, {})
        return [seen for _, pod in sorted(held.items()) if (seen := observe(pod)) is not None]

    async def _create_pod(self, job: RunaiJob, valid: ValidJob, new: NewPod) -> None:
        metadata = job.metadata
        owner = Owner(RUNAI_JOBS.api_version, RUNAI_JOBS.kind, metadata.namespace, metadata.name, metadata.uid)
        manifest = job_pod(valid, owner, new.index, new.attempt, new.failed_attempts)
        name = naming.pod_name(metadata.name, new.index, new.attempt)
        try:
            await self._uncertain.create(key_of(job), name, manifest)
        except AlreadyExists:
            await self._meet(job, name)
        except (Forbidden, Invalid, NotFound) as problem:
            self._tell(job, CREATE_REFUSED, f"its pod was refused: {problem.message}")
            raise

    async def _meet(self, job: RunaiJob, name: str) -> None:
        """A pod of that name exists: learn of it if it is the job's, else say that the name is taken."""
        found = await read_pod(self._client, job.metadata.namespace, name)
        if found is None:
            self._add(Task.RUNAI_JOB, key_of(job), _SETTLE_SECONDS)
            return
        owner = job_of(found)
        if owner is not None and owner.uid == job.metadata.uid and observe(found) is not None:
            self._mirror.pods.put(found)
            return
        self._tell(job, NAME_TAKEN, f"a pod called {name} exists already: delete it, or give the job another name")
        self._add(Task.RUNAI_JOB, key_of(job), _TAKEN_SECONDS)

    async def _delete_job(self, job: RunaiJob) -> None:
        metadata = job.metadata
        await delete_whole(self._client, RUNAI_JOBS, metadata.namespace, metadata.name, metadata.uid)
        self.jobs.drop(key_of(job), metadata.uid)

    async def _write_status(self, job: RunaiJob, valid: ValidJob | None, errors: tuple[UserError, ...]) -> None:
        if self.jobs.get(key_of(job)) is not job:
            return  # gone, or newer: it is looked at again
        limits = self._limits(job, valid)
        after = job_status(valid, errors, self._pods(job), job.status, self._clock.now(), limits)
        if after == job.status:
            return
        try:
            answer = await put_status(self._client, RUNAI_JOBS, job.metadata, after)
        except NotFound:  # the watch will tell
            return
        self.jobs.put(RunaiJob.model_validate(answer.json()))

    def _limits(self, job: RunaiJob, valid: ValidJob | None) -> Limits:
        """The time limits that its project and department have now."""
        project = self._mirror.project_of(job.metadata.namespace)
        if valid is None or project is None:
            return NO_LIMITS
        department = self._mirror.department_of(project)
        return limits_of(valid, project.spec, None if department is None else department.spec)

    def _job_changed(self, old: RunaiJob | None, new: RunaiJob | None) -> None:
        if new is not None and (old is None or _decisive(old) != _decisive(new)):
            self._add(Task.RUNAI_JOB, key_of(new))
        for listener in self.listeners:
            listener(old, new)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        assert pod is not None
        owner = job_of(pod)
        if owner is None:
            return
        held = self._pods_of.setdefault(owner.uid, {})
        if new is not None:
            held[pod.metadata.name] = new
        else:
            held.pop(pod.metadata.name, None)
            if not held:
                del self._pods_of[owner.uid]
        self._add(Task.RUNAI_JOB, Key(pod.metadata.namespace, owner.name), _SETTLE_SECONDS)


def _read(job: RunaiJob) -> tuple[ValidJob | None, tuple[UserError, ...]]:
    try:
        return effective_job(job), ()
    except InvalidWorkload as problem:
        return None, problem.errors


def job_of(pod: Pod) -> OwnerReference | None:
    """The RunaiJob that controls the pod, or None."""
    for owner in pod.metadata.owner_references:
        if owner.controller and owner.kind == RUNAI_JOBS.kind and owner.api_version.startswith(f"{RUNAI_JOBS.group}/"):
            return owner
    return None


def _decisive(job: RunaiJob) -> tuple[object, ...]:
    status: RunaiJobStatus = job.status
    return job.spec, job.metadata.labels, status.conditions, status.time_limits
