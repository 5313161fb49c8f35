"""What the leading operator tells of projects, nodes and namespaces, from the facts that it has."""

import math

from prometheus_client import CollectorRegistry, generate_latest

from aliquot.cluster.tenant_metrics import Reading, TenantMetrics, readings
from aliquot.contracts.kubernetes import Metadata, Namespace
from aliquot.contracts.metrics import tenancy
from aliquot.core.quantities import UNLIMITED, Vector
from aliquot.core.scheduling import QueueUsage
from aliquot.core.scheduling.facts import Node, Queue, Share

QUEUES = (
    Queue("department/research", "default", gpu=Share(deserved=800)),
    Queue("vision", "default", parent="department/research", gpu=Share(deserved=450)),
    Queue("free", "default", gpu=Share(deserved=UNLIMITED)),
)
USAGE = {"vision": QueueUsage(allocated=Vector(gpu_percent=125), requested=Vector(gpu_percent=325))}
NODES = (Node("n1", "default", Vector(gpu_percent=800)),)
NAMESPACES = (
    Namespace(metadata=Metadata(name="runai-vision", labels={"runai/queue": "vision"})),
    Namespace(metadata=Metadata(name="kube-system")),
)


def told() -> list[Reading]:
    return list(readings(QUEUES, lambda _, queue: USAGE.get(queue, QueueUsage()), NODES, NAMESPACES))


def test_everything_is_in_gpus_and_no_bound_is_infinite() -> None:
    vision, free = ("vision", "research", "default"), ("free", "", "default")
    assert told() == [
        (tenancy.DESERVED, vision, 4.5),
        (tenancy.ALLOCATED, vision, 1.25),
        (tenancy.REQUESTED, vision, 3.25),
        (tenancy.DESERVED, free, math.inf),
        (tenancy.ALLOCATED, free, 0),
        (tenancy.REQUESTED, free, 0),
        (tenancy.NODE, ("n1", "default"), 1),
        (tenancy.NODE_GPUS, ("n1", "default"), 8),
        (tenancy.NAMESPACE, ("runai-vision", "vision"), 1),
    ]


def test_only_who_leads_tells() -> None:
    registry = CollectorRegistry()
    metrics = TenantMetrics(registry)
    assert generate_latest(registry) == b""
    metrics.source = told
    assert b'aliquot_project_deserved_gpus{department="",nodepool="default",project="free"} +Inf' in generate_latest(
        registry
    )
    metrics.source = None
    assert generate_latest(registry) == b""
