"""GPUs, CPU, memory and other devices of each pod (cluster-api.md 1.4, 5.7, 5.9)."""

from typing import Annotated, Final

from aliquot.contracts.kinds.rules import DecimalRules, IntRules, QuantityRules, StringRules
from aliquot.contracts.kinds.shapes import Check, Shape, text, whole
from aliquot.contracts.kinds.texts import Name
from aliquot.contracts.kinds.wrappers import BoolValue, Items, Value

MAX_GPU_DEVICES: Final = 10_000

IS_DECIMAL: Final = "self.matches('^[+]?([0-9]+[.]?[0-9]*|[.][0-9]+)$')"
"""CEL: a decimal that is not negative. Texts are short, so that `double(self)` cannot fail or overflow."""

AMOUNT: Final = Check(
    rule="isQuantity(self) && !quantity(self).isLessThan(quantity('0'))",
    message="must be an amount that is not negative, such as 500M, 80Gi or 4G",
)
WHOLE_OR_FRACTION: Final = Check(
    rule=f"{IS_DECIMAL} && (double(self) < 1.0 || double(self) == double(int(double(self))))",
    message="must be a whole number of GPUs, such as 0, 1 or 8, or a fraction of one GPU above 0 and below 1, such as "
    "0.25, in quotes",
)
FRACTION: Final = Check(
    rule=f"{IS_DECIMAL} && double(self) > 0.0 && double(self) <= 1.0",
    message="must be a part of one GPU's memory above 0 and at most 1, such as 0.8, in quotes",
)
CORES: Final = Check(
    rule=IS_DECIMAL, message="must be a number of CPU cores that is not negative, such as 0.5 or 20, in quotes"
)
MIG_PROFILE: Final = Check(
    rule="self.matches('^[1-9]g[.][1-9][0-9]*gb([+](me|gfx)([.]all)?)?$')",
    message="must name a MIG profile, such as 1g.10gb or 3g.40gb",
)


def _no_less(limit: str, request: str, of: str) -> Check:
    """Make the rule that a limit is no less than what is requested, where one object says both."""
    return Check(
        rule=f"!has(self.{limit}) || !has(self.{limit}.value) || !has(self.{request}) || !has(self.{request}.value) || "
        + of.format(limit=f"self.{limit}.value", request=f"self.{request}.value"),
        message=f"must be no less than {request}",
        field=f".{limit}",
    )


_DECIMALS: Final = (
    "!({limit}.matches('^[0-9.]+$') && {request}.matches('^[0-9.]+$')) || double({limit}) >= double({request})"
)
_QUANTITIES: Final = (
    "!(isQuantity({limit}) && isQuantity({request})) || quantity({limit}).compareTo(quantity({request})) >= 0"
)

Cores = Value[Annotated[str, text(16, CORES)], DecimalRules]
GpuValue = Value[Annotated[str, text(16, WHOLE_OR_FRACTION)], DecimalRules]
GpuLimit = Value[Annotated[str, text(16, FRACTION)], DecimalRules]
GpuDevices = Value[Annotated[int, whole(0, MAX_GPU_DEVICES)], IntRules]
MemoryValue = Value[Annotated[str, text(32, AMOUNT)], QuantityRules]
MigProfile = Value[Annotated[str, text(32, MIG_PROFILE)], StringRules]


class ExtendedResource(Shape):
    """A device other than a GPU, such as a fast network card."""

    name: Name
    """Name of the resource as nodes advertise it, such as rdma/hca."""
    quantity: Annotated[str, text(32)]
    """How many of it each pod gets; a whole number in quotes."""


class ExtendedResourceRules(Shape):
    """Rules about further devices."""

    name: StringRules
    """Which resources may be asked for."""
    quantity: StringRules
    """How many may be asked for."""


ExtendedResources = Items[ExtendedResource, ExtendedResourceRules]


class ComputeParameters(Shape):
    """What each pod has to compute with."""

    checks = (
        Check(
            rule="!(has(self.gpuMemory) && has(self.gpuMemory.value) && has(self.gpu) && has(self.gpu.value))",
            message="gpu and gpuMemory exclude one another: give a number of GPUs, or memory on a GPU",
            field=".gpuMemory",
        ),
        Check(
            rule="!(has(self.migProfile) && has(self.migProfile.value) && (has(self.gpu) && has(self.gpu.value) || "
            "has(self.gpuMemory) && has(self.gpuMemory.value)))",
            message="migProfile excludes gpu and gpuMemory: give one of the three",
            field=".migProfile",
        ),
        _no_less("cpuLimit", "cpu", _DECIMALS),
        _no_less("memoryLimit", "memory", _QUANTITIES),
        _no_less("gpuLimit", "gpu", _DECIMALS),
        _no_less("gpuMemoryLimit", "gpuMemory", _QUANTITIES),
    )

    cpu: Cores = Cores()
    """CPU cores that each pod is guaranteed, a decimal in quotes such as "0.5". Left out, a share that goes with the
    number of GPUs."""
    cpu_limit: Cores = Cores()
    """CPU cores that each pod may use at most, a decimal in quotes. Left out, as many as are free."""
    extended_resources: ExtendedResources = ExtendedResources()
    """Further devices that each pod gets, such as fast network cards."""
    gpu: GpuValue = GpuValue()
    """GPUs of each pod, in quotes: a whole number such as "2", or a part of one GPU such as "0.25", which is that part
    of its memory. Left out, none. Not together with gpuMemory or migProfile."""
    gpu_devices: GpuDevices = GpuDevices()
    """Number of GPUs of each pod; with a fraction or gpuMemory, the number of GPUs on which it gets that much."""
    gpu_limit: GpuLimit = GpuLimit()
    """Part of a GPU's memory that a pod with a fraction may use while nobody else needs it: no less than the fraction,
    at most 1, in quotes."""
    gpu_memory: MemoryValue = MemoryValue()
    """Memory that each pod gets on one GPU, such as 4G; the rest of the GPU is for others. Not together with gpu or
    migProfile."""
    gpu_memory_limit: MemoryValue = MemoryValue()
    """GPU memory that a pod with gpuMemory may use while nobody else needs it: no less than gpuMemory."""
    large_shm: BoolValue = BoolValue()
    """Whether /dev/shm may grow up to the pod's memory, rather than to 64 MiB."""
    memory: MemoryValue = MemoryValue()
    """Memory of the node that each pod is guaranteed, such as 80Gi or 500M. Left out, a share that goes with the number
    of GPUs."""
    memory_limit: MemoryValue = MemoryValue()
    """Memory of the node beyond which a container is killed, such as 100Gi. Left out, whatever is free."""
    mig_profile: MigProfile = MigProfile()
    """Hardware slice of a GPU that each pod gets, by its profile, such as 1g.10gb. Not together with gpu or
    gpuMemory."""
