"""Kubernetes objects → scheduling facts: what pods ask for, what nodes have, who may have how much.

Objects come as the API server holds them, and it has checked them; still nothing here raises, whatever a text says: one
odd object must not stop the scheduler for all others. Amounts are hundredths of a GPU, milli-CPU and bytes; times are
Unix seconds. The operator's mirror calls.
"""

from aliquot.core.intake.closeness import NO_TOPOLOGIES, Topologies, hint_in
from aliquot.core.intake.gangs import PodFacts, is_short, job_of
from aliquot.core.intake.gpu_health import (
    ALL_WELL,
    NOT_BELIEVED,
    InTrouble,
    gpus_held,
    health_problem,
    only_lent,
    overuse_in_words,
    overuse_of,
    still_offered,
    trouble_in_words,
    troubles_of,
)
from aliquot.core.intake.held import device_problems
from aliquot.core.intake.nodes import (
    PoolRule,
    device_memory_mib,
    node_fact,
    node_problems,
    pool_of,
    pool_placements,
    pool_rules,
)
from aliquot.core.intake.parts import devices_of
from aliquot.core.intake.pods import Tenant, is_ours, never_placed, pod_facts, pod_problems, state_of
from aliquot.core.intake.queues import MinRuntimes, Used, queue_facts, with_usage
from aliquot.core.intake.requests import pod_request
from aliquot.core.intake.reservations import Use, reservation_facts
from aliquot.core.intake.scope import EVERY_NODE, NodeScope
from aliquot.core.intake.times import unix_seconds

__all__ = [
    "ALL_WELL",
    "EVERY_NODE",
    "NOT_BELIEVED",
    "NO_TOPOLOGIES",
    "InTrouble",
    "MinRuntimes",
    "NodeScope",
    "PodFacts",
    "PoolRule",
    "Tenant",
    "Topologies",
    "Use",
    "Used",
    "device_memory_mib",
    "device_problems",
    "devices_of",
    "gpus_held",
    "health_problem",
    "hint_in",
    "is_ours",
    "is_short",
    "job_of",
    "never_placed",
    "node_fact",
    "node_problems",
    "only_lent",
    "overuse_in_words",
    "overuse_of",
    "pod_facts",
    "pod_problems",
    "pod_request",
    "pool_of",
    "pool_placements",
    "pool_rules",
    "queue_facts",
    "reservation_facts",
    "state_of",
    "still_offered",
    "trouble_in_words",
    "troubles_of",
    "unix_seconds",
    "with_usage",
]
