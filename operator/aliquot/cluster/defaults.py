"""What holds in a cluster for workloads that do not say: the same for the operator and its webhook."""

from typing import Final

from aliquot.core.submission import Defaults
from aliquot.settings import Settings

_MIB: Final = 1024 * 1024


def defaults_of(settings: Settings) -> Defaults:
    """Read them from the settings."""
    workloads, images = settings.workloads, settings.images
    return Defaults(
        cpu_milli_per_gpu=workloads.cpu_milli_per_gpu,
        memory_bytes_per_gpu=workloads.memory_mib_per_gpu * _MIB,
        git_image=images.git,
        s3_image=images.s3,
        domain=settings.addresses.domain or None,
    )
