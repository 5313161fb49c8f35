"""Custodians of the certificate, in virtual time: several replicas, lost races, renewals, an API server that fails."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aliquot.cluster.webhook.certificates import DAY, Credentials, issue, read
from aliquot.cluster.webhook.custodian import Custodian
from aliquot.kube.resources import SECRETS, VALIDATING_WEBHOOK_CONFIGURATIONS
from aliquot.settings import Certificates, Webhook
from tests.kube.memory_server import Store, Weather, Wire, client_on
from tests.kube.virtual_time import LoopClock, in_virtual_time

SECRET = SECRETS.item("runai", "aliquot-webhook")
CONFIGURATION = VALIDATING_WEBHOOK_CONFIGURATIONS.item("", "aliquot-webhook")
HOST = Webhook().host_name
SETTINGS = Certificates(lifetime_days=90, renew_before_days=30, check_seconds=10, settle_seconds=30)


def cluster(data: dict[str, str] | None = None) -> Store:
    """A cluster with the chart: a Secret with this in it, and a configuration that trusts nobody."""
    store = Store()
    secret: dict[str, Any] = {
        "kind": "Secret",
        "metadata": {"name": "aliquot-webhook", "namespace": "runai", "uid": "s"},
    }
    store.put(SECRET, {**secret, "data": data} if data is not None else secret)
    entries = [{"name": f"{name}.aliquot.dev", "clientConfig": {"service": {"name": name}}} for name in ("a", "b")]
    metadata = {"name": "aliquot-webhook", "uid": "c"}
    store.put(CONFIGURATION, {"kind": "ValidatingWebhookConfiguration", "metadata": metadata, "webhooks": entries})
    return store


def stored(store: Store) -> Credentials:
    found = read(store.objects[SECRET].get("data") or {})
    assert found is not None, "the Secret is empty"
    return found


def bundles(store: Store) -> list[bytes]:
    """What the API server trusts, entry by entry."""
    entries = store.objects[CONFIGURATION]["webhooks"]
    assert all(entry["clientConfig"]["service"] for entry in entries), "an entry has lost its service"
    return [b64decode(entry["clientConfig"].get("caBundle", "")) for entry in entries]


def writes(store: Store, path: str) -> int:
    """How often an object was written since the beginning."""
    return sum(written == path for _, written, _ in store.versions) - 1


@dataclass
class Replica:
    """A custodian, and what it has shown to callers so far."""

    store: Store
    clock: LoopClock
    webhook: Webhook = field(default_factory=Webhook)
    shown: list[Credentials] = field(default_factory=list[Credentials])

    def __post_init__(self) -> None:
        self.wire = Wire(self.store)
        self.custodian = Custodian(client_on(self.wire), self.clock, self.webhook, SETTINGS, "runai", self._show)

    def _show(self, credentials: Credentials) -> None:
        if self.webhook.makes_certificates:
            assert bundles(self.store) == [credentials.authorities] * 2, "shown before the API server trusts it"
        self.shown.append(credentials)


@asynccontextmanager
async def running(*replicas: Replica) -> AsyncGenerator[None]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(replica.custodian.run()) for replica in replicas]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


@in_virtual_time
async def test_the_first_replica_makes_a_certificate_and_all_show_it() -> None:
    store, clock = cluster(), LoopClock()
    replicas = [Replica(store, clock) for _ in range(3)]
    async with running(*replicas):
        await asyncio.sleep(60)
    assert writes(store, SECRET) == 1, "the others read what the first one wrote"
    assert writes(store, CONFIGURATION) == 1
    assert [replica.shown for replica in replicas] == [[stored(store)]] * 3
    assert stored(store).host_names == (HOST,)


@in_virtual_time
async def test_nothing_is_written_while_all_is_well() -> None:
    store = cluster()
    replica = Replica(store, LoopClock())
    async with running(replica):
        await asyncio.sleep(60)
        before = len(store.versions)
        await asyncio.sleep(3600)
    assert len(store.versions) == before
    assert len(replica.shown) == 1


@in_virtual_time
async def test_a_certificate_is_renewed_in_time_and_trusted_before_it_is_shown() -> None:
    store, clock = cluster(), LoopClock()
    first, second = Replica(store, clock), Replica(store, clock)
    async with running(first, second):
        await asyncio.sleep(60)
        old = stored(store)
        clock.paused_seconds += 59 * DAY
        await asyncio.sleep(60)
        assert stored(store) == old
        clock.paused_seconds += DAY
        await asyncio.sleep(15)
        new = stored(store)
        assert new != old
        assert bundles(store) == [new.authorities] * 2
        assert old.authorities in new.authorities
        assert first.shown == second.shown == [old], "other API servers have not heard of the new one yet"
        await asyncio.sleep(60)
    assert first.shown == second.shown == [old, new]
    assert (writes(store, SECRET), writes(store, CONFIGURATION)) == (2, 2)


@in_virtual_time
async def test_a_certificate_that_has_ended_is_replaced_without_waiting() -> None:
    store, clock = cluster(), LoopClock()
    replica = Replica(store, clock)
    async with running(replica):
        await asyncio.sleep(60)
        clock.paused_seconds += 365 * DAY
        await asyncio.sleep(15)
    assert replica.shown[-1] == stored(store)
    assert len(replica.shown) == 2


@in_virtual_time
async def test_a_replica_that_starts_shows_what_is_there() -> None:
    clock = LoopClock()
    made = issue((HOST,), clock.now(), 90)
    store = cluster(made.data())
    replica = Replica(store, clock)
    async with running(replica):
        await asyncio.sleep(5)
    assert replica.shown == [made]
    assert writes(store, SECRET) == 0


@in_virtual_time
async def test_what_cannot_be_used_is_replaced() -> None:
    store, clock = cluster({**issue((HOST,), 0, 90).data(), "tls.key": "eA=="}), LoopClock()
    replica = Replica(store, clock)
    async with running(replica):
        await asyncio.sleep(5)
    assert replica.shown == [stored(store)]


@in_virtual_time
async def test_what_the_api_server_trusts_is_put_right_again() -> None:
    store, clock = cluster(), LoopClock()
    replica = Replica(store, clock)
    async with running(replica):
        await asyncio.sleep(60)
        configuration = store.objects[CONFIGURATION]
        del configuration["webhooks"][1]["clientConfig"]["caBundle"]
        store.put(CONFIGURATION, configuration)
        await asyncio.sleep(15)
    assert bundles(store) == [stored(store).authorities] * 2


@in_virtual_time
async def test_replicas_with_different_hosts_share_a_certificate_for_both() -> None:
    store, clock = cluster(), LoopClock()
    one, two = Replica(store, clock), Replica(store, clock, Webhook(host_name="127.0.0.1"))
    async with running(one, two):
        await asyncio.sleep(300)
    assert set(stored(store).host_names) == {HOST, "127.0.0.1"}
    assert writes(store, SECRET) == 2
    assert one.shown[-1] == two.shown[-1] == stored(store)


@in_virtual_time
async def test_without_an_api_server_the_last_certificate_is_shown_and_the_first_one_waited_for() -> None:
    store, clock = cluster(), LoopClock()
    replica = Replica(store, clock)
    replica.wire.weather = Weather.NO_CONNECTION
    async with running(replica):
        await asyncio.sleep(60)
        assert replica.shown == []
        assert "connection refused" in (replica.custodian.last_problem or "")
        replica.wire.weather = Weather.FINE
        await asyncio.sleep(60)
        assert replica.shown == [stored(store)]
        assert replica.custodian.last_problem is None
        replica.wire.weather = Weather.NO_CONNECTION
        await asyncio.sleep(600)
    assert replica.shown == [stored(store)]


@in_virtual_time
async def test_without_its_secret_it_says_so() -> None:
    store = cluster()
    del store.objects[SECRET]
    replica = Replica(store, LoopClock())
    async with running(replica):
        await asyncio.sleep(30)
    assert replica.shown == []
    assert "get secrets runai/aliquot-webhook: 404 NotFound" in (replica.custodian.last_problem or "")


@in_virtual_time
async def test_a_certificate_of_somebody_else_is_only_read() -> None:
    store, clock = cluster(), LoopClock()
    replica = Replica(store, clock, Webhook(makes_certificates=False))
    async with running(replica):
        await asyncio.sleep(30)
        assert "its issuer has not filled it" in (replica.custodian.last_problem or "")
        ours = list[Credentials]()
        for _ in range(2):
            made = issue(("elsewhere",), clock.now() - 400 * DAY, 90)
            ours.append(made)
            store.put(SECRET, {**store.objects[SECRET], "data": made.data()})
            await asyncio.sleep(30)
    assert replica.shown == ours
    assert writes(store, CONFIGURATION) == 0
    assert all(request.verb == "get" for request in replica.wire.seen)
