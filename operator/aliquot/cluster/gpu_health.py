"""GPUs that agents of nodes say cannot be used: which pods have them, who is told, and who is moved.

    node (annotation, devices offered) ─┐
    pods (devices that they hold) ──────┴─▶ Broken ─▶ feed: the node as it counts     ─▶ cards: no part of it is given
                                              └────▶ `Movers`: pods are told, and moved where that may be

All of it follows from what nodes and pods say: a process that starts again knows it from them.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Literal

from aliquot import log
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror, key_of
from aliquot.cluster.work import Task
from aliquot.contracts.agent_reports import DeviceTrouble
from aliquot.contracts.kubernetes import Node, Pod
from aliquot.core.intake import (
    ALL_WELL,
    NOT_BELIEVED,
    InTrouble,
    PodFacts,
    gpus_held,
    health_problem,
    is_ours,
    state_of,
    still_offered,
    trouble_in_words,
    troubles_of,
)

Policy = Literal["off", "report", "move"]
Troubles = Mapping[str, DeviceTrouble]
_log = log.get(__name__)
_NONE: Final[Troubles] = MappingProxyType({})
_NO_GPUS: Final[Mapping[str, str]] = MappingProxyType({})


class Broken:
    """Knows the GPUs that cannot be used, and who holds them; `start` once the mirror is filled, before all others.

    Args:
        mirror: knows nodes and pods.
        policy: what is done about them; `off`: nobody believes the agents.

    Attributes:
        listeners: told the name of each node of which something of this has changed.
    """

    def __init__(self, mirror: Mirror, policy: Policy) -> None:
        self.listeners: list[Callable[[str], None]] = []
        self._mirror = mirror
        self._policy = policy
        self._held: dict[str, dict[str, Mapping[str, str]]] = {}
        self._troubles: dict[str, tuple[Troubles, bool]] = {}

    def start(self) -> None:
        """Learn of what is there, then of every change."""
        for node in self._mirror.nodes:
            self._node_changed(None, node)
        for pod in self._mirror.pods:
            self._pod_changed(None, pod)
        self._mirror.listeners.node.append(self._node_changed)
        self._mirror.listeners.pod.append(self._pod_changed)

    @property
    def nodes(self) -> list[str]:
        """Names of the nodes that have such GPUs, sorted."""
        return sorted(self._troubles)

    def troubles(self, node: str) -> Troubles:
        """The node's GPUs that cannot be used, by the device plugin's names."""
        return self._troubles.get(node, (_NONE, False))[0]

    def still_offered(self, node: str) -> bool:
        """Whether the node's device plugin gives them to pods nevertheless."""
        return self._troubles.get(node, (_NONE, False))[1]

    def holders(self, node: str) -> list[str]:
        """Uids of all pods that hold GPUs of the node, sorted."""
        return sorted(self._held.get(node, ()))

    def of_pod(self, pod: Pod) -> Troubles:
        """Those of the GPUs that the pod holds."""
        troubles = self.troubles(pod.spec.node_name)
        if not troubles:
            return _NONE
        held = self._held.get(pod.spec.node_name, {}).get(pod.metadata.uid, _NO_GPUS)
        return {device: trouble for device, trouble in troubles.items() if device in held}

    def on_node(self, node: str) -> InTrouble:
        """What pods have of them."""
        if self._policy == "off":
            return NOT_BELIEVED
        troubles = self.troubles(node)
        if not troubles:
            return ALL_WELL
        held = [pair for each in self._held.get(node, {}).values() for pair in each.items() if pair[0] in troubles]
        return InTrouble(frozenset(device for device, _ in held), frozenset(gpu for _, gpu in held if gpu))

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        node = new or old
        assert node is not None
        name = node.metadata.name
        before = self._troubles.get(name, (_NONE, False))
        believed = new is not None and self._policy != "off"
        now = (troubles_of(node), still_offered(node)) if believed else (_NONE, False)
        if now == before:
            return
        if now[0]:
            self._troubles[name] = now
        else:
            self._troubles.pop(name, None)
        for tell in self.listeners:
            tell(name)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        assert pod is not None
        uid, touched = pod.metadata.uid, set[str]()
        if old is not None and old.spec.node_name:
            there = self._held.get(old.spec.node_name, {})
            if uid in there and (new is None or _held_by(new) != there[uid]):
                touched.add(old.spec.node_name)
                del there[uid]
                if not there:
                    del self._held[old.spec.node_name]
        if new is not None and (held := _held_by(new)) and uid not in self._held.get(new.spec.node_name, {}):
            self._held.setdefault(new.spec.node_name, {})[uid] = held
            touched.add(new.spec.node_name)
        for name in sorted(touched & self._troubles.keys()):
            for tell in self.listeners:
                tell(name)


def _held_by(pod: Pod) -> Mapping[str, str]:
    return gpus_held(pod) if pod.spec.node_name and state_of(pod).uses_node else _NO_GPUS


class Movers:
    """Has pods told that their GPUs cannot be used, and moves those that may be; `start` after `Broken`.

    Moved are pods that we schedule, that are preemptible, and that somebody makes anew: their next pod starts
    elsewhere, and that costs no retry. A pod that got its node when the GPU was known to be broken already is left
    there as long as the device plugin gives it such GPUs: it would be moved for ever.

    Args:
        broken: knows the GPUs.
        mirror: knows the pods.
        policy: what is done.
        facts_of: what a pod says of its job.
        add: takes pods whose conditions are to be looked at.
        withdraw: takes a pod that is to be moved, and why.
        tell: takes a node with what is wrong with its GPUs, each time that this is news.
    """

    def __init__(
        self,
        broken: Broken,
        mirror: Mirror,
        policy: Policy,
        facts_of: Callable[[Pod], PodFacts],
        add: Callable[[Task, Key], None],
        withdraw: Callable[[Pod, str], None],
        tell: Callable[[Node, str], None],
    ) -> None:
        self._broken = broken
        self._mirror = mirror
        self._policy = policy
        self._facts_of = facts_of
        self._add = add
        self._withdraw = withdraw
        self._tell = tell
        self._told: dict[str, str] = {}

    def start(self) -> None:
        """Look at what is there, then at every change."""
        for name in self._broken.nodes:
            self._look_at(name)
        self._broken.listeners.append(self._look_at)

    def why(self, pod: Pod) -> str:
        """What of the pod's GPUs cannot be used, as a sentence; empty: all can."""
        troubles = self._broken.of_pod(pod)
        return trouble_in_words(pod.spec.node_name, troubles) if troubles else ""

    def _look_at(self, name: str) -> None:
        self._announce(name)
        for uid in self._broken.holders(name):
            if (pod := self._mirror.pod(uid)) is None:
                continue
            self._add(Task.POD_CONDITIONS, key_of(pod))
            if self._policy == "move" and self._is_to_move(pod):
                why = self.why(pod)
                _log.warning("a pod is moved off a GPU that cannot be used", pod=str(key_of(pod)), why=why)
                self._withdraw(pod, f"stopped, to start again elsewhere: {why}")

    def _announce(self, name: str) -> None:
        node = self._mirror.nodes.get(Key("", name))
        text = health_problem(node) if node is not None and self._broken.troubles(name) else ""
        if node is not None and text and text != self._told.get(name):
            self._tell(node, text)
        if text:
            self._told[name] = text
        else:
            self._told.pop(name, None)

    def _is_to_move(self, pod: Pod) -> bool:
        troubles = self._broken.of_pod(pod)
        comes_back = any(owner.controller for owner in pod.metadata.owner_references)
        if not troubles or not comes_back or not is_ours(pod) or pod.metadata.deletion_timestamp is not None:
            return False
        facts = self._facts_of(pod)
        if not facts.job.preemptible or facts.started is None:
            return False
        again = self._broken.still_offered(pod.spec.node_name)
        return not again or any(facts.started <= trouble.since for trouble in troubles.values())
