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

Row = tuple[str, int]
"""A pool, and what its `Alike` have in common."""


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
        shape: what they have in common; no others in the pool have it. Where it is the same object as in the round
            before, only those are looked at who have come or gone since (`WaitingJobs.differing`).
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

    def indefinite(self) -> tuple[int, int]:
        """The least is nearest to having room: the last of the codes, then the pool that is liked best."""
        return -_DEFINITE[self.answer.code], self.choice


class _Peers(NamedTuple):
    """The jobs of a queue that have the same place, how many are ahead of them, and how many there are in all."""

    jobs: Sequence[Entry]
    ahead: int
    all: int


class Members:
    """Which jobs wait, and in which rows."""

    def __init__(self) -> None:
        self.jobs: dict[str, tuple[Entry, tuple[Row, ...]]] = {}

    def enter(self, row: Row, entries: Iterable[Entry]) -> None:
        """They wait in the row, too."""
        for entry in entries:
            known = self.jobs.get(entry[2])
            self.jobs[entry[2]] = (entry, (row,) if known is None else (*known[1], row))

    def leave(self, row: Row, entries: Iterable[Entry]) -> None:
        """They do so no longer."""
        for entry in entries:
            rest = tuple(each for each in self.jobs[entry[2]][1] if each != row)
            if rest:
                self.jobs[entry[2]] = (entry, rest)
            else:
                del self.jobs[entry[2]]


class WaitingJobs:
    """Everybody who waits after a round, each with a reason; oldest first. A value: what it says does not change.

    A job that may use several pools is among those of each of them, and waits for the one that is nearest to having
    it: the least definite answer is its reason; among equals that of the pool that it likes best.

    Attributes:
        rows: those who wait in queues.
        blocked: those who cannot even be considered, by id: place among equals, and reason.
    """

    def __init__(self, alike: Iterable[Alike] = (), blocked: Iterable[tuple[Entry, Reason]] = ()) -> None:
        self.rows: dict[Row, Alike] = {(each.pool, id(each.shape)): each for each in alike}
        self.blocked = {each[0][2]: each for each in blocked}
        self._queues: dict[tuple[str, str], list[Alike]] = {}
        for each in self.rows.values():
            self._queues.setdefault((each.pool, each.queue), []).append(each)
        self._members: Members | None = None
        self._peers: dict[tuple[str, str, tuple[int, bool]], _Peers] = {}

    def __len__(self) -> int:
        """How many jobs wait."""
        return len(self._found().jobs) + len(self.blocked)

    def __iter__(self) -> Iterator[Waiting]:
        """All of them, oldest first."""
        waiting = chain(self._found().jobs.values(), self.blocked.values())
        for _, _, job in sorted(entry for entry, _ in waiting):
            reason = self.reason(job)
            assert reason is not None, "a job that is listed does not wait"
            yield Waiting(job, reason)

    def __eq__(self, other: object) -> bool:
        """Whether the same jobs wait for the same reasons."""
        return list(self) == list(other) if isinstance(other, WaitingJobs) else NotImplemented

    def __hash__(self) -> int:
        """As of who waits."""
        return hash((frozenset(self._found().jobs), frozenset(self.blocked)))

    def reason(self, job: str) -> Reason | None:
        """Why the job waits; None when it does not."""
        if (blocked := self.blocked.get(job)) is not None:
            return blocked[1]
        found = self._found().jobs.get(job)
        if found is None:
            return None
        entry, rows = found
        alike = _speaker(self, rows)
        peers = self._peers_of(alike)
        return Reason(alike.answer, (peers.ahead + bisect_left(peers.jobs, entry) + 1, peers.all))

    def differing(self, before: "WaitingJobs") -> set[str]:
        """Ids of the jobs whose reason is not the same as before (`Reason.same_as`), has come or has gone.

        Costs what has changed, and a little for each shape: where neither answer nor jobs of a shape have changed,
        none of them is looked at.
        """
        members = before.hand_on()
        came: list[tuple[Row, Iterable[Entry]]] = []
        went: list[tuple[Row, Iterable[Entry]]] = [
            (row, old.jobs) for row, old in before.rows.items() if row not in self.rows
        ]
        doubtful = {*self.blocked, *before.blocked}
        for row, now in self.rows.items():
            old = before.rows.get(row)
            if old is None:
                came.append((row, now.jobs))
                continue
            if not now.answer.same_as(old.answer):
                doubtful.update(entry[2] for entry in old.jobs)
            if now.jobs != old.jobs:
                came.append((row, set(now.jobs).difference(old.jobs)))
                went.append((row, set(old.jobs).difference(now.jobs)))
        doubtful.update(entry[2] for _, entries in chain(came, went) for entry in entries)
        said = {job: _answer(before, members, job) for job in doubtful}
        for row, entries in went:
            members.leave(row, entries)
        for row, entries in came:
            members.enter(row, entries)
        self._members = members
        return {job for job, answer in said.items() if not _same(answer, _answer(self, members, job))}

    def hand_on(self) -> Members:
        """Which jobs wait, for the next round's to go on with; found anew where it is asked for here again."""
        members = self._found()
        self._members = None
        return members

    def _found(self) -> Members:
        if self._members is None:
            self._members = Members()
            for row, alike in self.rows.items():
                self._members.enter(row, alike.jobs)
        return self._members

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


def _answer(waiting: WaitingJobs, members: Members, job: str) -> Answer | None:
    if (blocked := waiting.blocked.get(job)) is not None:
        return blocked[1].answer
    found = members.jobs.get(job)
    return None if found is None else _speaker(waiting, found[1]).answer


def _speaker(waiting: WaitingJobs, rows: Iterable[Row]) -> Alike:
    """Which of several rows says why their jobs wait."""
    return min((waiting.rows[row] for row in rows), key=Alike.indefinite)


def _same(before: Answer | None, after: Answer | None) -> bool:
    return before is after or (before is not None and after is not None and before.same_as(after))
