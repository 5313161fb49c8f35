"""A cluster under construction, and what becomes of it when plans are carried out."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from aliquot.core.quantities import UNLIMITED, GpuPart, Request, Vector
from aliquot.core.scheduling import (
    ClusterState,
    Event,
    EvictionStarted,
    Granted,
    JobChanged,
    NodeChanged,
    Plan,
    QueueChanged,
    TaskChanged,
    TaskRemoved,
    check,
    decide,
    explain,
)
from aliquot.core.scheduling.facts import Group, Job, Node, Queue, Share, Taint, Task, TaskState, Toleration

GPU = 100
GIB = 1 << 30


def request_of(gpus: float, cpu_milli: int = 1000) -> Request:
    """What a task asks for: whole devices, or a part of one."""
    if 0 < gpus < 1:
        return Request(Vector(0, cpu_milli, GIB, 1), GpuPart(round(gpus * GPU)))
    return Request(Vector(int(gpus) * GPU, cpu_milli, GIB, 1))


class World:
    """Facts under construction; each call returns a new one, so cases can share a beginning."""

    def __init__(self, *facts: Event) -> None:
        self.facts = facts

    def _and(self, *more: Event) -> "World":
        return World(*self.facts, *more)

    def node(
        self,
        *names: str,
        gpus: int = 8,
        cpus: int = 64,
        pods: int = 110,
        pool: str = "default",
        labels: Mapping[str, str] | None = None,
        taint: str = "",
        schedulable: bool = True,
        ready: bool = True,
    ) -> "World":
        taints = (Taint(taint, "", "NoSchedule"),) if taint else ()
        room = Vector(gpus * GPU, cpus * 1000, 512 * GIB, pods)
        return self._and(
            *(NodeChanged(Node(name, pool, room, labels or {}, taints, schedulable, ready)) for name in names)
        )

    def queue(
        self,
        name: str,
        deserved: float = 0,
        *,
        limit: float | None = None,
        parent: str | None = None,
        pool: str = "default",
        weight: float = 1.0,
        created: float = 0.0,
        cpu: Share | None = None,
    ) -> "World":
        gpu = Share(int(deserved * GPU), UNLIMITED if limit is None else int(limit * GPU), weight)
        above = None if parent is None else f"department/{parent}"
        queue = Queue(name, pool, above, gpu, cpu or Share(UNLIMITED), created=created)
        return self._and(QueueChanged(queue))

    def department(self, name: str, deserved: float, *, limit: float | None = None) -> "World":
        return self.queue(f"department/{name}", deserved, limit=limit)

    def job(
        self,
        name: str,
        queue: str | None,
        gpus: float = 1,
        *,
        devices: tuple[str, ...] = (),
        asks: Request | None = None,
        on: str | None = None,
        created: float = 0.0,
        priority: int = 50,
        preemptible: bool | None = None,
        cpu_milli: int = 1000,
        pods: int = 1,
        together: int = 1,
        selector: Mapping[str, str] | None = None,
        tolerates: str = "",
        pools: tuple[str, ...] = ("default",),
        state: TaskState | None = None,
    ) -> "World":
        """A job whose tasks run `on` a node, or wait; with several pods, they are called NAME-0, NAME-1, …"""
        runs = TaskState.PENDING if on is None else TaskState.RUNNING
        may_go = priority < 100 if preemptible is None else preemptible
        job = Job(name, "here", name, queue, pools, priority, may_go, together, created)
        tolerations = (Toleration(tolerates, "Exists"),) if tolerates else ()
        tasks = [
            Task(
                id=name if pods == 1 else f"{name}-{number}",
                job=name,
                namespace="here",
                name=name if pods == 1 else f"{name}-{number}",
                request=asks or request_of(gpus, cpu_milli),
                devices=devices,
                state=state or runs,
                node=on,
                node_selector=selector or {},
                tolerations=tolerations,
                created=created + number / 1000,
            )
            for number in range(pods)
        ]
        return self._and(JobChanged(job), *(TaskChanged(task) for task in tasks))

    def gang(
        self,
        name: str,
        queue: str,
        group: Group,
        pods: Mapping[str, int],
        *,
        gpus: int = 1,
        on: Mapping[str, str] | None = None,
        created: float = 0.0,
        priority: int = 50,
    ) -> "World":
        """A job of several pod sets with so many pods each, called NAME-SET-0, …; those `on` a node run there."""
        job = Job(name, "here", name, queue, ("default",), priority, priority < 100, 1, created, group)
        tasks = [
            Task(
                id=(full := f"{name}-{pod_set}-{number}"),
                job=name,
                namespace="here",
                name=full,
                request=Request(Vector(gpus * GPU, 1000, GIB, 1)),
                state=TaskState.RUNNING if on and full in on else TaskState.PENDING,
                node=(on or {}).get(full),
                created=created + number / 1000,
                pod_set=pod_set,
            )
            for pod_set, count in pods.items()
            for number in range(count)
        ]
        return self._and(JobChanged(job), *(TaskChanged(task) for task in tasks))

    def state(self) -> ClusterState:
        return ClusterState.rebuild(self.facts)


def outline(state: ClusterState) -> str:
    """What a round decides, after looking whether everything about it is sound."""
    plan = decide(state, 0.0)
    assert check(state, plan) == []
    return plan.outline()


def sentences(state: ClusterState) -> dict[str, str]:
    """Why each job waits."""
    return {waiting.job: explain(waiting.reason) for waiting in decide(state, 0.0).waiting}


def begun(plan: Plan) -> Iterator[Event]:
    """What the operator says at once of a plan that it carries out."""
    yield from (Granted(bind.task, bind.node, bind.devices) for bind in plan.binds)
    yield from (EvictionStarted(evict.task, evict.for_job) for evict in plan.evictions)


def confirmed(state: ClusterState) -> Iterator[Event]:
    """What the API server says when all that was asked is done; what was stopped waits again, as a new pod."""
    for record in list(state.tasks().values()):
        task = record.fact
        if record.granted is not None:
            yield TaskChanged(replace(record.task, state=TaskState.RUNNING, node=record.granted))
        elif record.state is TaskState.TERMINATING:
            again = f"{task.id}'"
            job = state.job(task.job)
            yield TaskRemoved(task.id)
            if job is not None and job.min_member == 1 and len(state.tasks_of(job.id)) == 1:
                yield JobChanged(replace(job, id=again, name=f"{job.name}'", created=job.created + 1))
                yield TaskChanged(
                    replace(
                        task, id=again, job=again, name=f"{task.name}'", state=TaskState.PENDING, node=None, devices=()
                    )
                )
            else:
                yield TaskChanged(
                    replace(task, id=again, name=f"{task.name}'", state=TaskState.PENDING, node=None, devices=())
                )


def carry_out(state: ClusterState, plan: Plan) -> None:
    """Everything that the plan says happens, until it is over."""
    for event in begun(plan):
        state.apply(event)
        assert check(state) == []
    for event in list(confirmed(state)):
        state.apply(event)
        assert check(state) == []


def until_settled(state: ClusterState, most: int = 30, now: float = 0.0) -> list[Plan]:
    """Rounds until there is nothing to do; fails when that does not come."""
    plans: list[Plan] = []
    for _ in range(most):
        plan = decide(state, now)
        assert check(state, plan) == []
        if not (plan.binds or plan.evictions or plan.nominations):
            return plans
        plans.append(plan)
        carry_out(state, plan)
    raise AssertionError("\n".join(["never settles:", *(plan.outline() for plan in plans)]))


def running(state: ClusterState) -> list[str]:
    """The jobs that have a node, less the marks of those that were stopped and run again; once for each task."""
    return sorted(record.fact.job.rstrip("'") for record in state.tasks().values() if record.state.active)
