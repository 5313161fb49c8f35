"""Who waits, and why, without a word for each: what thousands wait for must not make a round dear that ends one pod.

Jobs of equal shape share an answer. What a job has for itself, its place in its queue, is counted when somebody asks.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, NamedTuple

from aliquot.core.scheduling.reasons import Answer, Reason, WaitCode

Entry = tuple[float, str, str]
"""A job's place among equals: created, name, id."""

_DEFINITE: Final = {code: place for place, code in enumerate(WaitCode)}


@dataclass(frozen=True, slots=True)
class Waiting:
    """The job waits."""

    job: str
    reason: Reason


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """Jobs that wait in one queue of one pool and share an answer.

    Attributes:
        pool: the pool.
        queue: the queue.
        shape: what they have in common. Where it is the same object as in an earlier round, only those are looked at
            who have come or gone since (`WaitingJobs.differing`).
        place: where they stand in the queue; the least is first.
        choice: how far down the pool is in their list.
        answer: why they wait.
        jobs: oldest first.
    """

    pool: str
    queue: str
    shape: object
    place: tuple[int, bool]
    choice: int
    answer: Answer
    jobs: Sequence[Entry]

    def ids(self) -> set[str]:
        """Ids of the jobs."""
        return {entry[2] for entry in self.jobs}

    def indefinite(self) -> tuple[int, int]:
        """The least is nearest to having room: the last of the codes, then the pool that is liked best."""
        return -_DEFINITE[self.answer.code], self.choice


class _Peers(NamedTuple):
    """The jobs of a queue that have the same place, those ahead of them, and all in the queue."""

    jobs: Sequence[Entry]
    ahead: int
    all: int


class WaitingJobs:
    """Everybody who waits after a round, each with a reason; oldest first. A value: nobody changes it.

    A job that may use several pools is among those of each of them, and waits for the one that is nearest to having
    it: the least definite answer is its reason; among equals that of the pool that it likes best.

    Attributes:
        alike: those who wait in queues.
        blocked: those who cannot even be considered, by id: place among equals, and reason.
    """

    def __init__(self, alike: Iterable[Alike] = (), blocked: Iterable[tuple[Entry, Reason]] = ()) -> None:
        self.alike = tuple(alike)
        self.blocked = {each[0][2]: each for each in blocked}
        self._queues: dict[tuple[str, str], list[Alike]] = {}
        for each in self.alike:
            self._queues.setdefault((each.pool, each.queue), []).append(each)
        self._by_job: dict[str, tuple[Entry, Alike]] | None = None
        self._peers: dict[tuple[str, str, tuple[int, bool]], _Peers] = {}

    def __len__(self) -> int:
        """How many jobs wait."""
        return len(self._found()) + len(self.blocked)

    def __iter__(self) -> Iterator[Waiting]:
        """All of them, oldest first."""
        entries = chain((entry for entry, _ in self._found().values()), (entry for entry, _ in self.blocked.values()))
        for _, _, job in sorted(entries):
            reason = self.reason(job)
            assert reason is not None, "a job that is listed does not wait"
            yield Waiting(job, reason)

    def __eq__(self, other: object) -> bool:
        """Whether the same jobs wait for the same reasons."""
        return list(self) == list(other) if isinstance(other, WaitingJobs) else NotImplemented

    def __hash__(self) -> int:
        """As of who waits."""
        return hash((frozenset(self._found()), frozenset(self.blocked)))

    def reason(self, job: str) -> Reason | None:
        """Why the job waits; None when it does not."""
        if (blocked := self.blocked.get(job)) is not None:
            return blocked[1]
        found = self._found().get(job)
        if found is None:
            return None
        entry, alike = found
        peers = self._peers_of(alike)
        return Reason(alike.answer, (peers.ahead + bisect_left(peers.jobs, entry) + 1, peers.all))

    def differing(self, before: "WaitingJobs") -> set[str]:
        """Ids of the jobs whose reason is not the same as before (`Reason.same_as`), has come or has gone.

        Where neither answer nor jobs of a shape have changed, none of them is looked at.
        """
        doubtful = {*self.blocked, *before.blocked}
        known = {(each.pool, id(each.shape)): each for each in before.alike}
        for each in self.alike:
            old = known.pop((each.pool, id(each.shape)), None)
            if old is None:
                doubtful |= each.ids()
            elif not each.answer.same_as(old.answer):
                doubtful |= each.ids() | old.ids()
            elif each.jobs != old.jobs:
                doubtful |= each.ids() ^ old.ids()
        doubtful.update(*(old.ids() for old in known.values()))
        return {job for job in doubtful if not _same(before.answer(job), self.answer(job))}

    def answer(self, job: str) -> Answer | None:
        """The reason without the place; None when the job does not wait."""
        if (blocked := self.blocked.get(job)) is not None:
            return blocked[1].answer
        found = self._found().get(job)
        return None if found is None else found[1].answer

    def _found(self) -> dict[str, tuple[Entry, Alike]]:
        """By id, each job that waits in a queue, and with whom."""
        if self._by_job is None:
            self._by_job = {}
            for alike in sorted(self.alike, key=Alike.indefinite, reverse=True):
                self._by_job.update({entry[2]: (entry, alike) for entry in alike.jobs})
        return self._by_job

    def _peers_of(self, alike: Alike) -> _Peers:
        key = (alike.pool, alike.queue, alike.place)
        peers = self._peers.get(key)
        if peers is None:
            queue = self._queues[alike.pool, alike.queue]
            same = [each.jobs for each in queue if each.place == alike.place]
            jobs = same[0] if len(same) == 1 else sorted(chain.from_iterable(same))
            ahead = sum(len(each.jobs) for each in queue if each.place < alike.place)
            peers = self._peers[key] = _Peers(jobs, ahead, sum(len(each.jobs) for each in queue))
        return peers


def _same(before: Answer | None, after: Answer | None) -> bool:
    return before is after or (before is not None and after is not None and before.same_as(after))
