"""Asks the control plane, all the time, what the cluster is to have.

    nothing known ─▶ all of it ─▶ wait for something else ─┬─ 200: all of it again ─┐
                                    ▲                      ├─ 304: nothing else      │
                                    └──────────────────────┴── problem: back off ◀───┘

The request that waits is also the sign of life by which the control plane knows that the cluster is there.
"""

import asyncio
from collections.abc import Callable
from random import Random
from typing import NoReturn

from aliquot.clock import Clock
from aliquot.cluster.sync.connection import Connection
from aliquot.contracts.cluster_sync import Desired
from aliquot.rest.client import ControlPlane, wait_seconds
from aliquot.rest.problems import ControlPlaneProblem


class Puller:
    """See the module.

    Args:
        plane: is asked.
        connection: is told how it went.
        want: takes what is wanted, whenever that is something else.
        clock: for the pause between two requests.
        chance: spreads waits.
        wait: seconds for which the control plane may wait for a change.
        pause: seconds from the beginning of a request to the next at least, whatever the control plane answers.
    """

    def __init__(
        self,
        plane: ControlPlane,
        connection: Connection,
        want: Callable[[Desired], None],
        clock: Clock,
        chance: Random,
        wait: int,
        pause: float,
    ) -> None:
        self._plane = plane
        self._connection = connection
        self._want = want
        self._clock = clock
        self._chance = chance
        self._wait = wait
        self._pause = pause

    async def run(self) -> NoReturn:
        """Ask until cancelled."""
        tag, failures = "", 0
        known: Desired | None = None
        while True:
            began = self._clock.monotonic()
            try:
                answer = await self._plane.desired(tag, self._wait if tag else 0)
            except ControlPlaneProblem as problem:
                failures += 1
                self._connection.failed("pull", problem)
                await asyncio.sleep(wait_seconds(problem, failures, self._chance))
                continue
            failures = 0
            self._connection.went_well("pull")
            if answer is not None:
                tag = answer.tag or f'"{answer.desired.revision}"'
                if answer.desired != known:
                    known = answer.desired
                    self._want(known)
            await asyncio.sleep(max(0.0, began + self._pause - self._clock.monotonic()))
