"""From the spec of a submission to the spec of its custom resource. Pure.

Members: control-plane-api.md 1.4.11; parameters, and how they are wrapped: crd-contract.md. What no parameter carries
out never comes here: the models of `contracts.administrator_api.submissions` refuse it.
"""

from collections.abc import Mapping, Sequence
from typing import Final

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
from aliquot.controlplane.submissions.mapping import (
    AUTOSCALING,
    COMPUTE,
    CORES,
    EXTENDED_RESOURCES,
    KEYED,
    LISTS,
    POD,
    SECURITY,
    SINGLE,
    STORAGE,
    STRICTNESS,
    TRAINING,
    USER,
    WHOLE,
    Listed,
    outside,
)
from aliquot.errors import UserError

WholeSpec = WorkspaceSpec | TrainingSpec | DistributedSpec | InferenceSpec
JOB_TYPES: Final = {"MPI": "MPIJob", "PyTorch": "PyTorchJob", "TF": "TFJob", "XGBoost": "XGBoostJob"}

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
    found = {"name": _value(name), **_pod(spec, "spec"), **_values(spec, WHOLE)}
    match spec:
        case TrainingSpec() | WorkspaceSpec():
            found |= _values(spec, SINGLE)
            if isinstance(spec, TrainingSpec):
                found |= _values(spec, TRAINING)
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
    found = _values(spec, POD)
    if spec.node_pools:
        found["nodePools"] = _value(_words(f"{field}.nodePools", spec.node_pools))
    if spec.pod_affinity is not None:
        found["podAffinity"] = _value(True)
        found["podAffinitySchedulingRule"] = _value(STRICTNESS[spec.pod_affinity.type])
        found["podAffinityTopology"] = _value(spec.pod_affinity.key)
    for member, parameter in KEYED.items():
        if entries := getattr(spec, member):
            found[parameter] = items.keyed(f"{field}.{outside(member)}", entries)
    found |= _lists(spec, LISTS)
    if spec.compute is not None:
        found |= _compute(spec.compute, f"{field}.compute")
    if spec.storage is not None:
        found |= _storage(spec.storage)
    if spec.security is not None:
        found |= _security(spec.security, f"{field}.security", inference=isinstance(spec, InferenceSpec))
    return found


def _compute(compute: Compute, field: str) -> Parameters:
    found = {**gpus(compute, field), **_values(compute, COMPUTE)}
    for member, parameter in CORES.items():
        if (cores := getattr(compute, member)) is not None:
            found[parameter] = _value(decimal(cores))
    request, limit = compute.cpu_core_request, compute.cpu_core_limit
    if request is not None and limit is not None and limit < request:
        raise UserError(f"{field}.cpuCoreLimit", limit, f"at least cpuCoreRequest, which is {request}")
    if compute.extended_resources:
        for number, each in enumerate(compute.extended_resources):
            if each.quantity is None and not each.exclude:
                raise UserError(f"{field}.extendedResources.{number}.quantity", None, "how many of it")
        found["extendedResources"] = items.listed(compute.extended_resources, EXTENDED_RESOURCES)
    return found


def _storage(storage: Storage) -> Parameters:
    return _lists(storage, STORAGE)


def _security(security: Security, field: str, *, inference: bool) -> Parameters:
    if inference and security.allow_privilege_escalation is not None:
        value = security.allow_privilege_escalation
        raise UserError(f"{field}.allowPrivilegeEscalation", value, "left out: inference workloads cannot have it")
    found = _values(security, SECURITY)
    if security.uid_gid_source == "custom":
        if security.run_as_uid is None:
            raise UserError(f"{field}.runAsUid", None, "the number of the user, because uidGidSource is custom")
        found["runAsUser"] = _value(True)
        found |= _values(security, USER)
    else:
        for member, value in (("runAsUid", security.run_as_uid), ("runAsGid", security.run_as_gid)):
            if value is not None:
                raise UserError(f"{field}.{member}", value, "left out, because uidGidSource is not custom")
    if security.supplemental_groups:
        found["supplementalGroups"] = _value(security.supplemental_groups.replace(",", ";").replace(" ", ""))
    if security.capabilities:
        found["capabilities"] = items.capabilities(security.capabilities)
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
        found |= _values(spec.autoscaling, AUTOSCALING)
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


def _lists(spec: object, table: Mapping[str, Listed]) -> Parameters:
    return {
        how.parameter: items.listed(entries, how) for member, how in table.items() if (entries := getattr(spec, member))
    }


def _values(spec: object, table: Mapping[str, str]) -> Parameters:
    return {
        parameter: _value(value) for member, parameter in table.items() if (value := getattr(spec, member)) is not None
    }


def _value(value: object) -> Parameters:
    return {"value": value}
