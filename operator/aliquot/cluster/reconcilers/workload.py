"""Workloads of all kinds: their name, their pods, their end.

    workload ─▶ spec or errors ─▶ name ─▶ plan(spec, pods) ─▶ POST and DELETE of pods
                                                └──────────▶ look again later, or delete the workload

The answers to our own writes go straight into the mirror, so that a second look never repeats a step. Pod names are
deterministic: a POST that was carried out although its answer was lost meets AlreadyExists, and the pod is read; and
before anything else is planned it is known whether it was (`uncertain_pods`).
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any

from aliquot import names, naming
from aliquot.clock import Clock
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror, key_of, owner_of
from aliquot.cluster.mirror.parse import parse
from aliquot.cluster.reconcilers.beside import Beside
from aliquot.cluster.reconcilers.carriers import Carriers
from aliquot.cluster.reconcilers.object_writes import delete_pod, delete_whole, read_pod
from aliquot.cluster.reconcilers.status_writes import put_status
from aliquot.cluster.reconcilers.uncertain_pods import UncertainPods
from aliquot.cluster.reconcilers.view import View, Views
from aliquot.cluster.resources import WORKLOADS, kind_of
from aliquot.contracts.kinds.status import Inherited
from aliquot.contracts.kinds.workloads import Workload
from aliquot.core.lifecycle import NewPod, Retry, Steps, Wait, has_unsaved, observe, plan
from aliquot.core.rendering import Context, pod_of
from aliquot.core.submission import Inheritance, Valid, common_pod, is_carried
from aliquot.kube.client import ApiClient
from aliquot.kube.problems import AlreadyExists, Forbidden, Invalid, NotFound
from aliquot.kube.resources import Resource

_WRITES_AT_ONCE = 8
"""Pods of one workload that are created at the same time; the workers are for other workloads too."""


class WorkloadReconciler:
    """Brings workloads to what they should be.

    Args:
        client: writes.
        mirror: what we know.
        views: what workloads ask for.
        beside: what they have beside their pods.
        carriers: have other objects carry out those that are.
        clock: the time given to plans.
        retry: how failed pods are tried again.
        look_again: takes the key of a workload, and in how many seconds it is to be looked at again.
        status_changed: told of workloads whose status is worth a look, and whether at once.
    """

    def __init__(
        self,
        client: ApiClient,
        mirror: Mirror,
        views: Views,
        beside: Beside,
        carriers: Carriers,
        clock: Clock,
        retry: Retry,
        look_again: Callable[[Key, float], None],
        status_changed: Callable[[Key, bool], None],
    ) -> None:
        self._client = client
        self._mirror = mirror
        self._views = views
        self._beside = beside
        self._carriers = carriers
        self._clock = clock
        self._retry = retry
        self._look_again = look_again
        self._status_changed = status_changed
        self._being_named: set[Key] = set()
        self._uncertain = UncertainPods(client, mirror)

    async def reconcile(self, key: Key) -> None:
        """Take the workload's next steps.

        Raises:
            ApiProblem: a step could not be taken; call again.
        """
        workload = self._mirror.workloads.get(key)
        if workload is None or workload.metadata.deletion_timestamp is not None:
            self._uncertain.forget(key)
            return
        if workload.spec.usage == "Template":
            return
        await self._uncertain.find_out(key)
        view = self._views.of(workload)
        if view.inheritance is not None and view.obstacle is None:
            workload = await self._keep(workload, view.inheritance)
            view = self._views.of(workload)
        if view.spec is not None and view.job_name is None:
            workload = await self._name(workload, prefix_of(view.spec))
            view = self._views.of(workload)
        if view.spec is None:
            self._status_changed(key, True)
            return
        if is_carried(view.spec):
            steps = await self._carriers.carry(workload, view, view.spec)
            if steps.delete_workload:
                await self._delete_workload(workload)
            return
        steps = plan(view.spec, view.pods, view.record, self._clock.now(), self._retry)
        if steps.delete_workload:
            await self._delete_workload(workload)
            return
        try:
            await _all(delete_pod(self._client, self._mirror, Key(key.namespace, name)) for name in steps.delete)
            if view.obstacle is None and await self._has_all_beside(key, view, steps):
                await self._create_pods(workload, view, steps.create)
                if not steps.create:
                    self._views.note_trouble(workload.metadata.uid, None)
        finally:
            at_once = steps.outcome is not None or has_unsaved(view.spec, view.pods, view.record)
            self._status_changed(key, at_once)
            if steps.look_again_at is not None:
                self._look_again(key, max(0.05, steps.look_again_at - self._clock.now()))

    async def _has_all_beside(self, key: Key, view: View, steps: Steps) -> bool:
        """Whether there is everything that its pods need beside them, if there are or shall be any."""
        alive = [pod for pod in view.pods if pod.alive]
        if view.spec is None or view.context is None or not (alive or steps.create):
            return True
        node = next((pod.node for pod in alive if pod.node), None)
        return await self._beside.ensure(key, view.spec, view.context, node)

    async def _keep(self, workload: Workload, inheritance: Inheritance) -> Workload:
        """Write down what the workload takes from template and policy, before any pod is made of it."""
        inherited = Inherited(
            template=inheritance.template,
            policy=inheritance.policy,
            values=dict(inheritance.values),
            origins=dict(inheritance.origins),
        )
        status = workload.status.model_copy(update={"inherited": inherited})
        answer = await put_status(self._client, _where(workload), workload.metadata, status)
        return self._learn(workload, answer.json())

    def _learn(self, workload: Workload, answer: Mapping[str, Any]) -> Workload:
        known = parse(kind_of(type(workload)), answer)
        assert isinstance(known, type(workload)), "an object that was readable stays so when we add to it"
        self._mirror.workloads.put(known)
        return known

    async def _name(self, workload: Workload, prefix: str | None) -> Workload:
        """Choose a job name and write it down, before any pod carries it."""
        metadata = workload.metadata
        being_named = {key.name for key in self._being_named if key.namespace == metadata.namespace}
        chosen = naming.generated_job_name(prefix, self._mirror.job_names(metadata.namespace) | being_named)
        body = {"metadata": {"uid": metadata.uid, "annotations": {names.JOB_NAME_ANNOTATION: chosen}}}
        self._being_named.add(name := Key(metadata.namespace, chosen))
        try:
            answer = await self._client.merge_patch(
                _where(workload), metadata.namespace, metadata.name, body, field_manager=names.NAMES_MANAGER
            )
            return self._learn(workload, answer.json())
        finally:
            self._being_named.discard(name)

    async def _create_pods(self, workload: Workload, view: View, pods: Sequence[NewPod]) -> None:
        spec, context = view.spec, view.context
        if not pods or spec is None:
            return
        assert context is not None, "without a project there is an obstacle, and a name was chosen"
        await _all(self._create_pod(workload, spec, context, new) for new in pods)

    async def _create_pod(self, workload: Workload, spec: Valid, context: Context, new: NewPod) -> None:
        manifest = pod_of(spec, context, new.index, new.attempt, new.failed_attempts)
        name, uid = naming.pod_name(context.job_name, new.index, new.attempt), workload.metadata.uid
        try:
            await self._uncertain.create(key_of(workload), name, manifest)
        except AlreadyExists:
            await self._meet(workload, name)
        except (Forbidden, Invalid, NotFound) as problem:
            self._views.note_trouble(uid, Wait("CreateRefused", f"its pod was refused: {problem.message}"))
            raise
        else:
            self._views.note_trouble(uid, None)

    async def _meet(self, workload: Workload, name: str) -> None:
        """A pod of that name exists: learn of it if it is ours, else say whose it is."""
        found = await read_pod(self._client, workload.metadata.namespace, name)
        if found is None:
            self._look_again(key_of(workload), 0.1)
            return
        owner = owner_of(found)
        if owner is not None and owner.uid == workload.metadata.uid:
            self._mirror.pods.put(found)
            if observe(found) is not None:
                return
            why = f"has lost its labels {names.POD_INDEX_LABEL} and {names.ATTEMPT_LABEL}: put them back, or delete it"
        else:
            whose = f"{owner.kind} {owner.name}" if owner is not None else "something else"
            why = f"belongs to {whose}: delete it, or choose another name"
        sentence = f"a pod called {name} exists already and {why}"
        self._views.note_trouble(workload.metadata.uid, Wait("NameTaken", sentence))
        self._look_again(key_of(workload), 5)

    async def _delete_workload(self, workload: Workload) -> None:
        metadata = workload.metadata
        await delete_whole(self._client, _where(workload), metadata.namespace, metadata.name, metadata.uid)
        self._mirror.workloads.drop(key_of(workload), metadata.uid)


def prefix_of(spec: Valid) -> str | None:
    """Beginning of the name to generate for a workload, if it gives one."""
    return common_pod(spec).identity.name_prefix


def _where(workload: Workload) -> Resource:
    return WORKLOADS[type(workload).__name__]


async def _all(steps: Iterable[Coroutine[None, None, None]]) -> None:
    """Take all steps, some at a time; the first problem is raised when those begun with it have ended."""
    remaining = list(steps)
    while remaining:
        now, remaining = remaining[:_WRITES_AT_ONCE], remaining[_WRITES_AT_ONCE:]
        outcomes = await asyncio.gather(*now, return_exceptions=True)
        problem = next((outcome for outcome in outcomes if outcome is not None), None)
        if problem is not None:
            for step in remaining:
                step.close()
            raise problem
