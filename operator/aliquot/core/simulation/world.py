"""A document → what a simulation begins with."""

from dataclasses import dataclass

from aliquot.contracts.simulation import Document
from aliquot.core.scheduling import (
    Event,
    EvictionStarted,
    JobChanged,
    NodeChanged,
    Promised,
    QueueChanged,
    SchedulingSettings,
    TaskChanged,
)
from aliquot.core.simulation.cluster import nodes_of, queues_of, settings_of, topologies_of
from aliquot.core.simulation.devices import check_devices
from aliquot.core.simulation.jobs import Known, jobs_of
from aliquot.core.simulation.problems import Problems


@dataclass(frozen=True, slots=True)
class World:
    """What a simulation begins with.

    Attributes:
        events: make the cluster's state.
        settings: how the scheduler is set.
        lingering: tasks that never end stopping.
        states: how each task's state is called in the document, by its name.
    """

    events: tuple[Event, ...]
    settings: SchedulingSettings
    lingering: frozenset[str]
    states: dict[str, str]


def world_of(document: Document) -> World:
    """The beginning of a simulation.

    Raises:
        SimulationError: the document contradicts itself, or has amounts that cannot be; all that is wrong.
    """
    problems = Problems()
    nodes = nodes_of(problems, document.nodes)
    queues = queues_of(problems, document.queues)
    inner = frozenset(queue.parent for queue in queues if queue.parent is not None)
    known = Known(
        nodes=frozenset(node.name for node in nodes),
        leaves=frozenset(queue.name for queue in queues) - inner,
        inner=inner,
        topologies=topologies_of(problems, document.topologies),
        jobs=frozenset(entry.name for entry in document.jobs),
    )
    jobs = jobs_of(problems, document.jobs, known)
    problems.raise_if_any()
    check_devices(
        problems,
        {f"nodes[{number}]": node for number, node in enumerate(nodes)},
        {
            f"jobs[{number}].tasks[{place}]": task
            for number, (_, tasks) in enumerate(jobs)
            for place, task in enumerate(tasks)
        },
    )
    problems.raise_if_any()
    entries = [(job, task) for job in document.jobs for task in job.tasks]
    events: list[Event] = [NodeChanged(node) for node in nodes]
    events += [QueueChanged(queue) for queue in queues]
    for job, tasks in jobs:
        events += [JobChanged(job), *(TaskChanged(task) for task in tasks)]
    events += [EvictionStarted(task.name, task.makes_room_for) for _, task in entries if task.makes_room_for]
    events += [Promised(job.name, node) for job in document.jobs for node in job.promised_nodes]
    return World(
        events=tuple(events),
        settings=settings_of(document.settings),
        lingering=frozenset(task.name for _, task in entries if task.lingers),
        states={task.name: task.state for _, task in entries},
    )
