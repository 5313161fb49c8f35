"""The two ways that are compared: plain Jobs with Kubernetes' own controllers, and Aliquot's training workloads."""

from dataclasses import dataclass
from typing import Any, Protocol

from aliquot import names
from aliquot_lab import Cluster
from aliquot_lab.api import Call
from aliquot_lab.processes import eventually
from bench import measure
from demo import platform

IMAGE = "registry.example.com/bench:1"
DURATION = "lab.aliquot.dev/duration"
_EXISTS = frozenset({409})


@dataclass(frozen=True)
class Size:
    """How much is submitted.

    Attributes:
        nodes: hollow nodes.
        gpus: GPUs on each.
        workloads: of one GPU each.
        projects: that share them evenly.
        run_seconds: how long each pod runs.
    """

    nodes: int
    gpus: int
    workloads: int
    projects: int
    run_seconds: int


class Side(Protocol):
    """One way to run single-GPU work."""

    name: str
    label: str
    """Label of pods that names their workload."""

    def prepare(self, cluster: Cluster, size: Size) -> object:
        """Get everything ready but the work."""
        ...

    def submissions(self, size: Size) -> list[Call]:
        """The requests that submit the work, one a workload."""
        ...

    def finished(self, cluster: Cluster) -> int:
        """How many workloads say that they are done."""
        ...

    def clear(self, cluster: Cluster, size: Size) -> None:
        """Delete the work."""
        ...


class Jobs:
    """Plain `batch/v1` Jobs: the Job controller makes pods, kube-scheduler binds them.

    Args:
        namespaces: how the names of their namespaces begin.
    """

    name = "plain Jobs"
    label = "batch.kubernetes.io/job-name"

    def __init__(self, namespaces: str = "jobs") -> None:
        self._namespaces = namespaces

    def prepare(self, cluster: Cluster, size: Size) -> None:
        """See `Side`."""
        for number in range(size.projects):
            cluster.add_namespace(f"{self._namespaces}-{number}")

    def submissions(self, size: Size) -> list[Call]:
        """See `Side`."""
        return [
            Call(
                "POST",
                f"/apis/batch/v1/namespaces/{self._namespaces}-{number % size.projects}/jobs",
                {"metadata": {"name": f"job-{number}"}, "spec": job_spec(size.run_seconds)},
            )
            for number in range(size.workloads)
        ]

    def finished(self, cluster: Cluster) -> int:
        """See `Side`."""
        jobs = cluster.api.call("GET", "/apis/batch/v1/jobs?resourceVersion=0")["items"]
        return sum("completionTime" in job["status"] for job in jobs)

    def clear(self, cluster: Cluster, size: Size) -> None:
        """See `Side`."""
        for number in range(size.projects):
            cluster.remove_namespace(f"{self._namespaces}-{number}")


class Workloads:
    """Aliquot: TrainingWorkloads in projects whose quotas cover them.

    Args:
        *values: of the chart, as for `helm --set`.
    """

    name = "Aliquot"
    label = names.WORKLOAD_NAME_LABEL

    def __init__(self, *values: str) -> None:
        self._values = values

    def prepare(self, cluster: Cluster, size: Size) -> platform.OperatorProcess:
        """See `Side`; returns the operator."""
        platform.install(cluster, *self._values)
        operator = platform.start_operator(cluster)
        quota = size.nodes * size.gpus // size.projects
        for number in range(size.projects):
            queue = {"name": f"p{number}", "nodepool": "default", "resources": {"gpu": {"deserved": quota}}}
            project = {
                "apiVersion": "run.ai/v2",
                "kind": "Project",
                "metadata": {"name": f"p{number}"},
                "spec": {"queues": [queue]},
            }
            cluster.api.call("POST", "/apis/run.ai/v2/projects", project)

        def ready() -> bool:
            projects: list[dict[str, Any]] = cluster.api.call("GET", "/apis/run.ai/v2/projects")["items"]
            return all(project.get("status", {}).get("phase") == "Ready" for project in projects)

        if not eventually(ready, seconds=30):
            message = "the projects did not become ready"
            raise TimeoutError(message)
        self._until_collected(cluster, size)
        return operator

    def _until_collected(self, cluster: Cluster, size: Size) -> None:
        """Wait until the garbage collector knows the kind: before it does, it asks for the owner of every pod.

        It knows it when it watches it, as the operator does, and has deleted the pod of a workload that is gone.
        """
        if not eventually(lambda: measure.watchers(cluster, "trainingworkloads") >= 2, seconds=120, interval=1):
            message = "the garbage collector does not watch workloads"
            raise TimeoutError(message)
        first = self.submissions(size)[0]
        cluster.api.call(first.method, first.path, first.body)
        pods = "/api/v1/namespaces/runai-p0/pods"
        if not eventually(lambda: bool(cluster.api.call("GET", pods)["items"]), seconds=30):
            message = "the first workload got no pod"
            raise TimeoutError(message)
        cluster.api.call("DELETE", first.path)
        if not eventually(lambda: not cluster.api.call("GET", pods)["items"], seconds=120, interval=0.5):
            message = "the garbage collector did not delete the first workload's pod"
            raise TimeoutError(message)

    def submissions(self, size: Size) -> list[Call]:
        """See `Side`."""
        return [
            training(f"runai-p{number % size.projects}", f"job-{number}", gpus=1, run_seconds=size.run_seconds)
            for number in range(size.workloads)
        ]

    def finished(self, cluster: Cluster) -> int:
        """See `Side`."""
        path = "/apis/run.ai/v2alpha1/trainingworkloads?resourceVersion=0"
        return sum(one.get("status", {}).get("phase") == "Completed" for one in cluster.api.call("GET", path)["items"])

    def clear(self, cluster: Cluster, size: Size) -> None:
        """See `Side`."""
        for number in range(size.projects):
            for kind in ("training", "distributed", "interactive"):
                cluster.api.call("DELETE", f"/apis/run.ai/v2alpha1/namespaces/runai-p{number}/{kind}workloads")


def training(namespace: str, name: str, *, gpus: int | str, run_seconds: int) -> Call:
    """The submission of one workload, with so many GPUs or a part of one, such as `"0.5"`."""
    return Call(
        "POST",
        f"/apis/run.ai/v2alpha1/namespaces/{namespace}/trainingworkloads",
        {
            "apiVersion": "run.ai/v2alpha1",
            "kind": "TrainingWorkload",
            "metadata": {"name": name},
            "spec": {
                "name": {"value": name},
                "image": {"value": IMAGE},
                "gpu": {"value": str(gpus)},
                "annotations": annotated(run_seconds),
            },
        },
    )


def job_spec(run_seconds: int) -> dict[str, Any]:
    """The spec of a Job of one pod with one GPU."""
    resources = {"limits": {names.GPU_RESOURCE: "1"}, "requests": {"cpu": "1", "memory": "100Mi"}}
    containers = [{"name": "main", "image": IMAGE, "resources": resources}]
    template = {
        "metadata": {"annotations": {DURATION: f"{run_seconds}s"}},
        "spec": {"restartPolicy": "Never", "containers": containers},
    }
    return {"template": template}


def annotated(run_seconds: int) -> dict[str, Any]:
    """The parameter that says how long pods run on hollow nodes."""
    return {"items": {DURATION: {"value": f"{run_seconds}s"}}}
