"""What holds in a cluster for workloads that do not say: the same for the operator and its webhook."""

from typing import Final

from aliquot.core.configuration import ClusterConfig
from aliquot.core.submission import Defaults, UserCheck
from aliquot.core.submission.spec import TENTH
from aliquot.settings import Addresses, Settings

_MIB: Final = 1024 * 1024


def defaults_of(settings: Settings, config: ClusterConfig) -> Defaults:
    """What the cluster's RunaiConfig says, and the settings where it does not."""
    workloads, images = settings.workloads, settings.images
    cpu, memory = config.cpu_milli_per_gpu, config.memory_bytes_per_gpu
    return Defaults(
        cpu_milli_per_gpu=workloads.cpu_milli_per_gpu if cpu is None else cpu,
        memory_bytes_per_gpu=workloads.memory_mib_per_gpu * _MIB if memory is None else memory,
        git_image=images.git,
        s3_image=images.s3,
        tensorboard_image=images.tensorboard or None,
        domain=settings.addresses.domain or None,
        user_check=_user_check(settings.addresses),
        cpu_limit_milli_per_gpu=config.cpu_limit_milli_per_gpu,
        memory_limit_bytes_per_gpu=config.memory_limit_bytes_per_gpu,
        cpu_of_limit=TENTH if config.cpu_of_limit is None else config.cpu_of_limit,
        memory_of_limit=TENTH if config.memory_of_limit is None else config.memory_of_limit,
    )


def _user_check(addresses: Addresses) -> UserCheck | None:
    if not addresses.auth_url:
        return None
    return UserCheck(addresses.auth_url, addresses.auth_signin or None, addresses.auth_annotations)
