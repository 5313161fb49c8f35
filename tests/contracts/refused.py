"""Specs that are refused, with what is said then: by the schemas alone, or by rules that only an API server knows."""

from typing import Final

from tests.contracts.documents import IMAGE, PORTS, QUEUES, Spec, items, quota, values

Refusal = tuple[str, Spec, str, str]
"""Kind, spec, path of the culprit, and a pattern of what is said of it."""

REFUSED_BY_SCHEMA: Final[dict[str, Refusal]] = {
    "no completions": (
        "TrainingWorkload",
        values(completions=0),
        "spec.completions.value",
        "greater than or equal to 1",
    ),
    "too many completions": ("TrainingWorkload", values(completions=100_001), "spec.completions.value", "100000"),
    "a negative number of retries": ("TrainingWorkload", values(backoffLimit=-1), "spec.backoffLimit.value", "to 0"),
    "a policy of pulling": (
        "TrainingWorkload",
        values(imagePullPolicy="Sometimes"),
        "spec.imagePullPolicy.value",
        'supported values: "Always", "IfNotPresent", "Never"',
    ),
    "GPUs without quotes": ("TrainingWorkload", values(gpu=1), "spec.gpu.value", "must be of type string"),
    "a switch in words": ("TrainingWorkload", values(stdin="yes"), "spec.stdin.value", "must be of type boolean"),
    "a port beyond all ports": (
        "TrainingWorkload",
        items(ports={"container": 70_000}),
        "spec.ports.items.one.value.container",
        "65535",
    ),
    "a port without a number": (
        "TrainingWorkload",
        items(ports={"external": 80}),
        "spec.ports.items.one.value.container",
        "Required value",
    ),
    "a claim that is mounted nowhere": (
        "TrainingWorkload",
        items(pvcs={"claimName": "c"}),
        "spec.pvcs.items.one.value.path",
        "Required value",
    ),
    "a repository without an address": (
        "TrainingWorkload",
        items(gitSync={"branch": "main"}),
        "spec.gitSync.items.one.value.repository",
        "Required value",
    ),
    "an effect that nobody knows": (
        "TrainingWorkload",
        items(tolerations={"tolerationKey": "a", "effect": "Never"}),
        "spec.tolerations.items.one.value.effect",
        'supported values: "NoSchedule", "NoExecute", "PreferNoSchedule"',
    ),
    "a usage of its own": (
        "TrainingWorkload",
        {**IMAGE, "usage": "Test"},
        "spec.usage",
        'Unsupported value: "Test": supported values: "Template", "Submit"',
    ),
    "a value without its wrapper": ("TrainingWorkload", {"image": "ubuntu"}, "spec.image", "must be of type object"),
    "five hundred ports": (
        "InteractiveWorkload",
        values(ports={"items": {f"port-{number}": {"value": {"container": 1 + number}} for number in range(500)}}),
        "spec.ports.items",
        "must have at most 256 items",
    ),
    "an address without a port": (
        "InteractiveWorkload",
        items(exposedUrls={"url": "https://example.com"}),
        "spec.exposedUrls.items.one.value.containerPort",
        "Required value",
    ),
    "a service without an aim": (
        "InferenceWorkload",
        values(target=0),
        "spec.target.value",
        "greater than or equal to 1",
    ),
    "a framework that nobody knows": (
        "DistributedWorkload",
        {**IMAGE, "jobType": "OtherJob"},
        "spec.jobType",
        'Unsupported value: "OtherJob": supported values: "MPIJob", "PyTorchJob", "TFJob", "XGBoostJob"',
    ),
    "no workers": ("DistributedWorkload", values(workers=0), "spec.workers.value", "greater than or equal to 1"),
    "a rule that is no decimal": ("TrainingPolicy", {"gpu": {"rules": {"min": "one"}}}, "spec.gpu.rules.min", "match"),
    "a rule that is no amount": (
        "TrainingPolicy",
        {"memory": {"rules": {"max": 4}}},
        "spec.memory.rules.max",
        "string",
    ),
    "a form that nobody knows": (
        "TrainingPolicy",
        {"image": {"rules": {"format": "picture"}}},
        "spec.image.rules.format",
        'Unsupported value: "picture": supported values: "envVar"',
    ),
    "a rule in words": (
        "InteractivePolicy",
        {"jupyter": {"rules": {"canEdit": "no"}}},
        "spec.jupyter.rules.canEdit",
        "must be of type boolean",
    ),
    "rules for half a device": (
        "InferencePolicy",
        {"extendedResources": {"itemRules": {"name": {}}}},
        "spec.extendedResources.itemRules.quantity",
        "Required value",
    ),
    "a rule for keys that is none": (
        "DistributedPolicy",
        {"labels": {"keyRules": {"format": "key"}}},
        "spec.labels.keyRules.format",
        "Unsupported value",
    ),
    "two quotas for one node pool": (
        "Project",
        {"queues": [{"name": name, "nodepool": "default"} for name in "ab"]},
        "spec.queues[1]",
        "Duplicate value: .*default",
    ),
    "a quota for no node pool": ("Project", {"queues": [{"name": "q"}]}, "spec.queues[0].nodepool", "Required value"),
    "a limit below nothing": (
        "Project",
        quota(gpu={"limit": -3}),
        "spec.queues[0].resources.gpu.limit",
        "greater than or equal to -1",
    ),
    "an amount beyond all amounts": (
        "Project",
        quota(gpu={"deserved": 1e16}),
        "spec.queues[0].resources.gpu.deserved",
        "less than or equal to",
    ),
    "a department's quota without a name": (
        "Department",
        {"queues": [{"nodepool": "default"}]},
        "spec.queues[0].name",
        "Required value",
    ),
    "more than a hundred on a GPU": ("NodePool", {"overProvisioningRatio": 101}, "spec.overProvisioningRatio", "100"),
    "a subject that is no text": ("AccessRule", {"subjectId": 7}, "spec.subjectId", "must be of type string"),
    "fewer than no pods": (
        "ExternalWorkload",
        {"requestedPods": {"replicas": -1}},
        "spec.requestedPods.replicas",
        "greater than or equal to 0",
    ),
    "a time that is none": ("ExternalWorkload", {"creationTimestamp": "soon"}, "spec.creationTimestamp", "date-time"),
    "no deadline at all": (
        "RunaiJob",
        {"template": {}, "activeDeadlineSeconds": 0},
        "spec.activeDeadlineSeconds",
        "greater than or equal to 1",
    ),
    "a job without pods": ("RunaiJob", {}, "spec.template", "Required value"),
}
"""What the structural schemas refuse."""

REFUSED_BY_RULES: Final[dict[str, Refusal]] = {
    "GPUs and GPU memory": (
        "TrainingWorkload",
        values(gpu="1", gpuMemory="4G"),
        "spec.gpuMemory",
        "gpu and gpuMemory exclude one another",
    ),
    "GPUs and a MIG profile": (
        "TrainingWorkload",
        values(gpu="1", migProfile="1g.10gb"),
        "spec.migProfile",
        "migProfile excludes gpu and gpuMemory",
    ),
    "GPU memory and a MIG profile": (
        "InteractiveWorkload",
        values(gpuMemory="4G", migProfile="1g.10gb"),
        "spec.migProfile",
        "give one of the three",
    ),
    "a name and a prefix": (
        "TrainingWorkload",
        values(name="a", namePrefix="b"),
        "spec.namePrefix",
        "name and namePrefix exclude one another",
    ),
    "a prefix of 46 characters": (
        "TrainingWorkload",
        values(namePrefix="a" * 46),
        "spec.namePrefix.value",
        "at most 45 characters, so that a number can follow",
    ),
    "a name with a dash last": ("TrainingWorkload", values(name="a-"), "spec.name.value", "no '-' last"),
    "a fraction above one GPU": ("TrainingWorkload", values(gpu="2.5"), "spec.gpu.value", "whole number of GPUs"),
    "a fraction's limit above one": ("TrainingWorkload", values(gpuLimit="1.5"), "spec.gpuLimit.value", "at most 1"),
    "a limit below the fraction": (
        "TrainingWorkload",
        values(gpu="0.5", gpuLimit="0.25"),
        "spec.gpuLimit",
        "must be no less than gpu",
    ),
    "a limit below the CPU": (
        "TrainingWorkload",
        values(cpu="2", cpuLimit="1.5"),
        "spec.cpuLimit",
        "must be no less than cpu",
    ),
    "a limit below the memory": (
        "TrainingWorkload",
        values(memory="1Gi", memoryLimit="1000M"),
        "spec.memoryLimit",
        "must be no less than memory",
    ),
    "negative CPU": ("TrainingWorkload", values(cpu="-1"), "spec.cpu.value", "CPU cores that is not negative"),
    "memory in words": ("TrainingWorkload", values(memory="lots"), "spec.memory.value", "an amount"),
    "negative memory": ("TrainingWorkload", values(memory="-1Gi"), "spec.memory.value", "not negative"),
    "a MIG profile that cannot be": ("TrainingWorkload", values(migProfile="big"), "spec.migProfile.value", "1g.10gb"),
    "groups with names": (
        "TrainingWorkload",
        values(supplementalGroups="wheel"),
        "spec.supplementalGroups.value",
        "numbers of groups",
    ),
    "more pods than work": (
        "TrainingWorkload",
        values(completions=2, parallelism=3),
        "spec.parallelism",
        "must be no more than completions",
    ),
    "a toleration that contradicts itself": (
        "TrainingWorkload",
        items(tolerations={"tolerationKey": "a", "operator": "Exists", "tolerationValue": "b"}),
        "spec.tolerations.items[one].value.tolerationValue",
        "leave tolerationValue out",
    ),
    "seconds for a taint that stops nobody": (
        "TrainingWorkload",
        items(tolerations={"tolerationKey": "a", "effect": "NoSchedule", "seconds": 60}),
        "spec.tolerations.items[one].value.seconds",
        "leave it out for other effects",
    ),
    "a template of a template": (
        "TrainingWorkload",
        {"usage": "Template", "baseWorkload": "b"},
        "spec.baseWorkload",
        "Forbidden: a Template cannot have a baseWorkload",
    ),
    "a scale upside down": (
        "InferenceWorkload",
        {**IMAGE, **PORTS, "minScale": {"value": 2}, "maxScale": {"value": 1}},
        "spec.maxScale",
        "must be no less than minScale",
    ),
    "elasticity upside down": (
        "DistributedWorkload",
        {"pyTorchJob": {"values": {"minReplicas": {"value": 2}, "maxReplicas": {"value": 1}}}},
        "spec.pyTorchJob.values.maxReplicas",
        "must be no less than minReplicas",
    ),
    "defaults that exclude one another": (
        "DistributedPolicy",
        {"gpu": {"value": "1"}, "gpuMemory": {"value": "4G"}},
        "spec.gpuMemory",
        "gpu and gpuMemory exclude one another",
    ),
    "no quotas": ("Project", {}, "spec.queues", "Required value: quotas must be given, one entry for each node pool"),
    "no quotas of a department": ("Department", {}, "spec.queues", "Required value: quotas must be given"),
    "a department's quota between -1 and nothing": (
        "Department",
        quota(memory={"deserved": -0.25}),
        "spec.queues[0].resources.memory.deserved",
        "0 or more, or -1 for unlimited",
    ),
    "a namespace that cannot be": (
        "Project",
        {**QUEUES, "namespace": "Team_A"},
        "spec.namespace",
        "lower-case letters, digits and '-'",
    ),
    "a key without a value": (
        "NodePool",
        {"labelKey": "run.ai/type"},
        "spec.labelValue",
        "labelKey and labelValue belong together",
    ),
    "a value without a key": (
        "NodePool",
        {"labelValue": "h100"},
        "spec.labelValue",
        "labelKey and labelValue belong together",
    ),
    "a key that is no key": (
        "NodePool",
        {"labelKey": "two words", "labelValue": "x"},
        "spec.labelKey",
        "the key of a label of nodes",
    ),
    "a value that is no value": (
        "NodePool",
        {"labelKey": "a", "labelValue": "größe"},
        "spec.labelValue",
        "the value of a label",
    ),
    "a placement of its own": (
        "NodePool",
        {"placementStrategy": {"gpu": "anywhere"}},
        "spec.placementStrategy.gpu",
        "must be binpack or spread",
    ),
}
"""What rules in CEL refuse, which only an API server can carry out."""
