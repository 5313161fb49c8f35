"""Metrics of the older surface (control-plane-api.md 3.3).

GPUs are devices, CPU is thousandths of a core, memory is MiB.
"""

from typing import Annotated

from pydantic import Field

from aliquot.contracts.administrator_api.metrics import DEFAULT_SAMPLES, MOST_SAMPLES, Instant
from aliquot.contracts.administrator_api.shapes import Answer, Body, Text, Time


class OlderMetricsQuery(Body):
    """Which time; without one only what is now."""

    start: Instant | None = None
    """From when on; then `end` is needed, too."""
    end: Instant | None = None
    """Until when; then `start` is needed, too."""
    number_of_samples: Annotated[int, Field(ge=1, le=MOST_SAMPLES)] = DEFAULT_SAMPLES
    """How many samples, at equal distances; the last one is at `end`."""
    nodepool_name: Text | None = None
    """Only those of this node pool."""


class OlderMeasure(Answer):
    """Amounts of one resource; what is not known is left out."""

    quota: float | None = None
    """What can be counted on; -1: unlimited."""
    allocated: float | None = None
    """What is held."""
    utilization: float | None = None
    """What part of that is in use, from 0 to 1."""


class OlderMeasures(Answer):
    """Amounts of everything."""

    number_of_pending_workloads: int | None = None
    """How many workloads wait."""
    gpu: OlderMeasure
    """GPU devices."""
    cpu: OlderMeasure
    """Thousandths of a core."""
    memory: OlderMeasure
    """MiB."""


class OlderPoolMeasures(OlderMeasures):
    """Amounts in a node pool."""

    nodepool_name: str
    """Name of the pool."""


class OlderProjectMeasures(OlderPoolMeasures):
    """Amounts of a project in a node pool."""

    project_name: str
    """Name of the project."""
    department_name: str
    """Name of its department."""


class OlderPastMeasures(OlderMeasures):
    """Amounts at some time."""

    timestamp: Time
    """When."""


class OlderTimeRange(Answer):
    """Amounts over time."""

    resources: list[OlderPastMeasures]
    """They, the oldest first."""


class OlderClusterMetadata(Answer):
    """Which cluster."""

    cluster_id: str
    """Its id."""
    cluster_name: str
    """Its name."""


class OlderDepartmentMetadata(OlderClusterMetadata):
    """Which department."""

    department_id: int
    """Its id."""
    department_name: str
    """Its name."""


class OlderProjectMetadata(OlderDepartmentMetadata):
    """Which project."""

    project_id: int
    """Its id."""
    project_name: str
    """Its name."""


class OlderCurrent(Answer):
    """What is now."""

    resources: list[OlderPoolMeasures]
    """By node pool."""


class OlderCurrentOfMany(OlderCurrent):
    """What is now, and what its projects have of it."""

    project_resources: list[OlderProjectMeasures]
    """By project and node pool."""


class OlderClusterMetrics(Answer):
    """What a cluster has and had."""

    metadata: OlderClusterMetadata
    """Which one."""
    current: OlderCurrentOfMany
    """What is now."""
    time_range: OlderTimeRange | None = None
    """What was; left out: it was not asked for."""


class OlderDepartmentMetrics(Answer):
    """What a department has and had."""

    metadata: OlderDepartmentMetadata
    """Which one."""
    current: OlderCurrentOfMany
    """What is now."""
    time_range: OlderTimeRange | None = None
    """What was; left out: it was not asked for."""


class OlderProjectMetrics(Answer):
    """What a project has and had."""

    metadata: OlderProjectMetadata
    """Which one."""
    current: OlderCurrent
    """What is now."""
    time_range: OlderTimeRange | None = None
    """What was; left out: it was not asked for."""


class OlderDepartmentsMetrics(Answer):
    """What the departments of a cluster have."""

    data: list[OlderDepartmentMetrics]
    """Each of them."""
    time_range: OlderTimeRange | None = None
    """What the cluster had; left out: it was not asked for."""


class OlderProjectsMetrics(Answer):
    """What the projects of a cluster have."""

    data: list[OlderProjectMetrics]
    """Each of them."""
    time_range: OlderTimeRange | None = None
    """What the cluster had; left out: it was not asked for."""
