"""Labels, annotations and environment variables of users: what Kubernetes accepts, without the names that are ours.

Aliquot marks pods with labels and annotations, and tells containers about themselves in variables. If users could set
these too, a pod could use another project's quota or a GPU that it was not given: such a name is an error, not ignored.
Which names are ours is told by exact name or by prefix; `lab.aliquot.dev/` is for users.
"""

import re
from collections.abc import Mapping
from typing import Final

from aliquot import names
from aliquot.contracts.kinds.shapes import LONG_NAME_LENGTH, NAME_LENGTH
from aliquot.contracts.kinds.wrappers import Item
from aliquot.core.submission.pod_values import Variable
from aliquot.core.submission.problems import Problems

MOST_ENVIRONMENT_BYTES: Final = 256 * 1024
"""Names and values together. A pod is stored as one object of 1.5 MiB at most (etcd's limit), with its command, its
annotations and the bookkeeping of who owns which field besides, and there is a copy for every pod of the workload."""
MOST_ANNOTATION_BYTES: Final = 248 * 1024
"""Keys and values together. Kubernetes allows 256 KiB, and ours need room too."""
LONGEST_VARIABLE_NAME: Final = 253

_QUALIFIED: Final = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", re.ASCII)
_SUBDOMAIN: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*", re.ASCII)
_VARIABLE: Final = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*", re.ASCII)
_SECRET_KEY: Final = re.compile(r"[-._a-zA-Z0-9]{1,253}", re.ASCII)
_SECRET: Final = "SECRET:"  # noqa: S105 - the mark of a reference, not a secret

KEY_ALLOWED: Final = (
    "a name of letters, digits, '-', '_' and '.', at most 63 characters, with a letter or digit first and last; a "
    "lower-case domain and '/' may precede it"
)
LABEL_ALLOWED: Final = "letters, digits, '-', '_' and '.', at most 63 characters, with a letter or digit first and last"
VARIABLE_ALLOWED: Final = (
    f"a name of letters, digits, '_', '-' and '.', no digit first, at most {LONGEST_VARIABLE_NAME} characters"
)
REFERENCE_ALLOWED: Final = "SECRET:NAME,KEY with the name of a Secret of the project's namespace and one of its keys"
ENVIRONMENT_ALLOWED: Final = (
    f"at most {MOST_ENVIRONMENT_BYTES} bytes of names and values together, so that a pod fits into the 1.5 MiB that "
    "the API server can store; put more into a ConfigMap or a file"
)
ANNOTATIONS_ALLOWED: Final = f"at most {MOST_ANNOTATION_BYTES} bytes of keys and values together"
VALUE_MISSING: Final = "a text; write an empty one as ''"
NUL_FORBIDDEN: Final = "a text without the character NUL"
SET_BY_ALIQUOT: Final = "set by Aliquot itself: choose another name"

_OUR_PREFIXES: Final = (
    f"{names.GPU_GROUP_LABEL}/",
    "aliquot.dev/",
    f"{names.RUN_AI_GROUP}/",
    "runai/",
    f"{names.SCHEDULING_GROUP}/",
    names.KUBEFLOW_LABEL_PREFIX,
)
_OUR_LABELS: Final = {
    names.PROJECT_LABEL: "set by Aliquot: the project is that of the namespace",
    names.QUEUE_LABEL: "set by Aliquot: the project is that of the namespace",
    names.NODE_POOL_LABEL: "set by Aliquot: give spec.nodePools",
    names.NODE_TYPE_LABEL: "set by Aliquot: give spec.nodeType",
    names.PRIORITY_CLASS_LABEL: "set by Aliquot: put this label on the workload itself, into metadata.labels",
    # Whoever has this label on a pod holds that shared device in the scheduler's books.
    names.GPU_GROUP_LABEL: "devices are given to a pod by the scheduler and its node alone",
    names.RELEASE_LABEL: SET_BY_ALIQUOT,
    names.WORKLOAD_NAME_LABEL: SET_BY_ALIQUOT,
    names.MANAGED_BY_LABEL: SET_BY_ALIQUOT,
}
_REQUESTS: Final = "how GPUs are asked for belongs into spec.gpu"
_OUR_ANNOTATIONS: Final = {
    names.USER_ANNOTATION: "set by Aliquot: give spec.username",
    # Requests for parts of GPUs in the style of plain pods: a workload has parameters for them.
    "gpu-fraction": _REQUESTS,
    names.GPU_CONTAINER_ANNOTATION: _REQUESTS,
    "gpu-fraction-num-devices": _REQUESTS,
    "gpu-memory": _REQUESTS,
    "runai-gpu-limit": _REQUESTS,
    "mps": _REQUESTS,
    names.POD_GROUP_ANNOTATION: "the pods of a training workload start independently of one another",
    names.RECEIVED_ANNOTATION: SET_BY_ALIQUOT,
    "runai-node": SET_BY_ALIQUOT,
}
_DEVICE_DOMAIN: Final = ".cdi.k8s.io"
"""Ends the domain of annotations that ask container runtimes for devices."""
_DEVICES: Final = "devices are given to a pod by the scheduler and its node alone"
_OUR_VARIABLES: Final = {
    **dict.fromkeys(
        (
            names.ENV_JOB_NAME,
            names.ENV_JOB_UUID,
            names.ENV_POD_INDEX,
            names.ENV_POD_UUID,
            names.ENV_NODE_NAME,
            names.ENV_NUMBER_OF_GPUS,
            names.ENV_GPU_PORTION,
            names.ENV_PROJECT,
            names.ENV_RUNAI_JOB_NAME,
        ),
        SET_BY_ALIQUOT,
    ),
    # With an image that has it set to "all", the container runtime opens every GPU of the node to the container.
    "NVIDIA_IMEX_CHANNELS": _DEVICES,
    names.VISIBLE_DEVICES_VARIABLE: _DEVICES,
}


def read_labels(items: Mapping[str, Item[str]], problems: Problems) -> dict[str, str]:
    """Return the labels of the pods, sorted by key."""
    labels = _texts("labels", items, problems)
    for key, value in labels.items():
        _check_key("labels", key, _OUR_LABELS, problems)
        if value and not _QUALIFIED.fullmatch(value):
            problems.add(f"spec.labels.items[{key}].value", value, LABEL_ALLOWED)
    return labels


def read_annotations(items: Mapping[str, Item[str]], problems: Problems) -> dict[str, str]:
    """Return the annotations of the pods, sorted by key."""
    annotations = _texts("annotations", items, problems)
    for key in annotations:
        _check_key("annotations", key, _OUR_ANNOTATIONS, problems)
        if f".{key}".rpartition("/")[0].endswith(_DEVICE_DOMAIN):
            problems.add(f"spec.annotations.items[{key}]", key, _DEVICES)
    _check_size("spec.annotations", annotations, MOST_ANNOTATION_BYTES, ANNOTATIONS_ALLOWED, problems)
    return annotations


def read_environment(items: Mapping[str, Item[str]], problems: Problems) -> tuple[Variable, ...]:
    """Return the environment variables, sorted by name."""
    texts = _texts("environment", items, problems)
    for name in texts:
        if name in _OUR_VARIABLES:
            problems.add(f"spec.environment.items[{name}]", name, _OUR_VARIABLES[name])
        elif not _VARIABLE.fullmatch(name) or len(name) > LONGEST_VARIABLE_NAME:
            problems.add(f"spec.environment.items[{name}]", name, VARIABLE_ALLOWED)
    _check_size("spec.environment", texts, MOST_ENVIRONMENT_BYTES, ENVIRONMENT_ALLOWED, problems)
    return tuple(_variable(name, text, problems) for name, text in texts.items())


def is_label_value(text: str) -> bool:
    """Whether a text may be the value of a label, and is not empty."""
    return _QUALIFIED.fullmatch(text) is not None


def is_object_name(text: str) -> bool:
    """Whether a text may be the name of an object, as most kinds of Kubernetes have it (an RFC 1123 subdomain)."""
    return len(text) <= LONG_NAME_LENGTH and _SUBDOMAIN.fullmatch(text) is not None


def is_qualified(text: str) -> bool:
    """Whether a text may be the key of a label, an annotation or a taint: a name, maybe with a domain before it."""
    domain, slash, name = text.rpartition("/")
    return _QUALIFIED.fullmatch(name) is not None and (not slash or is_object_name(domain))


def is_resource_name(text: str) -> bool:
    """Whether a text may be the name of a resource beside those of Kubernetes itself: a domain, a slash and a name."""
    domain, slash, name = text.partition("/")
    # Requests of it are limited by quotas as `requests.NAME`, which must be a name, too.
    return bool(slash) and len(domain) < LONG_NAME_LENGTH - 9 and is_object_name(domain) and is_label_value(name)


def is_host_name(text: str) -> bool:
    """Whether a text may be the name of a host."""
    return is_object_name(text) and all(len(part) <= NAME_LENGTH for part in text.split("."))


def _texts(parameter: str, items: Mapping[str, Item[str]], problems: Problems) -> dict[str, str]:
    texts: dict[str, str] = {}
    for key, item in sorted(items.items()):
        if item.deleted:
            continue
        if item.value is None:
            problems.add(f"spec.{parameter}.items[{key}].value", None, VALUE_MISSING)
        elif "\0" in item.value:
            problems.add(f"spec.{parameter}.items[{key}].value", item.value, NUL_FORBIDDEN)
        else:
            texts[key] = item.value
    return texts


def _check_key(parameter: str, key: str, ours: Mapping[str, str], problems: Problems) -> None:
    field = f"spec.{parameter}.items[{key}]"
    if key in ours:
        problems.add(field, key, ours[key])
    elif key.startswith(_OUR_PREFIXES):
        problems.add(field, key, SET_BY_ALIQUOT)
    elif not is_qualified(key):
        problems.add(field, key, KEY_ALLOWED)


def _check_size(field: str, texts: Mapping[str, str], most: int, allowed: str, problems: Problems) -> None:
    size = sum(len(key.encode()) + len(value.encode()) for key, value in texts.items())
    if size > most:
        problems.add(field, f"{size} bytes", allowed)


def _variable(name: str, text: str, problems: Problems) -> Variable:
    if not text.startswith(_SECRET):
        return Variable(name, text)
    secret, _, key = text.removeprefix(_SECRET).partition(",")
    if is_object_name(secret) and _SECRET_KEY.fullmatch(key) and key != "." and not key.startswith(".."):
        return Variable(name, secret=secret, secret_key=key)
    problems.add(f"spec.environment.items[{name}].value", text, REFERENCE_ALLOWED)
    return Variable(name)
