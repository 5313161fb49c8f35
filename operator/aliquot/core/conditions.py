"""Conditions of objects that people set: made without a time, which they keep as long as their status stays."""

from collections.abc import Iterable
from datetime import UTC, datetime

from aliquot.contracts.kinds.conditions import Condition


def condition(kind: str, *, holds: bool, reason: str, message: str) -> Condition:
    """A condition without its time, which `timed` adds."""
    return Condition(type=kind, status="True" if holds else "False", reason=reason, message=message)


def timed(conditions: Iterable[Condition], before: Iterable[Condition], now: float) -> tuple[Condition, ...]:
    """The conditions with their times: of before where the status is as it was, else now, in whole seconds."""
    known = {each.type: each for each in before}
    moment = datetime.fromtimestamp(int(now), UTC)

    def time_of(each: Condition) -> datetime:
        old = known.get(each.type)
        return old.last_transition_time if old and old.status == each.status and old.last_transition_time else moment

    return tuple(each.model_copy(update={"last_transition_time": time_of(each)}) for each in conditions)
