"""The Metrics API: time series of clusters, node pools, workloads and pods (control-plane-api.md 3.1).

`METRICS` is the one table of what can be asked for, in which unit, and of what.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from aliquot.contracts.administrator_api.listing import split
from aliquot.contracts.administrator_api.shapes import Answer, Body, Time
from aliquot.contracts.cluster_shapes import EARLIEST, LATEST

DEFAULT_SAMPLES: Final = 20
MOST_SAMPLES: Final = 1000
MOST_TYPES: Final = 50
"""In one request."""

Level = Literal["cluster", "nodepool", "workload", "pod", "inference", "inferencePod", "department", "project"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)

_TABLE: Final = """
                                          unit           cl np wl pod in ip dp pr
GPU_UTILIZATION                           percent        x  x  x  x   .  .  o  o
GPU_MEMORY_UTILIZATION                    percent        x  x  .  .   .  .  .  .
CPU_UTILIZATION                           percent        x  x  .  .   .  .  .  .
CPU_MEMORY_UTILIZATION                    percent        x  x  .  .   .  .  .  .
TOTAL_GPU                                 devices        x  x  .  .   .  .  .  .
GPU_QUOTA                                 devices        x  x  .  .   .  .  o  o
ALLOCATED_GPU                             devices        x  x  .  .   .  .  o  o
AVG_WORKLOAD_WAIT_TIME                    seconds        x  x  .  .   .  .  .  .
GPU_ALLOCATION                            devices        .  .  x  .   .  .  .  .
GPU_MEMORY_USAGE_BYTES                    bytes          .  .  x  x   .  .  .  .
GPU_MEMORY_REQUEST_BYTES                  bytes          .  .  x  .   .  .  .  .
CPU_USAGE_CORES                           cores          .  .  x  x   .  .  .  .
CPU_REQUEST_CORES                         cores          .  .  x  .   .  .  .  .
CPU_LIMIT_CORES                           cores          .  .  x  .   .  .  .  .
CPU_MEMORY_USAGE_BYTES                    bytes          .  .  x  x   .  .  .  .
CPU_MEMORY_REQUEST_BYTES                  bytes          .  .  x  .   .  .  .  .
CPU_MEMORY_LIMIT_BYTES                    bytes          .  .  x  .   .  .  .  .
POD_COUNT                                 pods           .  .  x  .   .  .  .  .
RUNNING_POD_COUNT                         pods           .  .  x  .   .  .  .  .
GPU_UTILIZATION_PER_GPU                   percent        .  .  .  x   .  .  .  .
GPU_MEMORY_USAGE_BYTES_PER_GPU            bytes          .  .  .  x   .  .  .  .
GPU_GRAPHICS_ENGINE_ACTIVITY_PER_GPU      ratio          .  .  .  x   .  .  .  .
GPU_SM_ACTIVITY_PER_GPU                   ratio          .  .  .  x   .  .  .  .
GPU_SM_OCCUPANCY_PER_GPU                  ratio          .  .  .  x   .  .  .  .
GPU_TENSOR_ACTIVITY_PER_GPU               ratio          .  .  .  x   .  .  .  .
GPU_FP64_ENGINE_ACTIVITY_PER_GPU          ratio          .  .  .  x   .  .  .  .
GPU_FP32_ENGINE_ACTIVITY_PER_GPU          ratio          .  .  .  x   .  .  .  .
GPU_FP16_ENGINE_ACTIVITY_PER_GPU          ratio          .  .  .  x   .  .  .  .
GPU_MEMORY_BANDWIDTH_UTILIZATION_PER_GPU  ratio          .  .  .  x   .  .  .  .
GPU_NVLINK_TRANSMITTED_BANDWIDTH_PER_GPU  bytes/second   .  .  .  x   .  .  .  .
GPU_NVLINK_RECEIVED_BANDWIDTH_PER_GPU     bytes/second   .  .  .  x   .  .  .  .
GPU_PCIE_TRANSMITTED_BANDWIDTH_PER_GPU    bytes/second   .  .  .  x   .  .  .  .
GPU_PCIE_RECEIVED_BANDWIDTH_PER_GPU       bytes/second   .  .  .  x   .  .  .  .
THROUGHPUT                                requests/second . .  .  .   x  x  .  .
LATENCY                                   milliseconds   .  .  .  .   x  x  .  .
PENDING_WORKLOADS                         workloads      o  o  .  .   .  .  o  o
CPU_QUOTA                                 millicores     o  o  .  .   .  .  o  o
ALLOCATED_CPU                             millicores     o  o  .  .   .  .  o  o
MEMORY_QUOTA                              mebibytes      o  o  .  .   .  .  o  o
ALLOCATED_MEMORY                          mebibytes      o  o  .  .   .  .  o  o
"""
"""Columns are the levels, in their order; x: to be asked for; o: only the older surface shows it."""
ALIASES: Final[Mapping[str, str]] = {
    "CPU_REQUEST": "CPU_REQUEST_CORES",
    "CPU_LIMIT": "CPU_LIMIT_CORES",
    "CPU_USAGE": "CPU_USAGE_CORES",
    "CPU_MEMORY_REQUEST": "CPU_MEMORY_REQUEST_BYTES",
    "CPU_MEMORY_LIMIT": "CPU_MEMORY_LIMIT_BYTES",
    "CPU_MEMORY_USAGE": "CPU_MEMORY_USAGE_BYTES",
    "GPU_MEMORY_REQUEST": "GPU_MEMORY_REQUEST_BYTES",
    "GPU_MEMORY_USAGE": "GPU_MEMORY_USAGE_BYTES",
    "GPU_MEMORY_USAGE_PER_GPU": "GPU_MEMORY_USAGE_BYTES_PER_GPU",
}
"""Names of 2.17 before its release; answers have the name that was asked for."""


@dataclass(frozen=True, slots=True)
class Metric:
    """Something that is measured; what ends in `_PER_GPU` has values for each GPU, which the label `gpu` tells apart.

    Attributes:
        name: how it is asked for.
        unit: of its values; `percent` is 0 to 100, `ratio` 0 to 1.
        levels: of what it can be asked for.
        older_levels: of what only the older surface shows it.
    """

    name: str
    unit: str
    levels: frozenset[Level]
    older_levels: frozenset[Level]


def _read() -> dict[str, Metric]:
    _, *rows = (line.split() for line in _TABLE.strip().splitlines())
    found: dict[str, Metric] = {}
    for name, unit, *marks in rows:
        marked = dict(zip(LEVELS, marks, strict=True))
        levels: frozenset[Level] = frozenset(level for level in LEVELS if marked[level] == "x")
        older: frozenset[Level] = frozenset(level for level in LEVELS if marked[level] == "o")
        found[name] = Metric(name, unit, levels, older)
    return found


METRICS: Final[Mapping[str, Metric]] = _read()
"""All that is measured, by name."""


def metrics_of(level: Level) -> list[str]:
    """What can be asked for of an object."""
    return [metric.name for metric in METRICS.values() if level in metric.levels]


def _known(level: Level) -> AfterValidator:
    """See that metrics are those of a level."""
    own = metrics_of(level)
    allowed = _allowed(level)

    def check(given: list[str]) -> list[str]:
        for name in given:
            if name not in allowed:
                raise ValueError(f"{name!r} is none of {', '.join(own)}")
        return list(dict.fromkeys(given))

    return AfterValidator(check)


def _described(level: Level) -> WithJsonSchema:
    units = "; ".join(f"{name}: {METRICS[name].unit}" for name in metrics_of(level))
    names = {"type": "string", "enum": list(_allowed(level)), "description": f"Units: {units}."}
    return WithJsonSchema({"type": "array", "items": names, "minItems": 1, "maxItems": MOST_TYPES})


def _allowed(level: Level) -> tuple[str, ...]:
    own = metrics_of(level)
    return (*own, *(alias for alias, name in ALIASES.items() if name in own))


def _iso(given: object) -> object:
    """Take times of ISO 8601 only, and not the numbers that pydantic takes for times as well."""
    if not isinstance(given, str):
        return given
    try:
        time = datetime.fromisoformat(given)
        aware = time if time.tzinfo else time.replace(tzinfo=UTC)
        if EARLIEST <= aware <= LATEST:
            return aware
    except (ValueError, OverflowError):
        pass
    raise ValueError("must be a time of ISO 8601 since 1970, such as 2026-01-31T12:00:00Z")


Instant = Annotated[datetime, BeforeValidator(_iso)]
"""A moment; one that names no zone is one of UTC."""
_Types = Field(min_length=1, max_length=MOST_TYPES)


class Window(Body):
    """Which time, and how many samples of it."""

    start: Instant
    """From when on."""
    end: Instant
    """Until when."""
    number_of_samples: Annotated[int, Field(ge=1, le=MOST_SAMPLES)] = DEFAULT_SAMPLES
    """How many samples, at equal distances; the last one is at `end`."""


class ClusterMetricsQuery(Window):
    """Which series of a cluster."""

    metric_type: Annotated[list[str], BeforeValidator(split), _known("cluster"), _described("cluster"), _Types]
    """What is asked for; given several times, or separated by commas."""


class NodePoolMetricsQuery(Window):
    """Which series of a node pool."""

    metric_type: Annotated[list[str], BeforeValidator(split), _known("nodepool"), _described("nodepool"), _Types]
    """What is asked for; given several times, or separated by commas."""


class WorkloadMetricsQuery(Window):
    """Which series of a workload."""

    metric_type: Annotated[list[str], BeforeValidator(split), _known("workload"), _described("workload"), _Types]
    """What is asked for; given several times, or separated by commas."""


class PodMetricsQuery(Window):
    """Which series of a pod."""

    metric_type: Annotated[list[str], BeforeValidator(split), _known("pod"), _described("pod"), _Types]
    """What is asked for; given several times, or separated by commas."""


class InferenceMetricsQuery(Window):
    """Which series of an inference workload, or of a pod of one."""

    metric_type: Annotated[list[str], BeforeValidator(split), _known("inference"), _described("inference"), _Types]
    """What is asked for; given several times, or separated by commas."""


class MeasurementValue(Answer):
    """A sample."""

    value: str
    """A number."""
    timestamp: Time | None
    """When it was so."""


class Measurement(Answer):
    """A series."""

    type: str
    """What was asked for."""
    labels: dict[str, str] | None
    """What tells it from others of its type, such as `gpu`; null: it is the only one."""
    values: list[MeasurementValue] | None
    """They, the oldest first; null: there are none."""


class MetricsResponse(Answer):
    """Series."""

    measurements: list[Measurement]
    """At least one of each type that was asked for, in the order in which they were."""
