"""Which parameter of custom resources carries out which member of a spec (control-plane-api.md 1.4.11). Pure.

Both submissions and policies say the same in the same words, so both are read by these tables. Members are named as
their models have them; a dot leads into a part of a part. What needs more than a name is code: `rendering` and `gpus`.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

Table = Mapping[str, str]
"""Member → parameter, or member of an item."""


class Listed(NamedTuple):
    """How the entries of a list become the items of a parameter.

    Attributes:
        parameter: which.
        members: of an entry → of an item.
        key: the member that labels items, as it is unique among entries.
    """

    parameter: str
    members: Table
    key: str = "name"


POD: Final[Table] = {
    "image": "image",
    "command": "command",
    "args": "arguments",
    "image_pull_policy": "imagePullPolicy",
    "working_dir": "workingDir",
    "create_home_dir": "createHomeDir",
    "tty": "tty",
    "stdin": "stdin",
    "node_type": "nodeType",
}
AFFINITY: Final[Table] = {"type": "podAffinitySchedulingRule", "key": "podAffinityTopology"}
STRICTNESS: Final = {"Required": "hard", "Preferred": "soft"}
"""What the first of those says, in both."""
COMPUTE: Final[Table] = {
    "cpu_memory_request": "memory",
    "cpu_memory_limit": "memoryLimit",
    "large_shm_request": "largeShm",
}
CORES: Final[Table] = {"cpu_core_request": "cpu", "cpu_core_limit": "cpuLimit"}
GPUS: Final[Table] = {
    "gpu_devices_request": "gpu",
    "gpu_portion_request": "gpu",
    "gpu_portion_limit": "gpuLimit",
    "gpu_memory_request": "gpuMemory",
    "gpu_memory_limit": "gpuMemoryLimit",
    "mig_profile": "migProfile",
}
SECURITY: Final[Table] = {
    "run_as_non_root": "runAsNonRoot",
    "seccomp_profile_type": "seccompProfileType",
    "allow_privilege_escalation": "allowPrivilegeEscalation",
    "host_ipc": "hostIpc",
    "host_network": "hostNetwork",
}
USER: Final[Table] = {"run_as_uid": "runAsUid", "run_as_gid": "runAsGid"}
WHOLE: Final[Table] = {"auto_deletion_time_after_completion_seconds": "autoDeletionTimeAfterCompletionSeconds"}
SINGLE: Final[Table] = {"terminate_after_preemption": "terminateAfterPreemption"}
TRAINING: Final[Table] = {"backoff_limit": "backoffLimit", "completions": "completions", "parallelism": "parallelism"}
DISTRIBUTED: Final[Table] = {
    "num_workers": "workers",
    "slots_per_worker": "mpiJob.slotsPerWorker",
    "min_replicas": "pyTorchJob.minReplicas",
    "max_replicas": "pyTorchJob.maxReplicas",
    "backoff_limit": "runPolicy.backoffLimit",
}
"""Of groups of parameters, a member of the group."""
AUTOSCALING: Final[Table] = {
    "min_replicas": "minScale",
    "max_replicas": "maxScale",
    "metric": "metric",
    "metric_threshold": "target",
}
KEYED: Final[Table] = {"environment_variables": "environment", "annotations": "annotations", "labels": "labels"}
LISTS: Final[Mapping[str, Listed]] = {
    "tolerations": Listed(
        "tolerations",
        {
            "key": "tolerationKey",
            "operator": "operator",
            "value": "tolerationValue",
            "effect": "effect",
            "seconds": "seconds",
        },
    ),
    "ports": Listed("ports", {"container": "container", "external": "external", "service_type": "serviceType"}),
    "exposed_urls": Listed(
        "exposedUrls", {"container": "containerPort", "url": "url", "authorized_users": "authorizedUsers"}
    ),
}
EXTENDED_RESOURCES: Final = Listed("extendedResources", {"resource": "name", "quantity": "quantity"}, "resource")
STORAGE: Final[Mapping[str, Listed]] = {
    "pvc": Listed(
        "pvcs",
        {
            "path": "path",
            "claim_name": "claimName",
            "read_only": "readOnly",
            "existing_pvc": "existingPvc",
            "ephemeral": "ephemeral",
            "claim_info.size": "size",
            "claim_info.storage_class": "storageClass",
            "claim_info.volume_mode": "volumeMode",
            "claim_info.access_modes.read_write_once": "readWriteOnce",
            "claim_info.access_modes.read_only_many": "readOnlyMany",
            "claim_info.access_modes.read_write_many": "readWriteMany",
        },
    ),
    "git": Listed(
        "gitSync",
        {
            "repository": "repository",
            "branch": "branch",
            "revision": "rev",
            "path": "directory",
            "password_secret": "secretName",
        },
    ),
    "config_map_volume": Listed("configMapVolumes", {"config_map": "name", "mount_path": "mountPath"}),
    "host_path": Listed("volumes", {"path": "sourcePath", "mount_path": "targetPath", "read_only": "readOnly"}),
    "nfs": Listed(
        "nfs",
        {"server": "nfsServer", "path": "sourcePath", "mount_path": "targetPath", "read_only": "readOnly"},
    ),
    "s3": Listed("s3", {"bucket": "bucket", "path": "path", "url": "url", "access_key_secret": "secretName"}),
}


def at(part: object, member: str) -> Any:
    """What a part of a spec says of a member; None: nothing, or it does not have it."""
    found: Any = part
    for step in member.split("."):
        found = getattr(found, step, None)
    return found


def outside(member: str) -> str:
    """What a member is called outside: `claim_info.storage_class` is `claimInfo.storageClass`."""
    return ".".join(_outside(step) for step in member.split("."))


def _outside(step: str) -> str:
    first, *rest = step.split("_")
    return first + "".join(map(str.capitalize, rest))
