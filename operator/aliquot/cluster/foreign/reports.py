"""ExternalWorkloads: how workloads of other kinds are doing, one for each whose pods ask for our scheduler.

    Deployment ◀─owner reference── ExternalWorkload       deleted with it, by Kubernetes itself
        │ pods, verdicts, its own account ──▶ spec, status.observedStatus: written when they differ

It is named after the object and its uid, so the next one of that name gets another. `status.syncStatus` is not ours.
"""

from collections.abc import Callable, Iterator

import msgspec

from aliquot import names, naming
from aliquot.clock import Clock
from aliquot.cluster.foreign.seats import Seats
from aliquot.cluster.foreign.standing import Standing
from aliquot.cluster.foreign.tops import Top, top_of_reference
from aliquot.cluster.mirror.cache import Cache, Key
from aliquot.cluster.mirror.mirror import Listener, identify
from aliquot.cluster.mirror.parse import Whole, parse, parse_whole
from aliquot.cluster.resources import EXTERNAL_WORKLOADS, kind_of
from aliquot.contracts.kinds.external import ExternalWorkload, ExternalWorkloadSpec, RequestedPods, RequestedResources
from aliquot.contracts.kinds.shapes import Shape
from aliquot.contracts.kubernetes import Pod
from aliquot.core.intake.group_table import OwnerObject
from aliquot.core.lifecycle import ForeignFacts, moment, observe_foreign, observed_status
from aliquot.kube.client import ApiClient
from aliquot.kube.problems import Conflict, NotFound

_KIND = kind_of(ExternalWorkload)
_OTHERS = ("projectId", "departmentId", "urls", "additionalFields")
"""Members of the spec that are not ours."""


class Reports:
    """Keeps the ExternalWorkloads true.

    Args:
        client: writes.
        seats: which pods belong to which workload.
        standing: what the scheduler knows of pods.
        clock: the time given to statuses.
        again: has a report looked at.
        on_problem: told of what a workload says and makes no sense.

    Attributes:
        held: all reports.
        listeners: told of each change of one of them, with it before and after.
    """

    def __init__(
        self,
        client: ApiClient,
        seats: Seats,
        standing: Callable[[list[Pod]], Standing],
        clock: Clock,
        again: Callable[[Key], None],
        on_problem: Callable[[Top, str], None],
    ) -> None:
        self._client = client
        self._seats = seats
        self._standing = standing
        self._clock = clock
        self._again = again
        self.listeners: list[Listener[ExternalWorkload]] = []
        self.held = Cache[ExternalWorkload](identify, self._changed)
        self._on_problem = on_problem
        self._tops: dict[Key, Top] = {}
        self._told: dict[Key, tuple[str, ...]] = {}

    # Knowing

    def key(self, top: Top) -> Key:
        """Where the report on a workload is, or would be."""
        key = Key(top.key.namespace, naming.report_name(top.key.kind, top.key.name, top.uid))
        self._tops[key] = top
        return key

    def _changed(self, old: ExternalWorkload | None, new: ExternalWorkload | None) -> None:
        for listener in self.listeners:
            listener(old, new)

    def __iter__(self) -> Iterator[Key]:
        """Where all reports are that there are."""
        return iter([identity.key for identity in self.held.identities()])

    def heard(self, old: Whole | None, new: Whole | None) -> None:
        """Hear of a report: a handler for the informer of ExternalWorkloads that carry our label."""
        held = new or old
        assert held is not None
        key = Key(held.metadata.namespace, held.metadata.name)
        if new is None:
            self.held.drop(key, held.metadata.uid)
            self._again(key)  # somebody has deleted it, perhaps, though its workload lives
        elif not self.held.holds(identify(new)):
            parsed = parse_whole(_KIND, new)
            if isinstance(parsed, ExternalWorkload):
                for reference in new.metadata.owner_references[:1]:
                    self._tops[key] = top_of_reference(reference, key.namespace)
                self.held.put(parsed)
                self._again(key)

    # Writing

    async def write(self, key: Key) -> None:
        """Write the report if it differs; make it if it is not there and there are pods to report on.

        Raises:
            ApiProblem: it could not be written; call again.
        """
        held, top = self.held.get(key), self._tops.get(key)
        pods = [] if top is None else self._seats.under(top)
        if top is None or (held is None and not pods):
            self._tops.pop(key, None)
            self._told.pop(key, None)
            return
        owner = self._seats.owner(top)
        if held is None and not self._lives(top, owner, pods):
            return  # it would be deleted with its owner at once
        self._tell_problems(key, top)
        if pods:
            spec = _written(self._spec(top, owner, pods))
            if held is None or spec != _ours(_written(held.spec)):
                held = await self._apply(key, held, {"metadata": _metadata(top), "spec": spec})
        if held is None:
            return
        before = held.status.observed_status
        after = observed_status(self._facts(top, owner, pods), before, self._clock.now())
        if after != before:
            await self._apply(key, held, {"status": {"observedStatus": _written(after)}}, subresource="status")

    def _lives(self, top: Top, owner: OwnerObject | None, pods: list[Pod]) -> bool:
        if owner is not None or self._seats.would_know(top):
            return owner is not None and not owner.deleting
        return any(pod.metadata.deletion_timestamp is None for pod in pods)

    def _tell_problems(self, key: Key, top: Top) -> None:
        """Tell what the workload says and makes no sense, once."""
        problems = self._seats.problems(top)
        if problems != self._told.get(key, ()):
            self._told[key] = problems
            for problem in problems:
                self._on_problem(top, problem)

    async def _apply(
        self, key: Key, held: ExternalWorkload | None, body: dict[str, object], *, subresource: str = ""
    ) -> ExternalWorkload | None:
        """Write our part; None: the report we know of has gone meanwhile."""
        metadata = {"name": key.name, "namespace": key.namespace}
        if held is not None:
            metadata["uid"] = held.metadata.uid
        given = body.pop("metadata", None)
        try:
            answer = await self._client.apply(
                EXTERNAL_WORKLOADS,
                key.namespace,
                key.name,
                {
                    "apiVersion": _KIND.api_version,
                    "kind": _KIND.name,
                    "metadata": {**metadata, **(given if isinstance(given, dict) else {})},
                    **body,
                },
                field_manager=names.REPORTS_MANAGER,
                subresource=subresource,
            )
        except (NotFound, Conflict):  # it has gone, or the namespace: the watch will tell
            return None
        found = parse(_KIND, msgspec.json.decode(answer.body))
        if isinstance(found, ExternalWorkload):
            self.held.put(found)
            return found
        return None

    # What is to be said

    def _spec(self, top: Top, owner: OwnerObject | None, pods: list[Pod]) -> ExternalWorkloadSpec:
        standing = self._standing(pods)
        requested = dict(owner.requested) if owner is not None else dict[str, int]()
        given: dict[str, object] = {
            "type": top.key.kind,
            "original_workload_name": top.key.name,
            "original_workload_uid": top.uid,
            "creation_timestamp": moment(owner.created) if owner is not None and owner.created else None,
            "project_name": standing.project,
            "department_name": standing.department,
            "priority_class_name": standing.priority_class,
            "image_name": next((each.image for each in pods[0].spec.containers if each.image), None),
            "requested_node_pools": standing.pools,
            "requested_pods": RequestedPods(**requested) if requested else None,
            "requested_resources": RequestedResources(requests=standing.requests),
        }
        return ExternalWorkloadSpec.model_validate({name: said for name, said in given.items() if said is not None})

    def _facts(self, top: Top, owner: OwnerObject | None, pods: list[Pod]) -> ForeignFacts:
        observed = {pod.metadata.uid: observe_foreign(pod) for pod in pods}
        standing = self._standing(pods) if pods else None
        last = standing.jobs[pods[-1].metadata.uid] if standing is not None else ""
        ended = owner.ended if owner is not None else None
        return ForeignFacts(
            pods=tuple(observed.values()),
            latest=tuple(each for uid, each in observed.items() if standing is not None and standing.jobs[uid] == last),
            wait=standing.wait if standing is not None else None,
            problems=self._seats.problems(top),
            outcome=ended.outcome if ended is not None else None,
            tells_its_end=owner is not None and bool(owner.kind.completed or owner.kind.failed),
            stopped=ended is not None and ended.stopped,
            word=ended.word if ended is not None else "",
            deleting=owner is not None and owner.deleting,
        )


def _metadata(top: Top) -> dict[str, object]:
    return {
        "labels": {names.MANAGED_BY_LABEL: names.MANAGED_BY},
        "ownerReferences": [
            {"apiVersion": top.api_version, "kind": top.key.kind, "name": top.key.name, "uid": top.uid}
        ],
    }


def _ours(written: dict[str, object]) -> dict[str, object]:
    return {name: said for name, said in written.items() if name not in _OTHERS}


def _written(shape: Shape) -> dict[str, object]:
    return shape.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
