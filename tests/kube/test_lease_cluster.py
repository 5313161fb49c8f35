"""Fail-over on a real API server."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from aliquot.clock import SystemClock
from aliquot.kube.client import ApiClient
from aliquot.kube.lease import LeaderElector
from aliquot.kube.resources import LEASES
from aliquot_lab import FaultProxy
from tests.kube.eventually import PATIENCE_SECONDS, eventually

pytestmark = pytest.mark.cluster


class Candidate:
    """An elector, and the order in which everybody's `lead()` began and ended."""

    def __init__(
        self, client: ApiClient, namespace: str, name: str, diary: list[str], lease_seconds: float = 60
    ) -> None:
        self.name = name
        self._diary = diary
        self.elector = LeaderElector(
            client,
            SystemClock(),
            namespace=namespace,
            name="operator",
            identity=name,
            lease_seconds=lease_seconds,
            renew_deadline_seconds=lease_seconds * 0.7,
            retry_seconds=0.2,
        )

    async def _lead(self) -> None:
        self._diary.append(f"{self.name} begins")
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._diary.append(f"{self.name} ends")

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[asyncio.Task[None]]:
        task = asyncio.create_task(self.elector.run(self._lead))
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait({task})


async def lease(client: ApiClient, namespace: str) -> dict[str, Any]:
    return cast("dict[str, Any]", (await client.get(LEASES, namespace, "operator")).json())["spec"]


async def test_a_leader_that_is_told_to_stop_hands_over(lab_client: ApiClient, lab_namespace: str) -> None:
    diary: list[str] = []
    anna = Candidate(lab_client, lab_namespace, "anna", diary)
    bert = Candidate(lab_client, lab_namespace, "bert", diary)
    async with anna.running() as anna_runs:
        await eventually(lambda: anna.elector.is_leader)
        assert (await lease(lab_client, lab_namespace))["holderIdentity"] == "anna"
        async with bert.running():
            await eventually(lambda: bert.elector.leader == "anna")
            anna_runs.cancel()
            await eventually(lambda: "bert begins" in diary)
            assert (await lease(lab_client, lab_namespace))["leaseTransitions"] == 1
            assert diary == ["anna begins", "anna ends", "bert begins"]
    assert (await lease(lab_client, lab_namespace))["holderIdentity"] == ""


async def test_a_leader_that_is_cut_off_stops_before_the_next_begins_and_comes_back_as_second(
    lab_client: ApiClient, proxied_client: ApiClient, fault_proxy: FaultProxy, lab_namespace: str
) -> None:
    diary: list[str] = []
    # It has to run out, and yet nobody may lose it because the machine is busy.
    anna = Candidate(proxied_client, lab_namespace, "anna", diary, lease_seconds=20)
    bert = Candidate(lab_client, lab_namespace, "bert", diary, lease_seconds=20)
    async with anna.running():
        await eventually(lambda: anna.elector.is_leader)
        async with bert.running():
            fault_proxy.black_hole()
            await eventually(lambda: "bert begins" in diary)
            assert diary == ["anna begins", "anna ends", "bert begins"]
            assert not anna.elector.is_leader
            fault_proxy.heal()
            await eventually(lambda: anna.elector.leader == "bert")
            assert diary == ["anna begins", "anna ends", "bert begins"]


async def test_the_lease_is_renewed_for_as_long_as_it_is_held(lab_client: ApiClient, lab_namespace: str) -> None:
    anna = Candidate(lab_client, lab_namespace, "anna", [])
    async with anna.running():
        await eventually(lambda: anna.elector.is_leader)
        seen: set[str] = set()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(seen) < 3:
                now = await lease(lab_client, lab_namespace)
                seen.add(now["renewTime"])
                assert now["leaseTransitions"] == 0
                assert now["leaseDurationSeconds"] == 60
