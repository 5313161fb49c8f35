"""What a task of a document asks for → `Request`."""

from aliquot.contracts.simulation import RequestEntry
from aliquot.core.quantities import PERCENT_PER_DEVICE, GpuPart, Request, Vector
from aliquot.core.simulation.amounts import fraction_percent, in_bytes, milli_cpu
from aliquot.core.simulation.cluster import extended
from aliquot.core.simulation.problems import Problems, at


def request_of(problems: Problems, path: str, entry: RequestEntry) -> Request:
    """What a task asks for."""
    mig = {profile: count for profile, count in entry.mig.items() if count}
    forms = [
        key
        for key, asked in (
            ("gpu", entry.gpu),
            ("gpuFraction", entry.gpu_fraction),
            ("gpuMemoryMiB", entry.gpu_memory_mib),
            ("mig", mig),
        )
        if asked
    ]
    if len(forms) > 1:
        problems.add(path, " and ".join(forms), "only one of gpu, gpuFraction, gpuMemoryMiB and mig")
    part = None
    if entry.gpu_fraction is not None:
        percent = fraction_percent(problems, at(path, "gpuFraction"), entry.gpu_fraction)
        part = GpuPart(percent=percent, devices=entry.gpu_devices)
    elif entry.gpu_memory_mib is not None:
        part = GpuPart(memory_mib=entry.gpu_memory_mib, devices=entry.gpu_devices)
    elif entry.gpu_devices != 1:
        allowed = "1 without gpuFraction or gpuMemoryMiB; whole devices are counted by gpu"
        problems.add(at(path, "gpuDevices"), entry.gpu_devices, allowed)
    base = Vector(
        (entry.gpu or 0) * PERCENT_PER_DEVICE,
        milli_cpu(problems, at(path, "cpu"), entry.cpu),
        in_bytes(problems, at(path, "memory"), entry.memory),
        1,
    )
    others = extended(problems, path, mig, entry.extended, mig_at="mig")
    return Request(base, part, tuple(others.items()))
