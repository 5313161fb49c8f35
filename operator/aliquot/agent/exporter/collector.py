"""The collector that Prometheus' library asks at each scrape."""

import unicodedata
from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector as BaseCollector

from aliquot.agent.exporter.samples import samples
from aliquot.agent.exporter.view import View
from aliquot.contracts.metrics import Metric

_TOTAL: Final = "_total"
_LONGEST_LABEL: Final = 256
_UNWRITABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Categories of Unicode: controls, halves of surrogate pairs, ends of lines and paragraphs. Some parsers end a line at
them, and halves cannot be written as UTF-8 at all."""


class Collector(BaseCollector):
    """Shows a view.

    Args:
        view: what there is to be shown now; made from what is known, without asking anybody.
    """

    def __init__(self, view: Callable[[], View]) -> None:
        self._view = view

    def describe(self) -> Iterable[Family]:
        """Nothing: which metrics there are depends on the GPUs."""
        return ()

    def collect(self) -> Iterable[Family]:
        """One family for each metric that has samples, in the order in which the first of each came."""
        families: dict[str, Family] = {}
        for metric, labels, value in samples(self._view()):
            family = families.get(metric.name)
            if family is None:
                family = families[metric.name] = _family(metric)
            # What is empty is not there, for Prometheus; left out it costs nothing.
            named = zip(metric.labels, labels, strict=True)
            family.add_sample(metric.name, {name: _writable(text) for name, text in named if text}, float(value))
        return families.values()


def _family(metric: Metric) -> Family:
    name = metric.name.removesuffix(_TOTAL) if metric.type == "counter" else metric.name
    return Family(name, metric.help, metric.type)


def _writable(text: str) -> str:
    """A label's value as any parser takes it, whatever a pod, a driver or a card calls itself."""
    if text.isascii() and text.isprintable() and len(text) <= _LONGEST_LABEL:
        return text
    short = text[:_LONGEST_LABEL]
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(each) in _UNWRITABLE else each for each in short)
