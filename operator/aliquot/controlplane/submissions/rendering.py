"""From the spec of a submission to the spec of its custom resource. Pure.

Members: control-plane-api.md 1.4.11; parameters, and how they are wrapped: crd-contract.md. What no parameter carries
out never comes here: the models of `contracts.administrator_api.submissions` refuse it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from aliquot.contracts.administrator_api.submissions import (
    DistributedSpec,
    InferenceSpec,
    MasterSpec,
    PodSpec,
    TrainingSpec,
    WorkspaceSpec,
)
from aliquot.contracts.administrator_api.submissions.parts import Compute, Security
from aliquot.contracts.administrator_api.submissions.storage import Storage
from aliquot.controlplane.submissions import items
from aliquot.controlplane.submissions.gpus import Parameters, decimal, gpus
from aliquot.errors import UserError

WholeSpec = WorkspaceSpec | TrainingSpec | DistributedSpec | InferenceSpec
JOB_TYPES: Final = {"MPI": "MPIJob", "PyTorch": "PyTorchJob", "TF": "TFJob", "XGBoost": "XGBoostJob"}

_POD: Final = {
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
_COMPUTE: Final = {
    "cpu_memory_request": "memory",
    "cpu_memory_limit": "memoryLimit",
    "large_shm_request": "largeShm",
}
_SECURITY: Final = {
    "run_as_non_root": "runAsNonRoot",
    "seccomp_profile_type": "seccompProfileType",
    "allow_privilege_escalation": "allowPrivilegeEscalation",
    "host_ipc": "hostIpc",
    "host_network": "hostNetwork",
}
_WHOLE: Final = {"auto_deletion_time_after_completion_seconds": "autoDeletionTimeAfterCompletionSeconds"}
_SINGLE: Final = {"terminate_after_preemption": "terminateAfterPreemption"}
_TRAINING: Final = {"backoff_limit": "backoffLimit", "completions": "completions", "parallelism": "parallelism"}
_AUTOSCALING: Final = {
    "min_replicas": "minScale",
    "max_replicas": "maxScale",
    "metric": "metric",
    "metric_threshold": "target",
}
_LISTS: Final[Mapping[str, tuple[str, Callable[[Any], tuple[str | None, items.Value]]]]] = {
    "tolerations": ("tolerations", items.toleration),
    "ports": ("ports", items.port),
    "exposed_urls": ("exposedUrls", items.url),
}
_STORAGE: Final[Mapping[str, tuple[str, Callable[[Any], tuple[str | None, items.Value]]]]] = {
    "pvc": ("pvcs", items.claim),
    "git": ("gitSync", items.repository),
    "config_map_volume": ("configMapVolumes", items.config_map),
    "host_path": ("volumes", items.host_path),
    "nfs": ("nfs", items.nfs),
    "s3": ("s3", items.bucket),
}
_KEYED: Final = {"environment_variables": "environment", "annotations": "annotations", "labels": "labels"}
_SERVING: Final = "serving"


def rendered(spec: WholeSpec, name: str) -> Parameters:
    """Say what the custom resource of a workload is to say in its `spec`.

    Args:
        spec: as it was submitted.
        name: how the workload is called.

    Raises:
        UserError: members contradict one another, or one of them is not there.
    """
    if not spec.image:
        raise UserError("spec.image", None, "the image of the container")
    found = {"name": _value(name), **_pod(spec, "spec"), **_values(spec, _WHOLE)}
    match spec:
        case TrainingSpec() | WorkspaceSpec():
            found |= _values(spec, _SINGLE)
            if isinstance(spec, TrainingSpec):
                found |= _values(spec, _TRAINING)
                _check_order("spec", spec.parallelism, "parallelism", spec.completions or 1, "completions")
        case DistributedSpec():
            found |= _distributed(spec)
        case InferenceSpec():
            found |= _inference(spec, found.pop("ports", {"items": {}}))
    return found


def rendered_master(spec: MasterSpec) -> Parameters:
    """Say what the custom resource is to say in its `masterSpec`.

    Raises:
        UserError: members contradict one another.
    """
    return _pod(spec, "masterSpec")


def _pod(spec: PodSpec, field: str) -> Parameters:
    found = _values(spec, _POD)
    if spec.node_pools:
        found["nodePools"] = _value(_words(f"{field}.nodePools", spec.node_pools))
    if spec.pod_affinity is not None:
        hard = spec.pod_affinity.type == "Required"
        found["podAffinity"] = _value(True)
        found["podAffinitySchedulingRule"] = _value("hard" if hard else "soft")
        found["podAffinityTopology"] = _value(spec.pod_affinity.key)
    for member, parameter in _KEYED.items():
        if entries := getattr(spec, member):
            found[parameter] = items.keyed(f"{field}.{_outside(member)}", entries)
    found |= _lists(spec, _LISTS)
    if spec.compute is not None:
        found |= _compute(spec.compute, f"{field}.compute")
    if spec.storage is not None:
        found |= _storage(spec.storage)
    if spec.security is not None:
        found |= _security(spec.security, f"{field}.security", inference=isinstance(spec, InferenceSpec))
    return found


def _compute(compute: Compute, field: str) -> Parameters:
    found = {**gpus(compute, field), **_values(compute, _COMPUTE)}
    for member, parameter in (("cpu_core_request", "cpu"), ("cpu_core_limit", "cpuLimit")):
        if (cores := getattr(compute, member)) is not None:
            found[parameter] = _value(decimal(cores))
    request, limit = compute.cpu_core_request, compute.cpu_core_limit
    if request is not None and limit is not None and limit < request:
        raise UserError(f"{field}.cpuCoreLimit", limit, f"at least cpuCoreRequest, which is {request}")
    if compute.extended_resources:
        found["extendedResources"] = items.labelled([items.resource(each) for each in compute.extended_resources])
    return found


def _storage(storage: Storage) -> Parameters:
    return _lists(storage, _STORAGE)


def _security(security: Security, field: str, *, inference: bool) -> Parameters:
    if inference and security.allow_privilege_escalation is not None:
        value = security.allow_privilege_escalation
        raise UserError(f"{field}.allowPrivilegeEscalation", value, "left out: inference workloads cannot have it")
    found = _values(security, _SECURITY)
    if security.uid_gid_source == "custom":
        if security.run_as_uid is None:
            raise UserError(f"{field}.runAsUid", None, "the number of the user, because uidGidSource is custom")
        found["runAsUser"] = _value(True)
        found |= _values(security, {"run_as_uid": "runAsUid", "run_as_gid": "runAsGid"})
    else:
        for member, value in (("runAsUid", security.run_as_uid), ("runAsGid", security.run_as_gid)):
            if value is not None:
                raise UserError(f"{field}.{member}", value, "left out, because uidGidSource is not custom")
    if security.supplemental_groups:
        found["supplementalGroups"] = _value(security.supplemental_groups.replace(",", ";").replace(" ", ""))
    if security.capabilities:
        found["capabilities"] = items.labelled([(each, {"capability": each}) for each in security.capabilities])
    return found


def _distributed(spec: DistributedSpec) -> Parameters:
    framework = spec.distributed_framework
    found: Parameters = {"jobType": JOB_TYPES[framework], "workers": _value(spec.num_workers)}
    if spec.slots_per_worker is not None and (spec.slots_per_worker != 1 or framework == "MPI"):
        _only("MPI", framework, "slotsPerWorker", spec.slots_per_worker)
        found["mpiJob"] = {"values": {"slotsPerWorker": _value(spec.slots_per_worker)}}
    replicas = {"min_replicas": "minReplicas", "max_replicas": "maxReplicas"}
    if elastic := _values(spec, replicas):
        for member in elastic:
            _only("PyTorch", framework, member, elastic[member]["value"])
        if spec.max_replicas is not None:
            _check_order("spec", spec.min_replicas, "minReplicas", spec.max_replicas, "maxReplicas")
        found["pyTorchJob"] = {"values": elastic}
    if spec.backoff_limit is not None:
        found["runPolicy"] = {"values": {"backoffLimit": _value(spec.backoff_limit)}}
    return found


def _only(needed: str, framework: str, member: str, value: object) -> None:
    if framework != needed:
        raise UserError(f"spec.{member}", value, f"left out, because distributedFramework is not {needed}")


def _inference(spec: InferenceSpec, ports: Parameters) -> Parameters:
    found: Parameters = {}
    if spec.autoscaling is not None:
        found |= _values(spec.autoscaling, _AUTOSCALING)
        most = spec.autoscaling.max_replicas
        if most is not None:
            _check_order("spec.autoscaling", spec.autoscaling.min_replicas, "minReplicas", most, "maxReplicas")
    if spec.serving_port is not None:
        container = spec.serving_port.container
        serving = {"value": {"container": container, "protocol": "TCP"}}
        others = {label: each for label, each in ports["items"].items() if each["value"]["container"] != container}
        found["ports"] = {"items": {**others, _SERVING: serving}}
    elif ports["items"]:
        found["ports"] = ports
    else:
        raise UserError("spec.servingPort", None, "the port on which the model answers")
    return found


def _check_order(field: str, least: int | None, member: str, most: int, of: str) -> None:
    if least is not None and least > most:
        raise UserError(f"{field}.{member}", least, f"at most {of}, which is {most}")


def _words(field: str, words: Sequence[str]) -> str:
    for number, word in enumerate(words):
        if not word or len(word.split()) != 1:
            raise UserError(f"{field}.{number}", word, "the name of a node pool")
    return " ".join(words)


def _lists(
    spec: object, table: Mapping[str, tuple[str, Callable[[Any], tuple[str | None, items.Value]]]]
) -> Parameters:
    return {
        parameter: items.labelled([of(each) for each in entries])
        for member, (parameter, of) in table.items()
        if (entries := getattr(spec, member))
    }


def _values(spec: object, table: Mapping[str, str]) -> Parameters:
    return {
        parameter: _value(value) for member, parameter in table.items() if (value := getattr(spec, member)) is not None
    }


def _value(value: object) -> Parameters:
    return {"value": value}


def _outside(member: str) -> str:
    first, *rest = member.split("_")
    return first + "".join(map(str.capitalize, rest))
