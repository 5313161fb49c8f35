"""RunaiJob: a Job with better pod names, for tools that make one themselves (cluster-api.md 1.7)."""

from datetime import datetime
from typing import Annotated

from aliquot.contracts.kinds.conditions import Conditions
from aliquot.contracts.kinds.shapes import INT32_MAX, FreeForm, Resource, Shape, text, whole
from aliquot.contracts.kinds.status import COMPLETED_INDEXES_LENGTH, TimeLimits

Count = Annotated[int, whole(0)]


class RunaiJobSpec(Shape):
    """What the job should do; members mean what they mean in a Job of Kubernetes."""

    template: FreeForm
    """The pod to run, as in a Job."""
    parallelism: Count = 1
    """How many pods may run at a time."""
    completions: Count = 1
    """How many pods must succeed."""
    backoff_limit: Count = 6
    """How many failed pods are replaced before the job fails."""
    active_deadline_seconds: Annotated[int, whole(1, 2**53)] | None = None
    """Seconds after which the job is ended and fails; left out: never."""
    ttl_seconds_after_finished: Annotated[int, whole(0, INT32_MAX)] | None = None
    """Seconds after its end at which the job is deleted; 0: at once; left out: it stays."""
    suspend: bool | None = None
    """Whether the job's pods are ended, and none made, until this is false again."""
    selector: FreeForm | None = None
    """Labels of the job's pods; chosen by the system."""
    manual_selector: bool | None = None
    """Whether `selector` was chosen by the user."""


class RunaiJobStatus(Shape):
    """How the job is doing."""

    conditions: Conditions = ()
    """Aspects of how the job is doing: Suspended, Complete, Failed."""
    start_time: datetime | None = None
    """When the job was first looked at."""
    completion_time: datetime | None = None
    """When the job succeeded."""
    active: Count | None = None
    """Pods that run or wait."""
    succeeded: Count | None = None
    """Pods that ended well."""
    failed: Count | None = None
    """Pods that ended badly."""
    completed_indexes: Annotated[str, text(COMPLETED_INDEXES_LENGTH)] | None = None
    """Which of the completions have succeeded, counted from 0, such as 0-3,5."""
    time_limits: TimeLimits | None = None
    """The time limits that hold for the job; empty, none does; left out, no pod of it has run yet."""


class RunaiJob(Resource):
    """A Job whose pods are called NAME-INDEX-ATTEMPT and run under the project's quota."""

    spec: RunaiJobSpec
    """What to run."""
    status: RunaiJobStatus = RunaiJobStatus()
    """How the job is doing."""
