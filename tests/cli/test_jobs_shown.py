"""Lists and descriptions of jobs, as people see them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from aliquot.cli.looking.description import Event, description
from aliquot.cli.looking.finding import pick, pod_named
from aliquot.cli.looking.jobs import Job, job_of, job_status
from aliquot.cli.looking.rows import job_table, project_table, workload_table
from aliquot.cli.output import columns, length
from aliquot.contracts.kinds.external import ExternalWorkload
from aliquot.contracts.kinds.tenancy import Project
from aliquot.contracts.kubernetes import Pod
from aliquot.errors import AliquotError

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def before(**ago: float) -> str:
    return (NOW - timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def workload(name: str, kind: str = "TrainingWorkload", **members: Any) -> dict[str, Any]:
    metadata = {"name": f"{name}-2026", "namespace": "runai-team-a", "uid": f"uid-{name}"}
    return {
        "apiVersion": "run.ai/v2alpha1",
        "kind": kind,
        "metadata": {**metadata, "creationTimestamp": before(seconds=9), **members.pop("metadata", {})},
        "spec": {"name": {"value": name}, "image": {"value": "quickstart"}, **members.pop("spec", {})},
        "status": {"jobName": name, "project": "team-a", **members.pop("status", {})},
    }


def pod(name: str, of: str, node: str = "", kind: str = "TrainingWorkload", **status: Any) -> Pod:
    return msgspec.convert(
        {
            "metadata": {
                "name": name,
                "namespace": "runai-team-a",
                "creationTimestamp": before(seconds=8),
                "labels": {"workloadName": f"{of}-2026", "run.ai/workload-kind": kind},
            },
            "spec": {"nodeName": node, "containers": [{"name": of}]},
            "status": {"phase": "Running" if node else "Pending", **status},
        },
        Pod,
    )


FRAC = workload(
    "frac05",
    metadata={"labels": {"PreviousJob": "true"}, "annotations": {"runai-cli-command": "runai submit frac05 -g 0.5"}},
    spec={"username": {"value": "yaron"}, "gpu": {"value": "0.5"}},
    status={
        "phase": "Running",
        "requestedGPU": "0.5",
        "totalAllocatedGPU": "0.5",
        "totalAllocatedGPUMemory": 8192,
        "runningPods": 1,
        "pendingPods": 0,
        "startTime": before(minutes=5),
        "phaseMessage": "1 pod running",
        "externalUrls": ["https://gpu.example.com/team-a/frac05"],
    },
)
WAITING = workload(
    "large",
    "InteractiveWorkload",
    spec={"preemptible": {"value": True}},
    status={
        "phase": "Pending",
        "reason": "NoNode",
        "phaseMessage": "needs 9 GPUs on one node; the largest has 8",
        "requestedGPU": "9",
        "totalAllocatedGPU": "0",
        "pendingPods": 1,
    },
)
DONE = workload(
    "dist1",
    "DistributedWorkload",
    metadata={"creationTimestamp": before(days=3)},
    spec={"jobType": "PyTorchJob", "gpu": {"value": "1"}, "workers": {"value": 1}},
    status={"phase": "Completed", "requestedGPU": "0", "totalAllocatedGPU": "0", "succeededPods": 2},
)
PODS = [
    pod("frac05-0-0", "frac05", "node-1"),
    pod("large-0-0", "large", kind="InteractiveWorkload"),
    pod("dist1-0-0", "dist1", "node-1", "DistributedWorkload"),
    pod("dist1-1-0", "dist1", "node-2", "DistributedWorkload"),
    pod("somebody-elses", "frac05", "node-9", "InteractiveWorkload"),
]
JOBS = [job_of(raw, PODS) for raw in (FRAC, WAITING, DONE)]

TABLE = """\
NAME    STATUS     AGE  NODE        IMAGE       TYPE                     PROJECT  USER   GPUs Allocated (Requested)  \
PODs Running (Pending)  SERVICE URL(S)
dist1   Succeeded  3d   <multiple>  quickstart  Pytorch                  team-a          - (2.00)                    \
0 (0)
frac05  Running    9s   node-1      quickstart  Train                    team-a   yaron  0.50 (0.50)                 \
1 (0)                   https://gpu.example.com/team-a/frac05
large   Pending    9s               quickstart  Interactive-Preemptible  team-a          0.00 (9.00)                 \
0 (1)"""


def test_a_list_of_jobs() -> None:
    """The heads and cells of the documented sample (cluster-api.md 7.3)."""
    assert job_table(JOBS, [], NOW) == TABLE


def test_a_wide_list_says_why_with_numbers() -> None:
    *_, line = job_table(JOBS, [], NOW, wide=True).splitlines()
    assert line.endswith("Pending    NoNode  needs 9 GPUs on one node; the largest has 8")


def test_workloads_of_other_kinds_are_rows_too() -> None:
    spec = {"type": "Job", "originalWorkloadName": "batch", "projectName": "team-a", "imageName": "busybox"}
    asked = {"requestedResources": {"requests": {"nvidia.com/gpu": "2"}}}
    raw = {
        "metadata": {"name": "job-batch-1"},
        "spec": spec | asked,
        "status": {"observedStatus": {"phase": "Running"}},
    }
    line = job_table([], [ExternalWorkload.model_validate(raw)], NOW).splitlines()[1]
    assert line.split() == ["batch", "Running", "busybox", "Job", "team-a", "-", "(2.00)"]


DESCRIPTION = """\
NAME:                     frac05
NAMESPACE:                runai-team-a
PROJECT:                  team-a
TYPE:                     Train
OBJECT:                   TrainingWorkload frac05-2026
STATUS:                   Running
PHASE:                    Running
REASON:                   -
MESSAGE:                  1 pod running
DURATION:                 5m
GPUS:                     0.5
TOTAL REQUESTED GPUS:     0.50
ALLOCATED GPUS:           0.50
ALLOCATED GPUS MEMORY:    8192 MiB
RUNNING PODS:             1
PENDING PODS:             0
PARALLELISM:              1
COMPLETIONS:              1
SUCCEEDED PODS:           0
FAILED PODS:              0
IS DISTRIBUTED WORKLOAD:  false
CREATED BY CLI:           true
SERVICE URL(S):           https://gpu.example.com/team-a/frac05
COMMAND LINE:             runai submit frac05 -g 0.5

Pods:
POD         STATUS   TYPE   AGE  NODE
frac05-0-0  Running  TRAIN  8s   node-1

Events:
SOURCE                        TYPE    AGE  MESSAGE
trainingworkload/frac05-2026  Normal  3m   [Submitted] all the resources were created successfully
pod/frac05-0-0                Normal  7s   [Scheduled] bound to node-1"""


def event(kind: str, name: str, reason: str, note: str, at: str, **more: Any) -> Event:
    about = {"kind": kind, "name": name}
    return msgspec.convert(
        {"regarding": about, "type": "Normal", "reason": reason, "note": note, "eventTime": at, **more}, Event
    )


def test_a_description() -> None:
    events = [
        event(
            "Pod",
            "frac05-0-0",
            "Scheduled",
            "bound to node-1",
            before(hours=1),
            series={"lastObservedTime": before(seconds=7)},
        ),
        event("Pod", "another", "Scheduled", "bound to node-1", before(hours=1)),
        event(
            "TrainingWorkload",
            "frac05-2026",
            "Submitted",
            "all the resources were created successfully",
            before(minutes=3),
        ),
    ]
    assert description(JOBS[0], events, NOW) == DESCRIPTION


STATUSES = {
    "just submitted": (None, None, "Pending"),
    "being made": ("Creating", None, "Pending"),
    "waiting": ("Pending", "OverLimit", "Pending"),
    "about to be tried again": ("Pending", "BackOff", "Error"),
    "starting": ("Initializing", None, "ContainerCreating"),
    "without its image": ("Initializing", "ErrImagePull", "ErrImagePull"),
    "crashing": ("Initializing", "CrashLoopBackOff", "CrashLoopBackOff"),
    "running": ("Running", None, "Running"),
    "suspended": ("Stopped", "Suspended", "Suspended"),
    "done": ("Completed", None, "Succeeded"),
    "failed": ("Failed", "BackoffLimitExceeded", "Failed"),
    "out of time": ("Failed", "TimedOut", "TimedOut"),
    "preempted for good": ("Failed", "Preempted", "Preempted"),
    "going": ("Terminating", None, "Terminating"),
}


@pytest.mark.parametrize(("phase", "reason", "status"), STATUSES.values(), ids=STATUSES)
def test_statuses_have_the_names_that_people_know(phase: str | None, reason: str | None, status: str) -> None:
    assert job_status(phase, reason) == status


PODS_STATUSES: dict[str, tuple[dict[str, Any], str]] = {
    "a phase": ({}, "Running"),
    "what a container waits for": (
        {"containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]},
        "ImagePullBackOff",
    ),
    "why it ended": (
        {"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]},
        "OOMKilled",
    ),
    "its exit code": (
        {"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"exitCode": 3}}}]},
        "ExitCode:3",
    ),
    "what the kubelet says": ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
}


@pytest.mark.parametrize(("status", "said"), PODS_STATUSES.values(), ids=PODS_STATUSES)
def test_a_pod_says_what_is_the_matter(status: dict[str, Any], said: str) -> None:
    job = job_of(FRAC, [pod("frac05-0-0", "frac05", "node-1", **status)])
    assert f"frac05-0-0  {said}" in description(job, [], NOW)


def test_values_of_templates_and_policies_are_shown() -> None:
    raw = workload("a", status={"inherited": {"values": {"username": {"value": "ada"}, "image": {"value": "no"}}}})
    job = job_of(raw)
    assert (job.value("username"), job.value("image"), job.value("gpu")) == ("ada", "quickstart", None)


@pytest.mark.parametrize(
    ("kind", "spec", "type_", "distributed"),
    [
        ("TrainingWorkload", {"mpi": {"value": True}}, "Mpi", True),
        ("TrainingWorkload", {"mpi": {"value": False}}, "Train", False),
        ("DistributedWorkload", {"jobType": "MPIJob"}, "Mpi", True),
    ],
)
def test_training_by_mpi_is_a_distributed_job(kind: str, spec: dict[str, Any], type_: str, distributed: bool) -> None:
    job = job_of(workload("solver", kind, spec=spec))
    assert (job.type, job.distributed) == (type_, distributed)


def test_a_job_is_found_by_its_name_or_its_object() -> None:
    assert [job.name for job in pick(JOBS, ["large", "frac05-2026"], "team-a")] == ["large", "frac05"]


MISSED: dict[str, tuple[list[Job], str, str]] = {
    "none": (JOBS, "lost", "job lost does not exist in project team-a; `aliquot list` shows the jobs there are"),
    "several": (
        [job_of(workload("a")), job_of(workload("a", metadata={"name": "a-2025"}))],
        "a",
        "job: 'a' is not allowed: the name of one job: several are called so; by its object say which: a-2025, a-2026",
    ),
    "a template": (
        [job_of(workload("base", spec={"usage": "Template"}))],
        "base",
        "job base does not exist in project team-a; `aliquot list` shows the jobs there are",
    ),
}


@pytest.mark.parametrize(("jobs", "name", "said"), MISSED.values(), ids=MISSED)
def test_a_job_that_is_not_to_be_found(jobs: list[Job], name: str, said: str) -> None:
    with pytest.raises(AliquotError) as missed:
        pick(jobs, [name], "team-a")
    assert str(missed.value) == said


def test_the_pod_that_is_meant() -> None:
    assert pod_named(JOBS[2], None).metadata.name == "dist1-0-0"
    assert pod_named(JOBS[2], "dist1-1-0").metadata.name == "dist1-1-0"
    with pytest.raises(AliquotError, match="job dist1 has no pod x; it has dist1-0-0, dist1-1-0"):
        pod_named(JOBS[2], "x")
    with pytest.raises(AliquotError, match="job large has no pods: needs 9 GPUs on one node"):
        pod_named(job_of(WAITING), None)


def test_a_list_of_projects() -> None:
    def project(name: str, **spec: Any) -> Project:
        return Project.model_validate({"metadata": {"name": name}, "spec": spec})

    def quota(deserved: float) -> dict[str, Any]:
        return {"name": "q", "nodepool": "p", "resources": {"gpu": {"deserved": deserved}}}

    projects = [
        project("team-b", queues=[quota(-1)], department="vision", nodeAffinityTrain=["dgx-1", "dgx-2"]),
        project("team-a", queues=[quota(1.5), quota(2)], interactiveJobTimeLimitSecs=86400 * 2),
    ]
    assert project_table(projects, "team-a").splitlines() == [
        "PROJECT           DEPARTMENT  DESERVED GPUs  INT LIMIT  INT AFFINITY  TRAIN AFFINITY",
        "team-a (default)  default     3.50           2d",
        "team-b            vision      unlimited      -                        dgx-1,dgx-2",
    ]


def test_a_list_of_workloads_and_templates() -> None:
    shared = workload("base", spec={"usage": "Template"}, metadata={"namespace": "runai"})
    assert workload_table([JOBS[0], job_of(shared)], "runai").splitlines() == [
        "WORKLOAD     KIND              USAGE     PROJECT/GLOBAL",
        "base-2026    TrainingWorkload  Template  (global)",
        "frac05-2026  TrainingWorkload  Submit    team-a",
    ]


AGES = {"9s": 9.9, "0s": -5, "119s": 119, "2m": 120, "3h": 3 * 3600, "47h": 47 * 3600, "2d": 48 * 3600}


@pytest.mark.parametrize(("said", "seconds"), AGES.items(), ids=AGES)
def test_ages(said: str, seconds: float) -> None:
    assert length(seconds) == said


def test_texts_from_elsewhere_do_not_steer_the_terminal() -> None:
    assert columns(("A", "B"), [("\x1b[31mred", "x\ny")]).splitlines() == [
        "A            B",
        "\\x1b[31mred  x",
        "             y",
    ]
