"""All metrics of the operator, made once per process: a process may lead several times, a metric exists once."""

from prometheus_client import CollectorRegistry, Gauge

from aliquot.cluster.memory_guard import GuardMetrics
from aliquot.cluster.mirror.drift import differences_counter
from aliquot.cluster.scheduler import SchedulerMetrics
from aliquot.cluster.sync.connection import SyncMetrics
from aliquot.cluster.tenant_metrics import TenantMetrics
from aliquot.kube.metrics import EventMetrics, QueueMetrics, RequestMetrics, WatchMetrics


class Metrics:
    """Where everything is counted.

    Attributes:
        registry: what `/metrics` shows.
        leading: 1 while this process leads.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.requests = RequestMetrics(registry)
        self.watches = WatchMetrics(registry)
        self.queue = QueueMetrics(registry)
        self.events = EventMetrics(registry)
        self.scheduler = SchedulerMetrics(registry)
        self.tenants = TenantMetrics(registry)
        self.differences = differences_counter(registry)
        self.guard = GuardMetrics(registry)
        self.sync = SyncMetrics(registry)
        self.leading = Gauge("aliquot_leader", "1 while this process leads.", registry=registry)
