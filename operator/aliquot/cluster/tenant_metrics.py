"""Metrics of projects and node pools, made at each scrape of what the scheduler's books and the mirror say then.

Only the replica that leads knows them, and only once its first round is done: before, nobody seems to hold anything.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from aliquot import names
from aliquot.contracts.kubernetes import Namespace
from aliquot.contracts.metrics import Metric, tenancy
from aliquot.core.quantities import UNLIMITED
from aliquot.core.scheduling import QueueUsage, facts
from aliquot.core.scheduling.facts import DEPARTMENT_PREFIX

Reading = tuple[Metric, tuple[str, ...], float]
"""A value of a metric, with the values of its labels."""
_PERCENT: Final = 100


class TenantMetrics(Collector):
    """Shows what `source` says; nothing while there is none.

    Args:
        registry: what `/metrics` shows.

    Attributes:
        source: makes the readings.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.source: Callable[[], Iterable[Reading]] | None = None
        registry.register(self)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One family for each metric that has a reading."""
        families: dict[str, GaugeMetricFamily] = {}
        for metric, labels, value in self.source() if self.source is not None else ():
            if metric.name not in families:
                families[metric.name] = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
            families[metric.name].add_metric(labels, value)
        yield from families.values()


def readings(
    queues: Iterable[facts.Queue],
    usage: Callable[[str, str], QueueUsage],
    nodes: Iterable[facts.Node],
    namespaces: Iterable[Namespace],
) -> Iterator[Reading]:
    """What is to be told.

    Args:
        queues: those of all node pools, departments' among them.
        usage: what counts against a queue, by node pool and queue.
        nodes: all nodes.
        namespaces: all namespaces, of projects or not.
    """
    for queue in queues:
        if not queue.name.startswith(DEPARTMENT_PREFIX):
            department = (queue.parent or "").removeprefix(DEPARTMENT_PREFIX)
            labels = (queue.name, department, queue.pool)
            used = usage(queue.pool, queue.name)
            yield tenancy.DESERVED, labels, _gpus(queue.gpu.deserved)
            yield tenancy.ALLOCATED, labels, _gpus(used.allocated.gpu_percent)
            yield tenancy.REQUESTED, labels, _gpus(used.requested.gpu_percent)
    for node in nodes:
        yield tenancy.NODE, (node.name, node.pool), 1
        yield tenancy.NODE_GPUS, (node.name, node.pool), _gpus(node.allocatable.gpu_percent)
    for namespace in namespaces:
        project = namespace.metadata.labels.get(names.QUEUE_LABEL)
        if project:
            yield tenancy.NAMESPACE, (namespace.metadata.name, project), 1


def _gpus(percent: int) -> float:
    return math.inf if percent == UNLIMITED else percent / _PERCENT
