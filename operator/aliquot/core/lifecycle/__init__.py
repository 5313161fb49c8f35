"""What becomes of a workload: which pods to create and delete next (`plan`), and how it is doing (`status`).

Compares what is asked for with what is, never with what was done before, so that a restart is the normal case: what
must outlive the pods is read back from the workload's own status (`record_of`). Times are Unix seconds. Caller: the
operator's workload reconciler, which reads pods with `observe`, carries `plan` out, and writes `status` if it differs.
"""

from aliquot.core.lifecycle.carried import (
    ObservedCarrier,
    carried_status,
    observe_carrier,
    plan_carried,
    scaling_trouble,
)
from aliquot.core.lifecycle.facts import Facts, Wait
from aliquot.core.lifecycle.foreign import ForeignFacts, observed_status
from aliquot.core.lifecycle.happenings import Happening, happenings
from aliquot.core.lifecycle.job import job_status, plan_job
from aliquot.core.lifecycle.limits import NO_LIMITS, Limits, Timing, limits_of
from aliquot.core.lifecycle.plan import has_unsaved, plan
from aliquot.core.lifecycle.pods import ObservedPod, PodPhase, observe, observe_foreign
from aliquot.core.lifecycle.record import Outcome, Record, record_of
from aliquot.core.lifecycle.retries import Retry
from aliquot.core.lifecycle.status import settled, status
from aliquot.core.lifecycle.steps import NewPod, Steps
from aliquot.core.lifecycle.times import moment

__all__ = [
    "NO_LIMITS",
    "Facts",
    "ForeignFacts",
    "Happening",
    "Limits",
    "NewPod",
    "ObservedCarrier",
    "ObservedPod",
    "Outcome",
    "PodPhase",
    "Record",
    "Retry",
    "Steps",
    "Timing",
    "Wait",
    "carried_status",
    "happenings",
    "has_unsaved",
    "job_status",
    "limits_of",
    "moment",
    "observe",
    "observe_carrier",
    "observe_foreign",
    "observed_status",
    "plan",
    "plan_carried",
    "plan_job",
    "record_of",
    "scaling_trouble",
    "settled",
    "status",
]
