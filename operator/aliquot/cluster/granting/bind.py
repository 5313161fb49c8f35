"""A grant: one POST to `pods/NAME/binding`, with the pod's uid and resource version as preconditions (design.md 4).

    decided ─▶ assumed ─▶ confirmed        the mirror shows the pod on its node
                  │
                  ├─▶ forgotten            refused: the pod is gone, changed, or taken
                  └─▶ unknown ─▶ asked     no answer: the pod is read until it is known

With parts of GPUs the binding carries which ones, as annotations; it waits until their devices are known (`cards`).

Assumptions:
- Between the decision and the echo the scheduler's state counts the grant (`Granted`).
- A refusal is forgotten only after the pod was read again: the refused request may be the repetition of one that was
  carried out although its answer was lost.
- A pod may be found bound that we never assumed: another replica's or a person's work. The pod is the record.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from aliquot import log
from aliquot.cluster.granting.cards import Cards
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.contracts.kubernetes import Pod
from aliquot.core.grants import Record, mps_annotations, whole_annotations
from aliquot.core.intake import device_memory_mib
from aliquot.core.scheduling import Bind, Granted, GrantFailed
from aliquot.core.scheduling.events import Event
from aliquot.kube.client import ApiClient
from aliquot.kube.problems import Conflict, Invalid, NotFound
from aliquot.kube.resources import PODS

_log = log.get(__name__)
_POD = msgspec.json.Decoder(Pod)
_NOTHING: Final = Record((), (), 0)


async def read_again(client: ApiClient, mirror: Mirror, pod: Pod) -> Pod | None:
    """Read the pod from the API server into the mirror; None: it is gone.

    Raises:
        ApiProblem: it is not known what the pod is now.
    """
    metadata = pod.metadata
    key = Key(metadata.namespace, metadata.name)
    try:
        answer = await client.get(PODS, metadata.namespace, metadata.name)
    except NotFound:
        mirror.pods.drop(key, metadata.uid)
        return None
    found = _POD.decode(answer.body)
    mirror.pods.put(found)
    if found.metadata.uid != metadata.uid:
        mirror.pods.drop(key, metadata.uid)
        return None
    return found


@dataclass(frozen=True, slots=True)
class _Grant:
    bind: Bind
    pod: Pod


class Granter:
    """Binds pods as rounds decided.

    Args:
        client: writes.
        mirror: knows the pods.
        cards: tells the devices of GPUs of which pods get parts.
        submit: takes events for the scheduler.
        on_bound: told of each pod once it is bound, with the decision.
    """

    def __init__(
        self,
        client: ApiClient,
        mirror: Mirror,
        cards: Cards,
        submit: Callable[[Event], None],
        on_bound: Callable[[Pod, Bind], None],
    ) -> None:
        self._client = client
        self._mirror = mirror
        self._cards = cards
        self._submit = submit
        self._on_bound = on_bound
        self._grants: dict[Key, _Grant] = {}

    def assume(self, bind: Bind, pod: Pod) -> Key:
        """Take a decision; returns the key under which `carry_out` does it."""
        key = Key(pod.metadata.namespace, pod.metadata.name)
        self._grants[key] = _Grant(bind, pod)
        self._submit(Granted(task=bind.task, node=bind.node, devices=bind.devices))
        return key

    def has(self, key: Key) -> bool:
        """Whether a grant for the pod is still to be carried out."""
        return key in self._grants

    async def carry_out(self, key: Key) -> None:
        """Bind the pod, or find out why not. Without the devices of its parts nothing is done: call again then.

        Raises:
            ApiProblem: the outcome is unknown; call again.
        """
        grant = self._grants.get(key)
        if grant is None:
            return
        pod = self._mirror.pods.get(key)
        if pod is None or pod.metadata.uid != grant.pod.metadata.uid:
            self._forget(key, grant, "the pod is gone")
            return
        if pod.spec.node_name:
            self._settle(key, grant, pod)
            return
        record = self._record(grant.bind, pod)
        if record is not None:
            await self._bind(key, grant, pod, record)
        elif why := self._cards.refusal(grant.bind.task):
            self._forget(key, grant, why)

    def _record(self, bind: Bind, pod: Pod) -> Record | None:
        """What is to be written of its parts; None: that is not known yet."""
        if not bind.devices:
            return _NOTHING
        devices = self._cards.devices(bind.devices)
        if not devices:
            return None
        percent, node = bind.gpu_percent // len(bind.devices), self._mirror.nodes.get(Key("", bind.node))
        device_mib = 0 if node is None else device_memory_mib(node.metadata.labels)
        limits = mps_annotations(pod.metadata.annotations, percent, len(bind.devices), device_mib)
        return Record(bind.devices, devices, percent, limits)

    async def _bind(self, key: Key, grant: _Grant, pod: Pod, record: Record) -> None:
        bind = grant.bind
        whole = whole_annotations() if bind.gpu_percent else None
        try:
            await self._client.bind(
                key.namespace,
                key.name,
                node=bind.node,
                uid=pod.metadata.uid,
                resource_version=pod.metadata.resource_version,
                annotations=record.annotations() if record.gpus else whole,
                labels=record.labels() if record.gpus else None,
            )
        except NotFound as problem:
            if await read_again(self._client, self._mirror, pod) is None:
                self._forget(key, grant, "the pod is gone")
            else:
                self._forget(key, grant, str(problem))
        except (Conflict, Invalid) as problem:
            found = await read_again(self._client, self._mirror, pod)
            if found is not None and found.spec.node_name:
                self._settle(key, grant, found)
            else:
                self._forget(key, grant, str(problem))
        else:
            del self._grants[key]
            self._on_bound(pod, grant.bind)

    def _settle(self, key: Key, grant: _Grant, pod: Pod) -> None:
        if pod.spec.node_name == grant.bind.node:
            del self._grants[key]
            self._on_bound(pod, grant.bind)
        else:
            self._forget(key, grant, f"it is on {pod.spec.node_name} already")

    def _forget(self, key: Key, grant: _Grant, why: str) -> None:
        _log.info("grant forgotten", pod=str(key), node=grant.bind.node, why=why)
        del self._grants[key]
        self._submit(GrantFailed(task=grant.bind.task))
