"""What there is to be shown at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aliquot.agent.attribution import PodRef, Usage


@dataclass(frozen=True, slots=True)
class Health:
    """How far the rest can be believed.

    Attributes:
        nvml_up: whether the last reading succeeded.
        age_seconds: of the reading that is shown; None: there has been none.
        duration_seconds: how long it took.
        hung_seconds: for how long a reading has been overdue; 0: none is.
        failed_readings: since the agent began.
        errors: failed calls by function and error.
        refused: values that cannot be true, by function.
        kubelet_answering: whether the kubelet said who holds what.
        pods_known: whether the API server said which pods there are.
    """

    nvml_up: bool
    age_seconds: float | None
    duration_seconds: float | None
    hung_seconds: float
    failed_readings: int
    errors: Mapping[tuple[str, str], int]
    refused: Mapping[str, int]
    kubelet_answering: bool
    pods_known: bool


@dataclass(frozen=True, slots=True)
class View:
    """Everything that is shown.

    Attributes:
        node: name of the node.
        cluster: id of the cluster; empty: none is told.
        health: of the agent.
        driver_version: of NVIDIA's driver.
        usage: the GPUs and who uses them; None: there is no reading, or it is too old.
        idle_seconds: of pods with GPUs.
        last_used: when each GPU was last seen to work, by UUID, in Unix time.
    """

    node: str
    cluster: str
    health: Health
    driver_version: str = ""
    usage: Usage | None = None
    idle_seconds: Mapping[PodRef, int] = field(default_factory=dict[PodRef, int])
    last_used: Mapping[str, float] = field(default_factory=dict[str, float])
