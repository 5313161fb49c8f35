"""Which pods belong together, and what the scheduler is told of them, event by event."""

from dataclasses import replace

from aliquot.cluster.jobs import Jobs
from aliquot.core.intake import PodFacts
from aliquot.core.quantities import Request, Vector
from aliquot.core.scheduling import (
    Event,
    Granted,
    GrantFailed,
    JobChanged,
    JobRemoved,
    TaskChanged,
    TaskRemoved,
)
from aliquot.core.scheduling.facts import Job, Task, TaskState


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


class Told:
    """A scheduler that notes what it is told, and whose pods are to be marked."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.events: list[Event] = []
        self.marked: list[list[str]] = []
        self.jobs = Jobs(self.events.append, self.clock, lambda uids: self.marked.append(sorted(uids)))

    def news(self) -> list[str]:
        """What was told since this was last asked."""
        found = [_in_words(event) for event in self.events]
        self.events.clear()
        return found


def _in_words(event: Event) -> str:
    match event:
        case JobChanged(job):
            started = "" if job.last_started is None else f" since {job.last_started:g}"
            stale = "" if job.stale_since is None else f", short since {job.stale_since:g}"
            return f"job {job.id} of {job.min_member}{started}{stale}"
        case TaskChanged(task):
            return f"task {task.id} of {task.job} {task.state.value}"
        case JobRemoved(name) | TaskRemoved(name):
            return f"{name} gone"
        case _:
            return type(event).__name__


def pod(
    uid: str,
    job: str | None = None,
    *,
    minimum: int = 1,
    started: float | None = None,
    ended: bool = False,
    marked: float | None = None,
) -> PodFacts:
    """A pod on its own, or one of a gang; it runs when it has started."""
    state = TaskState.ENDED if ended else TaskState.PENDING if started is None else TaskState.RUNNING
    name = job or uid
    return PodFacts(
        job=Job(name, "here", name, "vision", min_member=minimum),
        task=Task(uid, name, "here", uid, Request(Vector(pods=1)), state, None if started is None else "n1"),
        started=started,
        short_since=marked,
    )


def gang(uid: str, started: float | None = None, *, ended: bool = False, marked: float | None = None) -> PodFacts:
    """One of a gang that needs two."""
    return pod(uid, "g", minimum=2, started=started, ended=ended, marked=marked)


def test_a_pod_is_told_once_and_again_when_it_differs() -> None:
    told = Told()
    told.jobs.here(pod("a"))
    assert told.news() == ["job a of 1", "task a of a Pending"]
    told.jobs.here(pod("a"))
    assert told.news() == []
    told.jobs.here(pod("a", started=900.0))
    assert told.news() == ["job a of 1 since 900", "task a of a Running"]
    told.jobs.gone("a")
    assert told.news() == ["a gone"]
    told.jobs.gone("a")
    assert told.news() == []


def test_what_is_about_to_be_bound_counts_as_running_until_it_says_so() -> None:
    told = Told()
    told.jobs.here(pod("a"))
    told.news()
    told.jobs.submit(Granted("a", "n1"))
    assert told.news() == ["Granted", "job a of 1 since 1000"]
    told.clock.time = 1003.0
    told.jobs.here(replace(pod("a"), task=replace(pod("a").task, labels={"new": "label"})))
    assert told.news() == ["task a of a Pending"]
    told.jobs.here(pod("a", started=1001.0))
    assert told.news() == ["job a of 1 since 1001", "task a of a Running"]


def test_what_could_not_be_bound_has_not_run() -> None:
    told = Told()
    told.jobs.here(pod("a"))
    told.jobs.submit(Granted("a", "n1"))
    told.news()
    told.jobs.submit(GrantFailed("a"))
    assert told.news() == ["GrantFailed", "job a of 1"]
    told.jobs.submit(GrantFailed("a"))
    assert told.news() == ["GrantFailed"]


def test_what_is_said_of_pods_that_nobody_knows_is_passed_on() -> None:
    told = Told()
    told.jobs.submit(Granted("x", "n1"))
    told.jobs.submit(GrantFailed("x"))
    assert told.news() == ["Granted", "GrantFailed"]


def test_pods_of_a_gang_come_and_go_one_by_one() -> None:
    told = Told()
    told.jobs.here(gang("b"))
    told.jobs.here(gang("a"))
    assert told.news() == ["job g of 2", "task b of g Pending", "task a of g Pending"]
    assert told.jobs.pods_of("g") == ["a", "b"]
    assert (told.jobs.job_of("a"), told.jobs.job_of("x")) == ("g", "x")
    told.jobs.gone("a")
    assert told.news() == ["a gone"]
    told.jobs.gone("b")
    assert told.news() == ["g gone"]
    assert told.jobs.pods_of("g") == []


def test_a_gang_that_is_being_bound_is_never_short_of_pods() -> None:
    told = Told()
    for uid in "ab":
        told.jobs.here(gang(uid))
    told.news()
    for uid in "ab":
        told.jobs.submit(Granted(uid, "n1"))
    for uid in "ab":
        told.jobs.here(gang(uid, 1000.0))
    assert [each for each in told.news() if "short" in each and "1000, " not in each] == []
    assert told.jobs.short("a") is None


def test_a_gang_is_short_since_that_was_noticed_and_its_pods_are_to_be_marked() -> None:
    told = Told()
    for uid in "ab":
        told.jobs.here(gang(uid, 900.0))
    told.news()
    told.marked.clear()
    told.jobs.gone("b")
    assert told.news() == ["b gone", "job g of 2 since 900, short since 1000"]
    assert told.marked == [["a"]]
    told.clock.time = 1030.0
    told.jobs.here(gang("c"))
    assert told.news() == ["task c of g Pending"]
    short = told.jobs.short("a")
    assert short is not None
    assert short.stale_since == 1000.0
    assert told.jobs.short("c") is None, "only those that run are marked"
    told.jobs.here(gang("c", 1030.0))
    assert told.news() == ["job g of 2 since 900", "task c of g Running"]
    assert told.marked == [["a"], ["a", "c"]]
    assert told.jobs.short("a") is None


def test_another_term_goes_on_counting_from_the_mark() -> None:
    told = Told()
    told.jobs.here(gang("c"))
    told.jobs.here(gang("a", 900.0, marked=950.0))
    assert told.news()[-2:] == ["job g of 2 since 900, short since 950", "task a of g Running"]


def test_a_mark_from_before_the_gang_was_complete_says_nothing() -> None:
    told = Told()
    told.jobs.here(gang("a", 900.0, marked=950.0))
    told.jobs.here(gang("b", 900.0))
    told.clock.time = 1060.0
    told.jobs.gone("b")
    assert told.news()[-1] == "job g of 2 since 900, short since 1060"


def test_a_pod_that_changes_its_gang_leaves_the_other() -> None:
    told = Told()
    for uid in "ab":
        told.jobs.here(gang(uid))
    told.news()
    told.jobs.here(pod("b", "h"))
    assert told.news() == ["job h of 1", "task b of h Pending"]
    assert (told.jobs.pods_of("g"), told.jobs.pods_of("h")) == (["a"], ["b"])
    told.jobs.here(pod("a"))
    assert told.news() == ["job a of 1", "task a of a Pending", "g gone"]
