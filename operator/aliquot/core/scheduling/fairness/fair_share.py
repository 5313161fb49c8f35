"""What each queue would hold if everything were divided fairly now (scheduling.md 2.7): quota first, then the rest.

Top queues divide the pool, the others what is their parent's. Every resource is divided on its own. All arithmetic is
in integers and exact: weights are scaled to whole numbers, and a share is compared before it is rounded.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from math import isfinite, lcm
from typing import Final

from aliquot.core.quantities import UNLIMITED
from aliquot.core.scheduling.facts import Queue, Share
from aliquot.core.scheduling.fairness.capacity import UNIT
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.pool import PoolState
from aliquot.core.scheduling.state.queues import Amount, QueueTree, shares

_NOBODY: Final[Mapping[str, Amount]] = {}


@dataclass(frozen=True, slots=True)
class Claim:
    """What one queue wants of one resource.

    Attributes:
        name: the queue; unique among siblings.
        share: what it deserves, its limit, its weight and what it has used lately.
        requested: what its jobs hold and wait for, those of the queues below included.
        priority: higher ones are satisfied first, beyond quotas.
        created: older ones go first where remainders are equal.
    """

    name: str
    share: Share
    requested: int
    priority: int = 100
    created: float = 0.0

    @property
    def requestable(self) -> int:
        """The most that it can get."""
        return min(self.share.limit, self.requested)


def divide(total: int, claims: Iterable[Claim], *, unit: int, usage_factor: float = 0) -> dict[str, int]:
    """Divide an amount among siblings.

    Quotas are given though they be more than there is: what is promised to everybody is not made less by others.

    Args:
        total: what there is.
        claims: of the siblings, in any order.
        unit: what is over quota is handed out in whole multiples of it as far as possible.
        usage_factor: `k` of scheduling.md 2.7; 0: what was used before makes no difference.

    Returns:
        The fair share of each.
    """
    claims = sorted(claims, key=lambda claim: (-claim.priority, claim.created, claim.name))
    fair = {
        claim.name: min(total if claim.share.deserved >= UNLIMITED else claim.share.deserved, claim.requestable)
        for claim in claims
    }
    rest = total - sum(fair.values())
    owed: list[tuple[Claim, int]] = []
    for _, band in groupby(claims, key=lambda claim: claim.priority):
        if rest <= 0:
            return fair
        rest, rounded = _by_weight(rest, list(band), fair, unit, usage_factor)
        owed += sorted(rounded, key=lambda one: -one[1])
    for claim, _ in owed:
        give = min(unit, rest, claim.requestable - fair[claim.name])
        fair[claim.name] += give
        rest -= give
    return fair


def _by_weight(
    rest: int, claims: Sequence[Claim], fair: dict[str, int], unit: int, usage_factor: float
) -> tuple[int, list[tuple[Claim, int]]]:
    """Give out by weight until all are satisfied or have had their part.

    Returns what is left, and whose part was rounded down, each with by how much (all in the same fraction).
    """
    rounded: list[tuple[Claim, int]] = []
    while rest > 0:
        hungry = [
            claim for claim in claims if fair[claim.name] < claim.requestable and claim.share.over_quota_weight > 0
        ]
        parts = _parts(hungry, usage_factor)
        whole = sum(parts)
        if whole == 0:
            break
        pool, rounded, again = rest, list[tuple[Claim, int]](), False
        for claim, part in zip(hungry, parts, strict=True):
            lacks = claim.requestable - fair[claim.name]
            if lacks * whole <= pool * part:
                give = lacks
                again = again or lacks * whole < pool * part
            else:
                give = pool * part // (whole * unit) * unit
                if (remainder := pool * part - give * whole) > 0:
                    rounded.append((claim, remainder))
            fair[claim.name] += give
            rest -= give
        if not again:
            break
    return rest, rounded


def _parts(claims: Sequence[Claim], usage_factor: float) -> list[int]:
    """In which proportion the claims are served, as whole numbers: their weights, bent by what was used before."""
    weights = [_exact(claim.share.over_quota_weight) for claim in claims]
    factor = _exact(usage_factor)
    if factor:
        whole = sum(weights)
        weights = [
            max(Fraction(0), weight + factor * (weight - _exact(claim.share.usage) * whole))
            for weight, claim in zip(weights, claims, strict=True)
        ]
    scale = lcm(*(weight.denominator for weight in weights))
    return [int(weight * scale) for weight in weights]


def _exact(value: float) -> Fraction:
    """The value without loss; one that is no number, or negative, is nothing."""
    return Fraction(value) if isfinite(value) and value > 0 else Fraction(0)


def fair_shares(
    of: PoolState | Draft, usage_factor: float = 0, newcomers: Mapping[str, Amount] = _NOBODY
) -> dict[str, Amount]:
    """The fair share of every queue of a pool.

    A queue in a ring of parents, or below one, has no part in what is divided: its fair share is what it deserves of
    what it requests. One whose parent is not there counts as a top queue.

    Args:
        of: the pool as it is, or as it is to be.
        usage_factor: see `divide`.
        newcomers: what jobs of a queue wait for here that count as waiting in another pool, by queue.
    """
    if isinstance(of, Draft):
        tree, capacity, held = of.tree, of.capacity, of.held
    else:
        tree, capacity = of.queues, of.nodes.total()
        held = {name: usage.held for name, usage in tree.usage.items()}
    requested = {
        name: [has + waits for has, waits in zip(held[name], tree.usage[name].waiting, strict=True)]
        for name in tree.queues
    }
    for name, more in newcomers.items():
        for level in tree.chain(name):
            for axis in range(3):
                requested[level.name][axis] += more[axis]
    fair: dict[str, Amount] = {}
    below = _children(tree)
    todo: list[tuple[Amount, list[Queue]]] = [(capacity, below.get(None, []))]
    while todo:
        total, siblings = todo.pop()
        by_axis = [
            divide(
                total[axis],
                [_claim(queue, axis, requested[queue.name]) for queue in siblings],
                unit=UNIT[axis],
                usage_factor=usage_factor,
            )
            for axis in range(3)
        ]
        for queue in siblings:
            mine = fair[queue.name] = (by_axis[0][queue.name], by_axis[1][queue.name], by_axis[2][queue.name])
            if queue.name in below:
                todo.append((mine, below[queue.name]))
    for name, queue in tree.queues.items():
        if name not in fair:
            gpu, cpu, memory = (
                min(share.deserved, share.limit, wants)
                for share, wants in zip(shares(queue), requested[name], strict=True)
            )
            fair[name] = (gpu, cpu, memory)
    return fair


def _children(tree: QueueTree) -> dict[str | None, list[Queue]]:
    """The queues by parent; those at the top under None."""
    below: dict[str | None, list[Queue]] = {}
    for queue in tree.queues.values():
        below.setdefault(queue.parent if queue.parent in tree.queues else None, []).append(queue)
    return below


def _claim(queue: Queue, axis: int, requested: Sequence[int]) -> Claim:
    return Claim(queue.name, shares(queue)[axis], requested[axis], queue.priority, queue.created)
