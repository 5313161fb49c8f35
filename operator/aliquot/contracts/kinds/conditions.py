"""The two shapes of conditions: ours, and the one that Kubernetes prescribes to others."""

from datetime import datetime
from typing import Annotated, Literal

from aliquot.contracts.kinds.shapes import OR_NULL, Shape, list_of, text, whole
from aliquot.contracts.kinds.texts import Message

ConditionStatus = Literal["True", "False", "Unknown"]


class Condition(Shape):
    """One aspect of how an object is doing (crd-contract.md, Status)."""

    type: Annotated[str, text(316)]
    """What the condition is about, such as Scheduled; one entry for each."""
    status: Annotated[str, text(16)]
    """Whether it holds: True, False or Unknown."""
    reason: Annotated[str, text(1024)] | None = None
    """Why, as one word for programs."""
    message: Message | None = None
    """Why, as a sentence for people."""
    last_transition_time: datetime | None = None
    """When `status` last changed."""
    last_probe_time: Annotated[datetime, OR_NULL] | None = None
    """When the condition was last looked at; no longer written."""


class ObservedCondition(Shape):
    """One aspect of how an object is doing, in the form that Kubernetes prescribes (metav1.Condition)."""

    type: Annotated[str, text(316)]
    """What the condition is about; one entry for each."""
    status: ConditionStatus
    """Whether it holds."""
    reason: Annotated[str, text(1024)]
    """Why, as one word for programs."""
    message: Message
    """Why, as a sentence for people."""
    last_transition_time: datetime
    """When `status` last changed."""
    observed_generation: Annotated[int, whole(0, 2**53)] | None = None
    """Generation of the object that this was true of."""


Conditions = Annotated[tuple[Condition, ...], list_of(64, keys=["type"])]
ObservedConditions = Annotated[tuple[ObservedCondition, ...], list_of(64, keys=["type"])]
