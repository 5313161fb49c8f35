"""The catalogue of metrics: each one's name, type, unit, labels and meaning, once.

The exporters read it, and `page` writes docs/metrics.md from it. Values are in the unit that the entry says. Everyone
may call; nothing here knows how a value is found.
"""

from aliquot.contracts.metrics.model import Metric, Type

__all__ = ["Metric", "Type"]
