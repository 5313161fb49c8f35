"""Why a job waits or a task is stopped: a closed list of codes, each with its numbers. Sentences are in `explain`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

PASSING: Final = ("position", "free_", "held_", "over_", "stopping_")
"""How the names of details begin that change although the answer does not; see `Reason.same_as`."""


Details = Mapping[str, int | str]
"""Numbers and names, by name."""


class WaitCode(StrEnum):
    """Why a job waits, most definite first. Those up to `GATED` are not cured by others' leaving."""

    NO_QUEUE = "NoQueue"
    """Its project has no queue in any of its node pools."""
    NO_SUCH_NODE = "NoSuchNode"
    """No node of its pools could ever hold one of its pods: too large, or none matches selector and taints."""
    NO_SUCH_TOPOLOGY = "NoSuchTopology"
    """It is to be close as nobody knows how: there is no such topology, or it has no such level."""
    GATED = "Gated"
    """Its pods have scheduling gates that others must lift."""
    TOO_FEW_PODS = "TooFewPods"
    """Fewer pods exist than its minimum."""
    OVER_LIMIT = "OverLimit"
    """Its project or department would go over its limit."""
    NON_PREEMPTIBLE_OVER_QUOTA = "NonPreemptibleOverQuota"
    """Not preemptible, and its project or department would go over its quota."""
    WAITING_FOR_EVICTION = "WaitingForEviction"
    """Its place is known; those who held it are stopping."""
    NOT_ENOUGH_RESOURCES = "NotEnoughResources"
    """Everything that fits it is in use, by others within their shares or not to be stopped."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A code with its numbers: what jobs of equal shape share.

    Attributes:
        code: which of the list.
        details: numbers and names, by a name that ends in the unit (such as `needed_gpu_percent`). Those whose name
            begins with one of `PASSING` come and go with every other job's luck.
        lasting: the details that belong to the answer itself.
    """

    code: WaitCode
    details: Details = field(default_factory=lambda: MappingProxyType[str, int | str]({}))
    lasting: Details = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Thousands of jobs may share one answer: what it is compared by is picked out once."""
        kept = {name: value for name, value in self.details.items() if not name.startswith(PASSING)}
        object.__setattr__(self, "lasting", kept)

    def same_as(self, other: "Answer") -> bool:
        """Whether both say the same, though passing numbers differ."""
        return self is other or (self.code is other.code and self.lasting == other.lasting)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one job waits.

    Attributes:
        answer: what it shares with others of its shape.
        place: its place among those who wait in its queue, and how many those are; None where it makes no difference.
    """

    answer: Answer
    place: tuple[int, int] | None = None

    @staticmethod
    def of(code: WaitCode, details: Details) -> "Reason":
        """The reason of a job that shares it with nobody."""
        return Reason(Answer(code, details))

    @property
    def code(self) -> WaitCode:
        """Which of the list."""
        return self.answer.code

    @property
    def details(self) -> Details:
        """All numbers and names, its place included."""
        if self.place is None:
            return self.answer.details
        return {**self.answer.details, "position": self.place[0], "position_of": self.place[1]}

    def same_as(self, other: "Reason") -> bool:
        """Whether both are the same answer, though passing numbers differ.

        For whoever writes reasons down: an answer that stays the same is not worth another write. The price is that
        passing numbers, once written, may be older than the answer.
        """
        return self.answer.same_as(other.answer)
