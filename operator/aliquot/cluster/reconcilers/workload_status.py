"""The status of workloads: derived anew from what is, written only where it differs.

    pods, scheduler's verdict, record ─▶ core.lifecycle.status ─▶ same as before? nothing : one PUT, its events

It is put as a whole, with the version that it was made from: that costs the API server less than a patch, and a status
that was made from an older workload is refused.

A status is the workload's memory too: which of its completions are done and how many pods failed, for when pods vanish.
"""

from collections.abc import Callable

import msgspec

from aliquot.clock import Clock
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.cluster.mirror.parse import parse
from aliquot.cluster.reconcilers.carriers import Carriers
from aliquot.cluster.reconcilers.status_writes import put_status
from aliquot.cluster.reconcilers.view import View, Views
from aliquot.cluster.resources import WORKLOADS, kind_of
from aliquot.contracts.kinds.status import WorkloadStatus
from aliquot.contracts.kinds.workloads import Workload
from aliquot.contracts.kubernetes import Metadata
from aliquot.core.lifecycle import (
    NO_LIMITS,
    Facts,
    Happening,
    Limits,
    PodPhase,
    Retry,
    Wait,
    happenings,
    limits_of,
    status,
)
from aliquot.core.rendering import external_urls
from aliquot.core.submission import common_pod, is_carried
from aliquot.kube.client import ApiClient
from aliquot.kube.problems import NotFound


class _Answer(msgspec.Struct):
    metadata: Metadata


class WorkloadStatusWriter:
    """Keeps the statuses of workloads true.

    Args:
        client: writes.
        mirror: what we know.
        views: what workloads ask for.
        carriers: know those that other objects carry out.
        clock: the time given to statuses.
        retry: how failed pods are tried again, for the time of the next try.
        verdict: why a pod waits, by its uid, as of the last round.
        happened: told of each transition that was written.
    """

    def __init__(
        self,
        client: ApiClient,
        mirror: Mirror,
        views: Views,
        carriers: Carriers,
        clock: Clock,
        retry: Retry,
        verdict: Callable[[str], Wait | None],
        happened: Callable[[Workload, Happening], None],
    ) -> None:
        self._client = client
        self._mirror = mirror
        self._views = views
        self._carriers = carriers
        self._clock = clock
        self._retry = retry
        self._verdict = verdict
        self._happened = happened

    async def write(self, key: Key) -> None:
        """Write the workload's status if it differs.

        Raises:
            ApiProblem: it could not be written; call again.
        """
        workload = self._mirror.workloads.get(key)
        if workload is None or workload.spec.usage == "Template":
            return
        view = self._views.of(workload)
        before = workload.status
        after = self._status(workload, view)
        if after is before:
            return
        try:
            answer = await put_status(self._client, WORKLOADS[key.kind], workload.metadata, after)
        except NotFound:  # the watch will tell
            return
        self._learn(workload, after, answer.body)
        for happening in happenings(before, after):
            self._happened(workload, happening)

    def _status(self, workload: Workload, view: View) -> WorkloadStatus:
        facts, now = self._facts(workload, view), self._clock.now()
        if view.spec is None or not is_carried(view.spec):
            return status(facts, workload.status, now)
        if not self._carriers.knows(workload) and not facts.deleting:
            return workload.status  # it is told once it is known what carries it out
        return self._carriers.status(workload, view, view.spec, facts, now)

    def _facts(self, workload: Workload, view: View) -> Facts:
        metadata = workload.metadata
        trouble = view.obstacle or self._views.trouble(metadata.uid)
        alive = any(pod.phase in _ALIVE for pod in view.pods)
        created = metadata.creation_timestamp
        return Facts(
            generation=metadata.generation,
            created=created.timestamp() if created is not None else 0.0,
            project=view.project.metadata.name if view.project is not None else None,
            job_name=view.job_name,
            spec=view.spec,
            errors=view.errors,
            pods=view.pods,
            wait=self._wait(view) or (trouble if alive else None),
            trouble=None if alive else trouble,
            deleting=metadata.deletion_timestamp is not None,
            retry=self._retry,
            urls=_urls(view),
            limits=self._limits(view),
        )

    def _limits(self, view: View) -> Limits:
        """The time limits that its project and department have now."""
        if view.spec is None or view.project is None:
            return NO_LIMITS
        department = self._mirror.department_of(view.project)
        return limits_of(view.spec, view.project.spec, None if department is None else department.spec)

    def _wait(self, view: View) -> Wait | None:
        for pod in sorted(view.pods, key=lambda pod: pod.index):
            if pod.phase is PodPhase.WAITING and not pod.deleting:
                wait = self._verdict(pod.uid)
                if wait is not None:
                    return wait
        return None

    def _learn(self, workload: Workload, after: WorkloadStatus, body: bytes) -> None:
        """Put the answer into the mirror; read in full only if more than the status differs from what we know."""
        told = msgspec.json.decode(body, type=_Answer).metadata
        known = workload.metadata
        if (
            told.generation == known.generation
            and told.labels == known.labels
            and told.annotations == known.annotations
            and (told.deletion_timestamp is None) == (known.deletion_timestamp is None)
        ):
            metadata = known.model_copy(update={"resource_version": told.resource_version})
            self._mirror.workloads.put(workload.model_copy(update={"metadata": metadata, "status": after}))
            return
        found = parse(kind_of(type(workload)), msgspec.json.decode(body))
        if isinstance(found, type(workload)):
            self._mirror.workloads.put(found)


def _urls(view: View) -> tuple[str, ...] | None:
    if view.spec is None or view.context is None:
        return None
    return external_urls(common_pod(view.spec), view.context)


_ALIVE = (PodPhase.WAITING, PodPhase.STARTING, PodPhase.RUNNING)
