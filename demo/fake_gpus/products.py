"""Well-known cards, with plausible readings of an idle one."""

import uuid
from dataclasses import dataclass

from demo.fake_gpus.model import Gpu, MigInstance, NodeState
from demo.fake_gpus.state import StateError

_SLICES = 7


@dataclass(frozen=True)
class Profile:
    """A kind of MIG instance: its slices of the card's seven, multiprocessors and MiB of memory."""

    slices: int
    multiprocessors: int
    memory_mib: int


@dataclass(frozen=True)
class Product:
    """A kind of card.

    Attributes:
        name: as NVML tells it.
        memory_mib: MiB in all.
        reserved_mib: MiB that the driver keeps.
        compute: CUDA compute capability.
        power_limit_watts: enforced.
        fan: whether it has a fan of its own.
        profiles: of MIG; none: a product without MIG.
    """

    name: str
    memory_mib: int
    reserved_mib: int
    compute: tuple[int, int]
    power_limit_watts: int
    fan: bool = False
    profiles: dict[str, Profile] | None = None


PRODUCTS = {
    "t4": Product("Tesla T4", 15360, 437, (7, 5), 70),
    "l40s": Product("NVIDIA L40S", 46068, 597, (8, 9), 350),
    "rtx4090": Product("NVIDIA GeForce RTX 4090", 24564, 476, (8, 9), 450, fan=True),
    "a100": Product(
        "NVIDIA A100-SXM4-40GB",
        40960,
        605,
        (8, 0),
        400,
        profiles={
            "1g.5gb": Profile(1, 14, 4864),
            "2g.10gb": Profile(2, 28, 9856),
            "3g.20gb": Profile(3, 42, 19968),
            "7g.40gb": Profile(7, 98, 40192),
        },
    ),
    "h100": Product(
        "NVIDIA H100 80GB HBM3",
        81559,
        551,
        (9, 0),
        700,
        profiles={
            "1g.10gb": Profile(1, 16, 9984),
            "2g.20gb": Profile(2, 32, 20096),
            "3g.40gb": Profile(3, 60, 40448),
            "7g.80gb": Profile(7, 132, 80896),
        },
    ),
}


def node(name: str, gpus: int, *, product: str = "h100", mig: tuple[str, ...] = ()) -> NodeState:
    """An idle node.

    Args:
        name: of the node; the same name has the same UUIDs, other names have others.
        gpus: how many.
        product: a key of `PRODUCTS`.
        mig: profiles of the MIG instances that each GPU is divided into; none: MIG mode is off.

    Raises:
        StateError: there is no such product or profile, or a card does not have so many slices.
    """
    if product not in PRODUCTS:
        message = f"product {product!r}: allowed are {', '.join(PRODUCTS)}"
        raise StateError(message)
    return NodeState(gpus=tuple(_gpu(name, index, PRODUCTS[product], mig) for index in range(gpus)))


def _gpu(node_name: str, index: int, product: Product, mig: tuple[str, ...]) -> Gpu:
    own = uuid.uuid5(uuid.NAMESPACE_DNS, f"{node_name}/{index}")
    has_ecc = not product.fan
    counter = 0 if has_ecc else None
    return Gpu(
        uuid=f"GPU-{own}",
        name=product.name,
        memory_total_mib=product.memory_mib,
        memory_reserved_mib=product.reserved_mib,
        minor=index,
        pci_bus_id=f"0000:{0x17 + 8 * index:02X}:00.0",
        compute_major=product.compute[0],
        compute_minor=product.compute[1],
        mig=bool(mig) if product.profiles else None,
        ecc=has_ecc,
        gpu_percent=0,
        memory_percent=0,
        encoder_percent=0,
        decoder_percent=0,
        temperature_celsius=34,
        memory_temperature_celsius=40 if product.profiles else None,
        power_milliwatts=product.power_limit_watts * 100,
        power_limit_milliwatts=product.power_limit_watts * 1000,
        energy_millijoules=1_000_000,
        fan_percent=30 if product.fan else None,
        graphics_clock_mhz=345,
        sm_clock_mhz=345,
        memory_clock_mhz=1593,
        video_clock_mhz=765,
        pcie_replays=0,
        volatile_corrected_errors=counter,
        volatile_uncorrected_errors=counter,
        aggregate_corrected_errors=counter,
        aggregate_uncorrected_errors=counter,
        remapped_corrected_rows=0 if product.profiles else None,
        remapped_uncorrected_rows=0 if product.profiles else None,
        remapping_pending=False if product.profiles else None,
        remapping_failed=False if product.profiles else None,
        instances=_instances(own, product, mig),
    )


def _instances(gpu: uuid.UUID, product: Product, mig: tuple[str, ...]) -> tuple[MigInstance, ...]:
    profiles = product.profiles or {}
    for profile in mig:
        if profile not in profiles:
            message = f"MIG profile {profile!r}: {product.name} has {', '.join(profiles) or 'no MIG'}"
            raise StateError(message)
    if (slices := sum(profiles[profile].slices for profile in mig)) > _SLICES:
        message = f"MIG profiles {', '.join(mig)}: they have {slices} slices, a card has {_SLICES}"
        raise StateError(message)
    return tuple(
        MigInstance(
            uuid=f"MIG-{uuid.uuid5(gpu, str(number))}",
            profile=profile,
            gpu_instance=number,
            slices=profiles[profile].slices,
            multiprocessors=profiles[profile].multiprocessors,
            memory_total_mib=profiles[profile].memory_mib,
        )
        for number, profile in enumerate(mig, start=1)
    )
