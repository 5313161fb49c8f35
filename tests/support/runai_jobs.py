"""RunaiJobs as people make them."""

from typing import Any, Final

from tests.support.arena import Arena

JOBS: Final = "/apis/run.ai/v1/namespaces/{}/runaijobs"


def submit(
    arena: Arena,
    namespace: str,
    name: str,
    *,
    gpus: int = 1,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    **spec: Any,
) -> str:
    """Make a RunaiJob as documented; returns its path."""
    limits = {"nvidia.com/gpu": gpus}
    pod = {
        "schedulerName": "runai-scheduler",
        "restartPolicy": "Never",
        "containers": [{"name": "main", "image": "x", "resources": {"limits": limits}}],
    }
    given = {f"lab.aliquot.dev/{key}": value for key, value in (annotations or {}).items()}
    job = {
        "apiVersion": "run.ai/v1",
        "kind": "RunaiJob",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"template": {"metadata": {"labels": {"user": "ada"}, "annotations": given}, "spec": pod}, **spec},
    }
    arena.lab.api.call("POST", JOBS.format(namespace), job)
    return f"{JOBS.format(namespace)}/{name}"
