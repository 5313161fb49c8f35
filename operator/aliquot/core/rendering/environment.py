"""What a container is told in its environment (cluster-api.md 2.3), and in its command line.

Ours come first, so that variables of users may refer to them as `$(RUNAI_PROJECT)`.
"""

from collections.abc import Sequence

from aliquot import names
from aliquot.core.submission import ValidSpec, Variable


def environment(spec: ValidSpec, uid: str, project: str, job_name: str, index: int) -> list[dict[str, object]]:
    """List the environment variables of a container.

    Args:
        spec: holds those of the user.
        uid: of the workload; the same for all of its pods.
        project: whose quota the pod uses.
        job_name: the workload's visible name.
        index: which completion the pod works on.
    """
    texts = {
        names.ENV_JOB_NAME: job_name,
        names.ENV_JOB_UUID: uid,
        names.ENV_POD_INDEX: str(index),
        names.ENV_RUNAI_JOB_NAME: job_name,
        names.ENV_PROJECT: project,
        names.ENV_NUMBER_OF_GPUS: str(spec.gpus),
    }
    fields = {names.ENV_POD_UUID: "metadata.uid", names.ENV_NODE_NAME: "spec.nodeName"}
    return [
        *({"name": name, "value": value} for name, value in texts.items()),
        *({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in fields.items()),
        *map(_users, spec.environment),
    ]


def _users(variable: Variable) -> dict[str, object]:
    if variable.secret is None:
        return {"name": variable.name, "value": variable.value}
    key = {"name": variable.secret, "key": variable.secret_key}
    return {"name": variable.name, "valueFrom": {"secretKeyRef": key}}


def expanded(words: Sequence[str], project: str, job_name: str) -> list[str]:
    """Put the project and the job's name where a command line says `${RUNAI_PROJECT}` and `${RUNAI_JOB_NAME}`.

    Kubernetes itself knows only `$(NAME)`, and without a shell nobody would expand the other form.
    """
    known = {names.ENV_PROJECT: project, names.ENV_RUNAI_JOB_NAME: job_name}
    return [_replaced(word, known) for word in words]


def _replaced(word: str, known: dict[str, str]) -> str:
    for name, value in known.items():
        word = word.replace(f"${{{name}}}", value)
    return word
