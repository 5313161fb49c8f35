"""Leader election over a `coordination.k8s.io` Lease: the loser stops acting before the next one starts.

    waiting ──the lease is free, or stood still for `lease_seconds`──▶ leading: `lead()` runs, the lease is renewed
       ▲                                                                   │
       │   not renewed within `renew_deadline_seconds`, or taken away      │ `lead()` ends, or `run` is cancelled
       └──────────── `lead()` cancelled and awaited ◀──────────────────────┤
                                                                           └──▶ `lead()` ended, lease released, end

Why two leaders never act at once:
- A leader counts its deadline from *before* it sent the last renewal that succeeded; the others count theirs from
  *after* they saw it. Both by their own monotonic clock: the times in the record are for people.
- What lies between the two, `lease_seconds - renew_deadline_seconds`, is what `lead()` has for stopping. If it takes
  longer, `on_overrun` is called, where the process had better end.
- Each write has the version that it was decided upon as a precondition, so of two that reach out one is refused.
- A lease that somebody deleted is no free lease: whoever has seen its holder waits as if it stood still.

While `lead()` is being stopped on purpose, renewals go on: it may take its time then.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from aliquot import log
from aliquot.clock import Clock
from aliquot.kube.client import ApiClient
from aliquot.kube.micro_time import micro_time
from aliquot.kube.problems import AlreadyExists, ApiProblem, Conflict, NotFound
from aliquot.kube.resources import LEASES

_log = log.get(__name__)
_LONGEST_RELEASE_SECONDS: Final = 2.0


class LeaseSpec(msgspec.Struct, frozen=True, rename="camel"):
    """Who has a lease, as everybody sees it.

    Attributes:
        holder_identity: empty when nobody has it.
        lease_duration_seconds: how long it must stand still before others may take it.
        acquire_time: when the holder got it.
        renew_time: when the holder renewed it last.
        lease_transitions: how often the holder has changed.
    """

    holder_identity: str | None = ""
    lease_duration_seconds: int | None = 0
    acquire_time: str | None = ""
    renew_time: str | None = ""
    lease_transitions: int | None = 0


class _Metadata(msgspec.Struct, frozen=True, rename="camel"):
    resource_version: str


class _Lease(msgspec.Struct, frozen=True):
    metadata: _Metadata
    spec: LeaseSpec = LeaseSpec()


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a lease said when it was last seen to have changed.

    Attributes:
        spec: what it said.
        since: our monotonic seconds when we first saw it say so.
    """

    spec: LeaseSpec
    since: float

    def followed_by(self, spec: LeaseSpec, now: float) -> "Sighting":
        """What is known after looking again: a record that has not changed keeps its age."""
        return self if spec == self.spec else Sighting(spec, now)

    def free_at(self, lease_seconds: float) -> float:
        """Monotonic seconds from which others may take the lease; a holder that asks for longer is given longer."""
        if not self.spec.holder_identity:
            return self.since
        return self.since + max(lease_seconds, float(self.spec.lease_duration_seconds or 0))


class LeaderElector:
    """Takes part in the election for one lease.

    Args:
        client: an open client; requests are sent with time limits of the elector's own.
        clock: wall-clock time for the record, monotonic time for deadlines.
        namespace: of the Lease.
        name: of the Lease; it is created when missing.
        identity: who we are; must differ between processes that live at the same time. A process that starts
            anew under its old name takes its lease up at once.
        lease_seconds: a lease not renewed for so long may be taken over.
        renew_deadline_seconds: a leader that could not renew for so long stops; less than `lease_seconds`.
        retry_seconds: between two attempts to renew or to take over; less than `renew_deadline_seconds`.
        on_overrun: called when `lead()` still runs at the moment from which another may lead.
    """

    def __init__(
        self,
        client: ApiClient,
        clock: Clock,
        *,
        namespace: str,
        name: str,
        identity: str,
        lease_seconds: float = 15,
        renew_deadline_seconds: float = 10,
        retry_seconds: float = 2,
        on_overrun: Callable[[], None] | None = None,
    ) -> None:
        assert identity, "a leader needs an identity"
        assert 0 < retry_seconds < renew_deadline_seconds < lease_seconds, (
            f"must grow: retry {retry_seconds} s, renew deadline {renew_deadline_seconds} s, lease {lease_seconds} s"
        )
        self._given_client = client
        self._clock = clock
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._lease_seconds = lease_seconds
        self._renew_deadline_seconds = renew_deadline_seconds
        self._retry_seconds = retry_seconds
        self._on_overrun = on_overrun
        self.last_problem: ApiProblem | None = None
        """Why the last attempt to read or write the lease failed; None if it did not."""
        self._leading = False
        self._lost = False
        self._ever_led = False
        self._sent_at = -math.inf
        """When the last write that succeeded was sent."""
        self._version = ""
        """Resource version of what we wrote last; empty when the lease must be read before it is written."""
        self._sighting: Sighting | None = None
        self._tried: set[str] = set()
        """Renew times of writes that may be in the record: the last that succeeded, and those of unknown outcome."""

    @property
    def is_leader(self) -> bool:
        """Whether `lead()` may act: not once the lease is lost or its renewal overdue, even while it still stops."""
        return self._leading and not self._lost and self._clock.monotonic() < self._deadline

    @property
    def leader(self) -> str:
        """Identity of the leader as last seen; empty for none."""
        return "" if self._sighting is None else self._sighting.spec.holder_identity or ""

    @property
    def transitions(self) -> int:
        """How often the holder has changed, by the lease as last seen; begins anew with a lease that is made anew."""
        return 0 if self._sighting is None else self._sighting.spec.lease_transitions or 0

    @property
    def _deadline(self) -> float:
        return self._sent_at + self._renew_deadline_seconds

    async def run(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Wait for the lease, lead while it is ours, wait again; returns or raises when `lead()` does so by itself.

        When cancelled, `lead()` is cancelled and awaited, then the lease released: the next one starts at once.

        Args:
            lead: acts as the leader until cancelled; when cancelled it must stop acting before it ends.
        """
        while True:
            await self._acquire()
            if await self._lead(lead):
                return

    async def _acquire(self) -> None:
        while True:
            try:
                if await self._attempt():
                    return
            except ApiProblem as problem:
                self._note(problem)
            await asyncio.sleep(self._patience())

    def _patience(self) -> float:
        if self._sighting is None:
            return self._retry_seconds
        until_free = self._sighting.free_at(self._lease_seconds) - self._clock.monotonic()
        return min(self._retry_seconds, until_free) if until_free > 0 else self._retry_seconds

    async def _lead(self, lead: Callable[[], Awaitable[None]]) -> bool:
        """Lead until the lease is lost (False), or `lead()` ends by itself (True, or what it raises)."""
        self._leading = self._ever_led = True
        self._lost = False
        _log.info("leading", lease=self._name, identity=self._identity)
        leading = asyncio.create_task(_awaited(lead))
        renewing = asyncio.create_task(self._renew())
        cancelled: asyncio.CancelledError | None = None
        try:
            await asyncio.wait({leading, renewing}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError as cancellation:
            cancelled = cancellation
        by_itself = leading.done()
        leading.cancel()
        cancelled = await self._stopped(leading) or cancelled
        self._leading = False
        renewing.cancel()
        await asyncio.wait({renewing})
        if cancelled is not None or by_itself:
            await self._release()
        _log.info("no longer leading", lease=self._name, identity=self._identity, lost=self._lost)
        if not renewing.cancelled():
            renewing.result()
        if not leading.cancelled():
            leading.result()
        if cancelled is not None:
            raise cancelled
        return by_itself

    async def _stopped(self, leading: asyncio.Task[None]) -> asyncio.CancelledError | None:
        """Wait for the end of `lead()`, whatever comes; returns a cancellation that came meanwhile."""
        cancelled = None
        overrun = False
        while not leading.done():
            remaining = self._sent_at + self._lease_seconds - self._clock.monotonic()
            if remaining <= 0 and not overrun:
                overrun = True
                _log.critical("still acting although the lease is over", lease=self._name, identity=self._identity)
                if self._on_overrun is not None:
                    self._on_overrun()
            try:
                await asyncio.wait({leading}, timeout=None if overrun else remaining)
            except asyncio.CancelledError as cancellation:
                cancelled = cancellation
        return cancelled

    async def _renew(self) -> None:
        """Renew until the lease is lost."""
        await self._renew_while_ours()
        self._lost = True

    async def _renew_while_ours(self) -> None:
        while True:
            await asyncio.sleep(min(self._retry_seconds, max(0.0, self._deadline - self._clock.monotonic())))
            try:
                async with asyncio.timeout(self._deadline - self._clock.monotonic()):
                    if not await self._attempt():
                        _log.warning("lease was taken away", lease=self._name, leader=self.leader)
                        return
            except ApiProblem as problem:
                self._note(problem)
            except TimeoutError:
                pass  # the check below says what that means
            if self._clock.monotonic() >= self._deadline:
                _log.warning("lease could not be renewed in time", lease=self._name, problem=str(self.last_problem))
                return

    def _note(self, problem: ApiProblem) -> None:
        level = _log.warning if str(problem) != str(self.last_problem) else _log.debug
        level("lease cannot be read or written", lease=self._name, leading=self._leading, problem=str(problem))
        self.last_problem = problem

    async def _attempt(self) -> bool:
        """Acquire or renew once; whether the lease is ours now.

        Raises:
            ApiProblem: the lease could not be read or written.
        """
        try:
            ours = await self._once()
        except (Conflict, AlreadyExists, NotFound):
            # It changed between reading and writing, or since we wrote it: look at once who it is now.
            ours = await self._once()
        self.last_problem = None
        return ours

    async def _once(self) -> bool:
        version, self._version = self._version, ""  # unknown until the answer is here
        if not version:
            found = await self._read()
            if not self._may_write(found):
                return False
            version = "" if found is None else found.metadata.resource_version
        spec = self._next_record()
        self._tried.add(spec.renew_time or "")
        sent_at = self._clock.monotonic()
        written = await self._write(spec, version)
        self._sent_at = sent_at
        self._version = written.metadata.resource_version
        self._sighting = Sighting(spec, sent_at)
        self._tried = {spec.renew_time or ""}
        return True

    @property
    def _client(self) -> ApiClient:
        limits = self._given_client.limits
        # One try at a time: what to do after a failure is decided here. Half of the deadline leaves room for a second.
        return self._given_client.with_limits(
            replace(
                limits, attempts=1, request_timeout_seconds=self._renew_deadline_seconds / 2, requests_per_second=None
            )
        )

    async def _read(self) -> _Lease | None:
        try:
            answer = await self._client.get(LEASES, self._namespace, self._name)
        except NotFound:
            return None
        found = answer.decode(_Lease)
        now = self._clock.monotonic()
        seen = self._sighting
        self._sighting = Sighting(found.spec, now) if seen is None else seen.followed_by(found.spec, now)
        return found

    def _may_write(self, found: _Lease | None) -> bool:
        if found is None:
            # Where we lead, or have never seen a holder, it may be created; the sighting says when otherwise.
            free = self._sighting is None or self._leading
        else:
            mine = found.spec.holder_identity == self._identity
            known = mine and found.spec.renew_time in self._tried
            if self._leading:
                return known
            # Of our name, but not written by us: by the process that we are the restart of, or so it is hoped once.
            free = known or (mine and not self._ever_led)
        return free or (
            self._sighting is not None and self._clock.monotonic() >= self._sighting.free_at(self._lease_seconds)
        )

    def _next_record(self) -> LeaseSpec:
        now = micro_time(self._clock.now())
        seconds = math.ceil(self._lease_seconds)
        if self._sighting is None:
            return LeaseSpec(self._identity, seconds, now, now, 0)
        last = self._sighting.spec
        transitions = last.lease_transitions or 0
        if last.holder_identity != self._identity:
            return LeaseSpec(self._identity, seconds, now, now, transitions + 1)
        acquired = last.acquire_time if self._leading else now
        return LeaseSpec(self._identity, seconds, acquired, now, transitions)

    async def _write(self, spec: LeaseSpec, version: str) -> _Lease:
        if version:
            body = {"metadata": {"resourceVersion": version}, "spec": spec}
            answer = await self._client.merge_patch(LEASES, self._namespace, self._name, body)
        else:
            body = {
                "apiVersion": LEASES.api_version,
                "kind": LEASES.kind,
                "metadata": {"name": self._name, "namespace": self._namespace},
                "spec": spec,
            }
            answer = await self._client.create(LEASES, body, namespace=self._namespace)
        return answer.decode(_Lease)

    async def _release(self) -> None:
        """Tell the others that the lease is free, as far as possible; they find out anyway."""
        try:
            async with asyncio.timeout(_LONGEST_RELEASE_SECONDS):
                try:
                    await self._free()
                except Conflict:
                    # A renewal that was cut short arrived after all: look at once whose it is now.
                    self._version = ""
                    await self._free()
        except (ApiProblem, TimeoutError) as problem:
            _log.info("lease could not be released", lease=self._name, problem=str(problem))
        finally:
            self._version = ""

    async def _free(self) -> None:
        """Write that nobody holds the lease, if it is ours still."""
        if not self._version:
            found = await self._read()
            if found is None or not self._still_ours(found.spec):
                return
            self._version = found.metadata.resource_version
        now = micro_time(self._clock.now())
        last = LeaseSpec() if self._sighting is None else self._sighting.spec
        spec = LeaseSpec("", 1, now, now, last.lease_transitions or 0)
        await self._write(spec, self._version)
        self._sighting = Sighting(spec, self._clock.monotonic())

    def _still_ours(self, spec: LeaseSpec) -> bool:
        return spec.holder_identity == self._identity and spec.renew_time in self._tried


async def _awaited(lead: Callable[[], Awaitable[None]]) -> None:
    await lead()
