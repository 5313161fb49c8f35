"""Specs of every kind that are taken, by an API server and by the schemas alone."""

from typing import Final

from tests.contracts.documents import IMAGE, PORTS, Spec, items, quota, values

TAKEN: Final[dict[str, tuple[str, Spec]]] = {
    "an image is enough": ("TrainingWorkload", values()),
    "whole GPUs": ("TrainingWorkload", values(gpu="8")),
    "a fraction": ("TrainingWorkload", values(gpu="0.25", gpuLimit="0.5", gpuDevices=2)),
    "GPU memory": ("TrainingWorkload", values(gpuMemory="4G", gpuMemoryLimit="8G")),
    "a MIG profile": ("TrainingWorkload", values(migProfile="1g.10gb")),
    "equal limits": ("TrainingWorkload", values(cpu="2", cpuLimit="2", memory="1Gi", memoryLimit="1024Mi")),
    "a Template without an image": ("TrainingWorkload", {"usage": "Template"}),
    "an image from a template": ("TrainingWorkload", {"baseWorkload": "base"}),
    "an image from a policy": ("TrainingWorkload", {}),
    "a template that names no other": ("TrainingWorkload", {"usage": "Template", "baseWorkload": ""}),
    "the longest name": ("TrainingWorkload", values(name="a" * 52)),
    "the longest prefix": ("TrainingWorkload", values(namePrefix="a" * 45)),
    "rules in a workload": ("TrainingWorkload", {"image": {**IMAGE["image"], "rules": {"canEdit": False}}}),
    "five hundred variables": (
        "TrainingWorkload",
        values(environment={"items": {f"KEY_{number}": {"value": "x"} for number in range(500)}}),
    ),
    "an item removed": ("TrainingWorkload", values(labels={"items": {"team": {"deleted": True}}})),
    "a time to stay, in the older spelling": ("TrainingWorkload", values(ttlAfterFinish="2h")),
    "a secret in a variable": (
        "TrainingWorkload",
        values(environment={"items": {"MYPASSWORD": {"value": "SECRET:my-secret,password"}}}),
    ),
    "an existing claim": ("TrainingWorkload", items(pvcs={"claimName": "c", "existingPvc": True, "path": "/data"})),
    "a new claim": (
        "TrainingWorkload",
        items(
            pvcs={
                "path": "/data",
                "size": "10Gi",
                "storageClass": "fast",
                "readWriteOnce": True,
                "ephemeral": True,
                "volumeMode": "Filesystem",
            }
        ),
    ),
    "volumes of all sorts": (
        "TrainingWorkload",
        items(
            volumes={"sourcePath": "/mnt/data", "targetPath": "/data", "readOnly": True},
            nfs={"nfsServer": "nfs.example.com", "sourcePath": "/exports", "targetPath": "/nfs"},
            configMapVolumes={"name": "settings", "mountPath": "/etc/settings"},
            gitSync={"repository": "https://example.com/code.git", "rev": "v1", "secretName": "git"},
            s3={"bucket": "b", "path": "/s3", "url": "https://s3.example.com", "secretName": "s3"},
        ),
    ),
    "a toleration of everything": ("TrainingWorkload", items(tolerations={"tolerationKey": "", "operator": "Exists"})),
    "further devices": ("TrainingWorkload", items(extendedResources={"name": "rdma/hca", "quantity": "1"})),
    "capabilities": ("TrainingWorkload", items(capabilities={"capability": "NET_ADMIN"})),
    "addresses": (
        "InteractiveWorkload",
        items(exposedUrls={"containerPort": 8888, "authorizedUsers": "ann@example.com"}, ports={"container": 8888}),
    ),
    "a notebook": ("InteractiveWorkload", {"jupyter": {"value": True}, "notebookToken": {"value": "t"}}),
    "what third parties submit": (
        "InteractiveWorkload",
        values(
            allowPrivilegeEscalation=True,
            command="sleep infinity",
            hostIpc=True,
            imagePullPolicy="Always",
            largeShm=True,
            nodePools="g10 g9",
            preemptible=True,
            runAsGid=1000,
            runAsUid=1000,
            runAsUser=True,
            serviceType="ClusterIP",
            supplementalGroups="100;2000",
            username="alice",
        ),
    ),
    "a service": (
        "InferenceWorkload",
        {
            **values(gpu="0.5", metric="concurrency", minScale=1, maxScale=2, name="inference1", target=80),
            **PORTS,
        },
    ),
    "a service that may be idle": ("InferenceWorkload", {**PORTS, "minScale": {"value": 0}, "maxScale": {"value": 3}}),
    "workers": ("DistributedWorkload", {**IMAGE, "jobType": "PyTorchJob", "workers": {"value": 4}}),
    "workers in the older spelling": ("DistributedWorkload", values(replicas=4)),
    "elastic workers": (
        "DistributedWorkload",
        {
            **values(workers=2, noMaster=True, nonPreemptible=True),
            "jobType": "PyTorchJob",
            "pyTorchJob": {"values": {"minReplicas": {"value": 1}, "maxReplicas": {"value": 3}}},
            "runPolicy": {"values": {"cleanPodPolicy": {"value": "None"}, "backoffLimit": {"value": 3}}},
        },
    ),
    "MPI": (
        "DistributedWorkload",
        {
            **IMAGE,
            "jobType": "MPIJob",
            "mpiJob": {"values": {"slotsPerWorker": {"value": 2, "rules": {"max": 4, "canEdit": True}}}},
        },
    ),
    "a policy": ("TrainingPolicy", {"gpu": {"value": "1", "rules": {"min": "1", "max": "8", "canEdit": True}}}),
    "a policy of steps": (
        "TrainingPolicy",
        {"cpu": {"rules": {"min": "2", "max": "10", "step": "2", "canEdit": True}}},
    ),
    "a policy that users cannot change": (
        "TrainingPolicy",
        {"runAsUser": {"rules": {"required": True, "canEdit": False}, "value": True}},
    ),
    "a policy of choices": (
        "TrainingPolicy",
        {
            "nodeType": {"rules": {"canEdit": True, "options": [{"value": "h100", "name": "H100"}, {"value": "a100"}]}},
            "gpuMemory": {"rules": {"canEdit": True, "options": [{"value": "4G", "disabled": True}]}},
            "image": {"rules": {"canEdit": True, "format": "imageName"}},
            "backoffLimit": {"rules": {"canEdit": True, "format": "port"}},
        },
    ),
    "a policy of defaults for all items": (
        "TrainingPolicy",
        {
            "pvcs": {
                "itemRules": {"existingPvc": {"canEdit": False}, "claimName": {"required": True, "canEdit": True}},
                "items": {"DEFAULTS": {"value": {"existingPvc": True, "path": "nil"}}},
            }
        },
    ),
    "a policy without the node's directories": (
        "TrainingPolicy",
        {"volumes": {"itemRules": {"nfsServer": {"required": True, "canEdit": True}}}},
    ),
    "a policy of keys": (
        "TrainingPolicy",
        {
            "environment": {
                "rules": {"canAdd": False, "required": True},
                "keyRules": {"canEdit": True, "format": "envVar"},
                "itemRules": {"canEdit": True, "options": [{"value": "a"}]},
                "items": {"A": {"value": "a", "rules": {"canEdit": False, "canRemove": False}}},
            }
        },
    ),
    "an interactive policy": ("InteractivePolicy", {"preemptible": {"rules": {"required": True, "canEdit": True}}}),
    "a policy of ports": (
        "InteractivePolicy",
        {
            "ports": {
                "rules": {"canAdd": True},
                "itemRules": {
                    "container": {"min": 30000, "max": 32767, "canEdit": True},
                    "external": {"max": 32767, "canEdit": True},
                },
                "items": {
                    "admin-port-a": {
                        "rules": {"canRemove": False, "canEdit": False},
                        "value": {"container": 30100, "external": 8080},
                    },
                    "admin-port-b": {"value": {"container": 30101, "external": 8081}},
                },
            }
        },
    ),
    "an inference policy": ("InferencePolicy", {"minScale": {"rules": {"min": 1, "canEdit": False}}}),
    "a distributed policy": ("DistributedPolicy", {"workers": {"rules": {"max": 8, "canEdit": True}}}),
    "a quota": ("Project", quota(gpu={"deserved": 0.5, "limit": -1, "overQuotaWeight": 2})),
    "a quota of CPU and memory": ("Project", quota(cpu={"deserved": 4000}, memory={"deserved": -1})),
    "an older project": ("Project", {"deservedGpus": 8}),
    "a department": ("Department", quota(gpu={"deserved": 112})),
    "an older department": ("Department", {"deservedGpus": 8, "maxAllowedGpus": 16}),
    "a node pool": ("NodePool", {"labelKey": "run.ai/type", "labelValue": "h100"}),
    "a node pool without a label": ("NodePool", {}),
    "a node pool with empty labels": ("NodePool", {"labelKey": "", "labelValue": ""}),
    "a spreading node pool": ("NodePool", {"placementStrategy": {"gpu": "spread", "cpu": "binpack"}}),
    "an access rule": ("AccessRule", {"subjectId": "ann", "roleName": "Researcher", "scopeName": "a"}),
    "an external workload": ("ExternalWorkload", {"type": "Job", "projectName": "a"}),
    "amounts as numbers and as text": (
        "ExternalWorkload",
        {"requestedResources": {"limits": {"nvidia.com/gpu": 2}, "requests": {"memory": "80Gi"}}},
    ),
    "a job": ("RunaiJob", {"template": {"spec": {"containers": []}}, "completions": 2}),
    "a configuration": ("RunaiConfig", {"global": {"whatever": [1, {"is": "fine"}]}}),
}
"""Specs, by what they show."""
