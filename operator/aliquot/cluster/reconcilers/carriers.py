"""Workloads that another object carries out: the object as it should be, what it says, and its end.

    InferenceWorkload ──┬─▶ Knative Service
                        └─▶ Service, Deployment, HorizontalPodAutoscaler    without Knative; the last with a metric
    DistributedWorkload ──▶ MPIJob

An inference workload stays with what it began with, though Knative may be installed later: its status names the objects
(`createdResources`), and they themselves tell it if nobody could write that down. What has ended by itself stays, so
that its logs can be read; what goes on although its time is over, or although it was preempted once too often, is
deleted, once the workload's status says so.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from aliquot.clock import Clock
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror, key_of
from aliquot.cluster.reconcilers.beside import Beside
from aliquot.cluster.reconcilers.served import Served
from aliquot.cluster.reconcilers.upkeep import Upkeep
from aliquot.cluster.reconcilers.view import View, Views
from aliquot.cluster.reconcilers.ways import Way, began_with, created_resources, least_gpus, manifests_of
from aliquot.contracts.kinds.status import WorkloadStatus
from aliquot.contracts.kinds.workloads import Workload
from aliquot.contracts.kubernetes import Carrier, CarrierObject
from aliquot.core.lifecycle import (
    Facts,
    ObservedCarrier,
    Steps,
    Wait,
    carried_status,
    observe_carrier,
    plan_carried,
    scaling_trouble,
)
from aliquot.core.rendering import (
    KNATIVE_GROUP,
    NO_MPI,
    REQUEST_METRICS,
    Context,
    answers_at,
    least_replicas,
    may_scale,
    serving_notes,
)
from aliquot.core.submission import Valid, ValidDistributed, ValidInference, is_carried
from aliquot.kube.problems import NotFound
from aliquot.kube.resources import DEPLOYMENTS, HORIZONTAL_POD_AUTOSCALERS

_LOOK_AGAIN_SECONDS: Final = 5.0
"""While what would carry a workload out is not served."""
NO_KNATIVE: Final = (
    "this cluster serves no Service of serving.knative.dev/v1 any more, with which it began: install Knative Serving, "
    "or submit the workload again"
)


class Carriers:
    """Has other objects carry workloads out.

    Args:
        mirror: says which workloads are gone.
        views: what workloads ask for; takes troubles.
        beside: what they have beside their pods.
        upkeep: keeps the objects.
        served: which kinds there are.
        clock: the time given to plans.
        look_again: takes the key of a workload, and in how many seconds it is to be looked at again.
        status_changed: told of workloads whose status is worth a look, and whether at once.
    """

    def __init__(
        self,
        mirror: Mirror,
        views: Views,
        beside: Beside,
        upkeep: Upkeep,
        served: Served,
        clock: Clock,
        look_again: Callable[[Key, float], None],
        status_changed: Callable[[Key, bool], None],
    ) -> None:
        self._views = views
        self._beside = beside
        self._upkeep = upkeep
        self._served = served
        self._clock = clock
        self._look_again = look_again
        self._status_changed = status_changed
        self._ways: dict[str, Way] = {}
        mirror.listeners.workload.append(self._workload_changed)

    # Carrying out

    async def carry(self, workload: Workload, view: View, spec: ValidDistributed | ValidInference) -> Steps:
        """Have the workload carried out as it should be.

        Returns:
            What there is to do about the workload itself.

        Raises:
            ApiProblem: a step could not be taken; call again.
        """
        key, context = key_of(workload), view.context
        if context is None:
            self._ways.setdefault(workload.metadata.uid, Way(None))
            self._status_changed(key, True)
            return Steps()
        way = self._ways[workload.metadata.uid] = await self._way(workload, spec, context)
        if way.resource is not None and way.resource != DEPLOYMENTS:
            await self._upkeep.objects.follow(way.resource)
        carrier = self._observed(way, context)
        now = self._clock.now()
        steps = plan_carried(spec, carrier, view.pods, view.record, now)
        if steps.delete_workload:
            return steps
        try:
            if steps.outcome is not None:
                await self._end(way, carrier, view, context)
            elif view.obstacle is None and await self._ensure(key, way, view, spec, context):
                self._views.note_trouble(workload.metadata.uid, None)
        finally:
            self._status_changed(key, steps.outcome is not None)
            if steps.look_again_at is not None:
                self._look_again(key, max(0.05, steps.look_again_at - now))
        return steps

    async def _way(self, workload: Workload, spec: ValidDistributed | ValidInference, context: Context) -> Way:
        if isinstance(spec, ValidDistributed):
            return Way(await self._served.mpi())
        began = began_with(workload.status)
        if began is None and self._upkeep.objects.find(DEPLOYMENTS, context.object_name(), context.owner) is not None:
            began = DEPLOYMENTS.group
        knative = await self._served.knative() if began in (None, KNATIVE_GROUP) else None
        if knative is not None or began == KNATIVE_GROUP:
            return Way(knative)
        metrics = await self._served.metrics() if may_scale(spec) else frozenset[str]()
        if self._upkeep.objects.find(HORIZONTAL_POD_AUTOSCALERS, context.object_name(), context.owner) is not None:
            metrics |= {REQUEST_METRICS[spec.metric]}  # a server of metrics that is away for a while changes nothing
        return Way(DEPLOYMENTS, metrics)

    async def _ensure(
        self, key: Key, way: Way, view: View, spec: ValidDistributed | ValidInference, context: Context
    ) -> bool:
        """Make what is missing, and put back what was changed; False: it is not all there, and why is noted."""
        node = next((pod.node for pod in view.pods if pod.alive and pod.node), None)
        if not await self._beside.ensure(key, spec, context, node):
            return False
        if way.resource is None:
            mpi = isinstance(spec, ValidDistributed)
            wait = Wait("NoMPIJob", NO_MPI) if mpi else Wait("NoKnative", NO_KNATIVE)
            self._views.note_trouble(context.owner.uid, wait)
            self._look_again(key, _LOOK_AGAIN_SECONDS)
            return False
        try:
            for manifest in manifests_of(way, spec, context):
                if await self._upkeep.keep(key, manifest, context.owner) is None:
                    return False
        except NotFound:
            self._served.forget()
            raise
        if isinstance(spec, ValidInference) and way.resource == DEPLOYMENTS and not may_scale(spec):
            await self._upkeep.remove(HORIZONTAL_POD_AUTOSCALERS, context.object_name(), context.owner)
        return True

    async def _end(self, way: Way, carrier: ObservedCarrier | None, view: View, context: Context) -> None:
        """Delete an object that goes on although the workload has ended, once its status says so."""
        remembered = view.record.finished is not None
        if remembered and way.resource is not None and carrier is not None and carrier.outcome is None:
            await self._upkeep.remove(way.resource, context.object_name(), context.owner)

    # Telling

    def knows(self, workload: Workload) -> bool:
        """Whether it is known how the workload is carried out: only then can its status be told."""
        return workload.metadata.uid in self._ways

    def status(self, workload: Workload, view: View, spec: Valid, facts: Facts, now: float) -> WorkloadStatus:
        """The status of a workload that is carried out by another object; see `core.lifecycle.carried_status`."""
        assert is_carried(spec), type(spec).__name__
        way, context = self._ways.get(workload.metadata.uid), view.context
        if way is None or way.resource is None or context is None:
            return carried_status(facts, None, least_gpus(spec), (), workload.status, now)
        carrier = self._observed(way, context)
        made = manifests_of(way, spec, context) if carrier is not None else ()
        notes: tuple[str, ...] = ()
        if isinstance(spec, ValidInference) and carrier is not None:
            if way.resource == DEPLOYMENTS:
                notes = (*serving_notes(spec, context, way.metrics), *self._scaling(context))
            elif spec.private and carrier.url is not None:  # that is no address outside the cluster
                notes, carrier = (answers_at(carrier.url),), replace(carrier, url=None)
        requested = self._gpus(way, view, spec, context)
        created = tuple(created_resources(made, context.owner.namespace))
        return carried_status(facts, carrier, requested, notes, workload.status, now, created)

    def _observed(self, way: Way, context: Context) -> ObservedCarrier | None:
        found = self._object(way, context)
        if found is None or way.resource is None or found.metadata.deletion_timestamp is not None:
            return None
        return observe_carrier(Carrier(kind=way.resource.kind, metadata=found.metadata, status=found.status))

    def _object(self, way: Way, context: Context) -> CarrierObject | None:
        if way.resource is None:
            return None
        found = self._upkeep.objects.find(way.resource, context.object_name(), context.owner)
        return found if isinstance(found, CarrierObject) else None

    def _scaling(self, context: Context) -> Iterator[str]:
        """What keeps the number of pods from following the load, as its autoscaler says."""
        found = self._upkeep.objects.find(HORIZONTAL_POD_AUTOSCALERS, context.object_name(), context.owner)
        if isinstance(found, CarrierObject) and (trouble := scaling_trouble(found.status)) is not None:
            yield trouble

    def _gpus(self, way: Way, view: View, spec: ValidDistributed | ValidInference, context: Context) -> Decimal:
        """GPUs of all pods that should be alive now."""
        if isinstance(spec, ValidDistributed):
            return least_gpus(spec)
        each = spec.pod.compute.gpus.together
        if way.resource != DEPLOYMENTS:
            alive = sum(pod.alive and not pod.deleting for pod in view.pods)
            return each * max(spec.min_scale, alive)
        found = self._object(way, context)
        replicas = found.spec.get("replicas") if found is not None else None
        return each * (replicas if isinstance(replicas, int) else least_replicas(spec))

    def _workload_changed(self, old: Workload | None, new: Workload | None) -> None:
        if new is None and old is not None:
            self._ways.pop(old.metadata.uid, None)
