"""Parts of GPUs: what is written on pods that get one, who holds the GPU for them, and what is to be done next.

Values in, values out: the operator's `cluster.granting` looks at what exists, asks here, and does what it is told.
"""

from aliquot.core.grants.cards import (
    Card,
    Hold,
    Next,
    Reservation,
    Sharer,
    Step,
    device_of,
    is_idle,
    is_kept,
    next_step,
)
from aliquot.core.grants.mps import mps_annotations, wants_mps
from aliquot.core.grants.record import Record, recorded_devices, recorded_gpus, whole_annotations
from aliquot.core.grants.reservation import device_in_status, reservation_of, reservation_pod, reserved_gpu

__all__ = [
    "Card",
    "Hold",
    "Next",
    "Record",
    "Reservation",
    "Sharer",
    "Step",
    "device_in_status",
    "device_of",
    "is_idle",
    "is_kept",
    "mps_annotations",
    "next_step",
    "recorded_devices",
    "recorded_gpus",
    "reservation_of",
    "reservation_pod",
    "reserved_gpu",
    "wants_mps",
    "whole_annotations",
]
