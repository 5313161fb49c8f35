"""What a policy may say, and what becomes of it in a cluster: a row for each member."""

from typing import Any

from aliquot.contracts.administrator_api.policies import PolicyType
from aliquot.controlplane.policies.documents import Document

ALL: tuple[PolicyType, ...] = ("workspace", "training", "distributed", "inference")
SINGLE = ("workspace", "training")
LASTING = ("workspace", "training", "distributed")


def v(value: Any) -> dict[str, Any]:
    return {"value": value}


def r(**rules: Any) -> dict[str, Any]:
    return {"rules": rules}


def whole(workloads: str, half: str, path: str, said: Any) -> Document:
    """A policy that says one thing."""
    for step in reversed(path.split(".")):
        said = {step: said}
    return {half: {"worker": said} if workloads == "distributed" else said}


# kinds, field, default, what the custom resource gets of it
DEFAULTS: tuple[tuple[tuple[str, ...], str, Any, dict[str, Any]], ...] = (
    (ALL, "image", "ubuntu", {"image": v("ubuntu")}),
    (ALL, "command", "sleep 5", {"command": v("sleep 5")}),
    (ALL, "args", "--lr 1", {"arguments": v("--lr 1")}),
    (ALL, "imagePullPolicy", "Never", {"imagePullPolicy": v("Never")}),
    (ALL, "workingDir", "/work", {"workingDir": v("/work")}),
    (ALL, "createHomeDir", False, {"createHomeDir": v(False)}),
    (ALL, "nodeType", "dgx", {"nodeType": v("dgx")}),
    (ALL, "nodePools", ["a", "b"], {"nodePools": v("a b")}),
    (
        ALL,
        "podAffinity",
        {"type": "Preferred", "key": "zone"},
        {"podAffinity": v(True), "podAffinitySchedulingRule": v("soft"), "podAffinityTopology": v("zone")},
    ),
    (
        ALL,
        "environmentVariables.instances",
        [{"name": "A", "value": "1"}, {"name": "B", "secret": {"name": "s", "key": "k"}}],
        {"environment": {"items": {"A": v("1"), "B": v("SECRET:s,k")}}},
    ),
    (ALL, "annotations.instances", [{"name": "a", "value": "b"}], {"annotations": {"items": {"a": v("b")}}}),
    (ALL, "labels.instances", [{"name": "a", "value": "b"}], {"labels": {"items": {"a": v("b")}}}),
    (
        ALL,
        "tolerations",
        {"instances": [{"key": "k", "operator": "Exists"}], "attributes": {"effect": "NoExecute", "seconds": 5}},
        {
            "tolerations": {
                "items": {
                    "policy-0": v({"effect": "NoExecute", "seconds": 5, "tolerationKey": "k", "operator": "Exists"}),
                    "DEFAULTS": v({"tolerationKey": "nil", "effect": "NoExecute", "seconds": 5}),
                }
            }
        },
    ),
    (
        ALL,
        "ports",
        {"instances": [{"name": "ui", "container": 80, "external": 30080}], "attributes": {"serviceType": "NodePort"}},
        {
            "ports": {
                "items": {
                    "ui": v({"serviceType": "NodePort", "container": 80, "external": 30080}),
                    "DEFAULTS": v({"container": 1, "serviceType": "NodePort"}),
                }
            }
        },
    ),
    (
        ALL,
        "exposedUrls.instances",
        [{"name": "ui", "container": 80, "url": "https://x", "authorizedUsers": ["a", "b"]}],
        {
            "exposedUrls": {
                "items": {
                    "ui": v({"containerPort": 80, "url": "https://x", "authorizedUsers": "a,b", "customUrl": True})
                }
            }
        },
    ),
    (ALL, "compute.gpuDevicesRequest", 2, {"gpu": v("2")}),
    (
        ALL,
        "compute",
        {"gpuDevicesRequest": 2, "gpuRequestType": "portion", "gpuPortionRequest": 0.25, "gpuPortionLimit": 0.5},
        {"gpu": v("0.25"), "gpuDevices": v(2), "gpuLimit": v("0.5")},
    ),
    (
        ALL,
        "compute",
        {"gpuRequestType": "memory", "gpuMemoryRequest": "1G", "gpuMemoryLimit": "2G"},
        {"gpuMemory": v("1G"), "gpuMemoryLimit": v("2G")},
    ),
    (ALL, "compute", {"gpuRequestType": "migProfile", "migProfile": "1g.5gb"}, {"migProfile": v("1g.5gb")}),
    (ALL, "compute.cpuCoreRequest", 0.5, {"cpu": v("0.5")}),
    (ALL, "compute.cpuCoreLimit", 2, {"cpuLimit": v("2")}),
    (ALL, "compute.cpuMemoryRequest", "1Gi", {"memory": v("1Gi")}),
    (ALL, "compute.cpuMemoryLimit", "2Gi", {"memoryLimit": v("2Gi")}),
    (ALL, "compute.largeShmRequest", True, {"largeShm": v(True)}),
    (
        ALL,
        "compute.extendedResources",
        {"instances": [{"resource": "x/a", "quantity": "5"}, {"resource": "x/b"}], "attributes": {"quantity": "3"}},
        {
            "extendedResources": {
                "items": {
                    "x/a": v({"quantity": "5", "name": "x/a"}),
                    "x/b": v({"quantity": "3", "name": "x/b"}),
                    "DEFAULTS": v({"name": "nil", "quantity": "3"}),
                }
            }
        },
    ),
    (
        ALL,
        "storage.pvc",
        {
            "instances": [
                {
                    "name": "new",
                    "path": "/new",
                    "claimName": "n",
                    "ephemeral": True,
                    "readOnly": False,
                    "claimInfo": {
                        "size": "1Gi",
                        "storageClass": "fast",
                        "volumeMode": "Block",
                        "accessModes": {"readWriteOnce": True, "readOnlyMany": False, "readWriteMany": True},
                    },
                },
                {"name": "old", "path": "/old", "claimName": "o", "existingPvc": True},
            ]
        },
        {
            "pvcs": {
                "items": {
                    "new": v(
                        {
                            "path": "/new",
                            "claimName": "n",
                            "ephemeral": True,
                            "readOnly": False,
                            "size": "1Gi",
                            "storageClass": "fast",
                            "volumeMode": "Block",
                            "readWriteOnce": True,
                            "readOnlyMany": False,
                            "readWriteMany": True,
                        }
                    ),
                    "old": v({"path": "/old", "claimName": "o", "existingPvc": True}),
                }
            }
        },
    ),
    (
        ALL,
        "storage.git",
        {
            "attributes": {"repository": "https://git", "branch": "main", "revision": "v1", "passwordSecret": "s"},
            "instances": [{"path": "/code"}],
        },
        {
            "gitSync": {
                "items": {
                    "policy-0": v(
                        {
                            "repository": "https://git",
                            "branch": "main",
                            "rev": "v1",
                            "secretName": "s",
                            "directory": "/code",
                        }
                    ),
                    "DEFAULTS": v({"repository": "https://git", "branch": "main", "rev": "v1", "secretName": "s"}),
                }
            }
        },
    ),
    (
        ALL,
        "storage.configMapVolume.instances",
        [{"configMap": "c", "mountPath": "/c"}],
        {"configMapVolumes": {"items": {"policy-0": v({"name": "c", "mountPath": "/c"})}}},
    ),
    (
        ALL,
        "storage.hostPath",
        {"instances": [{"name": "d", "path": "/d", "mountPath": "/m"}], "attributes": {"readOnly": True}},
        {
            "volumes": {
                "items": {
                    "d": v({"readOnly": True, "sourcePath": "/d", "targetPath": "/m"}),
                    "DEFAULTS": v({"targetPath": "nil", "readOnly": True}),
                }
            }
        },
    ),
    (
        ALL,
        "storage.nfs.instances",
        [{"server": "s", "path": "/p", "mountPath": "/m", "readOnly": True}],
        {
            "nfs": {
                "items": {"policy-0": v({"nfsServer": "s", "sourcePath": "/p", "targetPath": "/m", "readOnly": True})}
            }
        },
    ),
    (
        ALL,
        "storage.s3.instances",
        [{"bucket": "b", "path": "/b", "url": "https://s3", "accessKeySecret": "k"}],
        {"s3": {"items": {"policy-0": v({"bucket": "b", "path": "/b", "url": "https://s3", "secretName": "k"})}}},
    ),
    (
        ALL,
        "security",
        {"uidGidSource": "custom", "runAsUid": 5, "runAsGid": 6},
        {"runAsUser": v(True), "runAsUid": v(5), "runAsGid": v(6)},
    ),
    (ALL, "security.supplementalGroups", "1, 2", {"supplementalGroups": v("1;2")}),
    (ALL, "security.runAsNonRoot", True, {"runAsNonRoot": v(True)}),
    (
        ALL,
        "security.capabilities",
        ["CHOWN"],
        {"capabilities": {"items": {"CHOWN": v({"capability": "CHOWN"})}}},
    ),
    (ALL, "security.seccompProfileType", "RuntimeDefault", {"seccompProfileType": v("RuntimeDefault")}),
    (LASTING, "security.allowPrivilegeEscalation", False, {"allowPrivilegeEscalation": v(False)}),
    (ALL, "security.hostIpc", False, {"hostIpc": v(False)}),
    (ALL, "security.hostNetwork", False, {"hostNetwork": v(False)}),
    (SINGLE, "terminateAfterPreemption", True, {"terminateAfterPreemption": v(True)}),
    (
        LASTING,
        "autoDeletionTimeAfterCompletionSeconds",
        60,
        {"autoDeletionTimeAfterCompletionSeconds": v(60)},
    ),
    (("training",), "backoffLimit", 2, {"backoffLimit": v(2)}),
    (("training",), "completions", 3, {"completions": v(3)}),
    (("training",), "parallelism", 1, {"parallelism": v(1)}),
    (("distributed",), "backoffLimit", 2, {"runPolicy": {"values": {"backoffLimit": v(2)}}}),
    (("distributed",), "numWorkers", 2, {"workers": v(2)}),
    (("distributed",), "slotsPerWorker", 2, {"mpiJob": {"values": {"slotsPerWorker": v(2)}}}),
    (("distributed",), "minReplicas", 2, {"pyTorchJob": {"values": {"minReplicas": v(2)}}}),
    (("distributed",), "maxReplicas", 3, {"pyTorchJob": {"values": {"maxReplicas": v(3)}}}),
    (
        ("inference",),
        "autoscaling",
        {"minReplicas": 0, "maxReplicas": 2, "metric": "concurrency", "metricThreshold": 5},
        {"minScale": v(0), "maxScale": v(2), "metric": v("concurrency"), "target": v(5)},
    ),
)

CHOICE = {"options": [{"value": "a"}, {"value": "b", "displayed": "B"}]}
LOCKED_IN = {"canEdit": False, "required": True}
CHOSEN = {"options": [{"value": "a"}, {"value": "b", "name": "B"}]}
# kinds, field, rules, what the custom resource gets of them
RULES: tuple[tuple[tuple[str, ...], str, Any, dict[str, Any]], ...] = (
    (ALL, "image", {**CHOICE, "required": True}, {"image": r(**CHOSEN, required=True)}),
    (ALL, "command", {"canEdit": False}, {"command": r(canEdit=False)}),
    (ALL, "args", CHOICE, {"arguments": r(**CHOSEN)}),
    (ALL, "imagePullPolicy", {"options": [{"value": "Always"}]}, {"imagePullPolicy": r(options=[v("Always")])}),
    (ALL, "workingDir", {"required": True}, {"workingDir": r(required=True)}),
    (ALL, "createHomeDir", {"canEdit": False, "required": False}, {"createHomeDir": r(canEdit=False)}),
    (ALL, "nodeType", CHOICE, {"nodeType": r(**CHOSEN)}),
    (ALL, "nodePools", {"canEdit": False}, {"nodePools": r(canEdit=False)}),
    (
        ALL,
        "podAffinity",
        {"type": {"options": [{"value": "Required"}]}, "key": CHOICE},
        {"podAffinitySchedulingRule": r(options=[v("hard")]), "podAffinityTopology": r(**CHOSEN)},
    ),
    (ALL, "environmentVariables.instances", {"canAdd": False}, {"environment": r(canAdd=False)}),
    (ALL, "annotations.instances", {"canAdd": False}, {"annotations": r(canAdd=False)}),
    (ALL, "labels.instances", {"canAdd": False}, {"labels": r(canAdd=False)}),
    (ALL, "tolerations.instances", {"canAdd": False}, {"tolerations": r(canAdd=False)}),
    (
        ALL,
        "ports",
        {
            "instances": {"canAdd": False},
            "attributes": {"container": {"min": 30000}, "external": {"max": 5}, "serviceType": CHOICE},
        },
        {
            "ports": {
                **r(canAdd=False),
                "itemRules": {"container": {"min": 30000}, "external": {"max": 5}, "serviceType": CHOSEN},
            }
        },
    ),
    (
        ALL,
        "exposedUrls.attributes",
        {"container": {"min": 1}, "url": CHOICE, "authorizedUsers": {"required": True}},
        {
            "exposedUrls": {
                "itemRules": {"containerPort": {"min": 1}, "url": CHOSEN, "authorizedUsers": {"required": True}}
            }
        },
    ),
    (
        ALL,
        "compute.gpuDevicesRequest",
        {"min": 1, "max": 4, "step": 1, "required": True, "canEdit": True},
        {"gpu": r(min="1", max="4", step="1", required=True), "gpuDevices": r(max=4)},
    ),
    (ALL, "compute.gpuPortionRequest", {"min": 0, "max": 1}, {}),
    (ALL, "compute.gpuPortionRequest", {"min": 0.2, "max": 0.5}, {"gpu": r(min="0.2", max="0.5")}),
    (ALL, "compute.gpuPortionLimit", {"max": 0.5}, {"gpuLimit": r(max="0.5")}),
    (ALL, "compute.gpuMemoryRequest", {"min": "100M", "max": "2G"}, {"gpuMemory": r(min="100M", max="2G")}),
    (ALL, "compute.gpuMemoryLimit", {"canEdit": False}, {"gpuMemoryLimit": r(canEdit=False)}),
    (ALL, "compute.migProfile", {"options": [{"value": "1g.5gb"}]}, {"migProfile": r(options=[v("1g.5gb")])}),
    (ALL, "compute.cpuCoreRequest", {"min": 1, "max": 7, "step": 2}, {"cpu": r(min="1", max="7", step="2")}),
    (ALL, "compute.cpuCoreLimit", {"max": 2.5}, {"cpuLimit": r(max="2.5")}),
    (ALL, "compute.cpuMemoryRequest", {"max": "1G"}, {"memory": r(max="1G")}),
    (ALL, "compute.cpuMemoryLimit", {"min": "1G"}, {"memoryLimit": r(min="1G")}),
    (ALL, "compute.largeShmRequest", {"canEdit": False}, {"largeShm": r(canEdit=False)}),
    (
        ALL,
        "compute.extendedResources",
        {"instances": {"canAdd": False}, "attributes": {"quantity": {"required": True}}},
        {"extendedResources": {**r(canAdd=False), "itemRules": {"name": {}, "quantity": {"required": True}}}},
    ),
    (
        ALL,
        "storage.pvc.attributes",
        {
            "claimName": {"required": True},
            "path": CHOICE,
            "readOnly": {"canEdit": False},
            "claimInfo": {"size": CHOICE, "storageClass": CHOICE},
        },
        {
            "pvcs": {
                "itemRules": {
                    "claimName": {"required": True},
                    "path": CHOSEN,
                    "readOnly": {"canEdit": False},
                    "size": CHOSEN,
                    "storageClass": CHOSEN,
                }
            }
        },
    ),
    (
        ALL,
        "storage.git.attributes",
        {"repository": CHOICE, "branch": CHOICE, "revision": CHOICE, "path": {"required": True}},
        {
            "gitSync": {
                "itemRules": {
                    "repository": CHOSEN,
                    "branch": CHOSEN,
                    "revision": CHOSEN,
                    "directory": {"required": True},
                }
            }
        },
    ),
    (
        ALL,
        "storage.configMapVolume",
        {"instances": {"canAdd": True}, "attributes": {"configMap": CHOICE, "mountPath": CHOICE}},
        {"configMapVolumes": {"itemRules": {"name": CHOSEN, "mountPath": CHOSEN}}},
    ),
    (
        ALL,
        "storage.hostPath",
        {
            "instances": {"canAdd": False},
            "attributes": {"path": CHOICE, "readOnly": {"required": True}, "mountPath": CHOICE},
        },
        {
            "volumes": {
                **r(canAdd=False),
                "itemRules": {"sourcePath": CHOSEN, "readOnly": {"required": True}, "targetPath": CHOSEN},
            }
        },
    ),
    (
        ALL,
        "storage.nfs.attributes",
        {"server": CHOICE, "path": CHOICE, "readOnly": {"canEdit": False}, "mountPath": CHOICE},
        {
            "nfs": {
                "itemRules": {
                    "nfsServer": CHOSEN,
                    "sourcePath": CHOSEN,
                    "readOnly": {"canEdit": False},
                    "targetPath": CHOSEN,
                }
            }
        },
    ),
    (
        ALL,
        "storage.s3.attributes",
        {"bucket": CHOICE, "path": CHOICE, "url": CHOICE},
        {
            "s3": {
                "itemRules": {
                    "bucket": CHOSEN,
                    "path": CHOSEN,
                    "url": CHOSEN,
                    "key": {},
                    "secret": {},
                    "secretName": {},
                }
            }
        },
    ),
    (ALL, "security.uidGidSource", LOCKED_IN, {"runAsUser": r(canEdit=False, required=True)}),
    (ALL, "security.runAsUid", {"min": 1, "max": 32700}, {"runAsUid": r(min=1, max=32700)}),
    (ALL, "security.runAsGid", {"min": 1}, {"runAsGid": r(min=1)}),
    (
        ALL,
        "security.supplementalGroups",
        {"options": [{"value": "1,2"}]},
        {"supplementalGroups": r(options=[v("1;2")])},
    ),
    (ALL, "security.runAsNonRoot", {"canEdit": False}, {"runAsNonRoot": r(canEdit=False)}),
    (ALL, "security.capabilities", LOCKED_IN, {"capabilities": r(canAdd=False, required=True)}),
    (ALL, "security.seccompProfileType", CHOICE, {"seccompProfileType": r(**CHOSEN)}),
    (LASTING, "security.allowPrivilegeEscalation", {"canEdit": False}, {"allowPrivilegeEscalation": r(canEdit=False)}),
    (ALL, "security.hostIpc", {"canEdit": False}, {"hostIpc": r(canEdit=False)}),
    (ALL, "security.hostNetwork", {"canEdit": False}, {"hostNetwork": r(canEdit=False)}),
    (SINGLE, "terminateAfterPreemption", {"canEdit": False}, {"terminateAfterPreemption": r(canEdit=False)}),
    (
        LASTING,
        "autoDeletionTimeAfterCompletionSeconds",
        {"max": 60},
        {"autoDeletionTimeAfterCompletionSeconds": r(max=60)},
    ),
    (("training",), "backoffLimit", {"max": 2}, {"backoffLimit": r(max=2)}),
    (("training",), "completions", {"max": 2}, {"completions": r(max=2)}),
    (("training",), "parallelism", {"max": 2}, {"parallelism": r(max=2)}),
    (("distributed",), "backoffLimit", {"max": 2}, {"runPolicy": {"values": {"backoffLimit": r(max=2)}}}),
    (("distributed",), "numWorkers", {"max": 2}, {"workers": r(max=2)}),
    (("distributed",), "slotsPerWorker", {"max": 2}, {"mpiJob": {"values": {"slotsPerWorker": r(max=2)}}}),
    (("distributed",), "minReplicas", {"max": 2}, {"pyTorchJob": {"values": {"minReplicas": r(max=2)}}}),
    (("distributed",), "maxReplicas", {"max": 2}, {"pyTorchJob": {"values": {"maxReplicas": r(max=2)}}}),
    (
        ("inference",),
        "autoscaling",
        {
            "minReplicas": {"min": 1},
            "maxReplicas": {"max": 3},
            "metric": CHOICE,
            "metricThreshold": {"min": 1},
        },
        {"minScale": r(min=1), "maxScale": r(max=3), "metric": r(**CHOSEN), "target": r(min=1)},
    ),
)
