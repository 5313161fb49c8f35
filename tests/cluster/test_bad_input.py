"""Bad input: it is answered clearly where its author looks, and nobody else notices.

Three places to look: the API server's refusal, the status of what was submitted, and Events. What a node or a cordon
does to workloads is in `test_training`, what the API server refuses beyond this in `test_kinds`.
"""

import secrets
from collections.abc import Callable, Generator
from typing import Any

import pytest
import yaml

from aliquot_lab import Cluster, LabError
from aliquot_lab.api import ApiError
from demo import platform
from tests.support.arena import POOLS, PROJECTS, WORKLOADS, Arena, names_of
from tests.support.scheduler_state import queues_of

pytestmark = pytest.mark.cluster

MIB = 2**20


@pytest.fixture(scope="module")
def common(lab: Cluster, operator: platform.OperatorProcess) -> Generator[Arena]:
    """An arena for tests that only submit workloads under names of their own: one node, one project `a`."""
    assert operator.pid is not None
    arena = Arena(lab, f"t-bad-input-{secrets.token_hex(4)}")
    arena.pool()
    arena.nodes(1)
    arena.project("a", deserved=8)
    yield arena
    arena.clear()


@pytest.fixture
def neighbour(arena: Arena) -> Generator[None]:
    """A healthy workload of another project; fails the test that disturbed it."""
    arena.nodes(1)
    namespace = arena.project("healthy", deserved=1)
    arena.submit(namespace, "neighbour", backoffLimit=0)
    arena.until_phase(namespace, "neighbour", "Running")
    before = arena.only_pod(namespace)
    yield
    after = arena.only_pod(namespace)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    status = arena.status(namespace, "neighbour")
    assert (status["phase"], status.get("reason"), status.get("failedPods", 0)) == ("Running", None, 0)


def project_status(arena: Arena, name: str) -> dict[str, Any]:
    return arena.get(f"{PROJECTS}/{arena.name}-{name}").get("status", {})


# Refused at the door


def workload(**spec: Any) -> dict[str, Any]:
    """A workload with an image; bare values are wrapped, None leaves a parameter out."""
    parameters: dict[str, Any] = {"image": "registry.example.com/test:1", **spec}
    return {
        "apiVersion": "run.ai/v2alpha1",
        "kind": "TrainingWorkload",
        "metadata": {"name": "bad", "namespace": "default"},
        "spec": {
            name: value if isinstance(value, dict) else {"value": value}
            for name, value in parameters.items()
            if value is not None
        },
    }


def project(name: str = "bad", **gpu: Any) -> dict[str, Any]:
    queue = {"name": "q", "nodepool": "default", "resources": {"gpu": gpu}}
    return {"apiVersion": "run.ai/v2", "kind": "Project", "metadata": {"name": name}, "spec": {"queues": [queue]}}


REFUSED = {
    "GPUs in words": (workload(gpu="one"), "spec.gpu.value", "a whole number of GPUs"),
    "GPUs below nothing": (workload(gpu="-1"), "spec.gpu.value", "a whole number of GPUs"),
    "one and a half GPUs": (workload(gpu="1.5"), "spec.gpu.value", "a whole number of GPUs"),
    "GPUs without quotes": (workload(gpu=1), "spec.gpu.value", "must be of type string"),
    "a name of 64 characters": (workload(name="a" * 64), "spec.name.value", "at most 52 characters"),
    "a name that begins like a number": (workload(name="1st"), "spec.name.value", "with a letter first"),
    "a name in Unicode": (workload(name="größe"), "spec.name.value", "lower-case letters"),
    "an object called in Unicode": ({**workload(), "metadata": {"name": "größe"}}, "metadata.name", "RFC 1123"),
    "one variable of 1 MB": (
        workload(environment={"items": {"BLOB": {"value": "x" * MIB}}}),
        "spec.environment.items.BLOB.value",
        "32768",
    ),
    "a quota below nothing": (project(deserved=-2), "spec.queues[0].resources.gpu.deserved", "greater than or equal"),
    "a quota between -1 and nothing": (
        project(deserved=-0.5),
        "spec.queues[0].resources.gpu.deserved",
        "0 or more, or -1 for unlimited",
    ),
    "a quota in words": (project(deserved="many"), "spec.queues[0].resources.gpu.deserved", "must be of type number"),
    "a weight below nothing": (project(overQuotaWeight=-1), "gpu.overQuotaWeight", "greater than or equal to 0"),
    "a project of 58 characters": (project("a" * 58), "metadata.name", "at most 57 characters"),
    "a project with a dot": (project("a.b"), "metadata.name", "lower-case letters, digits and '-'"),
}


@pytest.mark.parametrize(("manifest", "field", "allowed"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_right_is_refused_with_its_path_and_what_is_allowed(
    lab: Cluster, operator: platform.OperatorProcess, manifest: dict[str, Any], field: str, allowed: str
) -> None:
    assert operator.pid is not None
    with pytest.raises(LabError) as caught:
        lab.kubectl("create", "--dry-run=server", "-f", "-", input=yaml.safe_dump(manifest))
    assert field in str(caught.value)
    assert allowed in str(caught.value)


def test_a_parameter_that_does_not_exist_is_refused_by_name(lab: Cluster, operator: platform.OperatorProcess) -> None:
    assert operator.pid is not None
    with pytest.raises(LabError, match=r'unknown field "spec\.gpus"'):
        lab.kubectl("create", "--dry-run=server", "-f", "-", input=yaml.safe_dump(workload(gpus="1")))


# Taken, and answered in the status


WRONG = {
    "no image": ({"image": None}, ["spec.image.value", "a container image"]),
    "an empty image": ({"image": ""}, ["spec.image.value: ''", "a container image"]),
    "more GPUs than there are": ({"gpu": "10001"}, ["spec.gpu.value: '10001'", "at most 10000"]),
    "1 MB of environment": (
        {"environment": {"items": {f"BLOB_{number}": {"value": "x" * 26_000} for number in range(40)}}},
        ["spec.environment", "at most 262144 bytes", "put more into a ConfigMap or a file"],
    ),
    "a label in Unicode": (
        {"labels": {"items": {"team": {"value": "größe"}}}},
        ["spec.labels.items[team].value: 'größe'", "letters, digits"],
    ),
    "a variable's name in Unicode": (
        {"environment": {"items": {"GRÖSSE": {"value": "1"}}}},
        ["spec.environment.items[GRÖSSE]", "letters, digits"],
    ),
    "an image in Unicode": ({"image": "bild:größe"}, ["spec.image.value: 'bild:größe'", "a container image"]),
    "an image with a space": ({"image": "ubuntu 24.04"}, ["spec.image.value", "a container image"]),
    "parameters that nothing comes of": (
        {"ingressUrl": "https://gpu.example.com/x"},
        ["spec.ingressUrl: 'https://gpu.example.com/x' is not allowed: left out: it is set by the system"],
    ),
    "parameters of MPI without it": (
        {"processes": 4, "slotsPerWorker": 2},
        [
            f"spec.{name}.value: {value} is not allowed: left out, because spec.mpi is not true"
            for name, value in (("processes", 4), ("slotsPerWorker", 2))
        ],
    ),
    "limits of what is not asked for": (
        {"gpuLimit": "0.8", "gpuMemoryLimit": "8G"},
        [
            "spec.gpuLimit.value: '0.8' is not allowed: left out: it is the limit of a fraction, spec.gpu",
            "spec.gpuMemoryLimit.value: '8G' is not allowed: left out: it is the limit of spec.gpuMemory",
        ],
    ),
    "parameters that lack something": (
        {"runAsUid": 1000, "pvcs": {"items": {"data": {"value": {"path": "/data"}}}}},
        [
            "spec.runAsUid.value: 1000 is not allowed: left out, because spec.runAsUser is not true",
            "spec.pvcs.items[data].value.size: missing: how much storage the new claim asks for",
        ],
    ),
    "the devices of the node": (
        {
            "capabilities": {"items": {"all": {"value": {"capability": "SYS_ADMIN"}}}},
            "extendedResources": {"items": {"gpu": {"value": {"name": "nvidia.com/gpu", "quantity": "1"}}}},
            "volumes": {"items": {"kubelet": {"value": {"sourcePath": "/var/lib/kubelet", "targetPath": "/kubelet"}}}},
        },
        [
            "spec.capabilities.items[all].value.capability: 'SYS_ADMIN'",
            "spec.extendedResources.items[gpu].value.name: 'nvidia.com/gpu'",
            "spec.volumes.items[kubelet].value.sourcePath: '/var/lib/kubelet'",
        ],
    ),
    "a quote that is left open": (
        {"command": "sh -c 'echo hello"},
        ["spec.command.value", "sh -c 'echo hello", "every quote closed"],
    ),
    "a Secret without a key": (
        {"environment": {"items": {"TOKEN": {"value": "SECRET:wandb"}}}},
        ["spec.environment.items[TOKEN].value: 'SECRET:wandb'", "SECRET:NAME,KEY"],
    ),
    "a label of our own": (
        {"labels": {"items": {"runai/queue": {"value": "somebody-else"}}}},
        ["spec.labels.items[runai/queue]", "the project is that of the namespace"],
    ),
    "all of these at once": (
        {"gpu": "10001", "command": '"', "cpuLimit": "0", "labels": {"items": {"team": {"value": "-"}}}},
        ["spec.command.value", "spec.cpuLimit.value", "spec.gpu.value", "spec.labels.items[team].value"],
    ),
}


@pytest.mark.parametrize(("spec", "said"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_carried_out_is_named_in_the_status(
    common: Arena, name_for_test: str, spec: dict[str, Any], said: list[str]
) -> None:
    namespace = f"runai-{common.name}-a"
    manifest = {**workload(**spec), "metadata": {"name": name_for_test}}
    common.lab.api.call("POST", f"{WORKLOADS}/namespaces/{namespace}/trainingworkloads", manifest)
    status = common.until_phase(namespace, name_for_test, "Failed")
    assert (status["reason"], status["creationStatus"]) == ("InvalidSpec", "Failed")
    assert [words for words in said if words not in status["phaseMessage"]] == []
    assert common.pods(namespace, name_for_test) == []
    common.until(
        lambda: [event["type"] for event in common.events(namespace, name_for_test)] == ["Warning"],
        "one event that says the same",
    )


def test_unicode_is_fine_where_any_text_is(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=1)
    text = "größe 雪 🎿"
    arena.submit(
        namespace,
        "job-1",
        username=text,
        command=f"echo '{text}'",
        environment={"items": {"TEXT": {"value": text}}},
        annotations={"note": text},
    )
    arena.until_phase(namespace, "job-1", "Running")
    pod = arena.only_pod(namespace)
    container = pod["spec"]["containers"][0]
    assert container["command"] == ["echo", text]
    assert {"name": "TEXT", "value": text} in container["env"]
    assert (pod["metadata"]["annotations"]["user"], pod["metadata"]["annotations"]["lab.aliquot.dev/note"]) == (
        text,
    ) * 2


def test_the_longest_names_there_can_be_are_fine(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=2)
    longest = "a" * 253
    arena.submit(namespace, longest, job_name="b" * 52)
    arena.submit(namespace, "c", job_name=None, namePrefix="d" * 45)
    arena.until_phase(namespace, longest, "Running")
    arena.until_phase(namespace, "c", "Running")
    assert all(len(name) <= 63 for name in names_of(arena.pods(namespace)))


# Whose namespace, whose name


def test_a_namespace_of_no_project_is_said_to_be_so_until_it_is_labelled(arena: Arena, neighbour: None) -> None:
    namespace = arena.namespace("nobody")
    arena.project("a", deserved=1)
    arena.submit(namespace, "job-1")
    status = arena.until_reason(namespace, "job-1", "NoProject")
    assert f"the namespace {namespace} belongs to no project" in status["phaseMessage"]
    assert status["phase"] == "Pending"
    assert arena.pods(namespace) == []
    arena.lab.kubectl("label", "namespace", namespace, f"runai/queue={arena.name}-a")
    status = arena.until_phase(namespace, "job-1", "Running")
    assert (status["project"], status.get("reason")) == (f"{arena.name}-a", None)


def test_a_project_that_is_missing_is_named_until_it_is_made(arena: Arena, neighbour: None) -> None:
    namespace = arena.namespace("early", {"runai/queue": f"{arena.name}-a"})
    arena.submit(namespace, "job-1")
    status = arena.until_reason(namespace, "job-1", "NoProject")
    assert f"the project {arena.name}-a" in status["phaseMessage"]
    arena.project("a", deserved=1)
    arena.until_phase(namespace, "job-1", "Running")


def test_a_job_name_is_used_once_and_is_free_again_when_its_workload_goes(arena: Arena, neighbour: None) -> None:
    namespace = arena.project("a", deserved=2)
    arena.submit(namespace, "first", job_name="training")
    arena.until_phase(namespace, "first", "Running")
    arena.submit(namespace, "second", job_name="training")
    status = arena.until_reason(namespace, "second", "NameTaken")
    assert "the name training is taken by the TrainingWorkload first" in status["phaseMessage"]
    assert arena.status(namespace, "first")["phase"] == "Running"
    arena.delete(f"{WORKLOADS}/namespaces/{namespace}/trainingworkloads/first")
    arena.until_phase(namespace, "second", "Running")


def test_a_foreign_pod_of_the_same_name_is_left_alone_and_named(arena: Arena, neighbour: None) -> None:
    namespace = arena.project("a", deserved=2)
    foreign = arena.pod(namespace, "training-0-0")
    arena.submit(namespace, "second", job_name="training")
    status = arena.until_reason(namespace, "second", "NameTaken")
    assert "a pod called training-0-0 exists already" in status["phaseMessage"]
    pod = arena.only_pod(namespace)
    assert pod["metadata"]["uid"] == foreign["metadata"]["uid"]
    arena.delete(f"/api/v1/namespaces/{namespace}/pods/training-0-0")
    arena.until_phase(namespace, "second", "Running")


# The API server refuses the pod


def no_pods(arena: Arena, namespace: str) -> Callable[[], object]:
    path = f"/api/v1/namespaces/{namespace}/resourcequotas"
    arena.lab.api.call("POST", path, {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}})
    arena.until(lambda: "hard" in arena.get(f"{path}/none").get("status", {}), "the ResourceQuota to be in force")
    return lambda: arena.delete(f"{path}/none")


def no_gpus(arena: Arena, namespace: str) -> Callable[[], object]:
    path = f"/api/v1/namespaces/{namespace}/resourcequotas"
    hard = {"requests.nvidia.com/gpu": "0"}
    arena.lab.api.call("POST", path, {"metadata": {"name": "no-gpus"}, "spec": {"hard": hard}})
    arena.until(lambda: "hard" in arena.get(f"{path}/no-gpus").get("status", {}), "the ResourceQuota to be in force")
    return lambda: arena.patch(f"{path}/no-gpus", {"spec": {"hard": {"requests.nvidia.com/gpu": "8"}}})


def small_pods(arena: Arena, namespace: str) -> Callable[[], object]:
    path = f"/api/v1/namespaces/{namespace}/limitranges"
    limits = [{"type": "Container", "max": {"cpu": "100m"}, "default": {"cpu": "100m"}}]
    arena.lab.api.call("POST", path, {"metadata": {"name": "small"}, "spec": {"limits": limits}})
    return lambda: arena.delete(f"{path}/small")


def restricted_pods(arena: Arena, namespace: str) -> Callable[[], object]:
    label = "pod-security.kubernetes.io/enforce"
    path = f"/api/v1/namespaces/{namespace}"
    arena.patch(path, {"metadata": {"labels": {label: "restricted"}}})
    return lambda: arena.patch(path, {"metadata": {"labels": {label: "baseline"}}})


def refused(arena: Arena, namespace: str) -> bool:
    """Whether the API server holds what forbids a pod against one, by a dry run: it hears of it by and by."""
    resources = {"limits": {"nvidia.com/gpu": "1", "cpu": "1"}}
    container = {"name": "main", "image": "x", "resources": resources}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "dry"}, "spec": {"containers": [container]}}
    try:
        arena.lab.api.call("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", pod)
    except ApiError as problem:
        return problem.status == 403
    return False


REFUSALS: dict[str, tuple[Callable[[Arena, str], Callable[[], object]], dict[str, Any], str]] = {
    "a ResourceQuota without pods": (no_pods, {}, "exceeded quota: none, requested: pods=1"),
    "a ResourceQuota without GPUs": (no_gpus, {}, "exceeded quota: no-gpus, requested: requests.nvidia.com/gpu=1"),
    "a LimitRange of small pods": (small_pods, {}, "cpu"),
    "Pod Security restricted": (
        restricted_pods,
        {"allowPrivilegeEscalation": True},
        'violates PodSecurity "restricted:latest"',
    ),
}


@pytest.mark.parametrize(("forbid", "parameters", "said"), REFUSALS.values(), ids=REFUSALS)
def test_a_pod_that_the_api_server_refuses_is_explained_and_made_when_it_may_be(
    arena: Arena,
    neighbour: None,
    forbid: Callable[[Arena, str], Callable[[], object]],
    parameters: dict[str, Any],
    said: str,
) -> None:
    namespace = arena.project("a", deserved=2)
    allow = forbid(arena, namespace)
    arena.until(lambda: refused(arena, namespace), "the API server to refuse such pods")
    arena.submit(namespace, "job-1", **parameters)
    status = arena.until_reason(namespace, "job-1", "CreateRefused")
    assert said in status["phaseMessage"]
    assert (status["phase"], status["creationStatus"]) == ("Pending", "Failed")
    arena.event(namespace, "job-1", "CreateRefused")
    allow()
    status = arena.until_phase(namespace, "job-1", "Running")
    assert (status.get("reason"), status["creationStatus"]) == (None, "Submitted")


def test_a_workload_that_asks_for_nothing_forbidden_runs_in_a_restricted_namespace(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=1)
    restricted_pods(arena, namespace)
    arena.submit(namespace, "job-1")
    arena.until_phase(namespace, "job-1", "Running")


def test_a_priority_class_that_does_not_exist_is_named(arena: Arena, neighbour: None) -> None:
    namespace = arena.project("a", deserved=2)
    name = f"{arena.name}-urgent"
    arena.submit(namespace, "job-1", labels={"priorityClassName": name})
    status = arena.until_reason(namespace, "job-1", "CreateRefused")
    assert f"no PriorityClass with name {name} was found" in status["phaseMessage"]
    made = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": 60}
    arena.make("/apis/scheduling.k8s.io/v1/priorityclasses", made)
    arena.until_phase(namespace, "job-1", "Running")


# While pods run


def test_a_spec_that_changes_while_pods_run_is_refused_by_its_path(arena: Arena, neighbour: None) -> None:
    namespace = arena.project("a", deserved=2)
    arena.submit(namespace, "job-1")
    arena.until_phase(namespace, "job-1", "Running")
    before = arena.only_pod(namespace)
    path = f"{WORKLOADS}/namespaces/{namespace}/trainingworkloads/job-1"
    for field, value in (("image", "other:1"), ("completions", 3), ("name", "other"), ("command", "true")):
        with pytest.raises(ApiError, match=rf"spec\.{field} cannot change after submission: delete the workload"):
            arena.patch(path, {"spec": {field: {"value": value}}})
    after = arena.only_pod(namespace)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]


def test_a_namespace_that_is_deleted_takes_its_work_along_and_its_project_gets_another(
    arena: Arena, neighbour: None
) -> None:
    namespace = arena.project("a", deserved=2)
    arena.submit(namespace, "job-1")
    arena.until_phase(namespace, "job-1", "Running")
    before = arena.get(f"/api/v1/namespaces/{namespace}")["metadata"]["uid"]
    arena.lab.remove_namespace(namespace)

    def another() -> bool:
        found = arena.get(f"/api/v1/namespaces/{namespace}").get("metadata", {})
        return found.get("uid", before) != before and project_status(arena, "a")["phase"] == "Ready"

    arena.until(another, "the project to be Ready with another namespace", seconds=240)
    assert arena.pods(namespace) == []
    assert arena.workload(namespace, "job-1") == {}
    account = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
    arena.until(lambda: arena.get(account), "the namespace to be ready for pods")
    arena.submit(namespace, "job-1")
    arena.until_phase(namespace, "job-1", "Running")


def test_a_deleted_project_leaves_its_pods_running_and_gets_no_new_ones(
    arena: Arena, operator: platform.OperatorProcess, neighbour: None
) -> None:
    namespace = arena.project("a", deserved=4)
    arena.submit(namespace, "long")
    arena.submit(namespace, "sweep", completions=2)
    for name in ("long", "sweep"):
        arena.until_phase(namespace, name, "Running")
    manifest = arena.get(f"{PROJECTS}/{arena.name}-a")
    arena.delete(f"{PROJECTS}/{arena.name}-a")

    arena.until(
        lambda: f"{arena.name}-a" not in queues_of(operator, arena.name), "the operator to know that it is gone"
    )
    arena.submit(namespace, "late")
    status = arena.until_reason(namespace, "late", "NoProject")
    assert f"the project {arena.name}-a of the namespace {namespace} does not exist" in status["phaseMessage"]
    sweep = next(pod["metadata"]["name"] for pod in arena.pods(namespace, "sweep"))
    succeed(arena, namespace, sweep)
    arena.until_reason(namespace, "sweep", "NoProject")
    assert names_of(arena.pods(namespace, "sweep")) == [sweep]
    assert arena.status(namespace, "long")["phase"] == "Running"
    assert arena.get(f"/api/v1/namespaces/{namespace}")["status"]["phase"] == "Active"
    arena.make(
        PROJECTS,
        {key: manifest[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": {"name": f"{arena.name}-a"}},
    )
    arena.until_phase(namespace, "late", "Running")
    arena.until(lambda: names_of(arena.pods(namespace, "sweep")) == ["sweep-0-0", "sweep-1-0"], "the sweep to go on")
    arena.until_phase(namespace, "sweep", "Running")


def succeed(arena: Arena, namespace: str, pod: str) -> None:
    """Let a pod end well, whatever its annotations say."""
    ended = {"terminated": {"exitCode": 0, "reason": "Completed"}}
    status = {
        "phase": "Succeeded",
        "containerStatuses": [
            {"name": "x", "ready": False, "restartCount": 0, "image": "", "imageID": "", "state": ended}
        ],
    }
    arena.patch(f"/api/v1/namespaces/{namespace}/pods/{pod}/status", {"status": status})


def test_a_second_project_for_a_namespace_says_whose_it_is(arena: Arena, neighbour: None) -> None:
    namespace = arena.namespace("shared")
    arena.project("a", deserved=2, namespace=namespace)
    arena.submit(namespace, "job-1")
    arena.until_phase(namespace, "job-1", "Running")
    arena.project("b", deserved=2, namespace=namespace, phase="NamespaceTaken")
    message = project_status(arena, "b")["message"]
    assert f"Namespace {namespace} is labelled for project {arena.name}-a" in message
    assert project_status(arena, "a")["phase"] == "Ready"
    status = arena.status(namespace, "job-1")
    assert (status["phase"], status["project"]) == ("Running", f"{arena.name}-a")


def test_a_node_that_is_not_ready_gets_nothing_new_and_keeps_what_it_has(arena: Arena) -> None:
    first, second = arena.nodes(2, gpus=2)
    namespace = arena.project("a", deserved=4)
    arena.submit(namespace, "before", backoffLimit=0)
    arena.until_phase(namespace, "before", "Running")
    pod = arena.only_pod(namespace)
    lost, kept = (first, second) if pod["spec"]["nodeName"] == first else (second, first)
    arena.lab.lose_node(lost)
    arena.until_node(lost, "NotReady")
    for name in ("one", "two"):
        arena.submit(namespace, name)
        arena.until_phase(namespace, name, "Running")
        assert arena.only_pod(namespace, name)["spec"]["nodeName"] == kept
    arena.submit(namespace, "three")
    arena.until_reason(namespace, "three", "NotEnoughResources")
    arena.lab.restore_node(lost)
    arena.until_phase(namespace, "three", "Running")
    assert arena.only_pod(namespace, "three")["spec"]["nodeName"] == lost
    after = arena.only_pod(namespace, "before")
    assert after["metadata"]["uid"] == pod["metadata"]["uid"]


# Pods and nodes that say what cannot be


def understood(arena: Arena, namespace: str, name: str) -> dict[str, Any]:
    """The condition of a pod that says whether it can be followed; empty while nobody has doubted it."""
    pod = arena.get(f"/api/v1/namespaces/{namespace}/pods/{name}")
    found: list[dict[str, Any]] = pod.get("status", {}).get("conditions", [])
    return {key: value for each in found if each["type"] == "aliquot.dev/Understood" for key, value in each.items()}


IMPOSSIBLE = {
    "a part that is more than all": (
        0,
        {"gpu-fraction": "1.5"},
        "metadata.annotations: gpu-fraction is '1.5': allowed is a number between 0 and 1, such as 0.5",
    ),
    "a part beside a whole one": (
        1,
        {"gpu-fraction": "0.5"},
        "metadata.annotations: gpu-fraction is '0.5': not allowed together with whole GPUs or MIG devices",
    ),
    "of more devices than there are": (
        0,
        {"gpu-memory": "4000", "gpu-fraction-num-devices": "1000"},
        "metadata.annotations: gpu-fraction-num-devices is '1000': allowed is a whole number from 1 to 128",
    ),
    "a limit below the part": (
        0,
        {"gpu-fraction": "0.25", "runai-gpu-limit": "0.2"},
        "metadata.annotations: runai-gpu-limit is '0.2': allowed is a number from gpu-fraction, which is 0.25, to 1",
    ),
    "a gang of none": (
        0,
        {"pod-group-name": "ring", "aliquot.dev/min-member": "0"},
        "metadata.annotations: aliquot.dev/min-member is '0': allowed is a whole number from 1 to 100000",
    ),
}


@pytest.mark.parametrize(("gpu", "annotations", "said"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_pod_that_asks_for_what_cannot_be_is_told_so_once_and_runs_when_it_is_mended(
    arena: Arena, neighbour: None, gpu: int, annotations: dict[str, str], said: str
) -> None:
    namespace = arena.project("a", deserved=4)
    arena.pod(namespace, "odd", gpu=gpu, metadata={"annotations": annotations})
    told = arena.until(lambda: understood(arena, namespace, "odd"), "the pod to be told")
    assert (told["status"], told["reason"], told["message"]) == ("False", "InvalidRequest", said)
    arena.event(namespace, "odd", "InvalidRequest", said)
    path = f"/api/v1/namespaces/{namespace}/pods/odd"
    arena.patch(path, {"metadata": {"labels": {"looked": "at"}, "annotations": {"looked": "at"}}})
    arena.submit(namespace, "job-1")
    arena.until_phase(namespace, "job-1", "Running")
    [event] = arena.events(namespace, "odd")  # and not another one, nor the same again
    assert (event["type"], event["note"], "series" in event) == ("Warning", said, False)
    assert understood(arena, namespace, "odd") == told
    assert "nodeName" not in arena.get(path)["spec"]
    arena.patch(path, {"metadata": {"annotations": dict.fromkeys(annotations)}})
    arena.until(lambda: arena.get(path)["status"]["phase"] == "Running", "the pod to run once it is mended")
    arena.until(lambda: understood(arena, namespace, "odd")["status"] == "True", "the pod to be told that it is mended")


def test_a_pod_whose_wish_is_not_known_is_told_and_scheduled_all_the_same(arena: Arena, neighbour: None) -> None:
    namespace = arena.project("a", deserved=4)
    term = {"namespaceSelector": {"matchLabels": {"team": "x"}}, "topologyKey": "kubernetes.io/hostname"}
    wish = {"weight": 1, "podAffinityTerm": {**term, "labelSelector": {}}}
    affinity = {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [wish]}}
    arena.pod(namespace, "wishful", gpu=64, affinity=affinity)
    told = arena.until(lambda: understood(arena, namespace, "wishful"), "the pod to be told")
    assert "namespaceSelector with conditions is not supported" in told["message"]
    arena.event(namespace, "wishful", "InvalidRequest", "namespaceSelector with conditions is not supported")
    arena.event(namespace, "wishful", "NoSuchNode")
    arena.pod(namespace, "modest", affinity=affinity)
    arena.until(lambda: arena.running(namespace) == 1, "one that fits to run")


def test_a_node_that_says_what_cannot_be_is_told_once_and_serves_as_far_as_it_is_understood(arena: Arena) -> None:
    [node] = arena.nodes(1, labels={"nvidia.com/gpu.memory": "80Gi"})
    said = "label nvidia.com/gpu.memory is '80Gi': allowed is a number of MiB, 100 or more"

    def pool() -> dict[str, Any]:
        return arena.get(f"{POOLS}/{arena.name}").get("status", {})

    def told() -> list[dict[str, Any]]:
        return [each for each in arena.events("default", node) if each["reportingController"].startswith("aliquot")]

    arena.until(told, "an event on the node")
    arena.until(lambda: pool().get("message") == f"node {node}: {said}", "its node pool to say so")
    assert pool()["phase"] == "Ready"
    namespace = arena.project("a", deserved=4)
    arena.submit(namespace, "job-1")
    arena.until_phase(namespace, "job-1", "Running")
    arena.patch(f"/api/v1/nodes/{node}", {"metadata": {"labels": {"looked": "at"}}})
    arena.patch(f"/api/v1/nodes/{node}", {"metadata": {"labels": {"nvidia.com/gpu.memory": "80000"}}})
    arena.until(lambda: "message" not in pool(), "its node pool to say so no longer")
    [event] = told()
    assert (event["type"], event["reason"], event["note"]) == ("Warning", "InvalidLabels", said)
    assert "series" not in event


def test_a_gpu_that_is_held_to_more_than_all_of_it_is_told_on_its_node(arena: Arena, neighbour: None) -> None:
    [node] = arena.nodes(1, gpus=2)
    namespace, elsewhere = arena.project("a", deserved=4), arena.namespace("elsewhere")
    for name, part in (("one", "0.7"), ("two", "0.6")):
        metadata = {"labels": {"runai-gpu-group": "g"}, "annotations": {"gpu-fraction": part}}
        arena.pod(elsewhere, name, gpu=0, metadata=metadata, nodeName=node)

    def told() -> list[str]:
        return [event["note"] for event in arena.events("default", node) if event["reason"] == "DevicesOverheld"]

    said = f"GPU g is held to 130 %, by pods {elsewhere}/one, {elsewhere}/two: allowed is 100 %"
    assert arena.until(told, "an event on the node") == [said]
    arena.submit(namespace, "job-1")
    arena.until_phase(namespace, "job-1", "Running")


def test_amounts_beyond_all_measure_fit_nowhere_and_hold_up_nobody(arena: Arena, neighbour: None) -> None:
    """10^12 GPUs, and a node that there is not."""
    arena.nodes(1, gpus=2)
    namespace = arena.project("a", deserved=4)
    arena.pod(namespace, "greedy", gpu=10**12)
    arena.pod(namespace, "lost", nodeName=f"{arena.name}-nowhere")
    arena.event(namespace, "greedy", "NoSuchNode", "needs 1000000000000 GPUs on one node; the largest node of pool")
    arena.submit(namespace, "job-1")
    status = arena.until_phase(namespace, "job-1", "Running")
    assert status["totalAllocatedGPU"] == "1"


# Hostile pods


def our_owner(arena: Arena, namespace: str, workload: str) -> dict[str, Any]:
    """An owner reference to a workload, as the operator writes it; who may create pods may forge it."""
    found = arena.workload(namespace, workload)
    owner = {"apiVersion": found["apiVersion"], "kind": found["kind"], "name": workload, "controller": True}
    return {**owner, "uid": found["metadata"]["uid"]}


def test_a_pod_of_ours_in_no_project_gets_no_gpus_and_is_told_so(arena: Arena, neighbour: None) -> None:
    namespace = arena.namespace("nobody")
    labels = {"runai/queue": f"{arena.name}-healthy", "project": f"{arena.name}-healthy"}
    arena.pod(namespace, "stray", metadata={"labels": labels})
    event = arena.event(namespace, "stray", "NoQueue", f"namespace {namespace} belongs to no project")
    assert event["type"] == "Warning"
    pod = arena.only_pod(namespace)
    assert "nodeName" not in pod["spec"]


def test_a_forged_label_uses_the_quota_of_its_own_namespace(arena: Arena, neighbour: None) -> None:
    poor = arena.project("poor", deserved=1, limit=1)
    arena.project("rich", deserved=8)
    labels = {"runai/queue": f"{arena.name}-rich", "project": f"{arena.name}-rich"}
    for name in ("one", "two"):
        arena.pod(poor, name, metadata={"labels": labels})
    arena.until(lambda: arena.running(poor) == 1, "one of the two to run")
    arena.until(
        lambda: "OverLimit" in [event["reason"] for name in ("one", "two") for event in arena.events(poor, name)],
        "an event on the other",
    )
    assert arena.running(poor) == 1
    arena.until(
        lambda: project_status(arena, "poor")["quotaStatus"]["requested"]["nvidia.com/gpu"] == "2",
        "both to be counted for their own project",
    )
    assert project_status(arena, "rich").get("quotaStatus", {}).get("requested", {}).get("nvidia.com/gpu", "0") == "0"


def test_annotations_and_labels_that_make_no_sense_are_as_good_as_none(arena: Arena, neighbour: None) -> None:
    namespace = arena.project("a", deserved=4)
    metadata = {
        "labels": {"aliquot.dev/pod-index": "minus-one", "aliquot.dev/attempt": "99999999999999999999"},
        "annotations": {"aliquot.dev/failed-attempts": "x", "aliquot.dev/node-pools": " , ,,", "user": "\u0007"},
    }
    arena.pod(namespace, "strange", metadata=metadata)
    arena.submit(namespace, "job-1")
    arena.until(lambda: arena.running(namespace) == 2, "both to run")


def test_a_pod_of_ours_whose_labels_were_taken_away_is_named(arena: Arena, neighbour: None) -> None:
    namespace = arena.project("a", deserved=4)
    arena.submit(namespace, "job-1")
    arena.until_phase(namespace, "job-1", "Running")
    arena.lab.kubectl("label", "pod", "-n", namespace, "job-1-0-0", "aliquot.dev/pod-index-")
    status = arena.until_reason(namespace, "job-1", "NameTaken")
    assert "job-1-0-0" in status["phaseMessage"]
    arena.lab.kubectl("label", "pod", "-n", namespace, "job-1-0-0", "aliquot.dev/pod-index=0")
    arena.until_phase(namespace, "job-1", "Running")
    assert arena.only_pod(namespace)["metadata"]["name"] == "job-1-0-0"


def test_a_pod_that_claims_to_be_a_workloads_is_not_counted_as_its_own(arena: Arena, neighbour: None) -> None:
    namespace = arena.project("a", deserved=4)
    arena.submit(namespace, "job-1")
    arena.until_phase(namespace, "job-1", "Running")
    arena.pod(namespace, "forged", metadata={"ownerReferences": [our_owner(arena, namespace, "job-1")]})
    arena.until(lambda: arena.running(namespace) == 2, "the forged pod to run on the project's quota")
    succeed(arena, namespace, "forged")
    arena.submit(namespace, "job-2")
    arena.until_phase(namespace, "job-2", "Running")
    status = arena.status(namespace, "job-1")
    assert (status["phase"], status["runningPods"], status.get("succeededPods", 0)) == ("Running", 1, 0)


def test_a_pod_cannot_claim_to_be_of_a_workload_in_another_namespace(arena: Arena, neighbour: None) -> None:
    victim = arena.project("victim", deserved=2)
    attacker = arena.project("attacker", deserved=2)
    arena.submit(victim, "job-1", completions=2)
    arena.until_phase(victim, "job-1", "Running")
    labels = {"aliquot.dev/pod-index": "0", "aliquot.dev/attempt": "0"}
    # The garbage collector deletes such a pod at once; a finalizer, which its maker may set as well, keeps it there.
    owners = [our_owner(arena, victim, "job-1")]
    metadata = {"labels": labels, "ownerReferences": owners, "finalizers": ["lab.aliquot.dev/kept"]}
    arena.pod(attacker, "forged", metadata=metadata)
    try:
        succeed(arena, attacker, "forged")
        # Once this one runs, the forged pod has been heard of; the patch has the victim looked at again.
        arena.submit(attacker, "job-2")
        arena.until_phase(attacker, "job-2", "Running")
        path = f"{WORKLOADS}/namespaces/{victim}/trainingworkloads/job-1"
        arena.patch(path, {"spec": {"parallelism": {"value": 2}}})
        arena.until(lambda: arena.running(victim) == 2, "the second pod of the victim to run")
        arena.until(lambda: arena.status(victim, "job-1").get("runningPods") == 2, "its status to say so")
        assert arena.status(victim, "job-1").get("succeededPods", 0) == 0
        assert names_of(arena.pods(victim)) == ["job-1-0-0", "job-1-1-0"]
    finally:
        arena.patch(f"/api/v1/namespaces/{attacker}/pods/forged", {"metadata": {"finalizers": None}})
