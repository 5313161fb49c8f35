"""Tells the control plane how the cluster is doing: everything once in a session, then what changes.

    new session ─▶ reports 1, 2, … with all objects ─▶ something changed ─▶ gather for a moment ─▶ report n
         ▲                                                    ▲                                      │
         └── 409: it does not count any more ◀────────────────┴────────────── taken ◀───────────────┘

A report that got no answer is sent again, the very same: the control plane knows by its number whether it took it.
Nobody is told anything by an operator that does not lead.
"""

import asyncio
from contextlib import suppress
from random import Random
from typing import Final, NoReturn, Protocol
from uuid import UUID

import orjson

from aliquot.cluster.sync.books import Batch, Books
from aliquot.cluster.sync.connection import Connection
from aliquot.contracts.cluster_sync import Kind, ReportedCluster
from aliquot.rest.client import ControlPlane, wait_seconds
from aliquot.rest.problems import ControlPlaneProblem, Refused, SessionOver

_NOT_TAKEN: Final = (400, 413, 422)
"""The report itself is wrong; what it was about may be well by now."""
_ORDINARY: Final = 3
"""So many sessions in a row may be over before they begin."""
_NOT_LEADING_SECONDS: Final = 1.0


class Leading(Protocol):
    """Who leads."""

    @property
    def is_leader(self) -> bool:
        """Whether it is us, now."""
        ...

    @property
    def transitions(self) -> int:
        """How often it has changed."""
        ...


class Subject(Protocol):
    """What is told of."""

    @property
    def books(self) -> Books:
        """What was told of its objects, and what changed."""
        ...

    def begin(self) -> None:
        """Begin a session, which has told nothing yet."""
        ...

    def taken(self, batch: Batch) -> None:
        """Learn that a report has arrived."""
        ...

    def look(self, kind: Kind, name: str) -> bytes | None:
        """An object as it is reported, as JSON; None: there is none, or it is not to be told of."""
        ...

    def cluster(self) -> ReportedCluster | None:
        """The cluster as a whole, as it is reported; None: there is nothing to say yet."""
        ...


class Pusher:
    """See the module.

    Args:
        plane: is told.
        connection: is told how it went.
        leading: whether we may.
        subject: what is told of.
        chance: spreads waits, and makes the names of sessions.
        settle: seconds for which changes are gathered.
        longest: seconds after which the cluster as a whole is looked at, whatever has been heard.
    """

    def __init__(
        self,
        plane: ControlPlane,
        connection: Connection,
        leading: Leading,
        subject: Subject,
        chance: Random,
        settle: float,
        longest: float,
    ) -> None:
        self._plane = plane
        self._connection = connection
        self._leading = leading
        self._subject = subject
        self._chance = chance
        self._settle = settle
        self._longest = longest
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Learn that something may have to be told."""
        self._changed.set()

    async def run(self) -> NoReturn:
        """Tell until cancelled."""
        failures = 0
        while True:
            session = _Session(str(UUID(int=self._chance.getrandbits(128), version=4)))
            try:
                await self._speak(session)
            except Refused as problem:
                failures = 1 if session.taken else failures + 1
                if not isinstance(problem, SessionOver) or failures > _ORDINARY:
                    self._connection.failed("push", problem)
                await asyncio.sleep(wait_seconds(problem, failures, self._chance))

    async def _speak(self, session: "_Session") -> NoReturn:
        """Tell everything, then what changes.

        Raises:
            Refused: the session does not count any more.
        """
        subject, books = self._subject, self._subject.books
        subject.begin()
        told: ReportedCluster | None = None
        while True:
            self._changed.clear()
            cluster, batch = subject.cluster(), books.next(subject.look)
            news = cluster if cluster != told else None
            if news is not None or not batch.says_nothing:
                await self._deliver(session, batch, news)
                subject.taken(batch)
                told = cluster
            if books.has_more:
                await asyncio.sleep(0)
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), self._longest)
                await asyncio.sleep(self._settle)

    async def _deliver(self, session: "_Session", batch: Batch, cluster: ReportedCluster | None) -> None:
        """Send a report until it is taken.

        Raises:
            Refused: it never will be.
        """
        body = self._encoded(session, batch, cluster)
        failures = 0
        while True:
            if not self._leading.is_leader:
                await asyncio.sleep(_NOT_LEADING_SECONDS)
                continue
            try:
                received = await self._plane.report(body)
            except ControlPlaneProblem as problem:
                if isinstance(problem, Refused) and (isinstance(problem, SessionOver) or problem.status in _NOT_TAKEN):
                    raise
                failures += 1
                self._connection.failed("push", problem)
                await asyncio.sleep(wait_seconds(problem, failures, self._chance))
                continue
            if received.sequence != session.taken + 1:
                raise SessionOver(f"report {session.taken + 1} was taken for {received.sequence}", 409)
            session.taken += 1
            self._connection.went_well("push")
            return

    def _encoded(self, session: "_Session", batch: Batch, cluster: ReportedCluster | None) -> bytes:
        report: dict[str, object] = {
            "term": self._leading.transitions,
            "session": session.name,
            "sequence": session.taken + 1,
            "objects": [orjson.Fragment(each) for each in batch.objects],
            "gone": [{"kind": kind, "name": name} for kind, name in batch.gone],
            "complete": batch.complete,
        }
        if cluster is not None:
            report["cluster"] = orjson.Fragment(cluster.model_dump_json(exclude_none=True).encode())
        return orjson.dumps(report)


class _Session:
    """A session of reports.

    Attributes:
        name: its UUID.
        taken: how many of its reports were taken.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.taken = 0
