"""What may be written as a quota, and what becomes of it (control-plane-api.md 4.2, 4.3).

Every department and project has an amount in each node pool of its cluster. Where nobody has said anything, that is
`UNTOUCHED`: no GPUs of its own, idle ones may be borrowed, CPU and memory unlimited.

    PUT     a pool that is left out stays; of one that is listed, a kind (gpu, cpu, memory) that is left out stays,
            and one that is given is replaced as a whole
    PATCH   as PUT, but members of a kind that are left out stay, too
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from aliquot.contracts.administrator_api.amounts import Resources, ResourcesChange
from aliquot.contracts.administrator_api.shapes import UNLIMITED
from aliquot.controlplane.refusals import BadRequest

Block = dict[str, Any]
KINDS: Final = ("gpu", "cpu", "memory")
MEMORY_UNIT: Final = "Mib"
_MEDIUM: Final = 2


@dataclass(frozen=True, slots=True)
class Pool:
    """A node pool, as far as quotas name it."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Blocks:
    """Amounts in one pool, with the member names of the API; None is `null`."""

    gpu: Block
    cpu: Block | None
    memory: Block | None


UNTOUCHED: Final = Blocks(
    gpu={"deserved": 0, "limit": UNLIMITED, "overQuotaWeight": _MEDIUM},
    cpu={"deserved": None, "limit": UNLIMITED, "overQuotaWeight": _MEDIUM},
    memory={"deserved": None, "limit": UNLIMITED, "overQuotaWeight": _MEDIUM, "units": MEMORY_UNIT},
)


def merged(
    before: Mapping[int, Blocks],
    given: Sequence[Resources | ResourcesChange],
    pools: Sequence[Pool],
    default: Pool,
    *,
    keeps_members: bool,
) -> dict[int, Blocks]:
    """Say what the amounts are after a change.

    Args:
        before: what they are, by id of the pool.
        given: what was sent.
        pools: of the cluster.
        default: the pool of entries that name none.
        keeps_members: whether members that are left out stay (PATCH).

    Returns:
        Those of all pools of the cluster, by id.

    Raises:
        BadRequest: there is no such pool, a pool is there twice, or a limit is less than what is deserved.
    """
    after = {pool.id: before.get(pool.id, UNTOUCHED) for pool in pools}
    touched: set[int] = set()
    for index, entry in enumerate(given):
        at = f"resources.{index}"
        pool = _pool(entry, pools, default, at)
        if pool.id in touched:
            raise BadRequest(f"Bad request - {at}.nodePool: {pool.name!r} is not allowed: each pool may be there once")
        touched.add(pool.id)
        after[pool.id] = _changed(after[pool.id], entry, keeps_members=keeps_members)
        _check_limits(after[pool.id], at)
    return after


def over_subscribed(
    department: Mapping[int, Blocks], projects: Iterable[Mapping[int, Blocks]], pools: Sequence[Pool]
) -> str | None:
    """Say where projects were promised more GPUs than their department has (control-plane-api.md 4.3).

    Args:
        department: amounts of the department, by pool.
        projects: those of each of its projects.
        pools: of the cluster.

    Returns:
        A sentence; None: nowhere.
    """
    everyone = list(projects)
    for pool in pools:
        promised = sum(project.get(pool.id, UNTOUCHED).gpu["deserved"] for project in everyone)
        has = department.get(pool.id, UNTOUCHED).gpu["deserved"]
        if promised > has:
            return (
                f"in node pool {pool.name} the department's projects would deserve {promised:g} GPUs together, and the "
                f"department deserves {has:g}: this tenant refuses quotas that cannot all be kept"
            )
    return None


def _pool(entry: Resources | ResourcesChange, pools: Sequence[Pool], default: Pool, at: str) -> Pool:
    reference = entry.node_pool
    if reference is None:
        return default
    found = next((pool for pool in pools if str(pool.id) == reference.id), None)
    there = ", ".join(f"{pool.id} ({pool.name})" for pool in pools[:20])
    if found is None:
        raise BadRequest(
            f"Bad request - {at}.nodePool.id: {reference.id!r} is not allowed: the cluster has the pools {there}"
        )
    if reference.name is not None and reference.name != found.name:
        raise BadRequest(
            f"Bad request - {at}.nodePool.name: {reference.name!r} is not allowed: the pool {found.id} is {found.name}"
        )
    return found


def _changed(before: Blocks, entry: Resources | ResourcesChange, *, keeps_members: bool) -> Blocks:
    def kind(name: str) -> Any:
        old, given = getattr(before, name), getattr(entry, name)
        if name not in entry.model_fields_set or (given is None and name == "gpu"):
            return old
        return None if given is None else _block(old, given, keeps_members=keeps_members)

    return Blocks(*(kind(name) for name in KINDS))


def _block(before: Block | None, given: BaseModel, *, keeps_members: bool) -> Block:
    sent = given.model_dump(by_alias=True, exclude_unset=keeps_members and before is not None)
    after = {**(before or {}), **sent}
    if "units" in type(given).model_fields:
        after["units"] = after.get("units") or MEMORY_UNIT
    return after


def _check_limits(blocks: Blocks, at: str) -> None:
    for kind in KINDS:
        block: Block | None = getattr(blocks, kind)
        if block is None or block["limit"] is None or block["limit"] == UNLIMITED or block["deserved"] is None:
            continue
        if block["deserved"] == UNLIMITED or block["limit"] < block["deserved"]:
            raise BadRequest(
                f"Bad request - {at}.{kind}.limit: {block['limit']!r} is not allowed: at least what is deserved "
                f"({block['deserved']!r}), or {UNLIMITED} for no limit"
            )
