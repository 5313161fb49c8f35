"""What a container is told in its environment (cluster-api.md 2.3), and in its command line.

Ours come first, so that variables of users may refer to them as `$(RUNAI_PROJECT)`.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from aliquot import names
from aliquot.core.rendering.context import Context, Manifest
from aliquot.core.rendering.volumes import HOME
from aliquot.core.submission import ValidPod, Variable

NOTHING_MORE: Final[Mapping[str, str]] = MappingProxyType({})
PART_FIELDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        names.VISIBLE_DEVICES_VARIABLE: f"metadata.annotations['{names.GPU_IDS_ANNOTATION}']",
        names.ENV_NUMBER_OF_GPUS: f"metadata.annotations['{names.NUMBER_OF_GPUS_ANNOTATION}']",
        names.ENV_GPU_PORTION: f"metadata.annotations['{names.GPU_PORTION_ANNOTATION}']",
    }
)
"""What a container with parts of GPUs is told, and the fields of its pod that say it: annotations that are written when
the pod gets its node, and that the kubelet reads when it starts the container (design.md 4)."""
MPS_FIELDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        names.MPS_MEMORY_VARIABLE: f"metadata.annotations['{names.MPS_MEMORY_ANNOTATION}']",
        names.MPS_THREADS_VARIABLE: f"metadata.annotations['{names.MPS_THREADS_ANNOTATION}']",
    }
)
"""What it is told beside that if it shares them through NVIDIA's Multi-Process Service."""


def no_devices() -> Manifest:
    """Return what containers without GPUs are told: their image may say "all", and they would see every GPU."""
    return {"name": names.VISIBLE_DEVICES_VARIABLE, "value": "void"}


def environment(
    pod: ValidPod, context: Context, index: int | None, further: Mapping[str, str] = NOTHING_MORE
) -> list[Manifest]:
    """List the environment variables of a container.

    Args:
        pod: holds those of the user.
        context: whose it is.
        index: which completion the pod works on; None: all such pods are alike.
        further: what its framework reads; the user's own variables win.
    """
    gpus, variables = pod.compute.gpus, pod.process.environment
    theirs = {variable.name for variable in variables}
    gets_home = pod.process.home and names.HOME_VARIABLE not in theirs
    texts = {
        names.ENV_JOB_NAME: context.job_name,
        names.ENV_JOB_UUID: context.owner.uid,
        **({} if index is None else {names.ENV_POD_INDEX: str(index)}),
        names.ENV_RUNAI_JOB_NAME: context.job_name,
        names.ENV_PROJECT: context.project,
        **({} if gpus.part else {names.ENV_NUMBER_OF_GPUS: str(gpus.devices)}),
        **({names.MPS_PIPE_VARIABLE: names.MPS_PIPE_DIRECTORY} if gpus.mps else {}),
    }
    fields = {
        names.ENV_POD_UUID: "metadata.uid",
        names.ENV_NODE_NAME: "spec.nodeName",
        **(PART_FIELDS if gpus.part else {}),
        **(MPS_FIELDS if gpus.mps else {}),
    }
    return [
        *({"name": name, "value": value} for name, value in texts.items()),
        *({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in fields.items()),
        *([] if gpus.devices else [no_devices()]),
        *([{"name": names.HOME_VARIABLE, "value": HOME}] if gets_home else []),
        *({"name": name, "value": value} for name, value in further.items() if name not in theirs),
        *map(_users, variables),
    ]


def secret_variable(name: str, secret: str, key: str) -> Manifest:
    """Return a variable that is a key of a Secret."""
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def _users(variable: Variable) -> Manifest:
    if variable.secret is None or variable.secret_key is None:
        return {"name": variable.name, "value": variable.value}
    return secret_variable(variable.name, variable.secret, variable.secret_key)


def literal(text: str) -> str:
    """Write a text so that Kubernetes, for which `$(NAME)` is a variable, takes it as it is."""
    return text.replace("$(", "$$(")


def expanded(words: Sequence[str], context: Context) -> list[str]:
    """Put the project and the job's name where a command line says `${RUNAI_PROJECT}` and `${RUNAI_JOB_NAME}`.

    Kubernetes itself knows only `$(NAME)`, and without a shell nobody would expand the other form.
    """
    known = {names.ENV_PROJECT: context.project, names.ENV_RUNAI_JOB_NAME: context.job_name}
    return [_replaced(word, known) for word in words]


def _replaced(word: str, known: dict[str, str]) -> str:
    for name, value in known.items():
        word = word.replace(f"${{{name}}}", value)
    return word
