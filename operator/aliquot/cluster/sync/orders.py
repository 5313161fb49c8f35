"""Carries out what the control plane orders to be done once with workloads (docs/decisions/0018).

    desired.orders ─▶ each that has no outcome: look at the API server ─┬─ done, or done before ─▶ Done     ─┐
                             ▲                                          ├─ refused for good     ─▶ Refused  ─┴─▶ told
                             └── time is up, or something has changed ──┴─ trouble, or no namespace yet

An outcome is told until the control plane does not order it any more. A leader that died between doing and telling
leaves the order to the next one, which finds it done: a workload is known by the label of its id, whoever made it. So
nothing is done twice, and what somebody deletes afterwards stays deleted, once the outcome has arrived.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any, Final, NoReturn

from aliquot import log, names
from aliquot.backoff import Backoff
from aliquot.clock import Clock
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.cluster.resources import WORKLOAD_MODELS, WORKLOADS
from aliquot.contracts.cluster_orders import Order, Outcome, ReportedOrder
from aliquot.contracts.kinds.tenancy import Project
from aliquot.contracts.kinds.workloads import Workload
from aliquot.kube.client import ApiClient
from aliquot.kube.problems import ApiProblem, Forbidden, Invalid, NotFound

_log = log.get(__name__)
_PATIENCE: Final = Backoff(base_seconds=0.5, cap_seconds=60, spread=0.5)
_AT_ONCE: Final = 8
_LONGEST: Final = 4096
_FOR_GOOD: Final = (Invalid, Forbidden)
_GOING: Final = "NamespaceTerminating"
"""Cause of a refusal: the namespace goes, and the project gets another one."""
_MODELS: Final = {model.__name__: model for model in WORKLOAD_MODELS}


class _Final(Exception):  # noqa: N818 - an end, not an error
    """An order will never be carried out.

    Args:
        why: in words.
    """


@dataclass(frozen=True, slots=True)
class _Try:
    """The last try to carry out an order.

    Attributes:
        times: how many there were in a row.
        due: monotonic seconds from which there may be another one.
    """

    times: int
    due: float


class Orders:
    """See the module.

    Args:
        client: looks and writes.
        mirror: knows the namespaces of projects, and learns of what is written.
        cluster: uuid of the cluster.
        clock: for waits.
        changed: called with the id of an order that has an outcome.
        chance: spreads waits.
    """

    def __init__(
        self,
        client: ApiClient,
        mirror: Mirror,
        cluster: str,
        clock: Clock,
        changed: Callable[[str], None],
        chance: Random,
    ) -> None:
        self._client = client
        self._mirror = mirror
        self._cluster = cluster
        self._clock = clock
        self._changed = changed
        self._chance = chance
        self._orders: dict[str, Order] = {}
        self._outcomes: dict[str, ReportedOrder] = {}
        self._tries: dict[str, _Try] = {}
        self._due = asyncio.Event()

    def want(self, orders: Sequence[Order]) -> None:
        """Learn what there is to be done; what became of what nobody orders any more is forgotten."""
        self._orders = {order.id: order for order in orders}
        for kept in (self._outcomes, self._tries):
            for each in [each for each in kept if each not in self._orders]:
                del kept[each]
        for order in orders:
            outcome = self._outcomes.get(order.id)
            if outcome is not None and outcome.number != order.number:
                del self._outcomes[order.id]
        self._due.set()

    def heard(self, old: Project | None, new: Project | None) -> None:
        """Learn of a change of a project, whose namespace orders may wait for: a listener of its cache."""
        if new is not None and (old is None or old.status.namespace != new.status.namespace):
            waiting = [each.id for each in self._orders.values() if each.project == new.metadata.name]
            for each in waiting:
                self._tries.pop(each, None)
            if waiting:
                self._due.set()

    def there(self) -> Sequence[str]:
        """The ids of the orders that have an outcome."""
        return list(self._outcomes)

    def look(self, order_id: str) -> ReportedOrder | None:
        """What became of an order; None: nothing yet, or nobody asks any more."""
        return self._outcomes.get(order_id)

    async def run(self) -> NoReturn:
        """Carry orders out, until cancelled."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._due.wait(), self._until_due())
            self._due.clear()
            now = self._clock.monotonic()
            some = asyncio.Semaphore(_AT_ONCE)
            async with asyncio.TaskGroup() as group:
                for order in self._open():
                    if self._tries.get(order.id, _Try(0, 0)).due <= now:
                        group.create_task(self._try(order, some))

    def _open(self) -> list[Order]:
        return [order for order in self._orders.values() if order.id not in self._outcomes]

    def _until_due(self) -> float | None:
        due = [self._tries[order.id].due for order in self._open() if order.id in self._tries]
        return max(0.0, min(due) - self._clock.monotonic()) if due else None

    async def _try(self, order: Order, some: asyncio.Semaphore) -> None:
        async with some:
            if self._orders.get(order.id) != order:  # another one has taken its place
                return
            try:
                is_done = await self._carry_out(order)
            except _Final as end:
                self._settle(order, "Refused", str(end))
            except ApiProblem as problem:
                if isinstance(problem, _FOR_GOOD) and not problem.has_cause(_GOING):
                    self._settle(order, "Refused", problem.message)
                else:
                    self._later(order, problem)
            else:
                if is_done:
                    self._settle(order, "Done")
                else:
                    self._later(order)

    def _settle(self, order: Order, outcome: Outcome, message: str = "") -> None:
        self._tries.pop(order.id, None)
        if self._orders.get(order.id) != order:
            self._due.set()
            return
        said = ReportedOrder(name=order.id, number=order.number, outcome=outcome, message=message[:_LONGEST])
        self._outcomes[order.id] = said
        self._changed(order.id)

    def _later(self, order: Order, problem: ApiProblem | None = None) -> None:
        times = self._tries.get(order.id, _Try(0, 0)).times + 1
        least = 0.0 if problem is None else problem.retry_after_seconds
        wait = max(_PATIENCE.seconds(times, self._chance), least)
        self._tries[order.id] = _Try(times, self._clock.monotonic() + wait)
        if problem is not None and times == 1:
            _log.warning("an order of the control plane waits", verb=order.verb, order=order.id, problem=str(problem))

    # What is done

    async def _carry_out(self, order: Order) -> bool:
        """Carry out an order, if it was not done before; whether it is done.

        Raises:
            ApiProblem: the API server refuses, or does not answer.
            _Final: it can never be done.
        """
        namespace = order.namespace or self._namespace_of(order.project)
        if namespace is None:
            return False
        there = await self._get(order, namespace)
        is_its = there is not None and there["metadata"].get("labels", {}).get(names.SUBMISSION_LABEL) == order.id
        if order.verb == "create":
            if there is None:
                await self._create(order, namespace)
                return True
            if not is_its:
                raise _Final(f"there is already a {order.kind} called {order.name} in the namespace {namespace}")
            assert order.workload is not None
            await self._set_active(order, there, is_active=_is_active(order.workload.spec))
        elif there is None or not is_its:
            pass  # somebody deleted it, and it stays so
        elif order.verb == "delete":
            await self._delete(order, there)
        else:
            await self._set_active(order, there, is_active=order.verb == "resume")
        return True

    def _namespace_of(self, project: str) -> str | None:
        held = self._mirror.projects.get(Key("", project))
        return None if held is None else held.status.namespace

    async def _get(self, order: Order, namespace: str) -> dict[str, Any] | None:
        """The workload of the order's name, as the API server has it now; None: there is none."""
        try:
            return (await self._client.get(WORKLOADS[order.kind], namespace, order.name)).json()
        except NotFound:
            return None

    async def _create(self, order: Order, namespace: str) -> None:
        assert order.workload is not None
        resource = WORKLOADS[order.kind]
        answer = await self._client.create(
            resource,
            _manifest(order, self._cluster, resource.api_version),
            namespace=namespace,
            field_manager=names.CONTROL_PLANE_MANAGER,
        )
        self._learn(order, answer.json())

    async def _set_active(self, order: Order, there: dict[str, Any], *, is_active: bool) -> None:
        if there["kind"] not in ("TrainingWorkload", "InteractiveWorkload") or _is_active(there["spec"]) == is_active:
            return
        metadata = there["metadata"]
        patch = {"metadata": {"uid": metadata["uid"]}, "spec": {"active": {"value": is_active}}}
        answer = await self._client.merge_patch(
            WORKLOADS[order.kind],
            metadata["namespace"],
            metadata["name"],
            patch,
            field_manager=names.CONTROL_PLANE_MANAGER,
        )
        self._learn(order, answer.json())

    async def _delete(self, order: Order, there: dict[str, Any]) -> None:
        metadata = there["metadata"]
        with suppress(NotFound):
            await self._client.delete(
                WORKLOADS[order.kind], metadata["namespace"], metadata["name"], uid=metadata["uid"]
            )

    def _learn(self, order: Order, answer: dict[str, Any]) -> None:
        """Have the workload told of before what became of the order."""
        read: Workload = _MODELS[order.kind].model_validate(answer)
        self._mirror.workloads.put(read)


def _is_active(spec: dict[str, Any]) -> bool:
    return spec.get("active", {}).get("value") is not False


def _manifest(order: Order, cluster: str, api_version: str) -> dict[str, Any]:
    """The custom resource to be made."""
    made = order.workload
    assert made is not None
    labels = {names.CONTROL_PLANE_LABEL: cluster, names.SUBMISSION_LABEL: order.id}
    if made.priority_class is not None:
        labels[names.PRIORITY_CLASS_LABEL] = made.priority_class
    manifest: dict[str, Any] = {
        "apiVersion": api_version,
        "kind": order.kind,
        "metadata": {
            "name": order.name,
            "labels": labels,
            "annotations": {names.USER_ANNOTATION: made.submitted_by},
        },
        "spec": made.spec,
    }
    return manifest if made.master_spec is None else {**manifest, "masterSpec": made.master_spec}
