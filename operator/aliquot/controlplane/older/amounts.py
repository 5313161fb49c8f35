"""Quotas of the older surface against those of the newer one (control-plane-api.md 1.4.3, 4.2), pure.

    older               newer
    maxAllowed          limit; null is -1, as it means the same
    deserved: -1        null, of CPU and memory
    memory              in MiB, or in MB where that was asked for; newer quotas name their unit
    overQuotaWeight     the same; null is what quotas have that nobody touched

What comes back as it was shown changes nothing, so a quota keeps its unit and its nulls. Totals over all node pools are
the default pool's, as long as the others deserve nothing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from aliquot.contracts.administrator_api.amounts import ResourcesChange
from aliquot.contracts.administrator_api.older.amounts import (
    OlderAmounts,
    OlderGpuAmounts,
    OlderPoolResources,
    OlderQuotas,
    OlderResources,
)
from aliquot.contracts.administrator_api.shapes import UNLIMITED
from aliquot.controlplane.quotas.rules import KINDS, MEMORY_UNIT, UNTOUCHED, Block, Blocks, Pool
from aliquot.controlplane.refusals import BadRequest

MemoryUnit = Literal["Mib", "MB"]
_BYTES: Final[Mapping[str, int]] = {"Mib": 2**20, "MB": 10**6, "GB": 10**9}
_DECIMALS: Final = 6
_USE: Final = "name the node pools in nodePoolsResources"


@dataclass(frozen=True, slots=True)
class Held:
    """What a department or project has.

    Attributes:
        pools: of its cluster, the oldest first.
        default: the default pool.
        blocks: amounts by id of the pool.
        quotas: ids of pools, by id of the quota.
    """

    pools: Sequence[Pool]
    default: Pool
    blocks: Mapping[int, Blocks]
    quotas: Mapping[int, int]

    def of(self, pool: Pool) -> Blocks:
        """The amounts in a pool."""
        return self.blocks.get(pool.id, UNTOUCHED)


@dataclass(frozen=True, slots=True)
class Deprecated:
    """What single members say that are older still.

    Attributes:
        weight: of GPUs; None: not given.
        allows_over_quota: whether there may be more GPUs than deserved; None: not given.
    """

    weight: float | None = None
    allows_over_quota: bool | None = None


def resources(blocks: Blocks, unit: MemoryUnit) -> dict[str, dict[str, float]]:
    """Amounts of all kinds, as `OlderResourcesShown` is written."""
    return {kind: _shown(getattr(blocks, kind), kind, unit) for kind in KINDS}


def totals(held: Sequence[Blocks], default: Blocks, unit: MemoryUnit) -> dict[str, dict[str, float]]:
    """Amounts in all node pools together; weights are those of the default pool."""
    by_pool = [resources(blocks, unit) for blocks in held]
    total = resources(default, unit)
    for kind in KINDS:
        for member in ("deserved", "maxAllowed"):
            total[kind][member] = _sum([each[kind][member] for each in by_pool])
    return total


def allows_over_quota(held: Sequence[Blocks]) -> bool:
    """Whether there may be more GPUs than deserved, in any node pool."""
    gpus = [_shown(blocks.gpu, "gpu", "Mib") for blocks in held]
    return any(gpu["maxAllowed"] == UNLIMITED or gpu["maxAllowed"] > gpu["deserved"] for gpu in gpus)


def memory_in(amount: float, unit: MemoryUnit) -> float:
    """So many MiB in a unit."""
    return _converted(amount, MEMORY_UNIT, unit)


def changes(given: OlderQuotas, held: Held, deprecated: Deprecated) -> list[ResourcesChange]:
    """Say which amounts are to be changed.

    Args:
        given: what was sent.
        held: what it has, or would have if it were new.
        deprecated: what was sent in single members.

    Returns:
        What differs, in the newer form; nothing: it stays as it is.

    Raises:
        BadRequest: there is no such pool, a pool is there twice, a limit is less than what is deserved, or it is not
            said in which of several pools.
    """
    if given.node_pools_resources is not None:
        return _by_pool(given.node_pools_resources, held)
    if given.resources is not None:
        return _of_all_pools(given.resources, held)
    return _of_single_members(given, held, deprecated)


def _by_pool(given: Sequence[OlderPoolResources], held: Held) -> list[ResourcesChange]:
    found: list[ResourcesChange] = []
    seen: set[int] = set()
    for index, entry in enumerate(given):
        at = f"nodePoolsResources.{index}"
        pool = _pool(entry, held, at)
        if pool.id in seen:
            raise BadRequest(f"Bad request - {at}.nodePool: {pool.name!r} is not allowed: each pool may be there once")
        seen.add(pool.id)
        found.extend(_change(entry, held.of(pool), pool, at))
    return found


def _of_all_pools(given: OlderResources, held: Held) -> list[ResourcesChange]:
    total = totals(list(held.blocks.values()), held.of(held.default), "Mib")
    if all(_sent(kind, amounts) == total[kind] for kind in KINDS if (amounts := getattr(given, kind)) is not None):
        return []
    if len(held.pools) > 1:
        raise BadRequest(
            f"Bad request - resources: is not allowed: the cluster has {len(held.pools)} node pools; {_USE}"
        )
    return _change(given, held.of(held.default), held.default, "resources")


def _of_single_members(given: OlderQuotas, held: Held, deprecated: Deprecated) -> list[ResourcesChange]:
    total = totals(list(held.blocks.values()), held.of(held.default), "Mib")["gpu"]
    sent = {
        "deserved": given.deserved_gpus,
        "maxAllowed": given.max_allowed_gpus,
        "overQuotaWeight": deprecated.weight,
    }
    differs = [name for name, value in sent.items() if value is not None and value != total[name]]
    allows = allows_over_quota(list(held.blocks.values()))
    if deprecated.allows_over_quota not in (None, allows):
        differs.append("allowOverQuota")
    if not differs:
        return []
    if any(held.of(pool).gpu["deserved"] for pool in held.pools if pool != held.default):
        raise BadRequest(
            f"Bad request - deservedGpus: {given.deserved_gpus!r} is not allowed: it deserves GPUs in several node "
            f"pools; {_USE}"
        )
    gpu = _shown(held.of(held.default).gpu, "gpu", "Mib")
    gpu.update({name: value for name, value in sent.items() if value is not None and name in differs})
    if "maxAllowed" not in differs and "allowOverQuota" in differs:
        gpu["maxAllowed"] = UNLIMITED if deprecated.allows_over_quota else gpu["deserved"]
    elif "maxAllowed" not in differs and not allows:
        gpu["maxAllowed"] = gpu["deserved"]
    return _entry(held.default, {"gpu": _newer("gpu", gpu, "maxAllowedGpus")})


def _change(given: OlderResources, before: Blocks, pool: Pool, at: str) -> list[ResourcesChange]:
    kinds: dict[str, Any] = {}
    for kind in KINDS:
        amounts: OlderGpuAmounts | OlderAmounts | None = getattr(given, kind)
        if amounts is None:
            continue
        sent = _sent(kind, amounts)
        if sent != _shown(getattr(before, kind), kind, "Mib"):
            kinds[kind] = _newer(kind, sent, f"{at}.{kind}.maxAllowed")
    return _entry(pool, kinds)


def _entry(pool: Pool, kinds: dict[str, Any]) -> list[ResourcesChange]:
    return [ResourcesChange.model_validate({"nodePool": {"id": str(pool.id)}, **kinds})] if kinds else []


def _sent(kind: str, given: OlderGpuAmounts | OlderAmounts) -> dict[str, float]:
    """Amounts as they would be shown."""
    block = {"deserved": given.deserved, "limit": given.max_allowed, "overQuotaWeight": given.over_quota_weight}
    return _shown(block, kind, "Mib")


def _newer(kind: str, older: Mapping[str, float], field: str) -> Block:
    deserved, limit = older["deserved"], older["maxAllowed"]
    if limit != UNLIMITED and (deserved == UNLIMITED or limit < deserved):
        raise BadRequest(
            f"Bad request - {field}: {limit!r} is not allowed: at least what is deserved ({deserved!r}), or "
            f"{UNLIMITED} for no limit"
        )
    block: Block = {
        "deserved": None if deserved == UNLIMITED and kind != "gpu" else deserved,
        "limit": limit,
        "overQuotaWeight": older["overQuotaWeight"],
    }
    return {**block, "units": MEMORY_UNIT} if kind == "memory" else block


def _pool(entry: OlderPoolResources, held: Held, at: str) -> Pool:
    """The pool of an entry: by the id of the quota, by that of the pool, or by its name; all that are there agree."""
    by_id = {pool.id: pool for pool in held.pools}
    by_name = {pool.name: pool for pool in held.pools}
    named = entry.node_pool
    ways: list[tuple[str, object, Pool | None]] = []
    if entry.id is not None:
        ways.append(("id", entry.id, by_id.get(held.quotas.get(entry.id, 0))))
    if named is not None and named.id is not None:
        ways.append(("nodePool.id", named.id, by_id.get(named.id)))
    if named is not None and named.name is not None:
        ways.append(("nodePool.name", named.name, by_name.get(named.name)))
    if not ways:
        return held.default
    found = ways[0][2]
    there = ", ".join(f"{pool.id} ({pool.name})" for pool in held.pools[:20])
    for field, value, pool in ways:
        if pool is None:
            allowed = "it has no such quota" if field == "id" else f"the cluster has the pools {there}"
            raise BadRequest(f"Bad request - {at}.{field}: {value!r} is not allowed: {allowed}")
        if found != pool:
            raise BadRequest(f"Bad request - {at}.{field}: {value!r} is not allowed: {ways[0][0]} names another pool")
    assert found is not None, "it was looked at"
    return found


def _shown(block: Block | None, kind: str, unit: MemoryUnit) -> dict[str, float]:
    given = block or {}
    weight = given.get("overQuotaWeight")
    held_in = given.get("units") or MEMORY_UNIT

    def amount(member: str) -> float:
        value = given.get(member)
        if value is None:
            return UNLIMITED
        return _converted(value, held_in, unit) if kind == "memory" else value

    return {
        "deserved": amount("deserved"),
        "maxAllowed": amount("limit"),
        "overQuotaWeight": getattr(UNTOUCHED, kind)["overQuotaWeight"] if weight is None else weight,
    }


def _converted(amount: float, held_in: str, unit: str) -> float:
    if amount == UNLIMITED or held_in == unit:
        return amount
    return _whole(amount * _BYTES[held_in] / _BYTES[unit])


def _sum(amounts: Sequence[float]) -> float:
    if UNLIMITED in amounts:
        return UNLIMITED
    return amounts[0] if len(amounts) == 1 else _whole(round(math.fsum(amounts), _DECIMALS))


def _whole(amount: float) -> float:
    return int(amount) if amount == int(amount) else amount
