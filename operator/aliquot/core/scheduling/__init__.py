"""Who runs where: `decide(state, now) -> Plan`, a pure function over a `ClusterState` that events keep up to date.

Deciding changes nothing; what a plan changes comes back as events. Same state, same plan. Source of the rules:
scheduling.md section 2. The operator's `cluster.scheduler` is the caller.
"""

from aliquot.core.scheduling.events import (
    Event,
    EvictionFailed,
    EvictionStarted,
    Granted,
    GrantFailed,
    JobChanged,
    JobRemoved,
    NodeChanged,
    NodeRemoved,
    Promised,
    QueueChanged,
    QueueRemoved,
    TaskChanged,
    TaskRemoved,
)
from aliquot.core.scheduling.explain import explain
from aliquot.core.scheduling.fairness.usage import Holding, PoolUsage, holding, used_until
from aliquot.core.scheduling.plan import Bind, Evict, Nominate, Plan
from aliquot.core.scheduling.reasons import Reason, WaitCode
from aliquot.core.scheduling.round.decide import decide
from aliquot.core.scheduling.round.moments import next_moment
from aliquot.core.scheduling.settings import ACTIONS, Action, PoolPlacement, SchedulingSettings
from aliquot.core.scheduling.state.check import check
from aliquot.core.scheduling.state.cluster import ClusterState
from aliquot.core.scheduling.state.gangs import unknown_in
from aliquot.core.scheduling.state.queues import QueueUsage
from aliquot.core.scheduling.waiters import Waiting, WaitingJobs

__all__ = [
    "ACTIONS",
    "Action",
    "Bind",
    "ClusterState",
    "Event",
    "Evict",
    "EvictionFailed",
    "EvictionStarted",
    "GrantFailed",
    "Granted",
    "Holding",
    "JobChanged",
    "JobRemoved",
    "NodeChanged",
    "NodeRemoved",
    "Nominate",
    "Plan",
    "PoolPlacement",
    "PoolUsage",
    "Promised",
    "QueueChanged",
    "QueueRemoved",
    "QueueUsage",
    "Reason",
    "SchedulingSettings",
    "TaskChanged",
    "TaskRemoved",
    "WaitCode",
    "Waiting",
    "WaitingJobs",
    "check",
    "decide",
    "explain",
    "holding",
    "next_moment",
    "unknown_in",
    "used_until",
]
