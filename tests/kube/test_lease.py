"""Leader election in virtual time, over wires that fail; on a real API server see test_lease_cluster."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aliquot.kube.lease import LeaderElector, LeaseSpec, Sighting
from aliquot.kube.problems import Forbidden, Request
from aliquot.kube.resources import LEASES
from tests.kube.memory_server import Store, Weather, Wire, client_on
from tests.kube.virtual_time import LoopClock, in_virtual_time

PATH = LEASES.item("runai", "aliquot-operator")
LEASE_SECONDS = 15.0
DEADLINE_SECONDS = 10.0
RETRY_SECONDS = 2.0


@dataclass
class Term:
    """One time that somebody led: loop times from the start of `lead()` until it had stopped."""

    who: str
    start: float
    end: float | None = None


@dataclass
class Candidate:
    """An elector with a wire of its own, and what it did."""

    name: str
    store: Store
    terms: list[Term]
    stopping_seconds: float = 0
    clock: LoopClock = field(default_factory=LoopClock)
    overruns: list[float] = field(default_factory=list[float])

    def __post_init__(self) -> None:
        self.wire = Wire(self.store)
        self.elector = LeaderElector(
            client_on(self.wire),
            self.clock,
            namespace="runai",
            name="aliquot-operator",
            identity=self.name,
            lease_seconds=LEASE_SECONDS,
            renew_deadline_seconds=DEADLINE_SECONDS,
            retry_seconds=RETRY_SECONDS,
            on_overrun=lambda: self.overruns.append(asyncio.get_running_loop().time()),
        )

    async def lead(self) -> None:
        """Lead until cancelled, then take `stopping_seconds` to stop."""
        loop = asyncio.get_running_loop()
        term = Term(self.name, loop.time())
        self.terms.append(term)
        try:
            await loop.create_future()
        finally:
            await asyncio.sleep(self.stopping_seconds)
            term.end = loop.time()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[asyncio.Task[None]]:
        task = asyncio.create_task(self.elector.run(self.lead))
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait({task})


def candidates(*names: str) -> tuple[Store, list[Term], list[Candidate]]:
    store, terms = Store(), list[Term]()
    return store, terms, [Candidate(name, store, terms) for name in names]


def spec(store: Store) -> dict[str, Any]:
    return store.objects[PATH]["spec"]


def overlaps(terms: Iterable[Term]) -> list[tuple[Term, Term]]:
    in_order = sorted(terms, key=lambda term: term.start)
    return [
        (one, other)
        for number, one in enumerate(in_order)
        for other in in_order[number + 1 :]
        if one.end is None or other.start < one.end
    ]


@in_virtual_time
async def test_the_first_one_creates_the_lease_and_leads_and_the_second_waits() -> None:
    store, terms, (anna, bert) = candidates("anna", "bert")
    async with anna.running():
        await asyncio.sleep(1)
        async with bert.running():
            await asyncio.sleep(60)
            assert [term.who for term in terms] == ["anna"]
            assert anna.elector.is_leader
            assert not bert.elector.is_leader
            assert anna.elector.leader == bert.elector.leader == "anna"
            lease = spec(store)
            assert lease["holderIdentity"] == "anna"
            assert lease["leaseDurationSeconds"] == 15
            assert lease["leaseTransitions"] == 0
            assert lease["renewTime"] > lease["acquireTime"]


@in_virtual_time
async def test_a_quiet_leader_writes_without_reading() -> None:
    _, _, (anna,) = candidates("anna")
    async with anna.running():
        await asyncio.sleep(61)
        assert [request.verb for request in anna.wire.seen] == ["get", "create", *["patch"] * 30]


@in_virtual_time
async def test_a_leader_told_to_stop_stops_then_hands_over_at_once() -> None:
    store, terms, (anna, bert) = candidates("anna", "bert")
    anna.stopping_seconds = 0.5
    async with anna.running() as anna_runs:
        await asyncio.sleep(1)
        async with bert.running():
            await asyncio.sleep(1)
            anna_runs.cancel()
            with pytest.raises(asyncio.CancelledError):
                await anna_runs
            assert spec(store)["holderIdentity"] == ""
            await asyncio.sleep(RETRY_SECONDS + 0.1)
            assert bert.elector.is_leader
            assert spec(store)["leaseTransitions"] == 1
            assert not overlaps(terms)
            assert not anna.elector.is_leader


@in_virtual_time
async def test_a_leader_that_takes_its_time_to_stop_keeps_the_lease_meanwhile() -> None:
    _, terms, (anna, bert) = candidates("anna", "bert")
    anna.stopping_seconds = 100
    async with anna.running() as anna_runs:
        await asyncio.sleep(1)
        async with bert.running():
            anna_runs.cancel()
            await asyncio.sleep(50)
            anna_runs.cancel()  # impatience changes nothing
            await asyncio.sleep(49)
            assert [term.who for term in terms] == ["anna"]
            assert anna.overruns == []
            await asyncio.sleep(5)
            assert [term.who for term in terms] == ["anna", "bert"]
            assert not overlaps(terms)


@pytest.mark.parametrize("weather", [Weather.NO_CONNECTION, Weather.SILENT, Weather.DEAF])
@in_virtual_time
async def test_a_leader_that_is_cut_off_stops_before_the_next_starts(weather: Weather) -> None:
    _, terms, (anna, bert) = candidates("anna", "bert")
    anna.stopping_seconds = LEASE_SECONDS - DEADLINE_SECONDS - 0.1
    async with anna.running(), bert.running():
        await asyncio.sleep(30)
        (first,) = terms
        leader, other = (anna, bert) if first.who == "anna" else (bert, anna)
        leader.wire.weather = weather
        await asyncio.sleep(60)
        assert first.end is not None
        assert other.elector.is_leader or weather is Weather.DEAF
        leader.wire.weather = Weather.FINE
        await asyncio.sleep(60)
        assert not overlaps(term for term in terms if term.end is not None)
        assert anna.elector.is_leader != bert.elector.is_leader


@in_virtual_time
async def test_a_short_breakdown_is_survived() -> None:
    _, terms, (anna, bert) = candidates("anna", "bert")
    async with anna.running():
        await asyncio.sleep(1)
        async with bert.running():
            for weather in (Weather.NO_CONNECTION, Weather.DEAF, Weather.SILENT):
                anna.wire.weather = weather
                await asyncio.sleep(2 * RETRY_SECONDS)
                anna.wire.weather = Weather.FINE
                await asyncio.sleep(20)
            assert [(term.who, term.end) for term in terms] == [("anna", None)]


_WEATHERS = st.sampled_from([Weather.FINE, Weather.FINE, *Weather])


@settings(max_examples=60, deadline=None)
@given(
    storms=st.lists(
        st.tuples(st.floats(0.1, 20), st.integers(0, 2), _WEATHERS, st.booleans()), min_size=1, max_size=12
    ),
    offsets=st.tuples(*[st.floats(-1e8, 1e8)] * 3),
    stopping=st.tuples(*[st.floats(0, LEASE_SECONDS - DEADLINE_SECONDS - 0.1)] * 3),
)
def test_whatever_the_weather_nobody_leads_beside_another(
    storms: list[tuple[float, int, Weather, bool]], offsets: tuple[float, ...], stopping: tuple[float, ...]
) -> None:
    @in_virtual_time
    async def story() -> None:
        _, terms, everyone = candidates("anna", "bert", "cleo")
        runs = list[asyncio.Task[None]]()
        for candidate, offset, seconds in zip(everyone, offsets, stopping, strict=True):
            candidate.clock.wall_offset_seconds += offset
            candidate.stopping_seconds = seconds
            runs.append(asyncio.create_task(candidate.elector.run(candidate.lead)))
        for seconds, number, weather, stops in storms:
            everyone[number].wire.weather = weather
            if stops:
                runs[number].cancel()
                await asyncio.wait({runs[number]})
                runs[number] = asyncio.create_task(everyone[number].elector.run(everyone[number].lead))
            await asyncio.sleep(seconds)
        for candidate in everyone:
            candidate.wire.weather = Weather.FINE
        await asyncio.sleep(60)
        assert sum(candidate.elector.is_leader for candidate in everyone) == 1
        for run in runs:
            run.cancel()
        await asyncio.wait(runs)
        assert overlaps(terms) == []

    story()


@in_virtual_time
async def test_a_lease_that_changes_while_it_is_being_released_is_free_all_the_same() -> None:
    """As when a renewal that was cut short arrives after all."""
    store, _, (anna,) = candidates("anna")
    async with anna.running() as anna_runs:
        await asyncio.sleep(1)
        touched: list[Request] = []

        def touch(request: Request) -> None:
            if request.verb == "patch" and not touched:
                touched.append(request)
                store.put(PATH, {**store.objects[PATH]})

        anna.wire.refuse = touch
        anna_runs.cancel()
        with pytest.raises(asyncio.CancelledError):
            await anna_runs
        assert touched
        assert spec(store)["holderIdentity"] == ""


@in_virtual_time
async def test_what_lead_returns_to_or_raises_ends_the_run_and_frees_the_lease() -> None:
    store, _, (anna, bert) = candidates("anna", "bert")

    async def lead_for_a_while() -> None:
        await asyncio.sleep(5)

    async def fail() -> None:
        raise LookupError("a mistake of ours")

    await anna.elector.run(lead_for_a_while)
    assert spec(store)["holderIdentity"] == ""
    with pytest.raises(LookupError, match="a mistake of ours"):
        await bert.elector.run(fail)
    assert spec(store)["holderIdentity"] == ""
    assert spec(store)["leaseTransitions"] == 1


@in_virtual_time
async def test_a_lease_that_somebody_deletes_is_made_again_by_its_leader() -> None:
    store, terms, (anna, bert) = candidates("anna", "bert")
    async with anna.running():
        await asyncio.sleep(1)
        async with bert.running():
            await asyncio.sleep(5)
            del store.objects[PATH]
            await asyncio.sleep(30)
            assert [term.who for term in terms] == ["anna"]
            assert spec(store)["holderIdentity"] == "anna"


@in_virtual_time
async def test_a_lease_that_is_deleted_is_not_free_before_its_holder_must_have_stopped() -> None:
    store, terms, (anna, bert) = candidates("anna", "bert")
    async with anna.running():
        await asyncio.sleep(1)
        async with bert.running():
            await asyncio.sleep(5)
            del store.objects[PATH]
            anna.wire.weather = Weather.NO_CONNECTION
            await asyncio.sleep(60)
            assert [term.who for term in terms] == ["anna", "bert"]
            assert not overlaps(terms[:1])
            assert terms[0].end is not None
            assert terms[0].end < terms[1].start


@in_virtual_time
async def test_a_write_of_somebody_else_that_leaves_the_holder_alone_does_not_matter() -> None:
    store, terms, (anna,) = candidates("anna")
    async with anna.running():
        await asyncio.sleep(3)
        lease = store.objects[PATH]
        store.put(PATH, {**lease, "metadata": {**lease["metadata"], "annotations": {"team": "a"}}})
        await asyncio.sleep(30)
        assert [(term.who, term.end) for term in terms] == [("anna", None)]
        assert store.objects[PATH]["metadata"]["annotations"] == {"team": "a"}


@in_virtual_time
async def test_a_leader_whose_lease_somebody_took_stops_at_its_next_renewal() -> None:
    store, terms, (anna,) = candidates("anna")
    async with anna.running():
        await asyncio.sleep(3)
        lease = store.objects[PATH]
        store.put(PATH, {**lease, "spec": {**lease["spec"], "holderIdentity": "kim"}})
        taken_at = asyncio.get_running_loop().time()
        await asyncio.sleep(RETRY_SECONDS + 1)
        assert terms[0].end is not None
        assert terms[0].end - taken_at <= RETRY_SECONDS + 0.1
        assert anna.elector.leader == "kim"
        assert spec(store)["holderIdentity"] == "kim"


@in_virtual_time
async def test_a_process_that_starts_again_under_its_name_leads_at_once() -> None:
    store, terms, (anna,) = candidates("anna")
    again = Candidate("anna", store, terms)
    async with anna.running() as run:
        await asyncio.sleep(3)
        anna.wire.weather = Weather.NO_CONNECTION  # kill -9: it can tell nobody
        run.cancel()
        await asyncio.wait({run})
    assert spec(store)["holderIdentity"] == "anna"
    async with again.running():
        await asyncio.sleep(1)
        assert again.elector.is_leader
        assert spec(store)["leaseTransitions"] == 0


@in_virtual_time
async def test_of_two_processes_of_one_name_only_the_later_one_goes_on() -> None:
    store, terms, (anna,) = candidates("anna")
    twin = Candidate("anna", store, terms)
    async with anna.running():
        await asyncio.sleep(3)
        async with twin.running():
            await asyncio.sleep(60)
            assert not anna.elector.is_leader
            assert twin.elector.is_leader
            assert len(terms) == 2


@in_virtual_time
async def test_a_leader_that_does_not_stop_in_time_is_reported_when_the_next_may_start_and_not_before() -> None:
    _, terms, (anna,) = candidates("anna")
    anna.stopping_seconds = 20
    async with anna.running():
        await asyncio.sleep(1)
        anna.wire.weather = Weather.NO_CONNECTION
        await asyncio.sleep(60)
        (overrun,) = anna.overruns
        assert terms[0].end is not None
        assert terms[0].end > overrun
        assert overrun - terms[0].start >= LEASE_SECONDS - 0.1


@in_virtual_time
async def test_a_process_that_was_suspended_knows_on_waking_that_it_may_not_act() -> None:
    _, _, (anna,) = candidates("anna")
    async with anna.running():
        await asyncio.sleep(3)
        assert anna.elector.is_leader
        anna.clock.paused_seconds += DEADLINE_SECONDS
        assert not anna.elector.is_leader


@in_virtual_time
async def test_a_lease_that_may_not_be_read_is_a_problem_that_probes_can_see() -> None:
    _, terms, (anna,) = candidates("anna")
    anna.wire.refuse_with(403, "Forbidden")
    async with anna.running():
        await asyncio.sleep(10)
        assert isinstance(anna.elector.last_problem, Forbidden)
        anna.wire.refuse = lambda _: None
        await asyncio.sleep(5)
        assert anna.elector.last_problem is None
        assert [term.who for term in terms] == ["anna"]


@pytest.mark.parametrize(
    ("asked", "free_after"),
    [(10, 15), (15, 15), (40, 40), (None, 15)],
)
def test_a_holder_that_asks_for_longer_is_given_longer(asked: int | None, free_after: float) -> None:
    sighting = Sighting(LeaseSpec(holder_identity="anna", lease_duration_seconds=asked), since=100)
    assert sighting.free_at(15) == 100 + free_after


def test_only_a_changed_record_is_young_again() -> None:
    first = Sighting(LeaseSpec(holder_identity="anna", renew_time="1"), since=100)
    assert first.followed_by(LeaseSpec(holder_identity="anna", renew_time="1"), 110) is first
    assert first.followed_by(LeaseSpec(holder_identity="anna", renew_time="2"), 110).since == 110


def test_a_lease_that_nobody_holds_is_free() -> None:
    assert Sighting(LeaseSpec(holder_identity="", lease_duration_seconds=15), since=100).free_at(15) == 100


@pytest.mark.parametrize("seconds", [(15, 15, 2), (15, 10, 10), (15, 10, 0), (10, 15, 2)])
def test_times_that_cannot_be_safe_are_refused(seconds: tuple[float, float, float]) -> None:
    lease, deadline, retry = seconds
    with pytest.raises(AssertionError, match="must grow"):
        LeaderElector(
            client_on(Wire(Store())),
            LoopClock(),
            namespace="runai",
            name="l",
            identity="anna",
            lease_seconds=lease,
            renew_deadline_seconds=deadline,
            retry_seconds=retry,
        )
