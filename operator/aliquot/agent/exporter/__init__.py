"""Readings as metrics: each entry of the catalogue (`contracts.metrics`) filled from one `View`.

A `Collector` on a Prometheus registry shows the view of the moment; `samples` is the pure part. What is None in a view
has no sample.
"""

from aliquot.agent.exporter.collector import Collector
from aliquot.agent.exporter.view import View

__all__ = ["Collector", "View"]
