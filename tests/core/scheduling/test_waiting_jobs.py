"""Who waits after a round: what is left to be worked out later is what it would be if everybody were asked at once."""

from functools import cache
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from aliquot.core.scheduling import ClusterState, JobRemoved, Reason, TaskRemoved, WaitCode, WaitingJobs, decide
from aliquot.core.scheduling.reasons import Answer
from aliquot.core.scheduling.waiters import Alike, Entry
from tests.core.scheduling.test_scheduling_properties import happenings, slow, worlds
from tests.core.scheduling.world import World, begun

FULL = Answer(WaitCode.NOT_ENOUGH_RESOURCES, {"pool": "p", "free_gpu_percent": 0})
FULLER = Answer(WaitCode.NOT_ENOUGH_RESOURCES, {"pool": "p", "free_gpu_percent": -100})
LIMIT = Answer(WaitCode.OVER_LIMIT, {"pool": "p"})
GATED = Reason.of(WaitCode.GATED, {"gated_pods": 1})


@cache
def shape(*what: object) -> object:
    """The one object that stands for jobs of this shape."""
    assert what
    return object()


def alike(
    answer: Answer,
    *jobs: str,
    gpus: int = 1,
    pool: str = "p",
    queue: str = "a",
    priority: int = 50,
    choice: int = 0,
) -> Alike:
    """Jobs as old as their names say."""
    common = shape(gpus, queue, priority)
    return Alike(pool, queue, common, (-priority, False), choice, answer, [entry(job) for job in jobs])


def entry(job: str) -> Entry:
    return (float(job[1:]), job, job)


def reasons(waiting: WaitingJobs) -> dict[str, Reason]:
    return {each.job: each.reason for each in waiting}


@slow
@given(st.data())
def test_who_is_told_of_a_new_reason_is_who_has_one(data: st.DataObject) -> None:
    world = data.draw(worlds(foreign=True))
    state, before = world.state(), WaitingJobs()
    for events in [[], *data.draw(st.lists(happenings(world), max_size=4))]:
        for event in events:
            state.apply(event)
        plan = decide(state, 0.0)
        old, new = reasons(before), reasons(plan.waiting)
        assert plan.waiting.differing(before) == {
            job for job in old.keys() | new.keys() if job not in old or job not in new or not old[job].same_as(new[job])
        }
        assert plan.waiting == decide(ClusterState.rebuild(state.facts()), 0.0).waiting
        before = plan.waiting
        for event in begun(plan):
            state.apply(event)


@slow
@given(worlds(elastic=False))
def test_places_count_those_who_wait_in_the_queue_by_priority_then_age(world: World) -> None:
    state = world.state()
    placed = [each for each in decide(state, 0.0).waiting if each.reason.place is not None]

    def queue(job_id: str) -> tuple[str, str]:
        job = state.jobs()[job_id]
        return job.pools[0], job.queue or ""

    several = {state.jobs()[each.job].queue for each in placed if len(state.jobs()[each.job].pools) > 1}
    for (_, name), there in groupby(sorted(placed, key=lambda each: queue(each.job)), key=lambda each: queue(each.job)):
        jobs = {each.job: each.reason.place for each in there}
        order = sorted(jobs, key=lambda job: (-state.jobs()[job].priority, state.jobs()[job].created, job))
        if name not in several:  # else some of them stand in the queue of another pool, too
            assert [jobs[job] for job in order] == [(place, len(jobs)) for place in range(1, len(jobs) + 1)]


def test_jobs_are_listed_oldest_first_and_counted() -> None:
    waiting = WaitingJobs([alike(FULL, "j2", "j5"), alike(FULL, "j1", gpus=2)], [(entry("j3"), GATED)])
    assert [each.job for each in waiting] == ["j1", "j2", "j3", "j5"]
    assert len(waiting) == 4
    assert waiting.reason("j4") is None


def test_a_place_counts_higher_priorities_and_older_jobs_of_all_shapes() -> None:
    waiting = WaitingJobs(
        [
            alike(FULL, "j2", "j5"),
            alike(FULL, "j1", "j3", gpus=2),
            alike(FULL, "j9", priority=75),
            alike(FULL, "j0", queue="b"),
            alike(FULL, "j4", pool="q"),
        ],
        [(entry("j6"), GATED)],
    )
    assert {each.job: each.reason.place for each in waiting} == {
        "j0": (1, 1),
        "j1": (2, 5),
        "j2": (3, 5),
        "j3": (4, 5),
        "j4": (1, 1),
        "j5": (5, 5),
        "j6": None,
        "j9": (1, 5),
    }


def test_of_several_pools_the_one_that_is_nearest_to_having_the_job_speaks_then_the_one_it_likes_best() -> None:
    waiting = WaitingJobs(
        [
            alike(LIMIT, "j1", "j2"),
            alike(FULL, "j1", "j2", pool="q", choice=1),
            alike(FULLER, "j2", pool="r", choice=2),
        ]
    )
    assert {each.job: each.reason.answer for each in waiting} == {"j1": FULL, "j2": FULL}


def test_only_those_differ_whose_answer_does() -> None:
    before = WaitingJobs([alike(FULL, "j1", "j2"), alike(FULL, "j3", gpus=2)], [(entry("j4"), GATED)])
    cases = {
        "nothing": (WaitingJobs(before.rows.values(), before.blocked.values()), set[str]()),
        "passing numbers, another shape": (
            WaitingJobs([alike(FULLER, "j1", "j2", "j3")], [(entry("j4"), GATED)]),
            set[str](),
        ),
        "one came, one went": (
            WaitingJobs([alike(FULL, "j2", "j5"), alike(FULL, "j3", gpus=2)], [(entry("j4"), GATED)]),
            {"j1", "j5"},
        ),
        "another answer": (
            WaitingJobs([alike(LIMIT, "j1", "j2"), alike(FULL, "j3", gpus=2)], [(entry("j4"), GATED)]),
            {"j1", "j2"},
        ),
        "let in": (WaitingJobs([alike(FULL, "j1", "j2", "j4"), alike(FULL, "j3", gpus=2)]), {"j4"}),
        "nobody": (WaitingJobs(), {"j1", "j2", "j3", "j4"}),
    }
    for name, (after, wanted) in cases.items():
        assert after.differing(before) == wanted, name
        assert before.differing(after) == wanted, f"{name}, the other way round"


def test_what_was_said_stays_as_it_was_when_the_state_goes_on() -> None:
    state = (
        World().node("n1", gpus=1).queue("a", 1).job("r", "a", on="n1", priority=90).job("x", "a").job("y", "a").state()
    )
    waiting = decide(state, 0.0).waiting
    for event in (TaskRemoved("r"), JobRemoved("x")):
        state.apply(event)
    decide(state, 0.0)
    assert {each.job: each.reason.place for each in waiting} == {"x": (1, 2), "y": (2, 2)}
