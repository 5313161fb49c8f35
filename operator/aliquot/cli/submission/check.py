"""What a workload that was made of flags gets wrong, told by flag before it is sent.

The very reading of `core.submission` says it, so that the command line, the webhook and the operator agree. What only
the cluster can know (policies, templates, the types of nodes of a project) it says itself when the workload comes.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aliquot.contracts.kinds.catalogue import of_kind
from aliquot.contracts.kinds.workloads import (
    DistributedWorkload,
    InferenceWorkload,
    InteractiveWorkload,
    TrainingWorkload,
)
from aliquot.core.submission import (
    Defaults,
    InvalidWorkload,
    Site,
    effective,
    effective_distributed,
    effective_inference,
    effective_interactive,
)
from aliquot.errors import UserError

FLAGS: Final[Mapping[str, str]] = {
    "annotations": "--annotation",
    "capabilities": "--add-capability",
    "configMapVolumes": "--configmap-volume",
    "extendedResources": "--extended-resource",
    "isPrivateServiceUrl": "--private-service-url",
    "labels": "--label",
    "maxScale": "--max-replicas",
    "minScale": "--min-replicas",
    "namePrefix": "--job-name-prefix",
    "podAffinityTopology": "--required-pod-topology-key",
    "ports": "--port",
    "runAsGid": "--run-as-user",
    "runAsUid": "--run-as-user",
    "supplementalGroups": "--run-as-user",
    "tolerations": "--toleration",
    "ttlAfterFinish": "--ttl-after-finish",
    "volumes": "--volume",
    "pvcs": "--pvc-new",
}
"""Parameters whose flag has another name than theirs."""
_CALLED: Final = {
    "TrainingWorkload": "training",
    "InteractiveWorkload": "interactive work",
    "InferenceWorkload": "inference",
    "DistributedWorkload": "a distributed job",
}
_OF_NO_KIND: Final = ("baseWorkload", "jobType", "usage")
"""Members of a spec that are no parameters."""
ANY_DEFAULTS: Final = Defaults(cpu_milli_per_gpu=0, memory_bytes_per_gpu=0)
ANY_SITE: Final = Site(None, domain="cluster.local", checks_users=True)
"""Where nothing is known of the cluster: what depends on it is not told then."""
_FIELD: Final = re.compile(r"(?P<part>spec|masterSpec)\.(?P<name>\w+)(?:\.values\.(?P<member>\w+))?")


def wrong_flags(manifest: Mapping[str, object]) -> Sequence[UserError]:
    """Find what a workload says that no cluster would take, by flag.

    What is missing is no mistake here: a policy may give it. With a template nothing is one, as it may give the other
    half of what seems to make no sense.
    """
    spec: Any = manifest["spec"]
    if foreign := _of_other_kinds(str(manifest["kind"]), spec):
        return foreign
    if "baseWorkload" in spec:
        return ()
    try:
        _read(manifest)
    except InvalidWorkload as problem:
        told = [UserError(flag_of(e.field), e.value, e.allowed) for e in problem.errors if e.value is not None]
        return tuple(told)
    return ()


def flag_of(field: str) -> str:
    """Return the flag that gives a field: `spec.gpu.value` is `--gpu`; a field that none gives stays itself."""
    found = _FIELD.match(field)
    if found is None:
        return field
    name = found["member"] or found["name"]
    flag = FLAGS.get(name) or "--" + re.sub("([A-Z])", lambda letter: f"-{letter[1].lower()}", name)
    return flag.replace("--", "--master-", 1) if found["part"] == "masterSpec" else flag


def _of_other_kinds(kind: str, spec: Mapping[str, Any]) -> Sequence[UserError]:
    """Find what a kind has no parameter for: the API server would drop it without a word."""
    own, allowed = of_kind(kind), f"left out: {_CALLED[kind]} has no such parameter"
    foreign = [name for name in spec if name not in own and name not in _OF_NO_KIND]
    return [UserError(flag_of(f"spec.{name}"), spec[name].get("value"), allowed) for name in foreign]


def _read(manifest: Mapping[str, object]) -> None:
    match manifest["kind"]:
        case "TrainingWorkload":
            effective(TrainingWorkload.model_validate(manifest), ANY_DEFAULTS, ANY_SITE)
        case "InteractiveWorkload":
            effective_interactive(InteractiveWorkload.model_validate(manifest), ANY_DEFAULTS, ANY_SITE)
        case "InferenceWorkload":
            effective_inference(InferenceWorkload.model_validate(manifest), ANY_DEFAULTS, ANY_SITE)
        case _:
            effective_distributed(DistributedWorkload.model_validate(manifest), ANY_DEFAULTS, ANY_SITE)
