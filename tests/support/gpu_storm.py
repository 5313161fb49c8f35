"""A storm of pods with whole GPUs and parts of them: what is done, and what must be true of the cluster meanwhile.

    plan(seed) ─▶ batches of steps ─▶ carried out ─▶ Snapshot: never more held of a card than there is
                                                └──▶ settled: nobody waits who has room, no card is held for nobody

A storm comes of its seed alone. A snapshot is one list of all pods, so that what it says was so at one moment. It knows
nothing of Aliquot but its annotations: what a pod asks for is in them, and so is what it has been given.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from tests.support.arena import Arena
from tests.support.laws import BrokenLawError

GPU: Final = "nvidia.com/gpu"
RESERVATIONS: Final = "runai-reservation"
SHARED: Final = "aliquot.dev/shared-gpus"
DEVICES: Final = "aliquot.dev/gpu-ids"
_PORTION: Final = "aliquot.dev/gpu-portion"
_ENDED: Final = ("Succeeded", "Failed")
_REFUSED: Final = "UnexpectedAdmissionError"
"""Of a pod whose kubelet has found no device for it, as when the device plugin was not there yet."""
SETTLING_SECONDS: Final = 300.0
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_CROWDED: Final = 1.4
"""How many times the GPUs that there are may be asked for at once: so that some wait, and not most."""


@dataclass(frozen=True)
class Ask:
    """What a pod asks for.

    Attributes:
        gpu: whole GPUs or a fraction, as written in a workload; None: memory.
        memory_mib: memory of one GPU.
        devices: of how many GPUs it wants such a part.
    """

    gpu: str | None = None
    memory_mib: int = 0
    devices: int = 1

    def parameters(self) -> dict[str, Any]:
        """Of a workload."""
        found: dict[str, Any] = {"gpu": self.gpu}
        if self.memory_mib:
            found["gpuMemory"] = f"{self.memory_mib}Mi"
        if self.devices > 1:
            found["gpuDevices"] = self.devices
        return found

    def gpus(self, card_mib: int) -> float:
        """How many GPUs it is worth, about."""
        return (float(self.gpu) if self.gpu else self.memory_mib / card_mib) * self.devices


ASKS: Final = (
    *(Ask("1"),) * 2,
    Ask("2"),
    *(Ask("0.5"),) * 4,
    *(Ask("0.33"),) * 3,
    Ask("0.9"),
    Ask("0.25", devices=2),
    *(Ask(memory_mib=20_000),) * 2,
    Ask(memory_mib=7_777),
    Ask(memory_mib=40_000, devices=2),
)
"""Each is as likely as any other."""


@dataclass(frozen=True)
class Submit:
    """A workload comes."""

    name: str
    ask: Ask
    pods: int


@dataclass(frozen=True)
class Delete:
    """A workload goes, whatever it is doing."""

    name: str


@dataclass(frozen=True)
class Kill:
    """One pod of a workload is deleted by hand; another one comes in its place."""

    name: str


Step = Submit | Delete | Kill
Card = tuple[str, str]
"""A node, and what its device plugin calls one of its GPUs."""


def plan(seed: int, steps: int, *, gpus: int, card_mib: int, most_pods: int = 3) -> list[Step]:
    """Make up a storm.

    Args:
        seed: the same storm for the same seed.
        steps: how many.
        gpus: how many there are.
        card_mib: memory of each.
        most_pods: of one workload.
    """
    lots, there, made = random.Random(seed), dict[str, float](), list[Step]()
    for number in range(steps):
        crowded = sum(there.values()) > _CROWDED * gpus
        what = lots.random()
        if there and (crowded or what < 0.3):
            made.append(Delete(lots.choice(sorted(there))))
            del there[made[-1].name]
        elif there and what < 0.4:
            made.append(Kill(lots.choice(sorted(there))))
        else:
            step = Submit(f"w{number}", lots.choice(ASKS), lots.randint(1, most_pods))
            there[step.name] = step.ask.gpus(card_mib) * step.pods
            made.append(step)
    return made


def batches(steps: Sequence[Step], size: int) -> Iterator[Sequence[Step]]:
    """The steps, so many at a time."""
    return (steps[start : start + size] for start in range(0, len(steps), size))


@dataclass
class Snapshot:
    """The pods of one moment that matter to some nodes.

    Args:
        pods: all pods that there are.
        gpus: how many each of the nodes has.
        units: how much memory each GPU has that can be given away, in MiB.
        namespace: that of the storm.

    Attributes:
        workers: pods of the storm, but those in `refused`.
        refused: pods of the storm that a kubelet has refused: each stays, as the failed pods of a Job do, beside the
            one in its place.
        reservations: pods that keep cards for others.
    """

    pods: Sequence[Mapping[str, Any]]
    gpus: Mapping[str, int]
    units: int
    namespace: str
    workers: list[Mapping[str, Any]] = field(init=False)
    refused: list[Mapping[str, Any]] = field(init=False)
    reservations: list[Mapping[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        ours = [pod for pod in self.pods if pod["metadata"]["namespace"] == self.namespace]
        self.refused = [pod for pod in ours if pod["status"].get("reason") == _REFUSED]
        self.workers = [pod for pod in ours if pod["status"].get("reason") != _REFUSED]
        self.reservations = [
            pod
            for pod in self.pods
            if pod["metadata"]["namespace"] == RESERVATIONS and pod["spec"]["nodeName"] in self.gpus
        ]

    # Never

    def wrong(self) -> list[str]:
        """What must never be: more held of a card than it has, all of it by two, or parts of it that nobody keeps.

        A kubelet gives a card of a pod that was to end to another one a moment before it tells that it has ended.
        """
        parts, owners = defaultdict[Card, int](int), defaultdict[Card, list[str]](list)
        for pod in filter(_holds, (*self.workers, *self.reservations)):
            for card in _given(pod) if _stays(pod) else ():
                owners[card].append(_name(pod))
            for card in _shared(pod):
                parts[card] += self._part(pod)
        kept = {card for pod in self.reservations if _stays(pod) for card in _given(pod)}
        return [
            *(f"{card} is given to {', '.join(who)}" for card, who in owners.items() if len(who) > 1),
            *(f"of {card} are held {held} MiB, of {self.units}" for card, held in parts.items() if held > self.units),
            *(f"of {card} there are parts, and nobody keeps it: {self._about(card)}" for card in parts.keys() - kept),
        ]

    def _about(self, card: Card) -> str:
        """Who has to do with a card, for people."""
        named = set(_shared_ids(self.workers, card))
        of_it = [pod for pod in self.workers if card in _shared(pod)]
        of_it += [pod for pod in self.reservations if _annotations(pod).get(SHARED) in named or card in _given(pod)]
        return ", ".join(f"{_name(pod)} {_in_short(pod)}" for pod in of_it)

    # In the end

    def shortly(self) -> list[str]:
        """The pods of the workloads, each in a line."""
        return [f"{_name(pod)} {_in_short(pod)}" for pod in (*self.workers, *self.refused)]

    def unsettled(self) -> list[str]:
        """What is still to come: pods that start or stop, cards that are held for nobody, who waits and has room."""
        found = [f"{_name(pod)} {state}" for pod in (*self.workers, *self.reservations) if (state := _moving(pod))]
        shared = {card for pod in self._running() for card in _shared(pod)}
        found += [
            f"{_name(pod)} keeps a card for nobody" for pod in self.reservations if shared.isdisjoint(_given(pod))
        ]
        return found or [f"{_name(pod)} waits, and has room" for pod in self._waiting() if self._has_room(pod)]

    def _has_room(self, pod: Mapping[str, Any]) -> bool:
        return any(self._fits(pod, node) for node in self.gpus)

    def _fits(self, pod: Mapping[str, Any], node: str) -> bool:
        parts, free = defaultdict[Card, int](int), self.gpus[node]
        for other in self._running():
            if other["spec"]["nodeName"] == node:
                free -= _asked_whole(other)
                for card in _shared(other):
                    parts[card] += self._part(other)
        free -= len(parts)
        if whole := _asked_whole(pod):
            return whole <= free
        need = self._part(pod)
        return free + sum(held + need <= self.units for held in parts.values()) >= _asked_devices(pod)

    def _part(self, pod: Mapping[str, Any]) -> int:
        """What a pod has, or asks for, of each of its GPUs; MiB."""
        annotations = _annotations(pod)
        if memory := annotations.get("gpu-memory"):
            return int(memory)
        return round(float(annotations["gpu-fraction"]) * 100) * self.units // 100

    def _running(self) -> Iterable[Mapping[str, Any]]:
        return (pod for pod in self.workers if _holds(pod))

    def _waiting(self) -> Iterable[Mapping[str, Any]]:
        return (pod for pod in self.workers if not pod["spec"].get("nodeName"))


def expected_inside(pod: Mapping[str, Any]) -> dict[str, set[str]]:
    """What a pod's container has to see, by variable: the record on the pod, or what its kubelet says it was given."""
    portion = _annotations(pod).get(_PORTION)
    devices = {device for _, device in (*_shared(pod), *_given(pod))}
    return {"NVIDIA_VISIBLE_DEVICES": devices, **({"GPU_PORTION": {portion}} if portion else {})}


def _shared(pod: Mapping[str, Any]) -> list[Card]:
    """The cards that a pod has parts of, as is written on it."""
    return [(pod["spec"]["nodeName"], device) for device in _annotations(pod).get(DEVICES, "").split(",") if device]


def _given(pod: Mapping[str, Any]) -> list[Card]:
    """The cards that its kubelet gave it, as it says."""
    return [
        (pod["spec"]["nodeName"], device["resourceID"])
        for container in pod["status"].get("containerStatuses") or ()
        for resource in container.get("allocatedResourcesStatus") or ()
        if resource["name"] == GPU
        for device in resource["resources"]
    ]


def _shared_ids(pods: Iterable[Mapping[str, Any]], card: Card) -> Iterator[str]:
    """What the scheduler calls a card, as is written on the pods that have parts of it."""
    for pod in pods:
        for each, gpu in zip(_shared(pod), _annotations(pod).get(SHARED, "").split(","), strict=False):
            if each == card:
                yield gpu


def _in_short(pod: Mapping[str, Any]) -> str:
    metadata, status = pod["metadata"], pod["status"]
    shown = {
        "made": metadata.get("creationTimestamp"),
        "deleted": metadata.get("deletionTimestamp"),
        "phase": status["phase"],
        "reason": status.get("reason"),
        "of": _annotations(pod).get(SHARED),
        "given": _given(pod),
        "states": [list(each["state"]) for each in status.get("containerStatuses") or ()],
        "version": metadata.get("resourceVersion"),
    }
    return str(shown)


def _annotations(pod: Mapping[str, Any]) -> Mapping[str, str]:
    return pod["metadata"].get("annotations") or {}


def _name(pod: Mapping[str, Any]) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def _asked_whole(pod: Mapping[str, Any]) -> int:
    return sum(int(each.get("resources", {}).get("limits", {}).get(GPU, 0)) for each in pod["spec"]["containers"])


def _asked_devices(pod: Mapping[str, Any]) -> int:
    return int(_annotations(pod).get("gpu-fraction-num-devices", "1"))


def _holds(pod: Mapping[str, Any]) -> bool:
    """Whether it has a node, and its kubelet has not cleared up after it."""
    return bool(pod["spec"].get("nodeName")) and pod["status"]["phase"] not in _ENDED


def _stays(pod: Mapping[str, Any]) -> bool:
    """Whether it holds what it has, and nobody has asked it to end."""
    return _holds(pod) and "deletionTimestamp" not in pod["metadata"]


def _moving(pod: Mapping[str, Any]) -> str:
    """What it is about to be something else from; empty: it runs, or waits for a node."""
    if "deletionTimestamp" in pod["metadata"]:
        return "is being deleted"
    phase = pod["status"]["phase"]
    return "" if phase == "Running" or (phase == "Pending" and not pod["spec"].get("nodeName")) else f"is {phase}"


class Storm:
    """Carries a storm out, one batch after another, and looks all the time.

    Args:
        arena: where.
        namespace: of a project that may have all GPUs.
        gpus: of the nodes, how many each has.
        units: see `Snapshot`.
        given: further parameters of the workloads.
    """

    def __init__(
        self, arena: Arena, namespace: str, gpus: Mapping[str, int], units: int, given: Mapping[str, Any] = NOTHING
    ) -> None:
        self._arena = arena
        self._namespace = namespace
        self._gpus = gpus
        self._units = units
        self._given = given
        self._there: dict[str, int] = {}
        self._disturbed = False

    def begin(self, steps: Sequence[Step]) -> None:
        """Do these steps."""
        for step in steps:
            self._do(step)

    def settle(self, steps: Sequence[Step] = (), *, disturbed: bool = False) -> Snapshot:
        """Do these steps, and wait until nothing moves any more; returns how it is then.

        Args:
            steps: what to do.
            disturbed: whether something has happened after which it may be wrong for a moment, and pods be refused.

        Raises:
            BrokenLawError: something was wrong meanwhile.
            AssertionError: it does not settle.
        """
        self.begin(steps)
        self._disturbed |= disturbed
        left: list[str] = []
        seen = self.look()

        def settled() -> bool:
            nonlocal left, seen
            seen = self.look()
            wrong = seen.wrong()
            if wrong and not disturbed:
                raise BrokenLawError("\n".join(wrong))
            if seen.refused and not self._disturbed:
                raise BrokenLawError("\n".join(["kubelets have refused pods:", *seen.shortly()]))
            missing = sum(self._there.values()) - len(seen.workers)
            differs = [f"{missing} pods are missing of these:", *seen.shortly()] if missing else seen.unsettled()
            left = [*wrong, *differs]
            return not left

        try:
            self._arena.until(settled, "the storm to settle", seconds=SETTLING_SECONDS)
        except AssertionError as problem:
            problem.add_note("\n".join(["these were the last steps:", *map(str, steps), "this is left:", *left]))
            raise
        return seen

    def look(self) -> Snapshot:
        """How it is now."""
        pods: list[dict[str, Any]] = self._arena.lab.api.call("GET", "/api/v1/pods")["items"]
        return Snapshot(pods, self._gpus, self._units, self._namespace)

    def _do(self, step: Step) -> None:
        arena, namespace = self._arena, self._namespace
        match step:
            case Submit(name, ask, pods):
                many = {"completions": pods, "parallelism": pods, "backoffLimit": 100}
                arena.submit(namespace, name, **ask.parameters(), **many, **self._given)
                self._there[name] = pods
            case Delete(name):
                arena.delete(arena.path(namespace, name))
                del self._there[name]
            case Kill(name):
                for pod in arena.pods(namespace, name)[:1]:
                    arena.delete(f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}")
