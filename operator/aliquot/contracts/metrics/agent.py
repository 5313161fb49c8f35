"""Metrics of the agent about itself: how far its readings can be believed."""

from typing import Final

from aliquot.contracts.metrics.model import Metric, Type

_NODE: Final = ("node",)


def _agent(name: str, unit: str, text: str, *more: str, kind: Type = "gauge") -> Metric:
    return Metric(f"aliquot_agent_{name}", kind, unit, (*_NODE, *more), text)


NVML_UP: Final = _agent("nvml_up", "0 or 1", "Whether the last reading of the GPUs succeeded.")
READING_AGE: Final = _agent(
    "reading_age_seconds", "seconds", "Age of the reading that is shown; metrics of GPUs are absent when it is too old."
)
READING_DURATION: Final = _agent("reading_duration_seconds", "seconds", "How long that reading took.")
READING_HUNG: Final = _agent(
    "reading_hung_seconds", "seconds", "For how long a reading has not come back from the driver; 0: none is overdue."
)
FAILED_READINGS: Final = _agent("failed_readings_total", "readings", "Readings that failed as a whole.", kind="counter")
NVML_ERRORS: Final = _agent(
    "nvml_errors_total", "calls", "Calls of NVML that failed for another reason than not being supported.",
    "function", "error", kind="counter",
)  # fmt: skip
REFUSED_VALUES: Final = _agent(
    "refused_values_total", "values", "Values of NVML that cannot be true, and are absent.", "function", kind="counter"
)
POD_RESOURCES_UP: Final = _agent(
    "pod_resources_up", "0 or 1", "Whether the kubelet said which pod holds which device when last asked."
)
PODS_KNOWN: Final = _agent("pods_known", "0 or 1", "Whether the node's pods are known from the API server.")

AGENT: Final = (
    NVML_UP, READING_AGE, READING_DURATION, READING_HUNG, FAILED_READINGS, NVML_ERRORS, REFUSED_VALUES,
    POD_RESOURCES_UP, PODS_KNOWN,
)  # fmt: skip
