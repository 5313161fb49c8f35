"""Jobs and tasks of a document → facts. A job's id is its name, and so is a task's."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aliquot import names
from aliquot.contracts.simulation import GroupEntry, GroupTopology, JobEntry, TaskEntry
from aliquot.core.quantities import Request
from aliquot.core.scheduling.facts import Group, Job, PodSet, Task, TaskState, Toleration, Topology
from aliquot.core.simulation.affinity import affinity_of
from aliquot.core.simulation.cluster import POOL, unique
from aliquot.core.simulation.problems import Problems, at
from aliquot.core.simulation.requests import request_of

NOW: Final = 1_000_000_000.0
"""What time it is in a simulation. Only distances to it count."""
_ENDED: Final = ("Succeeded", "Failed")
_DEFAULT_POD_SET: Final = "default"


@dataclass(frozen=True, slots=True)
class Known:
    """What jobs may name.

    Attributes:
        nodes: names of the nodes.
        leaves: names of the queues without children.
        inner: names of the other queues.
        topologies: the levels of the topologies, by name.
        jobs: names of the jobs.
    """

    nodes: frozenset[str]
    leaves: frozenset[str]
    inner: frozenset[str]
    topologies: Mapping[str, tuple[str, ...]]
    jobs: frozenset[str]


def jobs_of(problems: Problems, entries: Sequence[JobEntry], known: Known) -> tuple[tuple[Job, tuple[Task, ...]], ...]:
    """The jobs, each with its tasks."""
    unique(problems, "job", ((f"jobs[{number}].name", entry.name) for number, entry in enumerate(entries)))
    named = (
        (f"jobs[{number}].tasks[{place}].name", task.name)
        for number, entry in enumerate(entries)
        for place, task in enumerate(entry.tasks)
    )
    unique(problems, "task", named)
    return tuple(_Reader(problems, known, f"jobs[{number}]", entry).read() for number, entry in enumerate(entries))


class _Reader:
    """Reads one job."""

    def __init__(self, problems: Problems, known: Known, path: str, entry: JobEntry) -> None:
        self._problems = problems
        self._known = known
        self._path = path
        self._entry = entry
        self._members = Counter(task.pod_set for task in entry.tasks)
        self._started = any(task.state in ("Bound", "Running", "Terminating") for task in entry.tasks)

    def read(self) -> tuple[Job, tuple[Task, ...]]:
        entry, problems = self._entry, self._problems
        self._check_queue()
        for number, node in enumerate(entry.promised_nodes):
            if node not in self._known.nodes:
                problems.add(at(self._path, "promisedNodes", number), node, "the name of a node")
        group, minimum = self._gang()
        preemptible = entry.preemptible
        job = Job(
            id=entry.name,
            namespace=entry.namespace,
            name=entry.name,
            queue=entry.queue,
            pools=(POOL,),
            priority=entry.priority,
            preemptible=entry.priority < names.NON_PREEMPTIBLE_FROM_PRIORITY if preemptible is None else preemptible,
            min_member=minimum,
            created=entry.created,
            group=group,
            last_started=_before(entry.last_started_seconds_ago),
            stale_since=_before(entry.stale_seconds),
            surplus_preemptible=entry.surplus_preemptible,
        )
        tasks = tuple(
            self._task(at(self._path, "tasks", number), task, group) for number, task in enumerate(entry.tasks)
        )
        return job, tasks

    def _check_queue(self) -> None:
        queue, known = self._entry.queue, self._known
        if queue is None or queue in known.leaves:
            return
        allowed = "the name of a queue without children" if queue in known.inner else "the name of one of `queues`"
        self._problems.add(at(self._path, "queue"), queue, allowed)

    # The gang

    def _gang(self) -> tuple[Group | None, int]:
        """The structure of the gang, None where there is only the default one; and its minimum."""
        entry, path = self._entry.group, at(self._path, "group")
        if entry is None:
            return None, len(self._entry.tasks)
        if not entry.pod_sets and not entry.groups:
            minimum = self._members[_DEFAULT_POD_SET]
            topology = self._topology(at(path, "topology"), entry.topology)
            return Group(entry.name, topology, (PodSet(_DEFAULT_POD_SET, minimum),)), minimum
        found = self._group(path, entry)
        sets = pod_sets_of(found)
        self._check_unique(path, found)
        minimum = sum(each.min_member for each in sets)
        plain = found == Group(pod_sets=(PodSet(_DEFAULT_POD_SET, minimum),))
        return None if plain else found, minimum

    def _check_unique(self, path: str, group: Group) -> None:
        for kind, found in (
            ("pod set", [each.name for each in pod_sets_of(group)]),
            ("group", [each.name for each in _groups_below(group)]),
        ):
            for name, count in sorted(Counter(found).items()):
                if count > 1:
                    self._problems.add(
                        path, name, f"every {kind} of a job has a name of its own; {count} have this one"
                    )

    def _group(self, path: str, entry: GroupEntry) -> Group:
        if not entry.pod_sets and not entry.groups:
            self._problems.add(path, entry.name, "a group has podSets or groups")
        for number, below in enumerate(entry.groups):
            if not below.name:
                self._problems.add(at(path, "groups", number, "name"), "", "a group within a group has a name")
        return Group(
            name=entry.name,
            topology=self._topology(at(path, "topology"), entry.topology),
            pod_sets=tuple(
                PodSet(
                    each.name,
                    self._minimum(at(path, "podSets", number, "minMember"), each.name, each.min_member),
                    self._topology(at(path, "podSets", number, "topology"), each.topology),
                )
                for number, each in enumerate(entry.pod_sets)
            ),
            groups=tuple(self._group(at(path, "groups", number), below) for number, below in enumerate(entry.groups)),
        )

    def _minimum(self, path: str, pod_set: str, written: int | None) -> int:
        there = self._members[pod_set]
        if written is None:
            return there
        if written > there and not self._started:
            self._problems.add(path, written, f"at most the number of tasks of pod set {pod_set}, which is {there}")
        return written

    def _topology(self, path: str, entry: GroupTopology | None) -> Topology | None:
        if entry is None:
            return None
        levels = self._known.topologies.get(entry.name)
        if not entry.known:
            return self._unknown(path, entry, levels)
        if levels is None:
            self._problems.add(at(path, "name"), entry.name, "the name of one of `topologies`")
            return None
        for key, level in (("required", entry.required), ("preferred", entry.preferred)):
            if level is not None and level not in levels:
                self._problems.add(at(path, key), level, f"a level of topology {entry.name}: {', '.join(levels)}")
        return Topology(levels, entry.required, entry.preferred, entry.name)

    def _unknown(self, path: str, entry: GroupTopology, levels: tuple[str, ...] | None) -> Topology:
        others = tuple(sorted(self._known.topologies)) if levels is None else ()
        topology = Topology(levels or (), entry.required, entry.preferred, entry.name, others)
        if topology.missing is None:
            self._problems.add(at(path, "known"), value=False, allowed="true: the topology has what is asked of it")
        return topology

    # Tasks

    def _task(self, path: str, entry: TaskEntry, group: Group | None) -> Task:
        problems = self._problems
        sets = [_DEFAULT_POD_SET] if group is None else [each.name for each in pod_sets_of(group)]
        if entry.pod_set not in sets:
            problems.add(at(path, "podSet"), entry.pod_set, f"a pod set of the job: {', '.join(sets)}")
        state = TaskState.ENDED if entry.state in _ENDED else TaskState(entry.state)
        self._check_node(path, entry, state)
        request = request_of(problems, at(path, "request"), entry.request)
        self._check_devices(path, entry, state, request)
        if entry.makes_room_for is not None:
            if state is not TaskState.TERMINATING:
                problems.add(at(path, "makesRoomFor"), entry.makes_room_for, f"null for a task that is {entry.state}")
            elif entry.makes_room_for not in self._known.jobs:
                problems.add(at(path, "makesRoomFor"), entry.makes_room_for, "the name of one of `jobs`")
        namespace = self._entry.namespace
        return Task(
            id=entry.name,
            job=self._entry.name,
            namespace=namespace,
            name=entry.name,
            request=request,
            state=state,
            node=entry.node,
            node_selector=entry.node_selector,
            tolerations=tuple(
                Toleration(each.key, each.operator, each.value, each.effect) for each in entry.tolerations
            ),
            created=self._entry.created if entry.created is None else entry.created,
            devices=tuple(entry.devices),
            pod_set=entry.pod_set,
            priority=entry.priority,
            affinity=affinity_of(problems, at(path, "affinity"), entry.affinity, namespace),
            labels=entry.labels,
        )

    def _check_node(self, path: str, entry: TaskEntry, state: TaskState) -> None:
        where = at(path, "node")
        if entry.node is None:
            if state.uses_node:
                self._problems.add(where, None, f"a task that is {entry.state} has a node")
        elif state in (TaskState.PENDING, TaskState.GATED):
            self._problems.add(where, entry.node, f"null: a task that is {entry.state} has no node")
        elif entry.node not in self._known.nodes:
            self._problems.add(where, entry.node, "the name of one of `nodes`")

    def _check_devices(self, path: str, entry: TaskEntry, state: TaskState, request: Request) -> None:
        where, devices = at(path, "devices"), entry.devices
        if not devices:
            return
        shown = ", ".join(devices)
        if request.part is None:
            self._problems.add(where, shown, "[]: only tasks with gpuFraction or gpuMemoryMiB hold parts of devices")
        elif len(set(devices)) < len(devices) or len(devices) > request.part.devices:
            allowed = f"ids of at most {request.part.devices} different devices, as gpuDevices says"
            self._problems.add(where, shown, allowed)
        if not state.uses_node and state is not TaskState.ENDED:
            self._problems.add(where, shown, f"[]: a task that is {entry.state} holds no devices")


def pod_sets_of(group: Group) -> list[PodSet]:
    """All pod sets of a gang, those of its parts included."""
    return [*group.pod_sets, *(each for below in group.groups for each in pod_sets_of(below))]


def _groups_below(group: Group) -> list[Group]:
    return [each for below in group.groups for each in (below, *_groups_below(below))]


def _before(seconds: float | None) -> float | None:
    return None if seconds is None else NOW - seconds
