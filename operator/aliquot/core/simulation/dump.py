"""A live state → a document with which `aliquot simulate` makes the same plan.

One document describes one node pool. What it cannot say exactly:
- a job that may use several pools is in the document of each, as if it could use only that one;
- jobs of a queue that is not there only use room (`queue: null`), and those that only wait are left out;
- a node that is gone but still has tasks is there without room, not ready;
- a node whose tasks hold more devices than it offers (its device plugin restarts) offers as many as they hold;
- people's names for queues, and the order of tasks beyond age and name.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from types import MappingProxyType
from typing import Final, Literal, cast

from aliquot.contracts.simulation import (
    Document,
    GroupEntry,
    GroupTopology,
    JobEntry,
    MigEntry,
    NodeEntry,
    PodSetEntry,
    TaintEntry,
    TaskEntry,
    TolerationEntry,
    TopologyEntry,
)
from aliquot.contracts.simulation.fields import MOST_GPUS, MOST_PODS
from aliquot.core.quantities import PERCENT_PER_DEVICE, Request
from aliquot.core.scheduling import ClusterState, SchedulingSettings
from aliquot.core.scheduling.facts import Group, Job, Node, Task, TaskState, Topology
from aliquot.core.scheduling.state.tasks import TaskRecord
from aliquot.core.simulation.affinity import affinity_entry
from aliquot.core.simulation.amounts import MOST_BYTES, MOST_CORES
from aliquot.core.simulation.cluster import POOL
from aliquot.core.simulation.devices import OnNode, held_on
from aliquot.core.simulation.entries import cores, queue_entry, request_entry, settings_entry, split
from aliquot.core.simulation.jobs import pod_sets_of

_Effect = Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]
_DEFAULT_POD_SET: Final = "default"
_NO_TOPOLOGIES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({})
_GONE: Final = "(node that is gone)"


def document_of(
    state: ClusterState,
    now: float,
    settings: SchedulingSettings,
    pool: str = POOL,
    topologies: Mapping[str, tuple[str, ...]] = _NO_TOPOLOGIES,
) -> Document:
    """The document of one node pool.

    Args:
        state: what is known. Its line of waiting jobs need not be up to date.
        now: Unix seconds, from which the document counts back.
        settings: how the scheduler is set.
        pool: the node pool.
        topologies: the levels of those that people have named; others are listed as far as jobs ask for them.
    """
    return _Writer(state, now, pool, topologies).document(settings)


def plain(document: Document) -> dict[str, object]:
    """The document as values for JSON or YAML, what is as by default left out."""
    return document.model_dump(mode="json", exclude_defaults=True)


class _Writer:
    def __init__(self, state: ClusterState, now: float, pool: str, topologies: Mapping[str, tuple[str, ...]]) -> None:
        self._state = state
        self._now = now
        self._nodes = dict(state.pool(pool).nodes.nodes)
        self._queues = dict(state.pool(pool).queues.queues)
        self._pool = pool
        self._promises = state.promises()
        self._jobs = sorted(self._jobs_here(), key=lambda item: (item[0].created, item[0].name, item[0].id))
        self._job_names = _names([(job.id, job.name) for job, _ in self._jobs])
        everybody = [record.fact for _, records in self._jobs for record in records]
        self._task_names = _names([(task.id, task.name) for task in everybody])
        self._topologies = dict(sorted(topologies.items()))

    def _jobs_here(self) -> Iterator[tuple[Job, list[TaskRecord]]]:
        """Jobs of this pool, with their tasks that have not ended."""
        state = self._state
        for job_id, job in state.jobs().items():
            records = [record for record in state.tasks_of(job_id).values() if record.state is not TaskState.ENDED]
            placed = {state.pool_of(record) for record in records if record.state.uses_node} - {None}
            here = self._pool in placed if placed else self._pool in job.pools
            known = job.queue in self._queues
            if records and here and (known or any(record.state.uses_node for record in records)):
                records.sort(key=lambda record: (record.fact.created, record.fact.name, record.fact.id))
                yield job if known else replace(job, queue=None), records

    def document(self, settings: SchedulingSettings) -> Document:
        jobs = [self._job(job, records) for job, records in self._jobs]
        return Document(
            settings=settings_entry(settings.of_pool(self._pool)),
            nodes=self._node_entries(),
            queues=[queue_entry(queue, self._queues) for _, queue in sorted(self._queues.items())],
            jobs=jobs,
            topologies=[TopologyEntry(name=name, levels=list(levels)) for name, levels in self._topologies.items()],
        )

    # Nodes and queues

    def _node_entries(self) -> list[NodeEntry]:
        tasks = [_placed(record) for _, records in self._jobs for record in records]
        held = held_on(self._nodes, tasks)
        gone = {task.node for task in tasks if task.node is not None and task.node not in self._nodes}
        nodes = [self._node(node, held.get(name, OnNode())) for name, node in sorted(self._nodes.items())]
        held = held_on({name: Node(name, self._pool, Request().base) for name in gone}, tasks)
        for name in sorted(gone):
            there = held.get(name, OnNode())
            mig, others = split(there.extended)
            nodes.append(
                NodeEntry(
                    name=name,
                    gpus=there.devices,
                    cpu=0,
                    memory=0,
                    pods=0,
                    mig=MigEntry(devices=mig),
                    extended=others,
                    ready=False,
                )
            )
        return nodes

    def _node(self, node: Node, held: OnNode) -> NodeEntry:
        there = node.allocatable
        mig, others = split(
            {
                name: max(node.extended.get(name, 0), held.extended.get(name, 0))
                for name in sorted({*node.extended, *held.extended})
            }
        )
        return NodeEntry(
            name=node.name,
            gpus=min(MOST_GPUS, max(there.gpu_percent // PERCENT_PER_DEVICE, held.devices)),
            gpu_memory_mib=node.device_memory_mib or None,
            cpu=cores(there.cpu_milli, MOST_CORES),
            memory=min(there.memory_bytes, MOST_BYTES),
            pods=min(there.pods, MOST_PODS),
            labels=dict(node.labels),
            taints=[
                TaintEntry(key=taint.key, value=taint.value, effect=cast("_Effect", taint.effect))
                for taint in node.taints
            ],
            mig=MigEntry(strategy=node.mig, devices=mig),
            extended=others,
            broken_gpus=node.broken,
            closed_devices=sorted(node.closed),
            ready=node.ready and node.schedulable,
        )

    # Jobs

    def _job(self, job: Job, records: Sequence[TaskRecord]) -> JobEntry:
        plain = job.group is None
        tasks = [self._task(job, record, plain=plain) for record in records]
        group = job.group or Group()
        entry = GroupEntry(pod_sets=[PodSetEntry(min_member=job.min_member)]) if plain else self._group(group)
        if not any(record.state.uses_node for record in records):
            wanted = {_DEFAULT_POD_SET: job.min_member}
            if not plain:
                wanted = {each.name: each.min_member for each in pod_sets_of(group)}
            tasks += _missing(self._job_names[job.id], wanted, tasks)
        return JobEntry(
            name=self._job_names[job.id],
            namespace=job.namespace or _DEFAULT_POD_SET,
            queue=job.queue,
            priority=job.priority,
            preemptible=job.preemptible,
            surplus_preemptible=job.surplus_preemptible,
            created=job.created,
            last_started_seconds_ago=self._ago(job.last_started),
            stale_seconds=self._ago(job.stale_since),
            promised_nodes=sorted(set(self._promises.get(job.id, ())) & self._nodes.keys()),
            group=entry,
            tasks=tasks,
        )

    def _ago(self, moment: float | None) -> float | None:
        return None if moment is None else max(0.0, self._now - moment)

    def _group(self, group: Group) -> GroupEntry:
        return GroupEntry(
            name=group.name,
            topology=self._topology(group.topology),
            pod_sets=[
                PodSetEntry(name=each.name, min_member=each.min_member, topology=self._topology(each.topology))
                for each in group.pod_sets
            ],
            groups=[self._group(below) for below in group.groups],
        )

    def _topology(self, topology: Topology | None) -> GroupTopology | None:
        if topology is None:
            return None
        known = topology.missing is None
        name = self._name_of(topology) if topology.levels else topology.name
        return GroupTopology(name=name, known=known, required=topology.required, preferred=topology.preferred)

    def _name_of(self, topology: Topology) -> str:
        """Its name, or another one where nobody has named it, or what is called so has other levels."""
        levels = topology.levels
        if topology.name and self._topologies.setdefault(topology.name, levels) == levels:
            return topology.name
        named = next((name for name, each in self._topologies.items() if each == levels), None)
        if named is None:
            free = (f"topology-{number}" for number in count(len(self._topologies) + 1))
            named = next(name for name in free if name not in self._topologies)
            self._topologies[named] = levels
        return named

    def _task(self, job: Job, record: TaskRecord, *, plain: bool) -> TaskEntry:
        task = _placed(record)
        stopped_for = self._job_names.get(record.stopped_for) if record.stopped_for in self._promises else None
        return TaskEntry(
            name=self._task_names[task.id],
            pod_set=_DEFAULT_POD_SET if plain else task.pod_set,
            state=cast('Literal["Pending", "Gated", "Bound", "Running", "Terminating"]', task.state.value),
            node=task.node,
            devices=list(task.devices) if task.state.uses_node and task.request.part is not None else [],
            priority=task.priority,
            created=None if task.created == job.created else task.created,
            makes_room_for=stopped_for if task.state is TaskState.TERMINATING else None,
            request=request_entry(task.request),
            node_selector=dict(task.node_selector),
            affinity=affinity_entry(task.affinity),
            tolerations=[
                TolerationEntry(
                    key=each.key,
                    operator=cast('Literal["Equal", "Exists"]', each.operator),
                    value=each.value,
                    effect=cast('Literal[""] | _Effect', each.effect),
                )
                for each in task.tolerations
            ],
            labels=dict(task.labels),
        )


def _placed(record: TaskRecord) -> Task:
    """The task where it is, with what is assumed of it."""
    state, node = record.state, record.node
    if state.uses_node and node is None:
        node = _GONE
    return replace(record.task, state=state, node=node if state.uses_node else None)


def _names(named: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Names by id: the own name where it is unique, else with the id; in the order that name and id have."""
    pairs = list(named)
    counts = Counter(name for _, name in pairs)
    return {each: name if name and counts[name] == 1 else f"{name}#{each}" for each, name in pairs}


def _missing(job: str, wanted: Mapping[str, int], tasks: Sequence[TaskEntry]) -> list[TaskEntry]:
    """Stand-ins for the tasks that a gang lacks: they have failed, so that the gang still lacks them."""
    there = Counter(task.pod_set for task in tasks)
    return [
        TaskEntry(name=f"{job}#missing-{name}-{number}", pod_set=name, state="Failed")
        for name, minimum in wanted.items()
        for number in range(minimum - there[name])
    ]
