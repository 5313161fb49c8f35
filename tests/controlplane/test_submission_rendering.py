"""From the spec of a submission to the spec of its custom resource: every member, and what is refused by name."""

from decimal import Decimal
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from aliquot.contracts.administrator_api.submissions import (
    DistributedSpec,
    InferenceSpec,
    MasterSpec,
    TrainingSpec,
    WorkspaceSpec,
    parts,
)
from aliquot.contracts.kinds.workloads import (
    DistributedWorkload,
    InferenceWorkload,
    InteractiveWorkload,
    TrainingWorkload,
    Workload,
)
from aliquot.controlplane.failures import in_words
from aliquot.controlplane.submissions.rendering import WholeSpec, rendered, rendered_master
from aliquot.core.submission import (
    Defaults,
    Site,
    effective,
    effective_distributed,
    effective_inference,
    effective_interactive,
)
from aliquot.errors import UserError

KINDS: dict[str, tuple[type[WholeSpec], type[Workload]]] = {
    "training": (TrainingSpec, TrainingWorkload),
    "workspace": (WorkspaceSpec, InteractiveWorkload),
    "distributed": (DistributedSpec, DistributedWorkload),
    "inference": (InferenceSpec, InferenceWorkload),
}
READERS: dict[str, Any] = {
    "training": effective,
    "workspace": effective_interactive,
    "distributed": effective_distributed,
    "inference": effective_inference,
}
LEAST: dict[str, dict[str, Any]] = {
    "training": {},
    "workspace": {},
    "distributed": {"numWorkers": 2, "distributedFramework": "PyTorch"},
    "inference": {"servingPort": {"container": 8000}},
}
DEFAULTS = Defaults(1000, 2**30)
SITE = Site("team-a", domain="x.example.com", checks_users=True)
ALL = tuple(KINDS)
SINGLE = ("training", "workspace")


def v(value: Any) -> dict[str, Any]:
    return {"value": value}


def items(*values: Any, **named: Any) -> dict[str, Any]:
    found = {f"item-{number}": v(value) for number, value in enumerate(values)}
    return {"items": {**found, **{name: v(value) for name, value in named.items()}}}


# kinds, members of the spec, what the custom resource gets of them
ROWS: dict[str, tuple[tuple[str, ...], dict[str, Any], dict[str, Any]]] = {
    "the command line": (
        ALL,
        {"command": "python train.py", "args": "--lr 1", "workingDir": "/work", "imagePullPolicy": "Always"},
        {
            "command": v("python train.py"),
            "arguments": v("--lr 1"),
            "workingDir": v("/work"),
            "imagePullPolicy": v("Always"),
        },
    ),
    "the container": (
        ALL,
        {"createHomeDir": True, "tty": True, "stdin": True},
        {"createHomeDir": v(True), "tty": v(True), "stdin": v(True)},
    ),
    "nodes": (ALL, {"nodeType": "a100", "nodePools": ["a", "b"]}, {"nodeType": v("a100"), "nodePools": v("a b")}),
    "affinity": (
        ALL,
        {"podAffinity": {"type": "Required", "key": "zone"}},
        {"podAffinity": v(True), "podAffinitySchedulingRule": v("hard"), "podAffinityTopology": v("zone")},
    ),
    "affinity that may be broken": (
        ALL,
        {"podAffinity": {"type": "Preferred", "key": "zone"}},
        {"podAffinity": v(True), "podAffinitySchedulingRule": v("soft"), "podAffinityTopology": v("zone")},
    ),
    "tolerations": (
        ALL,
        {
            "tolerations": [
                {"key": "k", "operator": "Exists", "effect": "NoExecute", "seconds": 5},
                {"key": "k", "value": "x", "effect": "Any"},
            ]
        },
        {
            "tolerations": items(
                {"tolerationKey": "k", "operator": "Exists", "effect": "NoExecute", "seconds": 5},
                {"tolerationKey": "k", "operator": "Equal", "tolerationValue": "x"},
            )
        },
    ),
    "whole GPUs": (ALL, {"compute": {"gpuDevicesRequest": 2}}, {"gpu": v("2")}),
    "no GPUs": (ALL, {"compute": {"gpuDevicesRequest": 0, "gpuRequestType": None}}, {"gpu": v("0")}),
    "a part of a GPU": (
        ALL,
        {"compute": {"gpuRequestType": "portion", "gpuPortionRequest": 0.25, "gpuPortionLimit": 0.5}},
        {"gpu": v("0.25"), "gpuDevices": v(1), "gpuLimit": v("0.5")},
    ),
    "parts of GPUs": (
        ALL,
        {"compute": {"gpuRequestType": "portion", "gpuPortionRequest": 0.5, "gpuDevicesRequest": 2}},
        {"gpu": v("0.5"), "gpuDevices": v(2)},
    ),
    "all of GPUs, as a part": (
        ALL,
        {"compute": {"gpuRequestType": "portion", "gpuPortionRequest": 1, "gpuDevicesRequest": 2}},
        {"gpu": v("2")},
    ),
    "memory of a GPU": (
        ALL,
        {"compute": {"gpuRequestType": "memory", "gpuMemoryRequest": "4G", "gpuMemoryLimit": "8G"}},
        {"gpuMemory": v("4G"), "gpuMemoryLimit": v("8G")},
    ),
    "a slice of a GPU": (
        ALL,
        {"compute": {"gpuRequestType": "migProfile", "migProfile": "1g.10gb", "gpuDevicesRequest": 1}},
        {"migProfile": v("1g.10gb")},
    ),
    "CPU and memory": (
        ALL,
        {
            "compute": {
                "cpuCoreRequest": 0.5,
                "cpuCoreLimit": 2,
                "cpuMemoryRequest": "1Gi",
                "cpuMemoryLimit": "2Gi",
                "largeShmRequest": True,
            }
        },
        {"cpu": v("0.5"), "cpuLimit": v("2"), "memory": v("1Gi"), "memoryLimit": v("2Gi"), "largeShm": v(True)},
    ),
    "other devices": (
        ALL,
        {"compute": {"extendedResources": [{"resource": "rdma/hca", "quantity": "1", "exclude": False}]}},
        {"extendedResources": items(**{"rdma/hca": {"name": "rdma/hca", "quantity": "1"}})},
    ),
    "another device of a policy's, taken away": (
        ALL,
        {"compute": {"extendedResources": [{"resource": "rdma/hca", "exclude": True}]}},
        {"extendedResources": {"items": {"rdma/hca": {"deleted": True}}}},
    ),
    "the end": (
        ("training", "workspace", "distributed"),
        {"autoDeletionTimeAfterCompletionSeconds": 60},
        {"autoDeletionTimeAfterCompletionSeconds": v(60)},
    ),
    "preemption": (SINGLE, {"terminateAfterPreemption": True}, {"terminateAfterPreemption": v(True)}),
    "completions": (
        ("training",),
        {"backoffLimit": 3, "completions": 4, "parallelism": 2},
        {"backoffLimit": v(3), "completions": v(4), "parallelism": v(2)},
    ),
    "ports": (
        SINGLE,
        {"ports": [{"container": 80, "serviceType": "NodePort", "external": 30080, "name": "web"}]},
        {"ports": items(web={"container": 80, "serviceType": "NodePort", "external": 30080})},
    ),
    "addresses": (
        SINGLE,
        {
            "exposedUrls": [
                {"container": 80, "url": "https://x.example.com/team-a/x", "authorizedUsers": ["ann", "bob"]},
                {"container": 81},
            ]
        },
        {
            "exposedUrls": items(
                {
                    "containerPort": 80,
                    "url": "https://x.example.com/team-a/x",
                    "customUrl": True,
                    "authorizedUsers": "ann,bob",
                },
                {"containerPort": 81},
            )
        },
    ),
    "variables": (
        ALL,
        {
            "environmentVariables": [
                {"name": "A", "value": "b\nc"},
                {"name": "S", "secret": {"name": "s", "key": "k"}},
                {"name": "GONE", "exclude": True},
            ]
        },
        {"environment": {"items": {"A": v("b\nc"), "S": v("SECRET:s,k"), "GONE": {"deleted": True}}}},
    ),
    "labels and annotations": (
        ALL,
        {
            "labels": [{"name": "a", "value": "b"}, {"name": "x", "exclude": True}],
            "annotations": [{"name": "c"}, {"name": "d", "exclude": True}, {"name": "e", "value": "f"}],
        },
        {
            "labels": {"items": {"a": v("b"), "x": {"deleted": True}}},
            "annotations": {"items": {"c": v(""), "d": {"deleted": True}, "e": v("f")}},
        },
    ),
    "claims": (
        ALL,
        {
            "storage": {
                "pvc": [
                    {
                        "path": "/old",
                        "existingPvc": True,
                        "claimName": "old",
                        "readOnly": True,
                        "claimInfo": {"size": "1Gi"},
                    },
                    {
                        "path": "/new",
                        "ephemeral": True,
                        "claimInfo": {
                            "size": "1Gi",
                            "storageClass": "fast",
                            "volumeMode": "Filesystem",
                            "accessModes": {"readWriteOnce": False, "readWriteMany": True},
                        },
                    },
                ]
            }
        },
        {
            "pvcs": items(
                {"path": "/old", "existingPvc": True, "claimName": "old", "readOnly": True},
                {
                    "path": "/new",
                    "ephemeral": True,
                    "size": "1Gi",
                    "storageClass": "fast",
                    "volumeMode": "Filesystem",
                    "readWriteOnce": False,
                    "readWriteMany": True,
                },
            )
        },
    ),
    "code": (
        ALL,
        {
            "storage": {
                "git": [
                    {"repository": "https://x.com/a.git", "branch": "b", "path": "/c", "passwordSecret": "s"},
                    {
                        "repository": "https://x.com/d.git",
                        "revision": "r",
                        "path": "/d",
                        "secretKeyOfUser": "User",
                        "secretKeyOfPassword": "Password",
                    },
                ]
            }
        },
        {
            "gitSync": items(
                {"repository": "https://x.com/a.git", "branch": "b", "directory": "/c", "secretName": "s"},
                {"repository": "https://x.com/d.git", "rev": "r", "directory": "/d"},
            )
        },
    ),
    "ConfigMaps and directories": (
        ALL,
        {
            "storage": {
                "configMapVolume": [{"configMap": "c", "mountPath": "/c", "name": "mine"}],
                "hostPath": [
                    {"path": "/h", "mountPath": "/host", "mountPropagation": "None"},
                    {"path": "/i", "mountPath": "/in", "readOnly": False},
                ],
                "nfs": [{"server": "s", "path": "/n", "mountPath": "/nfs", "readOnly": False}],
            }
        },
        {
            "configMapVolumes": items(mine={"name": "c", "mountPath": "/c"}),
            "volumes": items(
                {"sourcePath": "/h", "targetPath": "/host", "readOnly": True},
                {"sourcePath": "/i", "targetPath": "/in", "readOnly": False},
            ),
            "nfs": items({"nfsServer": "s", "sourcePath": "/n", "targetPath": "/nfs", "readOnly": False}),
        },
    ),
    "a bucket": (
        ALL,
        {
            "storage": {
                "s3": [
                    {
                        "bucket": "data",
                        "path": "/s3",
                        "url": "https://s3.x.com",
                        "accessKeySecret": "s",
                        "secretKeyOfAccessKeyId": "AccessKeyId",
                        "secretKeyOfSecretKey": "SecretKey",
                    }
                ]
            }
        },
        {"s3": items({"bucket": "data", "path": "/s3", "url": "https://s3.x.com", "secretName": "s"})},
    ),
    "a user": (
        ALL,
        {"security": {"uidGidSource": "custom", "runAsUid": 1000, "runAsGid": 100, "supplementalGroups": "1, 2"}},
        {"runAsUser": v(True), "runAsUid": v(1000), "runAsGid": v(100), "supplementalGroups": v("1;2")},
    ),
    "the user of the image": (ALL, {"security": {"uidGidSource": "fromTheImage"}}, {}),
    "rights": (
        ALL,
        {
            "security": {
                "runAsNonRoot": True,
                "capabilities": ["NET_RAW"],
                "seccompProfileType": "RuntimeDefault",
                "hostIpc": True,
                "hostNetwork": True,
                "readOnlyRootFilesystem": False,
            }
        },
        {
            "runAsNonRoot": v(True),
            "capabilities": {"items": {"NET_RAW": v({"capability": "NET_RAW"})}},
            "seccompProfileType": v("RuntimeDefault"),
            "hostIpc": v(True),
            "hostNetwork": v(True),
        },
    ),
    "privileges": (
        ("training", "workspace", "distributed"),
        {"security": {"allowPrivilegeEscalation": False}},
        {"allowPrivilegeEscalation": v(False)},
    ),
    "workers of MPI": (
        ("distributed",),
        {"numWorkers": 3, "distributedFramework": "MPI", "slotsPerWorker": 2, "backoffLimit": 1},
        {
            "jobType": "MPIJob",
            "workers": v(3),
            "mpiJob": {"values": {"slotsPerWorker": v(2)}},
            "runPolicy": {"values": {"backoffLimit": v(1)}},
        },
    ),
    "elastic workers": (
        ("distributed",),
        {"minReplicas": 1, "maxReplicas": 4, "slotsPerWorker": 1},
        {"pyTorchJob": {"values": {"minReplicas": v(1), "maxReplicas": v(4)}}},
    ),
    "XGBoost": (("distributed",), {"distributedFramework": "XGBoost"}, {"jobType": "XGBoostJob"}),
    "TensorFlow": (("distributed",), {"distributedFramework": "TF"}, {"jobType": "TFJob"}),
    "autoscaling": (
        ("inference",),
        {
            "servingPort": {"container": 8000, "protocol": "http"},
            "autoscaling": {"minReplicas": 0, "maxReplicas": 3, "metric": "concurrency", "metricThreshold": 5},
        },
        {
            "ports": items(serving={"container": 8000, "protocol": "TCP"}),
            "minScale": v(0),
            "maxScale": v(3),
            "metric": v("concurrency"),
            "target": v(5),
        },
    ),
    "a port instead of the serving port": (
        ("inference",),
        {"servingPort": None, "ports": [{"container": 80}]},
        {"ports": items({"container": 80})},
    ),
    "a port as well as the serving port": (
        ("inference",),
        {"ports": [{"container": 8000, "serviceType": "ClusterIP"}]},
        {"ports": items(serving={"container": 8000, "protocol": "TCP"})},
    ),
}
BARE: dict[str, dict[str, Any]] = {
    "training": {},
    "workspace": {},
    "distributed": {"jobType": "PyTorchJob", "workers": v(2)},
    "inference": {"ports": items(serving={"container": 8000, "protocol": "TCP"})},
}


def spec_of(kind: str, members: dict[str, Any]) -> WholeSpec:
    return KINDS[kind][0].model_validate({"image": "ubuntu", **LEAST[kind], **members})


def said(kind: str, members: dict[str, Any]) -> dict[str, Any]:
    return rendered(spec_of(kind, members), "name")


@pytest.mark.parametrize(("kinds", "members", "expected"), ROWS.values(), ids=ROWS)
def test_each_member_becomes_its_parameter_and_the_kind_takes_it(
    kinds: tuple[str, ...], members: dict[str, Any], expected: dict[str, Any]
) -> None:
    for kind in kinds:
        made = said(kind, members)
        assert made == {"name": v("name"), "image": v("ubuntu"), **BARE[kind], **expected}, kind
        model = KINDS[kind][1]
        read = model.model_validate({"metadata": {"name": "name", "namespace": "ns"}, "spec": made})
        spec_members = read.spec.model_dump(by_alias=True, exclude_unset=True)
        assert spec_members.keys() == made.keys(), "the kind knows each parameter"
        READERS[kind](read, DEFAULTS, SITE)


def test_every_member_of_every_spec_is_in_a_row() -> None:
    """What no parameter carries out is in none."""
    given = {path for _, members, _ in ROWS.values() for path in _paths(members)}
    known = {path for model, _ in KINDS.values() for path in _members(model)} - {"image"}
    assert known - given - {"priorityClass"} - set(_names()) == set()


def _names() -> set[str]:
    """Names of entries only tell them apart."""
    lists = (
        "tolerations",
        "exposedUrls",
        "storage.pvc",
        "storage.git",
        "storage.hostPath",
        "storage.nfs",
        "storage.s3",
    )
    return {f"{each}.name" for each in lists} | {"storage.pvc.claimInfo.accessModes.readOnlyMany"}


def _paths(members: Any, before: str = "") -> set[str]:
    if isinstance(members, list):
        return {path for each in members for path in _paths(each, before)}  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(members, dict):
        return {before}
    here = {before} if before else set[str]()
    return here | {
        path
        for name, each in members.items()  # pyright: ignore[reportUnknownVariableType]
        for path in _paths(each, f"{before}.{name}".strip("."))
    }


def _members(model: type[BaseModel], before: str = "") -> set[str]:
    found: set[str] = set()
    for field in model.model_fields.values():
        if _carries_nothing(field.metadata):
            continue
        path = f"{before}.{field.alias}".strip(".")
        found.add(path)
        for part in _parts(field.annotation):
            found |= _members(part, path)
    return found


def _carries_nothing(metadata: list[Any]) -> bool:
    return any(getattr(each, "func", None) is parts._nothing for each in metadata)  # pyright: ignore[reportPrivateUsage]


def _parts(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [part for each in get_args(annotation) for part in _parts(each)]


def test_a_master_says_what_it_does_otherwise() -> None:
    made = rendered_master(MasterSpec.model_validate({"image": "other", "compute": {"gpuDevicesRequest": 0}}))
    assert made == {"image": v("other"), "gpu": v("0")}
    read = DistributedWorkload.model_validate(
        {"metadata": {"name": "n", "namespace": "ns"}, "spec": said("distributed", {}), "masterSpec": made}
    )
    valid = effective_distributed(read, DEFAULTS, SITE)
    assert valid.master is not None
    assert (valid.master.process.image, valid.master.compute.gpus.together) == ("other", Decimal(0))


PORTION = {"gpuRequestType": "portion"}
# kind, members, the member that the error names
REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "probes": ("inference", {"probes": {"readiness": {}}}, "probes"),
    "related addresses": ("workspace", {"relatedUrls": [{"url": "x"}]}, "relatedUrls"),
    "volumes of Secrets": ("training", {"storage": {"secretVolume": [{}]}}, "storage.secretVolume"),
    "data volumes": ("training", {"storage": {"dataVolume": [{}]}}, "storage.dataVolume"),
    "a file system that cannot be written to": (
        "training",
        {"security": {"readOnlyRootFilesystem": True}},
        "security.readOnlyRootFilesystem",
    ),
    "a user of an identity provider": (
        "training",
        {"security": {"uidGidSource": "fromIdpToken"}},
        "security.uidGidSource",
    ),
    "groups that may open an address": (
        "workspace",
        {"exposedUrls": [{"container": 1, "authorizedGroups": ["g"]}]},
        "exposedUrls.0.authorizedGroups",
    ),
    "a tool": ("workspace", {"ports": [{"container": 1, "toolType": "jupyter-notebook"}]}, "ports.0.toolType"),
    "a device without a number": (
        "training",
        {"compute": {"extendedResources": [{"resource": "a"}]}},
        "compute.extendedResources.0.quantity",
    ),
    "keys of a Secret": (
        "training",
        {"storage": {"git": [{"repository": "x", "secretKeyOfUser": "u"}]}},
        "storage.git.0.secretKeyOfUser",
    ),
    "mounts that follow": (
        "training",
        {"storage": {"hostPath": [{"path": "/a", "mountPath": "/b", "mountPropagation": "HostToContainer"}]}},
        "storage.hostPath.0.mountPropagation",
    ),
    "gRPC": ("inference", {"servingPort": {"container": 1, "protocol": "grpc"}}, "servingPort.protocol"),
    "latency": ("inference", {"autoscaling": {"metric": "latency"}}, "autoscaling.metric"),
    "how long the last pod stays": (
        "inference",
        {"autoscaling": {"scaleToZeroRetentionSeconds": 60}},
        "autoscaling.scaleToZeroRetentionSeconds",
    ),
    "privileges of inference": (
        "inference",
        {"security": {"allowPrivilegeEscalation": True}},
        "security.allowPrivilegeEscalation",
    ),
    "inference without a port": ("inference", {"servingPort": None}, "servingPort"),
    "no image": ("training", {"image": None}, "image"),
    "completions of a workspace": ("workspace", {"completions": 2}, "completions"),
    "more at a time than there are": ("training", {"parallelism": 2}, "parallelism"),
    "a portion without its type": ("training", {"compute": {"gpuPortionRequest": 0.5}}, "compute.gpuPortionRequest"),
    "no portion": ("training", {"compute": PORTION}, "compute.gpuPortionRequest"),
    "a portion of nothing": (
        "training",
        {"compute": {**PORTION, "gpuPortionRequest": 0}},
        "compute.gpuPortionRequest",
    ),
    "more than a whole": (
        "training",
        {"compute": {**PORTION, "gpuPortionRequest": 1.5}},
        "compute.gpuPortionRequest",
    ),
    "a limit below the portion": (
        "training",
        {"compute": {**PORTION, "gpuPortionRequest": 0.5, "gpuPortionLimit": 0.4}},
        "compute.gpuPortionLimit",
    ),
    "memory of two GPUs": (
        "training",
        {"compute": {"gpuRequestType": "memory", "gpuMemoryRequest": "1G", "gpuDevicesRequest": 2}},
        "compute.gpuDevicesRequest",
    ),
    "memory of no amount": ("training", {"compute": {"gpuRequestType": "memory"}}, "compute.gpuMemoryRequest"),
    "a slice that there is not": (
        "training",
        {"compute": {"gpuRequestType": "migProfile", "migProfile": "9g.1gb"}},
        "compute.migProfile",
    ),
    "a limit below the cores": (
        "training",
        {"compute": {"cpuCoreRequest": 2, "cpuCoreLimit": 1}},
        "compute.cpuCoreLimit",
    ),
    "less than nothing": ("training", {"compute": {"gpuDevicesRequest": -1}}, "compute.gpuDevicesRequest"),
    "a variable with nothing": ("training", {"environmentVariables": [{"name": "A"}]}, "environmentVariables.0"),
    "a variable twice": (
        "training",
        {"environmentVariables": [{"name": "A", "value": "b"}, {"name": "A", "value": "c"}]},
        "environmentVariables.1.name",
    ),
    "a user without a number": ("training", {"security": {"uidGidSource": "custom"}}, "security.runAsUid"),
    "a number without a user": ("training", {"security": {"runAsUid": 1}}, "security.runAsUid"),
    "two node pools in one": ("training", {"nodePools": ["a b"]}, "nodePools.0"),
    "slots of PyTorch": ("distributed", {"slotsPerWorker": 2}, "slotsPerWorker"),
    "elastic MPI": ("distributed", {"distributedFramework": "MPI", "minReplicas": 1}, "minReplicas"),
    "no workers": ("distributed", {"numWorkers": 0}, "numWorkers"),
    "a framework that there is not": ("distributed", {"distributedFramework": "JAX"}, "distributedFramework"),
    "more at least than at most": (
        "inference",
        {"autoscaling": {"minReplicas": 2, "maxReplicas": 1}},
        "autoscaling.minReplicas",
    ),
}


@pytest.mark.parametrize(("kind", "members", "names"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_carried_out_is_refused_by_name(kind: str, members: dict[str, Any], names: str) -> None:
    with pytest.raises((ValidationError, UserError)) as refused:
        said(kind, members)
    error = refused.value
    words = f"spec.{in_words(error.errors())[1]}" if isinstance(error, ValidationError) else str(error)
    assert words.startswith(f"spec.{names}:"), words
