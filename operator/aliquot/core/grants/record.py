"""What a pod has been given, on the pod itself: which GPUs it has parts of, and how much of each (design.md 4).

    Binding ──▶ annotations ──▶ variables of containers, by fieldRef       the record: what counts
            └─▶ labels                                                    for tools of the field (cluster-api.md 2.2)

A GPU has two names: the scheduler's, chosen when its first part is given away, and the device plugin's, which only the
kubelet can tell. The annotations are read again after a restart; labels are too short for some names, and are not read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from aliquot import names, naming
from aliquot.core.quantities import PERCENT_PER_DEVICE

_BETWEEN: Final = ","


@dataclass(frozen=True, slots=True)
class Record:
    """Parts of GPUs that a pod has.

    Attributes:
        gpus: the scheduler's ids.
        devices: the device plugin's, in the same order.
        percent: of each, in hundredths.
        limits: what else is written on the pod, as of `mps_annotations`.
    """

    gpus: tuple[str, ...]
    devices: tuple[str, ...]
    percent: int
    limits: Mapping[str, str] = field(default_factory=dict[str, str])

    def annotations(self) -> dict[str, str]:
        """What is written on the pod when it gets its node."""
        return {
            names.SHARED_GPUS_ANNOTATION: _BETWEEN.join(self.gpus),
            names.GPU_IDS_ANNOTATION: _BETWEEN.join(self.devices),
            names.GPU_PORTION_ANNOTATION: _decimal(self.percent),
            names.NUMBER_OF_GPUS_ANNOTATION: _decimal(self.percent * len(self.gpus)),
            names.RECEIVED_ANNOTATION: names.RECEIVED_PART,
            **self.limits,
        }

    def labels(self) -> dict[str, str]:
        """What tools of the field read: one GPU has the plain label, several have one each."""
        return gpu_labels(self.gpus)


def gpu_labels(gpus: tuple[str, ...]) -> dict[str, str]:
    """The labels of pods that have parts of these GPUs, and of those that hold them."""
    values = [naming.label_value(gpu) for gpu in gpus]
    if len(values) == 1:
        return {names.GPU_GROUP_LABEL: values[0]}
    return {f"{names.GPU_GROUP_LABEL}/{value}": value for value in values}


def whole_annotations() -> dict[str, str]:
    """What is written on a pod with whole GPUs when it gets its node."""
    return {names.RECEIVED_ANNOTATION: names.RECEIVED_WHOLE}


def recorded_gpus(annotations: Mapping[str, str]) -> tuple[str, ...]:
    """The scheduler's ids of the GPUs of which a pod with these annotations has parts; empty: of none."""
    return _listed(annotations, names.SHARED_GPUS_ANNOTATION)


def recorded_devices(annotations: Mapping[str, str]) -> dict[str, str]:
    """What the device plugin calls each of these GPUs, by the scheduler's id; empty where the two do not match."""
    gpus, devices = recorded_gpus(annotations), _listed(annotations, names.GPU_IDS_ANNOTATION)
    return dict(zip(gpus, devices, strict=True)) if len(gpus) == len(devices) else {}


def _listed(annotations: Mapping[str, str], key: str) -> tuple[str, ...]:
    return tuple(part for part in annotations.get(key, "").split(_BETWEEN) if part)


def _decimal(percent: int) -> str:
    """Hundredths as people write them: 50 is 0.5, 100 is 1."""
    whole, rest = divmod(percent, PERCENT_PER_DEVICE)
    return f"{whole}.{rest:02d}".rstrip("0") if rest else str(whole)
