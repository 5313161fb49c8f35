"""Workloads of other kinds on a real API server with its own controllers: scheduled as they ask, and shown."""

import json
from typing import Any

import pytest

from aliquot_lab.api import ApiError
from demo.platform import OperatorProcess
from tests.support.arena import DURATION, Arena
from tests.support.foreign import active, define, needs_policies, owned_by, report, template, until_reported
from tests.support.scheduler_state import minimum_of

pytestmark = pytest.mark.cluster

CORE = "/api/v1/namespaces"
APPS = "/apis/apps/v1/namespaces"
BATCH = "/apis/batch/v1/namespaces"


def test_a_plain_job_runs_under_its_project_and_is_shown(arena: Arena) -> None:
    """cluster-api.md S7."""
    [node] = arena.nodes(1, gpus=2)
    namespace = arena.project("a", deserved=2)
    spec = {"template": {**template(gpu=2)}}
    spec["template"]["spec"]["restartPolicy"] = "Never"
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job1"}, "spec": spec}
    arena.make(f"{BATCH}/{namespace}/jobs", job)
    running = until_reported(arena, namespace, "job1", "Running")
    assert active(arena.pods(namespace))
    assert arena.only_pod(namespace)["spec"]["nodeName"] == node
    shown = running["spec"]
    assert (shown["type"], shown["projectName"]) == ("Job", f"{arena.name}-a")
    assert shown["requestedPods"] == {"completions": 1, "parallelism": 1}
    assert shown["requestedResources"]["requests"]["nvidia.com/gpu"] == "2"
    assert shown["requestedNodePools"] == [arena.name]
    assert shown["imageName"] == "registry.example.com/foreign:1"
    assert shown["priorityClassName"] == "train"
    arena.end(namespace, "job1")
    ended = until_reported(arena, namespace, "job1", "Completed")["status"]["observedStatus"]
    assert "Completed" in {each["type"] for each in ended["conditions"] if each["status"] == "True"}
    arena.until(lambda: "1 pod succeeded" in told(arena, namespace, "job1"), "the report to say how")


def test_half_a_gpu_may_be_asked_for_as_a_limit(arena: Arena) -> None:
    """cluster-api.md S7: what the API server would refuse becomes an annotation."""
    needs_policies(arena)
    arena.nodes(1, gpus=2)
    namespace = arena.project("a", deserved=2)
    pod = template(gpu="0.5")
    pod["spec"]["restartPolicy"] = "Never"
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "half"}, "spec": {"template": pod}}
    arena.make(f"{BATCH}/{namespace}/jobs", job)
    cron = {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": pod}}}
    kept = arena.make(
        f"{BATCH}/{namespace}/cronjobs",
        {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "halves"}, "spec": cron},
    )
    alone = {"apiVersion": "v1", "kind": "Pod", **pod, "metadata": {"name": "alone"}}
    made = arena.make(f"{CORE}/{namespace}/pods", alone)
    for metadata in (made["metadata"], kept["spec"]["jobTemplate"]["spec"]["template"]["metadata"]):
        assert metadata["annotations"]["gpu-fraction"] == "0.5"
        assert metadata["annotations"]["gpu-fraction-container-name"] == "main"
    shown = until_reported(arena, namespace, "half", "Running")
    assert shown["spec"]["requestedResources"]["requests"]["nvidia.com/gpu"] == "0.5"
    for wrong in (template(gpu="1.5"), template(gpu="0.5", annotations={"gpu-fraction": "0.3"})):
        named = {**wrong["metadata"], "name": "wrong"}
        with pytest.raises(ApiError, match="must be an integer"):
            arena.make(f"{CORE}/{namespace}/pods", {**alone, "spec": wrong["spec"], "metadata": named})


def test_a_namespace_can_enforce_the_scheduler(arena: Arena) -> None:
    """cluster-api.md S13."""
    needs_policies(arena)
    arena.nodes(1, gpus=2)
    namespace = arena.project("a", deserved=2)
    found = arena.patch(f"{CORE}/{namespace}", {"metadata": {"annotations": {"runai/enforce-scheduler-name": "true"}}})
    assert found["metadata"]["labels"]["runai/queue"] == f"{arena.name}-a"
    arena.until(
        lambda: scheduler_of_a_pod(arena, namespace) == "runai-scheduler", "the API server to know the annotation"
    )
    inner = template()
    del inner["spec"]["schedulerName"]
    inner["spec"]["restartPolicy"] = "Never"
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "plain"}, "spec": {"template": inner}}
    arena.make(f"{BATCH}/{namespace}/jobs", job)
    until_reported(arena, namespace, "plain", "Running")
    arena.patch(f"{CORE}/{namespace}", {"metadata": {"annotations": {"runai/enforce-scheduler-name": None}}})
    arena.until(
        lambda: scheduler_of_a_pod(arena, namespace) == "default-scheduler", "the API server to have forgotten it"
    )


def told(arena: Arena, namespace: str, name: str) -> str:
    """All that the report on an object says of how it is doing."""
    return json.dumps(report(arena, namespace, name).get("status", {}))


def scheduler_of_a_pod(arena: Arena, namespace: str) -> str:
    """Which scheduler a pod gets that names none, by a dry run."""
    spec = {key: value for key, value in template()["spec"].items() if key != "schedulerName"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "dry"}, "spec": spec}
    path = f"{CORE}/{namespace}/pods?dryRun=All"
    return str(arena.lab.api.call("POST", path, pod)["spec"]["schedulerName"])


def test_pods_of_a_deployment_are_inference_each_by_itself(arena: Arena) -> None:
    """cluster-api.md S8: what is not preemptible stays within the quota."""
    arena.nodes(1, gpus=4)
    namespace = arena.project("a", deserved=2)
    labels = {"app": "web"}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"replicas": 3, "selector": {"matchLabels": labels}, "template": template(labels=labels)},
    }
    path = f"{APPS}/{namespace}/deployments"
    made = arena.make(path, deployment)
    arena.until(lambda: arena.running(namespace) == 2, "two of three pods to run")
    arena.until(
        lambda: "NonPreemptibleOverQuota" in told(arena, namespace, "web"),
        "the report to say why the third waits",
    )
    shown = until_reported(arena, namespace, "web", "Running")
    assert shown["spec"]["priorityClassName"] == "inference"
    assert shown["spec"]["requestedPods"] == {"replicas": 3}
    assert shown["metadata"]["ownerReferences"][0]["uid"] == made["metadata"]["uid"]
    arena.patch(f"{path}/web", {"spec": {"replicas": 0}})
    until_reported(arena, namespace, "web", "Stopped")
    arena.delete(f"{path}/web")
    arena.until(lambda: report(arena, namespace, "web") == {}, "the report to go with its Deployment")


def test_a_statefulset_has_the_priority_that_its_label_names(arena: Arena) -> None:
    arena.nodes(1, gpus=1)
    namespace = arena.project("a", deserved=1)
    arena.submit(namespace, "training")
    arena.until_phase(namespace, "training", "Running")
    labels = {"app": "db"}
    stateful = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "db", "labels": {"priorityClassName": "build"}},
        "spec": {
            "replicas": 1,
            "serviceName": "db",
            "selector": {"matchLabels": labels},
            "template": template(labels=labels),
        },
    }
    arena.make(f"{APPS}/{namespace}/statefulsets", stateful)
    until_reported(arena, namespace, "db", "Running")
    arena.until_phase(namespace, "training", "Pending")


def test_a_cronjobs_jobs_count_as_its_own(arena: Arena) -> None:
    """cluster-api.md S9, with a Job as `kubectl create job --from=cronjob/…` makes it."""
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    inner = template(duration="1s", labels={"runai/queue": f"{arena.name}-a", "priorityClassName": "build"})
    inner["spec"]["restartPolicy"] = "Never"
    cron = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "nightly"},
        "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": inner}}},
    }
    made = arena.make(f"{BATCH}/{namespace}/cronjobs", cron)
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "now"}, "spec": {"template": inner}}
    job["metadata"] = {"name": "now", **owned_by(made)}
    arena.make(f"{BATCH}/{namespace}/jobs", job)
    shown = until_reported(arena, namespace, "nightly", "Completed")["spec"]
    assert (shown["type"], shown["priorityClassName"]) == ("CronJob", "build")
    assert report(arena, namespace, "now") == {}


def test_a_pod_of_nobodys_is_shown_itself(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    arena.pod(namespace, "lonely", metadata={"annotations": {DURATION: "100ms"}}, restartPolicy="Never")
    shown = until_reported(arena, namespace, "lonely", "Completed")
    assert shown["spec"]["type"] == "Pod"


def test_nothing_is_said_of_pods_of_other_schedulers_and_of_our_own_workloads(arena: Arena) -> None:
    arena.nodes(1, gpus=4)
    namespace = arena.project("a", deserved=8)
    arena.pod(namespace, "theirs", schedulerName="default-scheduler", nodeSelector={"lab.aliquot.dev/test": arena.name})
    arena.until(lambda: arena.running(namespace) == 1, "the default scheduler's pod to run")
    arena.submit(namespace, "ours", gpu="3")
    arena.until_phase(namespace, "ours", "Running")
    arena.submit(namespace, "more", gpu="1")
    arena.until_reason(namespace, "more", "NotEnoughResources")
    arena.pod(namespace, "last", gpu=0)
    until_reported(arena, namespace, "last", "Running")
    assert [report(arena, namespace, name) for name in ("theirs", "ours", "ours-0-0", "more")] == [{}, {}, {}, {}]


def test_a_kind_that_is_installed_later_is_gang_scheduled(arena: Arena) -> None:
    """The operator runs already when the definition comes; pods come before the operator can know their owner."""
    arena.nodes(1, gpus=2)
    namespace = arena.project("a", deserved=8)
    path = define(arena, "kubeflow.org", "PyTorchJob")
    spec = {"pytorchReplicaSpecs": {"Master": {"replicas": 1}, "Worker": {"replicas": 2}}}
    job = {"apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob", "metadata": {"name": "resnet"}, "spec": spec}
    owner = arena.make(f"{path}/namespaces/{namespace}/pytorchjobs", job)
    for name, role in (("resnet-worker-0", "worker"), ("resnet-worker-1", "worker"), ("resnet-master-0", "master")):
        labels = {"training.kubeflow.org/replica-type": role}
        arena.pod(namespace, name, metadata={**owned_by(owner), "labels": labels})
    waiting = until_reported(arena, namespace, "resnet", "Pending")["status"]["observedStatus"]
    arena.until(lambda: "3 pods" in told(arena, namespace, "resnet"), "the report to name the gang")
    assert active(arena.pods(namespace)) == [], f"two of three GPUs are free, and none is taken: {waiting}"
    arena.event(namespace, "resnet", "NotEnoughResources")
    arena.nodes(1, gpus=1)
    arena.until(lambda: len(active(arena.pods(namespace))) == 3, "all three to start")
    shown = until_reported(arena, namespace, "resnet", "Running")
    assert shown["spec"]["requestedPods"] == {"replicas": 3}
    arena.until(
        lambda: len(report(arena, namespace, "resnet")["status"]["observedStatus"]["childIds"]) == 3,
        "the report to name its pods",
    )
    arena.patch(
        f"{path}/namespaces/{namespace}/pytorchjobs/resnet",
        {"status": {"conditions": [{"type": "Succeeded", "status": "True"}]}},
    )
    until_reported(arena, namespace, "resnet", "Completed")


def test_a_gang_of_another_kind_goes_together_when_its_gpus_are_taken_back(
    arena: Arena, operator: OperatorProcess
) -> None:
    arena.nodes(1, gpus=4)
    a = arena.project("a", deserved=4)
    b = arena.project("b", deserved=0)
    path = define(arena, f"{arena.name}.example.com", "Crew")
    add_kind(arena, path, "minimum: spec.size")
    crew = {
        "apiVersion": path.removeprefix("/apis/"),
        "kind": "Crew",
        "metadata": {"name": "crew"},
        "spec": {"size": 3},
    }
    owner = arena.make(f"{path}/namespaces/{b}/crews", crew)
    for number in range(3):
        arena.pod(b, f"crew-{number}", metadata=owned_by(owner))
    arena.until(lambda: arena.running(b) == 3, "the crew to run on idle GPUs")
    arena.until(lambda: minimum_of(operator, arena.name, "crew") == 3, "the operator to know how many the crew needs")
    arena.submit(a, "owner", gpu="2")
    arena.until_phase(a, "owner", "Running")
    arena.until(lambda: arena.running(b) == 0, "the whole crew to be gone, as it needs three")


def test_a_wrong_addition_to_the_table_is_told_and_the_rest_of_it_holds(arena: Arena) -> None:
    path = define(arena, f"{arena.name}.example.com", "Crew")
    config_map = add_kind(arena, path, "minimum: spec.size\n    jobz: pod")
    arena.event("runai", config_map, "InvalidTable", "kinds[0].jobz")
    arena.nodes(1, gpus=2)
    namespace = arena.project("a", deserved=8)
    arena.pod(namespace, "alone")
    until_reported(arena, namespace, "alone", "Running")


def test_in_a_shared_namespace_pods_name_their_project(arena: Arena) -> None:
    arena.nodes(1, gpus=2)
    arena.project("a", deserved=1, limit=1)
    namespace = arena.namespace("shared")
    arena.patch(f"{CORE}/{namespace}", {"metadata": {"annotations": {"aliquot.dev/projects": f"{arena.name}-a"}}})
    arena.pod(namespace, "anonymous")
    for name in ("first", "second"):
        arena.pod(namespace, name, metadata={"labels": {"runai/queue": f"{arena.name}-a"}})
    arena.until(lambda: arena.running(namespace) == 1, "one of the two to run")
    shown = until_reported(arena, namespace, "anonymous", "Pending")
    assert "projectName" not in shown["spec"]
    arena.until(
        lambda: "OverLimit" in json.dumps([report(arena, namespace, name) for name in ("first", "second")]),
        "the other to say that the project has reached its limit",
    )


def add_kind(arena: Arena, path: str, members: str) -> str:
    """Add the kind Crew of an arena to the table, and let the operator read it; returns the ConfigMap's name."""
    group = path.split("/")[2]
    role: dict[str, Any] = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": arena.name, "labels": {"aliquot.dev/aggregate-to-operator": "true"}},
        "rules": [{"apiGroups": [group], "resources": ["crews"], "verbs": ["list", "watch"]}],
    }
    arena.make("/apis/rbac.authorization.k8s.io/v1/clusterroles", role)
    table = f"kinds:\n  - group: {group}\n    kind: Crew\n    {members}\n"
    config_map = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": arena.name, "labels": {"aliquot.dev/workload-kinds": "true"}},
        "data": {"crew.yaml": table},
    }
    arena.make(f"{CORE}/runai/configmaps", config_map)
    return arena.name
