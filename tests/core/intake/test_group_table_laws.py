"""What holds for all kinds and objects, whatever they say."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from aliquot.clock import SystemClock
from aliquot.cluster.foreign.projection import body_of, projection
from aliquot.cluster.jobs import Jobs
from aliquot.contracts.kubernetes import Metadata, OwnerReference, Pod, PodSpec
from aliquot.contracts.workload_kinds import WorkloadKind
from aliquot.core.intake import NO_TOPOLOGIES, Tenant, pod_facts
from aliquot.core.intake.group_table import (
    ANY,
    Needs,
    OwnerObject,
    builtin_table,
    chain_of,
    facts_in,
    needs_of,
    owner_object,
    seat_of,
)
from aliquot.core.scheduling import ClusterState
from aliquot.core.scheduling.events import Event
from aliquot.core.scheduling.facts import Group, Job, Task, Topology
from tests.core.intake.group_world import CLASSES

KINDS = [kind for kind in builtin_table().kinds.values() if kind.kind != "Pod"]
SCALARS = st.none() | st.booleans() | st.integers(-3, 9) | st.sampled_from(["", "a", "b", "2", "True"])


def bodies(needs: Needs) -> st.SearchStrategy[object]:
    """Objects that have what is read of them, or something else in its place."""
    if not needs:
        return SCALARS | st.dictionaries(st.sampled_from(["kai.scheduler/segment-size", "a"]), SCALARS, max_size=2)
    if ANY in needs:
        inner = bodies(needs[ANY])
        return st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["Master", "Worker"]), inner) | SCALARS
    there = {name: bodies(below) for name, below in needs.items() if name}
    return st.fixed_dictionaries({}, optional=there) | SCALARS


@st.composite
def owners(draw: st.DrawFn) -> tuple[WorkloadKind, dict[str, object]]:
    kind = draw(st.sampled_from(KINDS))
    body = draw(bodies(needs_of(kind)))
    return kind, cast("dict[str, object]", body) if isinstance(body, dict) else {}


def read(kind: WorkloadKind, body: dict[str, object]) -> OwnerObject:
    metadata = Metadata(name="o", namespace="n", uid="owner", creation_timestamp="2026-01-01T00:00:00Z")
    found = owner_object(kind, f"{kind.group}/v1", metadata, body)
    projected = msgspec.json.decode(json.dumps({"spec": None, **body}), type=projection(needs_of(kind)))
    assert found == owner_object(kind, f"{kind.group}/v1", metadata, body_of(projected))
    return found


@given(owners())
def test_whatever_an_object_says_it_is_read_and_asks_for_something(
    given: tuple[WorkloadKind, dict[str, object]],
) -> None:
    found = read(*given)
    assert found.gang.minimum >= 1
    for members in [None, *found.gang.members]:
        labels = {} if members is None else {members.label: members.value}
        minimum, group = found.gang.shape(labels, NO_TOPOLOGIES)
        assert minimum >= 1
        if group is not None:
            assert sum(_minimums(group)) == minimum, "pod sets need together what the gang needs"
            for topology in _topologies(group):
                assert topology.name or topology.missing is None, "without a topology the labels count by themselves"


def _minimums(group: Group) -> Iterator[int]:
    yield from (each.min_member for each in group.pod_sets)
    for inner in group.groups:
        yield from _minimums(inner)


def _topologies(group: Group) -> Iterator[Topology]:
    yield from (each for each in (group.topology, *(one.topology for one in group.pod_sets)) if each is not None)
    for inner in group.groups:
        yield from _topologies(inner)


LABELS = {
    "training.kubeflow.org/replica-type": ["master", "worker"],
    "training.kubeflow.org/job-role": ["launcher", "worker"],
    "leaderworkerset.sigs.k8s.io/group-index": ["0", "1"],
    "leaderworkerset.sigs.k8s.io/worker-index": ["0", "1"],
    "jobset.sigs.k8s.io/replicatedjob-name": ["a", "b"],
    "ray.io/node-type": ["head", "worker"],
}


@st.composite
def pods_of(draw: st.DrawFn, kind: WorkloadKind) -> list[Pod]:
    reference = OwnerReference(api_version=f"{kind.group}/v1", kind=kind.kind, name="o", uid="owner", controller=True)
    labels = draw(
        st.lists(
            st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in LABELS.items()}),
            min_size=1,
            max_size=6,
        )
    )
    return [
        Pod(
            metadata=Metadata(
                name=f"p{number}",
                namespace="n",
                uid=f"uid-{number}",
                creation_timestamp=f"2026-01-01T00:00:{number // 2:02}Z",
                labels=each,
                owner_references=(reference,),
            ),
            spec=PodSpec(scheduler_name="runai-scheduler"),
        )
        for number, each in enumerate(labels)
    ]


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[OwnerObject, list[Pod], list[Pod]]:
    kind, body = draw(owners())
    pods = draw(pods_of(kind))
    return read(kind, body), pods, draw(st.permutations(pods))


@given(arrivals())
def test_the_order_in_which_pods_come_makes_no_difference(given: tuple[OwnerObject, list[Pod], list[Pod]]) -> None:
    owner, pods, permuted = given
    one, other = state_of(owner, pods), state_of(owner, permuted)
    assert one == other
    assert len(one[1]) == len(pods), "every pod is a task of one job"


@given(arrivals(), st.data())
def test_what_is_left_when_pods_go_is_as_if_they_had_never_come(
    given: tuple[OwnerObject, list[Pod], list[Pod]], data: st.DataObject
) -> None:
    owner, pods, permuted = given
    gone = data.draw(st.sets(st.sampled_from([pod.metadata.uid for pod in pods])))
    assert state_of(owner, permuted, gone) == state_of(owner, [pod for pod in pods if pod.metadata.uid not in gone])


def state_of(
    owner: OwnerObject, pods: Sequence[Pod], gone: set[str] | None = None
) -> tuple[dict[str, Job], dict[str, Task]]:
    """The scheduler's jobs and tasks after these pods came, and some of them went."""
    events: list[Event] = []
    jobs = Jobs(events.append, SystemClock(), lambda _: None)
    table = builtin_table()
    for pod in pods:
        chain = chain_of(pod, table, lambda _: owner)
        seat = seat_of(pod, chain, table, lambda _: owner)
        alone = pod_facts(pod, Tenant("vision", ()))
        job, task = facts_in(seat, alone.job, alone.task, pod, CLASSES)
        jobs.here(replace(alone, job=job, task=task))
    for uid in sorted(gone or ()):
        jobs.gone(uid)
    state = ClusterState.rebuild(events)
    return dict(state.jobs()), {id_: record.fact for id_, record in state.tasks().items()}
