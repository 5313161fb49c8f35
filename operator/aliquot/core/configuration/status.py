"""Whether a RunaiConfig is in force, and what of it is not followed, for its status."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from pydantic import ValidationError

from aliquot import names
from aliquot.contracts.kinds.conditions import Condition
from aliquot.contracts.kinds.config import RunaiConfig
from aliquot.core.conditions import condition, timed
from aliquot.core.configuration.config import Reading
from aliquot.errors import told

AVAILABLE: Final = "Available"
UNDERSTOOD: Final = "Understood"
NOT_IN_FORCE: Final = f"only the RunaiConfig called {names.CONFIG_NAME} is followed"


def config_conditions(
    config: RunaiConfig, reading: Reading, now: float, besides: Sequence[Condition] = ()
) -> tuple[Condition, ...]:
    """Say in conditions whether a RunaiConfig is followed, and what of it is not.

    Args:
        config: the object, with the status that it has.
        reading: what reading it gave.
        now: Unix seconds, for conditions that change.
        besides: what else the one that is followed says of the cluster.
    """
    if config.metadata.name != names.CONFIG_NAME:
        not_this = condition(AVAILABLE, holds=False, reason="NotInForce", message=NOT_IN_FORCE)
        made: tuple[Condition, ...] = (not_this,)
    else:
        available = condition(AVAILABLE, holds=True, reason="InForce", message="the operator goes by it")
        understood = (
            condition(UNDERSTOOD, holds=False, reason="PartlyIgnored", message=told(reading.ignored))
            if reading.ignored
            else condition(UNDERSTOOD, holds=True, reason="AllFollowed", message="everything in it is followed")
        )
        made = (available, understood, *besides)
    return timed(made, _conditions_before(config.status), now)


def _conditions_before(status: Mapping[str, Any]) -> Iterator[Condition]:
    """The conditions in a status that anybody may have written."""
    written: object = status.get("conditions")
    for each in cast("list[object]", written) if isinstance(written, list) else ():
        try:
            yield Condition.model_validate(each)
        except ValidationError:
            continue


def is_told(conditions: Sequence[Condition], status: Mapping[str, Any]) -> bool:
    """Whether a status has just these conditions."""
    return tuple(_conditions_before(status)) == tuple(conditions)
