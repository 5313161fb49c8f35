"""What is said when the API server does not do it: one sentence, whoever is in the way."""

import pytest

from aliquot.cli.failures import sentence
from aliquot.kube.problems import (
    ApiProblem,
    Cause,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Request,
    Unauthorized,
    Unreachable,
)

CREATE = Request("create", "interactiveworkloads.run.ai", "runai-team-a", "build1")
LIST = Request("get", "trainingworkloads")
NO_KIND = "the server could not find the requested resource"
POLICY = "gpu: must be no greater than 4; memory: must be no greater than 2G"
SAID: dict[str, tuple[ApiProblem, str]] = {
    "a policy, with every violation": (
        Forbidden(CREATE, f'admission webhook "workloads.aliquot.dev" denied the request: {POLICY}', 403),
        f"refused (project team-a): {POLICY}",
    ),
    "a webhook that calls it invalid": (
        Invalid(
            CREATE,
            f'admission webhook "workloads.aliquot.dev" denied the request: {POLICY}',
            422,
            causes=(Cause(field="spec.gpu", message="must be no greater than 4"),),
        ),
        f"refused (project team-a): {POLICY}",
    ),
    "a schema, with every field": (
        Invalid(
            CREATE,
            'InteractiveWorkload.run.ai "build1" is invalid',
            422,
            causes=(Cause(field="spec.gpu.value", message="too long"), Cause(field="spec.x", message="unknown")),
        ),
        "refused (project team-a): spec.gpu.value: too long; spec.x: unknown",
    ),
    "somebody without a right": (
        Forbidden(CREATE, 'x is forbidden: User "ada" cannot create resource "x"', 403),
        "not allowed (project team-a): you are 'ada', who cannot create resource \"x\"",
    ),
    "a quota of Kubernetes": (
        Forbidden(CREATE, "exceeded quota", 403),
        "not allowed (project team-a): exceeded quota",
    ),
    "somebody unknown": (
        Unauthorized(CREATE, "Unauthorized", 401),
        "the cluster does not know you: log in again; it said: Unauthorized",
    ),
    "a cluster without Aliquot": (
        NotFound(LIST, NO_KIND, 404),
        f"this cluster has no trainingworkloads: is Aliquot installed there? {NO_KIND}",
    ),
    "a pod without logs": (
        NotFound(Request("get", "pods", "runai-team-a", "a-0-0", "log"), f"{NO_KIND} (pods/log a-0-0)", 404),
        f"refused (project team-a): {NO_KIND} (pods/log a-0-0)",
    ),
    "nobody": (Unreachable(LIST, "Connection refused"), "the cluster does not answer: Connection refused"),
    "a change in between": (Conflict(CREATE, "has changed", 409), "refused (project team-a): has changed"),
}


@pytest.mark.parametrize(("problem", "said"), SAID.values(), ids=SAID)
def test_a_refusal_is_a_sentence(problem: ApiProblem, said: str) -> None:
    assert sentence(problem, "project team-a") == said
