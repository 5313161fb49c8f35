"""The rules of the sync, pure: what amounts of the API are in a cluster, and which reports are taken.

Amounts (control-plane-api.md 1.4.3, 5.4): `null` for what is deserved, and for a limit, is unlimited, as -1 is; a kind
that is `null` as a whole is unlimited in all; a weight that nobody gave is the one of quotas that nobody touched.

Reports (`aliquot.contracts.cluster_sync`):

    of the session whose reports we take     the next one: taken; taken before: acknowledged; a later one: refused
    of another session                       the first one: taken, it begins that session; else refused
    of a session that another one ended      refused: it was on the way for long
    of an earlier term                       refused, unless the cluster has reported nothing for some time:
                                             then it was installed anew, and its terms begin anew
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from aliquot.contracts.cluster_sync import UNLIMITED, DesiredAmounts, DesiredQueue
from aliquot.controlplane.quotas.rules import UNTOUCHED, Block, Blocks

MOST_ENDED: Final = 50
"""So many sessions that were ended are remembered, of one term."""
SILENT_MS: Final = 120_000
"""After so long without a report an earlier term is believed."""
_MB: Final[Mapping[str, float]] = {"Mib": 1.048576, "MB": 1, "GB": 1000}
_DECIMALS: Final = 6


def queue(pool: str, blocks: Blocks) -> DesiredQueue:
    """What a department or project may have in a node pool, as its custom resource says it."""
    unit = _MB[blocks.memory["units"]] if blocks.memory else 1
    return DesiredQueue(
        node_pool=pool,
        gpu=_amounts(blocks.gpu, UNTOUCHED.gpu, 1),
        cpu=_amounts(blocks.cpu, UNTOUCHED.cpu, 1),
        memory=_amounts(blocks.memory, UNTOUCHED.memory, unit),
    )


def _amounts(block: Block | None, untouched: Block | None, unit: float) -> DesiredAmounts:
    given, default = block or {}, untouched or {}
    weight = given.get("overQuotaWeight")
    return DesiredAmounts(
        deserved=_amount(given.get("deserved"), unit),
        limit=_amount(given.get("limit"), unit),
        over_quota_weight=default["overQuotaWeight"] if weight is None else weight,
    )


def _amount(amount: float | None, unit: float) -> float:
    return UNLIMITED if amount is None or amount == UNLIMITED else round(amount * unit, _DECIMALS)


@dataclass(frozen=True, slots=True)
class Last:
    """The last report of a cluster that was taken.

    Attributes:
        term: of the leader that sent it.
        session: its session; empty: none was taken ever.
        sequence: its number in the session.
        ended: sessions of this term that others ended, the oldest first.
        taken_ms: when it was taken.
    """

    term: int = 0
    session: str = ""
    sequence: int = 0
    ended: tuple[str, ...] = ()
    taken_ms: int = 0

    def after(self, term: int, session: str, sequence: int, now_ms: int) -> "Last":
        """The last one, once this one is taken."""
        ended = self.ended if term == self.term else ()
        if session != self.session and self.session and term == self.term:
            ended = (*ended, self.session)[-MOST_ENDED:]
        return Last(term, session, sequence, ended, now_ms)


Verdict = Literal["take", "taken before"]


@dataclass(frozen=True, slots=True)
class BeginAnew:
    """A report is refused; a new session mends that."""

    why: str


def verdict(last: Last, term: int, session: str, sequence: int, now_ms: int) -> Verdict | BeginAnew:
    """Say what becomes of a report.

    Args:
        last: the last one that was taken.
        term: of the leader that sent this one.
        session: its session.
        sequence: its number in the session.
        now_ms: the time.
    """
    if term < last.term and now_ms - last.taken_ms < SILENT_MS:
        return BeginAnew(f"term: {term} is over: reports of term {last.term} are taken")
    if session == last.session and term == last.term:
        if sequence <= last.sequence:
            return "taken before"
        if sequence == last.sequence + 1:
            return "take"
        return BeginAnew(f"sequence: {sequence} does not follow {last.sequence}, the last that was taken")
    if session == last.session or session in last.ended:
        return BeginAnew(f"session: {session} has ended")
    if sequence != 1:
        return BeginAnew(f"session: {session} is not known here, and {sequence} is not its first report")
    return "take"


def revision_text(revision: int) -> str:
    """A revision as clusters are told it."""
    return str(revision)


def revision_of(text: str | None) -> int | None:
    """The revision that a cluster says it has; None: none, or none of ours."""
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,18}", text, re.ASCII) else None


def shown(document: Any) -> Any:
    """What somebody said, without what no database and no screen takes: control characters become spaces."""
    if isinstance(document, str):
        return (
            document
            if document.isprintable()
            else "".join(letter if letter.isprintable() else " " for letter in document)
        )
    if isinstance(document, list):
        return [shown(each) for each in document]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(document, dict):
        return {shown(name): shown(each) for name, each in document.items()}  # pyright: ignore[reportUnknownVariableType]
    return document
