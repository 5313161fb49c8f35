"""Rules of node pools (control-plane-api.md 1.4.4)."""

from collections.abc import Iterable
from typing import Final

from aliquot import names
from aliquot.controlplane.refusals import BadRequest

DEFAULT_POOL: Final = names.DEFAULT_NODE_POOL


def check_label(key: str, value: str, others: Iterable[tuple[str, str | None, str | None]]) -> None:
    """See that no other pool has the same nodes.

    Args:
        key: key of the label.
        value: its value.
        others: name, key and value of the cluster's other pools.

    Raises:
        BadRequest: one has.
    """
    for name, its_key, its_value in others:
        if (key, value) == (its_key, its_value):
            raise BadRequest(
                f"Bad request - labelValue: {value!r} is not allowed: {key}={value} is the label of {name}"
            )
