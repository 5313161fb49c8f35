"""What projects and departments have used lately: kept account of, told to the scheduler, and kept over restarts.

    scheduler.held ─▶ every few seconds: used_until ─▶ every minute: feed.have_used, one write of the ConfigMap
    ConfigMap ─▶ before the first round

Only while time-based fair share is on (`scheduling.usage_factor`). The account is one ConfigMap with an entry for each
node pool: GPUs, cores and GB, times hours, faded by the half-life. What happened in the minute before a crash is lost
from it; what happened while nobody led is taken to have been as it is afterwards.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from math import isfinite
from typing import Final, NoReturn

import msgspec

from aliquot import log, names
from aliquot.clock import Clock
from aliquot.core.intake import Used
from aliquot.core.scheduling import Holding, PoolUsage, used_until
from aliquot.kube.client import ApiClient
from aliquot.kube.problems import ApiProblem, NotFound
from aliquot.kube.resources import CONFIG_MAPS
from aliquot.settings import Scheduling

_log = log.get(__name__)
_SAMPLE_SECONDS: Final = 10.0
_RETRY_SECONDS: Final = 2.0
_UNITS: Final = (100 * 3600.0, 1000 * 3600.0, 1e9 * 3600.0)
"""A device-hour, a core-hour and a GB-hour, in what is reckoned with."""
_DIGITS: Final = 6


class _ConfigMap(msgspec.Struct):
    data: dict[str, str] = {}


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    """What is written of a node pool: `[GPU-hours, core-hours, GB-hours]`, all faded, as of `at` in Unix seconds."""

    at: float
    capacity: tuple[float, float, float]
    queues: dict[str, tuple[float, float, float]]


def written(usage: PoolUsage) -> str:
    """The entry of a node pool."""
    entry = _Entry(
        round(usage.at, 3), _in_hours(usage.capacity), {name: _in_hours(used) for name, used in usage.queues.items()}
    )
    return msgspec.json.encode(entry).decode()


def read(text: str) -> PoolUsage | None:
    """What an entry says; None when it is not one of ours."""
    try:
        entry = msgspec.json.decode(text, type=_Entry)
    except msgspec.DecodeError:
        return None
    amounts = [entry.at, *entry.capacity, *(amount for used in entry.queues.values() for amount in used)]
    if not all(isfinite(amount) and amount >= 0 for amount in amounts):
        return None
    return PoolUsage(
        entry.at, _of_hours(entry.capacity), {name: _of_hours(used) for name, used in entry.queues.items()}
    )


def _in_hours(used: tuple[float, float, float]) -> tuple[float, float, float]:
    gpu, cpu, memory = (float(f"{amount / unit:.{_DIGITS}g}") for amount, unit in zip(used, _UNITS, strict=True))
    return gpu, cpu, memory


def _of_hours(hours: tuple[float, float, float]) -> tuple[float, float, float]:
    gpu, cpu, memory = (amount * unit for amount, unit in zip(hours, _UNITS, strict=True))
    return gpu, cpu, memory


class UsageKeeper:
    """Keeps the account.

    Args:
        client: reads and writes the ConfigMap.
        clock: tells for how long something was used.
        settings: whether, and how fast it fades.
        namespace: where the ConfigMap is.
        held: what there is and who holds it, by node pool.
        have_used: takes what queues have used, by node pool and name.
    """

    def __init__(
        self,
        client: ApiClient,
        clock: Clock,
        settings: Scheduling,
        namespace: str,
        held: Callable[[], Awaitable[Mapping[str, Holding]]],
        have_used: Callable[[Mapping[tuple[str, str], Used]], None],
    ) -> None:
        self._client = client
        self._clock = clock
        self._settings = settings
        self._namespace = namespace
        self._held = held
        self._have_used = have_used
        self._pools: dict[str, PoolUsage] = {}

    @property
    def wanted(self) -> bool:
        """Whether anybody wants to know."""
        return self._settings.usage_factor > 0

    async def load(self) -> None:
        """Take up the account of an earlier term, and tell of it: a round without it would decide otherwise."""
        for pool, text in (await self._kept()).items():
            usage = read(text)
            if usage is None:
                _log.warning(
                    "what was used is unreadable, and begins anew", pool=pool, config_map=names.USAGE_CONFIG_MAP
                )
            else:
                self._pools[pool] = usage
        self._tell()

    async def _kept(self) -> dict[str, str]:
        while True:
            try:
                answer = await self._client.get(CONFIG_MAPS, self._namespace, names.USAGE_CONFIG_MAP)
                return msgspec.json.decode(answer.body, type=_ConfigMap).data
            except NotFound:
                return {}
            except ApiProblem as problem:
                _log.warning("what was used cannot be read", problem=str(problem))
                if not problem.worth_retry:
                    return {}
                await asyncio.sleep(max(_RETRY_SECONDS, problem.retry_after_seconds))

    async def run(self) -> NoReturn:
        """Keep the account until cancelled."""
        interval = self._settings.usage_interval_seconds
        due = self._clock.monotonic() + interval
        while True:
            await asyncio.sleep(min(_SAMPLE_SECONDS, interval))
            await self._reckon()
            if self._clock.monotonic() >= due:
                due = self._clock.monotonic() + interval
                self._tell()
                await self._write()

    async def _reckon(self) -> None:
        held, now = await self._held(), self._clock.now()
        self._pools = {
            pool: used_until(self._pools.get(pool, PoolUsage(now)), now, each, self._settings.usage_half_life_seconds)
            for pool, each in sorted(held.items())
        }

    def _tell(self) -> None:
        self._have_used(
            {(pool, name): used for pool, usage in self._pools.items() for name, used in usage.parts().items()}
        )

    async def _write(self) -> None:
        body = {
            "apiVersion": CONFIG_MAPS.api_version,
            "kind": CONFIG_MAPS.kind,
            "metadata": {
                "name": names.USAGE_CONFIG_MAP,
                "namespace": self._namespace,
                "labels": {names.MANAGED_BY_LABEL: names.MANAGED_BY},
            },
            "data": {pool: written(usage) for pool, usage in self._pools.items()},
        }
        try:
            await self._client.apply(
                CONFIG_MAPS, self._namespace, names.USAGE_CONFIG_MAP, body, field_manager=names.USAGE_MANAGER
            )
        except ApiProblem as problem:
            _log.warning("what was used could not be written; the next time will do", problem=str(problem))
