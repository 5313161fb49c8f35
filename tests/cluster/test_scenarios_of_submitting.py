"""Scenarios of cluster-api.md 8.1 to 8.6 that no other test tells, as a user would play them, each by its number."""

import json
import urllib.request
from typing import Any

import pytest
import yaml

from aliquot_lab import LabError
from tests.support.arena import WORKLOADS, Arena, names_of

pytestmark = pytest.mark.cluster

CORE = "/api/v1/namespaces"
ROLES = "/apis/rbac.authorization.k8s.io/v1/namespaces"
QUICKSTART = "gcr.io/run-ai-demo/quickstart"


def training(namespace: str, name: str = "job-1", **spec: Any) -> dict[str, Any]:
    """The manifest of the guide to submitting by YAML."""
    return {
        "apiVersion": "run.ai/v2alpha1",
        "kind": "TrainingWorkload",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"gpu": {"value": "1"}, "image": {"value": QUICKSTART}, "name": {"value": name}, **spec},
    }


def container_of(pod: dict[str, Any]) -> dict[str, Any]:
    [container] = pod["spec"]["containers"]
    return container


def test_s1_s2_training_by_yaml(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    text = yaml.safe_dump(training(namespace))
    assert "created" in arena.lab.kubectl("apply", "-f", "-", input=text)
    arena.until_phase(namespace, "job-1", "Running")
    assert "unchanged" in arena.lab.kubectl("apply", "-f", "-", input=text)
    listed = arena.lab.kubectl("get", "trw", "-n", namespace, "--no-headers").split()
    assert {"job-1", f"{arena.name}-a", "Running"} <= {*listed}
    pod = arena.only_pod(namespace)
    assert container_of(pod)["image"] == QUICKSTART
    assert container_of(pod)["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert (pod["spec"]["schedulerName"], pod["spec"]["priorityClassName"]) == ("runai-scheduler", "train")
    arena.lab.kubectl("delete", "-f", "-", "--wait=true", input=text)
    assert arena.workload(namespace, "job-1") == {}
    arena.until(lambda: not arena.pods(namespace), "its pod to be gone")


def may_submit(arena: Arena, namespace: str) -> bool:
    """Whether the ServiceAccount of a namespace may."""
    account = f"--as=system:serviceaccount:{namespace}:default"
    try:
        arena.lab.kubectl("auth", "can-i", "create", "trainingworkloads", "-n", namespace, account)
    except LabError:  # it says no by its exit code, too
        return False
    return True


@pytest.mark.parametrize("language", ["yaml", "json"])
def test_s6_submission_by_rest(arena: Arena, language: str) -> None:
    """A program with a token and nothing of ours."""
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "program"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": namespace}],
    }
    arena.make(f"{ROLES}/{namespace}/rolebindings", binding)
    arena.until(lambda: may_submit(arena, namespace), "the rights to be in force")
    access = arena.lab.api.access
    headers = {"Authorization": f"Bearer {arena.lab.kubectl('create', 'token', 'default', '-n', namespace).strip()}"}

    def call(method: str, path: str, body: str | None = None) -> dict[str, Any]:
        kind = {"Content-Type": f"application/{language}"} if body is not None else {}
        data = body.encode() if body is not None else None
        asked = urllib.request.Request(access.server + path, data, headers | kind, method=method)
        with urllib.request.urlopen(asked, timeout=60, context=access.ssl_context()) as answer:
            return json.load(answer)

    plural = f"{WORKLOADS}/namespaces/{namespace}/trainingworkloads"
    manifest = training(namespace)
    made = call("POST", plural, yaml.safe_dump(manifest) if language == "yaml" else json.dumps(manifest))
    assert made["spec"] == manifest["spec"] | {"usage": "Submit"}
    arena.until_phase(namespace, "job-1", "Running")
    assert call("GET", f"{plural}/job-1")["status"]["phase"] == "Running"
    call("DELETE", f"{plural}/job-1")
    arena.until(lambda: not arena.pods(namespace), "its pod to be gone")


def test_s12_a_namespace_that_is_linked_by_its_label(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.namespace("own")
    arena.lab.kubectl("label", "namespace", namespace, f"runai/queue={arena.name}-a")
    arena.until_linked(namespace, "a")
    assert arena.project("a", deserved=8) == namespace
    rule = {
        "apiVersion": "run.ai/v1alpha1",
        "kind": "AccessRule",
        "metadata": {"name": arena.name},
        "spec": {
            "subjectId": "ada@example.com",
            "subjectType": "user",
            "roleName": "L1 researcher",
            "scopeType": "project",
            "scopeName": f"{arena.name}-a",
        },
    }
    arena.make("/apis/run.ai/v1alpha1/accessrules", rule)
    bindings = f"{ROLES}/{namespace}/rolebindings"
    arena.until(lambda: f"runai-{arena.name}" in names_of(arena.get(bindings)["items"]), "a binding runai-…")
    arena.submit(namespace, "job-1")
    assert arena.until_phase(namespace, "job-1", "Running")["project"] == f"{arena.name}-a"


def test_s26_volumes_of_the_node_may_be_banned(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    policy = {
        "apiVersion": "run.ai/v2alpha1",
        "kind": "TrainingPolicy",
        "metadata": {"name": "policy"},
        "spec": {"volumes": {"itemRules": {"nfsServer": {"required": True}}}},
    }
    path = f"{WORKLOADS}/namespaces/{namespace}/trainingpolicies"
    arena.make(path, policy)
    arena.until(lambda: arena.get(f"{path}/policy").get("status"), "the policy to be in force")
    given = {"sourcePath": "/exports", "targetPath": "/data"}
    arena.submit(namespace, "host", volumes={"items": {"data": {"value": given}}})
    refused = arena.until_reason(namespace, "host", "InvalidSpec")
    assert "nfsServer" in refused["phaseMessage"]
    arena.submit(namespace, "nfs", volumes={"items": {"data": {"value": {**given, "nfsServer": "nfs.example.com"}}}})
    arena.until_phase(namespace, "nfs", "Running")
    pod = arena.only_pod(namespace)
    [volume] = [each for each in pod["spec"]["volumes"] if "nfs" in each]
    assert volume["nfs"] == {"server": "nfs.example.com", "path": "/exports"}


def test_s27_a_variable_from_a_secret(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "my-secret"}, "stringData": {"password": "x"}}
    arena.make(f"{CORE}/{namespace}/secrets", secret)
    arena.submit(namespace, "job-1", environment={"items": {"MYPASSWORD": {"value": "SECRET:my-secret,password"}}})
    arena.until_phase(namespace, "job-1", "Running")
    pod = arena.only_pod(namespace)
    [variable] = [each for each in container_of(pod)["env"] if each["name"] == "MYPASSWORD"]
    assert variable["valueFrom"]["secretKeyRef"] == {"name": "my-secret", "key": "password"}


def test_s33_a_port_of_every_node(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    port = {"container": 22, "external": 30022, "serviceType": "NodePort"}
    arena.submit(
        namespace,
        "build-remote",
        kind="InteractiveWorkload",
        command="/usr/sbin/sshd",
        arguments="-D",
        ports={"items": {"ssh": {"value": port}}},
    )
    arena.until_phase(namespace, "build-remote", "Running", kind="InteractiveWorkload")
    services = arena.get(f"{CORE}/{namespace}/services")["items"]
    ports = [port for service in services if service["spec"]["type"] == "NodePort" for port in service["spec"]["ports"]]
    assert [(each["port"], each["targetPort"], each["nodePort"]) for each in ports] == [(22, 22, 30022)]


def test_s35_a_search_of_parameters_gives_way_and_goes_on(arena: Arena) -> None:
    """The owner of the third GPU takes it back: one pod waits, and its run is made up for."""
    arena.nodes(1, gpus=3)
    namespace, owner = arena.project("a", deserved=2), arena.project("b", deserved=1)
    arena.submit(namespace, "sweep", completions=4, parallelism=3)
    arena.until(lambda: arena.running(namespace) == 3, "three pods to run")
    arena.submit(owner, "mine")
    arena.until_phase(owner, "mine", "Running")
    arena.until(lambda: arena.running(namespace) == 2, "one pod to be stopped")
    arena.until_phase(namespace, "sweep", "Running")
    arena.delete(arena.path(owner, "mine"))
    arena.until(lambda: arena.running(namespace) == 3, "the third to be picked up again")

    def ends() -> bool:
        for pod in arena.pods(namespace):
            if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]:
                annotations = {"metadata": {"annotations": {"lab.aliquot.dev/duration": "1ms"}}}
                arena.patch(f"{CORE}/{namespace}/pods/{pod['metadata']['name']}", annotations)
        return arena.status(namespace, "sweep").get("phase") == "Completed"

    arena.until(ends, "all four to complete")
    status = arena.status(namespace, "sweep")
    assert (status["succeededPods"], status.get("failedPods", 0)) == (4, 0)


def test_s42_who_the_container_runs_as(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    who: dict[str, Any] = {"runAsUser": True, "runAsUid": 1007, "runAsGid": 2007, "supplementalGroups": "3001,3002"}
    arena.submit(namespace, "foo", job_name=None, **who, createHomeDir=True)
    arena.until_phase(namespace, "foo", "Running")
    pod = arena.only_pod(namespace)
    assert pod["metadata"]["name"] == "job-0-0-0"
    security = pod["spec"]["securityContext"]
    assert (security["runAsUser"], security["runAsGroup"]) == (1007, 2007)
    assert security["supplementalGroups"] == [3001, 3002]


def test_s70_the_phases_of_a_training_that_succeeds(arena: Arena) -> None:
    """Each phase lasts until the test lets the next one begin."""
    namespace = arena.project("a", deserved=8)
    arena.submit(namespace, "job-1", annotations={"start-delay": "1h"})
    arena.until_phase(namespace, "job-1", "Pending")
    arena.nodes(1)
    arena.until_phase(namespace, "job-1", "Initializing")
    pod = arena.only_pod(namespace)
    path = f"{CORE}/{namespace}/pods/{pod['metadata']['name']}"
    arena.patch(path, {"metadata": {"annotations": {"lab.aliquot.dev/start-delay": "1ms"}}})
    arena.until_phase(namespace, "job-1", "Running")
    arena.patch(path, {"metadata": {"annotations": {"lab.aliquot.dev/duration": "1ms"}}})
    arena.until_phase(namespace, "job-1", "Completed")
    conditions = {each["type"]: each["status"] for each in arena.status(namespace, "job-1")["conditions"]}
    assert conditions["Completed"] == "True"
