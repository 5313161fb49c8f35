"""A round's own copy of what it may change in one pool, with a journal: every change can be taken back in O(changes).

Simulation and decision are the same code on the same draft; the state itself is never touched.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from aliquot.core.quantities import PERCENT_PER_DEVICE, Request
from aliquot.core.scheduling.facts import Task
from aliquot.core.scheduling.settings import SchedulingSettings
from aliquot.core.scheduling.state.affinity import Company
from aliquot.core.scheduling.state.crowd import PROMISED, RELEASED, STAYS, CrowdDraft, There
from aliquot.core.scheduling.state.devices import (
    NOTHING_HELD,
    OPENING,
    OPENS,
    Held,
    Shared,
    choose,
    devices_held,
    part_held,
)
from aliquot.core.scheduling.state.nodes import Amounts
from aliquot.core.scheduling.state.pool import PoolState
from aliquot.core.scheduling.state.queues import Amount
from aliquot.core.scheduling.state.shapes import TaskShape


class Spot(NamedTuple):
    """Where a task is put: the row of its node, the devices of which it gets a part, and how affinity sees it there."""

    row: int
    devices: tuple[str, ...] = ()
    company: Company | None = None


class _Room(NamedTuple):
    row: int
    change: Amounts
    now: bool


class _Devices(NamedTuple):
    spot: Spot
    need: int
    now: bool


class _Came(NamedTuple):
    """A change of the crowd, which knows the last one itself."""


class _Charge(NamedTuple):
    queue: str
    change: Amount
    preemptible: bool


class Draft:
    """One pool as it will be when everything decided so far has been done.

    Attributes:
        nodes: the pool's nodes; to read only.
        tree: the pool's queues; to read only.
        free: per row, what is free at this moment and not given yet.
        future: per row, what will be free when all that is stopping has gone, less what is given or promised. A task
            that starts now needs both; one that can wait for others to go needs only this.
        held: per queue, what its tasks hold, those included that were given or promised room here.
        held_non_preemptible: the part of it that may not be stopped.
        capacity: GPU, CPU and memory of the pool.
        crowd: which tasks are on the nodes.
        settings: how the scheduler is set.
        fair: per queue, its fair share at the beginning of the round; empty until it has been worked out.
        touched: rows that changed, in order, undone changes included; for those who follow the draft.
    """

    def __init__(self, pool: PoolState, settings: SchedulingSettings | None = None) -> None:
        self.settings = settings or SchedulingSettings()
        self.crowd = CrowdDraft(pool.nodes.crowd)
        self._mentioned = pool.mentioned
        self.nodes = pool.nodes
        self.tree = pool.queues
        self.free: Amounts = pool.nodes.free.copy()
        self.future: Amounts = pool.nodes.free + pool.nodes.releasing
        self.held = {name: list(usage.held) for name, usage in pool.queues.usage.items()}
        self.held_non_preemptible = {
            name: list(usage.held_non_preemptible) for name, usage in pool.queues.usage.items()
        }
        self.capacity: Amount = pool.nodes.total()
        self.fair: Mapping[str, Amount] = {}
        self.touched: list[int] = []
        self._shared: dict[int, dict[str, Held]] = {}
        self._journal: list[_Room | _Devices | _Came | _Charge] = []

    def checkpoint(self) -> int:
        """A mark to roll back to."""
        return len(self._journal)

    def rollback(self, mark: int) -> None:
        """Take back everything since the mark."""
        while len(self._journal) > mark:
            match self._journal.pop():
                case _Room(row, change, now):
                    self._change_room(row, -change, now=now)
                case _Devices(spot, need, now):
                    self._change_devices(spot, -need, now=now)
                case _Came():
                    self.crowd.undo()
                case _Charge(queue, change, preemptible):
                    self._change_queue(queue, (-change[0], -change[1], -change[2]), preemptible=preemptible)

    def shape(self, task: Task) -> TaskShape:
        """What placing the task depends on in this pool."""
        return TaskShape.of(task, self._mentioned)

    def take(self, row: int, request: Request, *, now: bool, company: Company | None = None) -> Spot:
        """Give a task room on a node where it fits, or promise it to it (not `now`). Returns what it got.

        Args:
            row: of the node.
            request: what it needs.
            now: whether it starts now.
            company: of its shape: who is placed later may have to be near it, or far.
        """
        part = request.part
        if part is None:
            spot = Spot(row, (), company)
        else:
            units, whole = int(self.nodes.units[row]), self.whole_devices(row, now=now)
            fresh_first = self.settings.gpu_placement == "spread"
            node = self.nodes.at(row)
            devices = choose(self.shared_on(row), part, units, whole, node, now=now, fresh_first=fresh_first)
            spot = Spot(row, devices, company)
        self.put(spot, request, now=now)
        return spot

    def take_many(
        self, row: int, request: Request, count: int, *, now: bool, company: Company | None = None
    ) -> list[Spot]:
        """The same for several equal tasks."""
        if request.part is not None:
            return [self.take(row, request, now=now, company=company) for _ in range(count)]
        spot = Spot(row, (), company)
        self._hold(spot, request, count, STAYS if now else PROMISED)
        return [spot] * count

    def whole_devices(self, row: int, *, now: bool) -> int:
        """Devices of the node of which nobody has anything."""
        free = int(self.future[row, 0])
        return max(0, min(free, int(self.free[row, 0])) if now else free) // PERCENT_PER_DEVICE

    def put(self, spot: Spot, request: Request, *, now: bool) -> None:
        """Give a task exactly this room, which another draft chose for it."""
        self._hold(spot, request, 1, STAYS if now else PROMISED)

    def give_back(self, spot: Spot, request: Request, *, now: bool) -> None:
        """Undo a `take`."""
        self._hold(spot, request, -1, STAYS if now else PROMISED)

    def release(self, row: int, task: Task) -> None:
        """A task on the node is going to stop: its room comes."""
        self._leave(row, task, -1)

    def keep(self, row: int, task: Task) -> None:
        """Undo a `release`."""
        self._leave(row, task, 1)

    def shared_on(self, row: int) -> Shared:
        """The shared devices of a node. To read only."""
        changed = self._shared.get(row)
        return self.nodes.shared.get(row, {}) if changed is None else changed

    def charge(self, queue: str, change: Amount, sign: int, *, preemptible: bool) -> None:
        """The queue holds so much more (`sign` 1) or less (-1), and so do all above it."""
        change = (sign * change[0], sign * change[1], sign * change[2])
        self._change_queue(queue, change, preemptible=preemptible)
        self._journal.append(_Charge(queue, change, preemptible))

    def amounts(self, request: Request) -> Amounts | None:
        """The request in the columns of `free`, parts of devices left out; None: nobody has what it asks for."""
        amounts = self.nodes.amounts(request)
        new = self.nodes.allocatable.shape[1] - self.free.shape[1]
        if new:  # a resource that nobody has asked for before
            more = self.nodes.free[:, -new:]
            self.free = np.hstack([self.free, more])
            self.future = np.hstack([self.future, more + self.nodes.releasing[:, -new:]])
        return amounts

    def _leave(self, row: int, task: Task, count: int) -> None:
        company, request = self._mentioned.company(task), task.request
        if company is None and request.part is None:
            self._hold_room(row, request, count, now=False)
        else:
            self._hold(Spot(row, devices_held(task), company), request, count, RELEASED)

    def _hold_room(self, row: int, request: Request, count: int, *, now: bool) -> None:
        amounts = self.amounts(request)
        assert amounts is not None, "something was placed where nobody has what it asks for"
        change = amounts * -count
        self._change_room(row, change, now=now)
        self._journal.append(_Room(row, change, now))

    def _hold(self, spot: Spot, request: Request, count: int, how: There) -> None:
        now = how is STAYS
        self._hold_room(spot.row, request, count, now=now)
        if spot.company is not None:
            self.crowd.change(spot.row, spot.company, count, how)
            self._journal.append(_Came())
        if request.part is not None:
            need = part_held(request.part, int(self.nodes.units[spot.row])) * count
            self._change_devices(spot, need, now=now)
            self._journal.append(_Devices(spot, need, now))

    def _change_room(self, row: int, change: Amounts, *, now: bool) -> None:
        later = self.future[row, : len(change)]
        later += change
        if now:
            at_once = self.free[row, : len(change)]
            at_once += change
        self.touched.append(row)

    def _change_devices(self, spot: Spot, need: int, *, now: bool) -> None:
        row = spot.row
        shared = self._shared.get(row)
        if shared is None:
            shared = self._shared[row] = dict(self.nodes.shared.get(row, {}))
        for device in spot.devices:
            before = shared.get(device, NOTHING_HELD)
            after = shared[device] = before.plus(need, now=now, later=True)
            if after == NOTHING_HELD:
                del shared[device]
            if opened := (after.now > 0) - (before.now > 0):
                self.free[row, OPENING] -= OPENS * opened
            if opened := (after.later > 0) - (before.later > 0):
                self.future[row, OPENING] -= OPENS * opened

    def _change_queue(self, name: str, change: Amount, *, preemptible: bool) -> None:
        for queue in self.tree.chain(name):
            ledgers = [self.held[queue.name]]
            if not preemptible:
                ledgers.append(self.held_non_preemptible[queue.name])
            for ledger in ledgers:
                for axis in range(3):
                    ledger[axis] += change[axis]
