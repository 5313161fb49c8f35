"""What is said of a metric."""

from dataclasses import dataclass
from typing import Literal

Type = Literal["gauge", "counter", "untyped"]
"""As in Prometheus' text format. `untyped` have the compatible names that only ever grow and do not end in `_total`."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: as it is exposed; of a counter with its `_total`.
        type: what its values do.
        unit: what they count, as people say it.
        labels: their names, in the order in which values are given.
        help: its meaning in one sentence.
        process: which process exposes it.
        old_names: what it was called before, elsewhere.
        twin: the same reading in base units, under a name of ours; empty where this is that one, or there is none.
    """

    name: str
    type: Type
    unit: str
    labels: tuple[str, ...]
    help: str
    process: Literal["agent", "operator"] = "agent"
    old_names: tuple[str, ...] = ()
    twin: str = ""
