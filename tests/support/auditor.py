"""An independent book-keeper: replays the API server's history and says where GPUs were given twice, or work was.

    pod created ──▶ bound: holds its GPUs ──▶ its kubelet says that it ended, or it is removed: holds them no more

It knows nothing of Aliquot but its labels and annotations. Pods that hold GPUs for those who have parts of them count
as any others do; beside that, these parts must not be more than the GPU is. What was written became true at some moment
between the arrival of the request and the end of its answer, so a pod surely holds GPUs from the end of its binding's
answer to the arrival of what reports its end: only what is over-committed within such times is reported, so there are
no false alarms. A killed API server may have written what it did not record; that is taken from the pods that exist, or
left out of account.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from aliquot_lab import Cluster
from aliquot_lab.audit import Record
from tests.support.laws import BrokenLawError

_GPU: Final = "nvidia.com/gpu"
_RESERVATIONS: Final = "runai-reservation"
"""Where the pods are that hold GPUs for those who have parts of them."""
_FRACTION: Final = "gpu-fraction"
_DEVICES: Final = "aliquot.dev/gpu-ids"
_INDEX: Final = "aliquot.dev/pod-index"
_ENDED: Final = ("Succeeded", "Failed")
_FOREVER: Final = float("inf")
_COARSE_SECONDS: Final = 1.0
"""Times in objects are cut to whole seconds."""


@dataclass
class Life:
    """What is known of one pod; times in Unix seconds.

    Attributes:
        name: namespace and name; another pod may have them later.
        uid: empty until its binding or its object tells.
        work: which completion of which workload it works on; empty: no workload's.
        gpus: how many it was made to hold.
        percent: what it was made to hold of each device that it was given a part of, in hundredths.
        devices: those devices.
        created: when it surely existed.
        bindings: where it was bound, and when it surely was.
        seen: when it surely had not ended yet.
        until: from when on it may have ended, or be gone; None: nobody told.
        asked_to_end: from when on its deletion may have been under way; None: nobody asked.
        succeeded: when it surely had ended well; None: it has not.
        story: what was written about it, in the order of arrival, for people.
    """

    name: str
    uid: str = ""
    work: str = ""
    gpus: int = 0
    percent: int = 0
    devices: tuple[str, ...] = ()
    created: float = 0.0
    bindings: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    seen: float = 0.0
    until: float | None = None
    asked_to_end: float | None = None
    succeeded: float | None = None
    story: list[str] = field(default_factory=list[str], repr=False, compare=False)

    @property
    def end(self) -> float:
        """Until when it was surely alive."""
        return _FOREVER if self.until is None else self.until

    @property
    def done(self) -> bool:
        """Whether it has done its work and nobody had asked it to end before.

        What succeeds while it is being deleted is gone at once: whoever was down meanwhile never saw that it did.
        """
        return self.succeeded is not None and (self.asked_to_end is None or self.succeeded < self.asked_to_end)

    @property
    def told(self) -> str:
        """All that is known of it, on lines of their own."""
        times = f"surely from {_clock(self.bindings[0][1] if self.bindings else self.created)} to {_clock(self.end)}"
        return "\n    ".join([f"  {self.name} {self.uid} {times}", *self.story])

    def may_have_ended(self, time: float) -> None:
        """Note that it may have ended at a time."""
        self.until = min(self.end, time)


_Change = tuple[float, int, Life]
"""When, how much more or less is held, and by whom."""


def _clock(time: float) -> str:
    return "the end" if time == _FOREVER else str(datetime.fromtimestamp(time, UTC).time())


def _moments_over(most: int, changes: Iterable[_Change]) -> Iterable[tuple[str, str]]:
    """The moments at which more is held than there is, and by whom. At one moment what ends goes first."""
    holders: list[tuple[Life, int]] = []
    for time, change, life in sorted(changes, key=lambda change: change[:2]):
        if change < 0:
            holders.remove((life, -change))
            continue
        holders.append((life, change))
        if sum(held for _, held in holders) > most:
            who = ", ".join(f"{holder.name} ({held})" for holder, held in holders)
            yield _clock(time), "\n".join([who, *(holder.told for holder, _ in holders)])


class Books:
    """The lives of all pods.

    Args:
        history: all writes, in any order.
        present: the pods that exist.
    """

    def __init__(self, history: Iterable[Record], present: Sequence[Mapping[str, Any]] = ()) -> None:
        self.lives: list[Life] = []
        self._newest: dict[str, Life] = {}
        carried_out = [record for record in history if record.resource == "pods" and 200 <= record.code < 300]
        for record in sorted(carried_out, key=lambda record: record.received):
            self._enter(record)
        there = {self._compare(pod).uid for pod in present}
        for life in self.lives:
            # Gone without a word: its end was written by an API server that was killed before it could say so.
            if life.until is None and life.uid not in there:
                life.until = life.seen

    def violations(self, gpus: Mapping[str, int]) -> list[str]:
        """What must not have happened, in words.

        Args:
            gpus: how many each node has, by name; nodes that are not in it are not looked at.
        """
        return [*self._bound_twice(), *self._over_committed(gpus), *self._shared_too_far(), *self._worked_twice()]

    # What happened

    def _enter(self, record: Record) -> None:
        body = record.request or {}
        name = f"{record.namespace}/{record.name or body.get('metadata', {}).get('name', '')}"
        match record.verb, record.subresource:
            case "create", "":
                life = self._begin(name, body, seconds(record.finished))
                if node := body["spec"].get("nodeName"):
                    life.bindings.append((node, life.created))
            case "create", "binding":
                life = self._of(name)
                life.uid = body["metadata"].get("uid", life.uid)
                life.devices = _devices(body)
                life.bindings.append((body["target"]["name"], seconds(record.finished)))
            case _, "status":
                life, phase = self._of(name), body.get("status", {}).get("phase")
                if phase in _ENDED:
                    life.may_have_ended(seconds(record.received))
                    if phase == "Succeeded":
                        life.succeeded = seconds(record.finished)
                elif phase is not None:
                    life.seen = max(life.seen, seconds(record.finished))
            case "delete", "":
                life = self._of(name)
                life.asked_to_end = min(seconds(record.received), life.asked_to_end or _FOREVER)
                # A pod that is bound is only asked to end; its kubelet tells when it has.
                if body.get("gracePeriodSeconds") == 0 or not life.bindings:
                    life.may_have_ended(seconds(record.received))
            case "deletecollection", "":
                for each in self._newest.values():
                    if each.name.startswith(name):
                        each.asked_to_end = min(seconds(record.received), each.asked_to_end or _FOREVER)
                        each.story.append(_in_short(record))
                return
            case _:
                life = self._newest.get(name)
        if life is not None:
            life.story.append(_in_short(record))

    def _begin(self, name: str, pod: Mapping[str, Any], created: float) -> Life:
        life = Life(name, pod["metadata"].get("uid", ""), _work(pod), _gpus(pod), _percent(pod), created=created)
        self.lives.append(life)
        self._newest[name] = life
        return life

    def _of(self, name: str) -> Life:
        """The pod of that name as of now; one whose creation was not recorded begins here."""
        if name not in self._newest:
            self.lives.append(Life(name))
            self._newest[name] = self.lives[-1]
        return self._newest[name]

    def _compare(self, pod: Mapping[str, Any]) -> Life:
        """Complete what is known of a pod that exists by what it says itself."""
        metadata, status = pod["metadata"], pod.get("status", {})
        name = f"{metadata['namespace']}/{metadata['name']}"
        created = seconds(metadata["creationTimestamp"])
        life = self._newest.get(name)
        if life is None or life.uid not in ("", metadata["uid"]) or life.end < created:
            life = self._begin(name, pod, created + _COARSE_SECONDS)
        life.uid, life.work, life.gpus, life.percent = metadata["uid"], _work(pod), _gpus(pod), _percent(pod)
        life.devices = _devices(pod)
        if (node := pod["spec"].get("nodeName")) and not life.bindings:
            life.bindings.append((node, _bound(pod) + _COARSE_SECONDS))
        if status.get("phase") in _ENDED:
            life.may_have_ended(_finished(pod))
            if status["phase"] == "Succeeded" and life.succeeded is None:
                life.succeeded = _finished(pod) + _COARSE_SECONDS
        return life

    # What must not have happened

    def _bound_twice(self) -> Iterable[str]:
        for life in self.lives:
            if len(life.bindings) > 1:
                yield f"{life.name} was bound {len(life.bindings)} times: {life.bindings}"

    def _over_committed(self, gpus: Mapping[str, int]) -> Iterable[str]:
        changes: dict[str, list[_Change]] = defaultdict(list)
        for life in self.lives:
            for node, bound in life.bindings[:1]:
                if life.gpus and bound < life.end:
                    changes[node] += [(bound, life.gpus, life), (life.end, -life.gpus, life)]
        for node in changes.keys() & gpus.keys():
            for moment, held in _moments_over(gpus[node], changes[node]):
                yield f"{node} has {gpus[node]} GPUs; at {moment} they were held by {held}"

    def _shared_too_far(self) -> Iterable[str]:
        changes: dict[tuple[str, str], list[_Change]] = defaultdict(list)
        for life in self.lives:
            for node, bound in life.bindings[:1]:
                for device in life.devices if bound < life.end else ():
                    changes[node, device] += [(bound, life.percent, life), (life.end, -life.percent, life)]
        for (node, device), of_it in changes.items():
            for moment, held in _moments_over(100, of_it):
                yield f"{device} of {node} was held to more than 100 % at {moment} by {held}"

    def _worked_twice(self) -> Iterable[str]:
        by_work: dict[str, list[Life]] = defaultdict(list)
        for life in self.lives:
            if life.work:
                by_work[life.work].append(life)
        for lives in by_work.values():
            before: Life | None = None
            for life in sorted(lives, key=lambda life: life.created):
                if before is not None and life.created < before.end:
                    yield (
                        f"{life.name} was made while {before.name} lived, for the same work\n{before.told}\n{life.told}"
                    )
                if before is None or before.end < life.end:
                    before = life
            done = [
                f"{life.name} (deleted: {life.asked_to_end}, done: {life.succeeded})" for life in lives if life.done
            ]
            if len(done) > 1:
                yield f"the same work was done {len(done)} times, by {', '.join(done)}"


def check(cluster: Cluster, about: str = "", since: float = 0.0) -> Books:
    """Look through the history of a lab.

    Args:
        cluster: a lab that keeps one.
        about: a part of the names of the namespaces that are looked at.
        since: Unix seconds; what was before is left out, such as that of a node that had other GPUs then.

    Raises:
        BrokenLawError: something happened that must not; the message says what.
    """
    # The history first: it then tells of no pod that is missing among those present.
    history = [
        record
        for record in cluster.audit()
        if (about in record.namespace or record.namespace == _RESERVATIONS)
        and datetime.fromisoformat(record.received).timestamp() >= since
    ]
    pods: list[dict[str, Any]] = cluster.api.call("GET", "/api/v1/pods")["items"]
    present = [
        pod for pod in pods if about in pod["metadata"]["namespace"] or pod["metadata"]["namespace"] == _RESERVATIONS
    ]
    books = Books(history, present)
    gpus = {
        node["metadata"]["name"]: int(node["status"]["allocatable"].get(_GPU, 0))
        for node in cluster.api.call("GET", "/api/v1/nodes")["items"]
    }
    found = books.violations(gpus)
    if found:
        raise BrokenLawError("\n".join(found))
    return books


def seconds(time: str) -> float:
    """Unix seconds of an RFC 3339 time."""
    return datetime.fromisoformat(time).timestamp()


def _in_short(record: Record) -> str:
    body = record.request or {}
    about = {"uid": body.get("metadata", {}).get("uid"), "phase": body.get("status", {}).get("phase")}
    states = [list(each.get("state", ())) for each in body.get("status", {}).get("containerStatuses") or ()]
    about |= {"states": states or None, "grace": body.get("gracePeriodSeconds")}
    what = " ".join(f"{key} {value}" for key, value in about.items() if value is not None)
    times = f"{record.received} to {record.finished.rpartition('T')[2]}"
    return f"{times} {record.verb} {record.subresource or 'pod'} by {record.user}: {record.code} {what}"


def _work(pod: Mapping[str, Any]) -> str:
    metadata: dict[str, Any] = pod["metadata"]
    labels: dict[str, str] = metadata.get("labels") or {}
    references: list[dict[str, Any]] = metadata.get("ownerReferences") or []
    owners: list[str] = [reference["uid"] for reference in references if reference.get("controller")]
    return f"{owners[0]} {labels[_INDEX]}" if owners and _INDEX in labels else ""


def _gpus(pod: Mapping[str, Any]) -> int:
    containers: list[dict[str, Any]] = pod["spec"]["containers"]
    limits: list[dict[str, str]] = [container.get("resources", {}).get("limits") or {} for container in containers]
    return sum(int(limit.get(_GPU, 0)) for limit in limits)


def _percent(pod: Mapping[str, Any]) -> int:
    annotations: dict[str, str] = pod["metadata"].get("annotations") or {}
    return round(float(annotations.get(_FRACTION, "0")) * 100)


def _devices(described: Mapping[str, Any]) -> tuple[str, ...]:
    """The devices that a pod has parts of, as it or its binding says."""
    annotations: dict[str, str] = described["metadata"].get("annotations") or {}
    return tuple(device for device in annotations.get(_DEVICES, "").split(",") if device)


def _bound(pod: Mapping[str, Any]) -> float:
    times = [
        condition["lastTransitionTime"]
        for condition in pod["status"].get("conditions") or ()
        if condition["type"] == "PodScheduled" and condition["status"] == "True"
    ]
    return seconds(times[0]) if times else _FOREVER


def _finished(pod: Mapping[str, Any]) -> float:
    """When it may have ended at the earliest."""
    ends = [
        seconds(status["state"]["terminated"]["finishedAt"])
        for status in pod["status"].get("containerStatuses") or ()
        if status["state"].get("terminated", {}).get("finishedAt")
    ]
    return max(ends, default=seconds(pod["metadata"]["creationTimestamp"]))
