"""The scheduler's loop: events in, a round when something changed, its plan out.

    mirror ──submit(event)──▶ inbox ──┐
    granting ──submit(Granted…)──▶    ├─▶ apply, decide (in a thread) ──▶ carry_out(plan), verdicts, usage
                                      ┘

The state belongs to the round while one runs; events that arrive meanwhile wait in the inbox, so none is lost and the
event loop is not held up. No events, no round, unless time alone makes a difference (`next_moment`).
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from prometheus_client import CollectorRegistry, Counter, Histogram

from aliquot import log
from aliquot.clock import Clock
from aliquot.core.configuration import ClusterConfig
from aliquot.core.intake import NO_TOPOLOGIES, Topologies
from aliquot.core.scheduling import (
    ClusterState,
    Holding,
    Plan,
    PoolPlacement,
    QueueUsage,
    Reason,
    SchedulingSettings,
    WaitingJobs,
    check,
    decide,
    holding,
    next_moment,
)
from aliquot.core.scheduling.events import Event
from aliquot.core.simulation import document_of, plain
from aliquot.settings import Scheduling

_log = log.get(__name__)
_MOST_VIOLATIONS = 10
"""So many are logged of one check; one mistake often shows in many places."""


class SchedulerMetrics:
    """What rounds cost and decide."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.seconds = Histogram(
            "aliquot_scheduler_round_seconds",
            "Time that a scheduling round took",
            registry=registry,
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
        )
        self.decisions = Counter(
            "aliquot_scheduler_decisions_total", "Decisions of scheduling rounds", ["decision"], registry=registry
        )
        self.unsound = Counter(
            "aliquot_scheduler_violations_total",
            "Rules of the scheduler's own books found broken by a sampled check; anything but 0 is a defect",
            registry=registry,
        )


class Scheduler:
    """Runs rounds while `run` runs.

    Args:
        settings: pace.
        clock: the time given to rounds.
        metrics: where rounds are counted.
        carry_out: takes each plan; must not block, and submits `Granted` and `EvictionStarted` for what it starts.
        on_verdict: called with the id of each job whose reason for waiting has changed, come or gone.
        on_promised: called with the nodes on which others were stopped for waiting tasks, by task, when they differ.

    Attributes:
        first_round: set once the first one was carried out.
    """

    def __init__(
        self,
        settings: Scheduling,
        clock: Clock,
        metrics: SchedulerMetrics,
        carry_out: Callable[[Plan], None],
        on_verdict: Callable[[str], None],
        on_promised: Callable[[Mapping[str, str]], None],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._carry_out = carry_out
        self._on_verdict = on_verdict
        self._on_promised = on_promised
        self._promised: Mapping[str, str] | None = None
        self._state = ClusterState()
        self._inbox: list[Event] = []
        self._wake = asyncio.Event()
        self._busy = asyncio.Lock()
        self._waiting = WaitingJobs()
        self.first_round = asyncio.Event()
        self._metrics = metrics
        self._rules = SchedulingSettings(
            gpu_placement=settings.gpu_placement,
            cpu_placement=settings.cpu_placement,
            stale_gang_grace_seconds=settings.stale_gang_grace_seconds,
            max_consolidation_victims=settings.max_consolidation_victims,
            consolidating_reclaim=settings.consolidating_reclaim,
            usage_factor=settings.usage_factor,
        )
        self._due: float | None = None
        self._next_check = clock.monotonic() + settings.check_seconds

    def submit(self, event: Event) -> None:
        """Tell of a change; the next round knows it."""
        self._inbox.append(event)
        self._wake.set()

    def place(self, pools: Mapping[str, PoolPlacement]) -> None:
        """Learn how those node pools are filled that say so, by name; the next round goes by it."""
        self._rules = replace(self._rules, pools=pools)

    def follow(self, config: ClusterConfig) -> None:
        """Go by what the cluster's RunaiConfig says, and by the settings where it does not, from the next round on."""
        settings = self._settings
        grace = config.stale_gang_grace_seconds
        self._rules = replace(
            self._rules,
            gpu_placement=config.gpu_placement or settings.gpu_placement,
            cpu_placement=config.cpu_placement or settings.cpu_placement,
            stale_gang_grace_seconds=settings.stale_gang_grace_seconds if grace is None else grace,
        )
        self._wake.set()

    def waiting(self, job: str) -> Reason | None:
        """Why the job waits, as of the last round; None: it does not, or no round has seen it."""
        return self._waiting.reason(job)

    def usage(self, pool: str, queue: str) -> QueueUsage:
        """What counts against a queue in a pool, as of the last round."""
        return self._state.usage(pool, queue)

    async def held(self) -> dict[str, Holding]:
        """What there is and who holds it, by node pool, as of the last round."""
        async with self._busy:
            return {name: holding(pool) for name, pool in self._state.pools.items()}

    async def document(self, pool: str, topologies: Topologies = NO_TOPOLOGIES) -> dict[str, object]:
        """One node pool as of the last round, as a document that `aliquot simulate` replays (simulation.md)."""
        async with self._busy:
            now = self._clock.now()
            return await asyncio.to_thread(lambda: plain(document_of(self._state, now, self._rules, pool, topologies)))

    async def run(self) -> None:
        """Run rounds until cancelled; the first at once, also where there is nothing to tell."""
        self._wake.set()
        while True:
            await self._woken()
            await asyncio.sleep(self._settings.round_pause_seconds)
            self._wake.clear()
            events, self._inbox = self._inbox, []
            async with self._busy:
                plan, promised = await asyncio.to_thread(self._round, events)
            self._publish(plan)
            if promised != self._promised:
                self._promised = promised
                self._on_promised(promised)
            self._carry_out(plan)
            self.first_round.set()

    async def _woken(self) -> None:
        """Wait until something happens, or until time alone makes a difference."""
        seconds = None if self._due is None else max(0.0, self._due - self._clock.now())
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    def _round(self, events: list[Event]) -> tuple[Plan, dict[str, str]]:
        with self._metrics.seconds.time():
            for event in events:
                self._state.apply(event)
            now, rules = self._clock.now(), self._rules
            plan = decide(self._state, now, rules)
            promised = self._promised_in(plan)
            self._due = next_moment(self._state, now, rules)
        if self._clock.monotonic() >= self._next_check:
            self._check(plan)
        return plan, promised

    def _promised_in(self, plan: Plan) -> dict[str, str]:
        """Where tasks are to start once those have gone who were stopped for them, now or before; nodes by task."""
        jobs = {evict.for_job for evict in plan.evictions} | self._state.promises().keys()
        asked = ((self._state.task(nominate.task), nominate) for nominate in plan.nominations if jobs)
        return {
            nominate.task: nominate.node for record, nominate in asked if record is not None and record.fact.job in jobs
        }

    def _check(self, plan: Plan) -> None:
        """Compare the books with the facts: a mistake of ours that nobody else would notice before GPUs are lost."""
        self._next_check = self._clock.monotonic() + self._settings.check_seconds
        found = check(self._state, plan)
        self._metrics.unsound.inc(len(found))
        for violation in found[:_MOST_VIOLATIONS]:
            _log.error("the scheduler's books do not add up", violation=violation, violations=len(found))

    def _publish(self, plan: Plan) -> None:
        before, self._waiting = self._waiting, plan.waiting
        for job in sorted(self._waiting.differing(before)):
            self._on_verdict(job)
        for name, count in (
            ("bind", len(plan.binds)),
            ("evict", len(plan.evictions)),
            ("nominate", len(plan.nominations)),
        ):
            self._metrics.decisions.labels(name).inc(count)
        if plan.binds or plan.evictions:
            _log.debug("round", outline=plan.outline()[:2000])
