"""Mistakes of users that `test_bad_input` does not have, and what is odd but no mistake."""

from typing import Any

import pytest
import yaml

from aliquot_lab.errors import LabError
from tests.support.arena import Arena

pytestmark = pytest.mark.cluster

CLAIMS = "persistentvolumeclaims"
RTL = "\u202e"


@pytest.fixture
def namespace(arena: Arena) -> str:
    """Of a project with eight GPUs, all on one node."""
    arena.nodes(1)
    return arena.project("a", deserved=8)


def workload(namespace: str, name: str, spec: dict[str, Any]) -> str:
    """A workload whose parameters are written just so."""
    written = {
        "apiVersion": "run.ai/v2alpha1",
        "kind": "TrainingWorkload",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"image": {"value": "registry.example.com/test:1"}, **spec},
    }
    return yaml.safe_dump(written)


def items(**given: dict[str, Any]) -> dict[str, Any]:
    return {"items": {name: {"value": value} for name, value in given.items()}}


REFUSED: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    # name of the object, its parameters, what kubectl says
    "a value without its wrapper": ("odd", {"gpu": 1}, ["spec.gpu", "must be of type object"]),
    "items where there is one value": ("odd", {"gpu": items(a={"b": 1})}, ['unknown field "spec.gpu.items"']),
    "one value where there are items": (
        "odd",
        {"environment": {"value": "A=1"}},
        ['unknown field "spec.environment.value"'],
    ),
    "an item with an unknown member": (
        "odd",
        {"ports": items(http={"container": 80, "host": 81})},
        ['unknown field "spec.ports.items.http.value.host"'],
    ),
    "GPUs and memory on a GPU": (
        "odd",
        {"gpu": {"value": "1"}, "gpuMemory": {"value": "4Gi"}},
        ["spec.gpuMemory", "gpu and gpuMemory exclude one another"],
    ),
    "a job's name with capitals": ("odd", {"name": {"value": "Train"}}, ["spec.name.value", "lower-case letters"]),
    "a job's name with a dot": ("odd", {"name": {"value": "a.b"}}, ["spec.name.value", "lower-case letters"]),
    "a job's name that reads backwards": ("odd", {"name": {"value": f"a{RTL}b"}}, ["spec.name.value"]),
    "a job's name with a control character": ("odd", {"name": {"value": "a\tb"}}, ["spec.name.value"]),
    "an object's name with capitals": ("Odd", {}, ["metadata.name", "RFC 1123"]),
    "an object's name that reads backwards": (f"o{RTL}d", {}, ["metadata.name", "RFC 1123"]),
}


@pytest.mark.parametrize(("name", "spec", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_written_in_the_wrong_shape_is_refused(
    arena: Arena, name: str, spec: dict[str, Any], says: list[str]
) -> None:
    with pytest.raises(LabError) as caught:
        arena.lab.kubectl("create", "--dry-run=server", "-f", "-", input=workload("default", name, spec))
    assert [words for words in says if words not in str(caught.value)] == []


def test_a_port_without_a_type_of_service_is_one_of_the_container_alone(arena: Arena, namespace: str) -> None:
    arena.submit(namespace, "served", ports=items(http={"container": 8080}))
    arena.until_phase(namespace, "served", "Running")
    [pod] = arena.pods(namespace)
    [port] = pod["spec"]["containers"][0]["ports"]
    assert port["containerPort"] == 8080
    assert arena.get(f"/api/v1/namespaces/{namespace}/services")["items"] == []


def test_a_claim_that_is_not_there_is_named_and_holds_no_gpu_until_it_is(arena: Arena, namespace: str) -> None:
    sets = {"claimName": "sets", "existingPvc": True, "path": "/sets"}
    arena.submit(namespace, "reader", pvcs=items(sets=sets))
    status = arena.until_reason(namespace, "reader", "ClaimMissing")
    assert status["phaseMessage"].startswith("there is no PersistentVolumeClaim sets in the namespace")
    assert arena.pods(namespace) == []
    size = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "5Gi"}}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "sets"}, "spec": size}
    arena.make(f"/api/v1/namespaces/{namespace}/{CLAIMS}", claim)
    assert "reason" not in arena.until_phase(namespace, "reader", "Running")
    [pod] = arena.pods(namespace)
    mounted = [each["persistentVolumeClaim"] for each in pod["spec"]["volumes"] if "persistentVolumeClaim" in each]
    assert [each["claimName"] for each in mounted] == ["sets"]


def test_objects_may_have_dots_in_their_names(arena: Arena, namespace: str) -> None:
    arena.submit(namespace, "bert.large.v2", job_name=None)
    arena.until_phase(namespace, "bert.large.v2", "Running")
    [pod] = arena.pods(namespace, "bert.large.v2")
    assert pod["metadata"]["name"].startswith("job-")


def test_five_hundred_items_are_all_carried_out(arena: Arena, namespace: str) -> None:
    variables = {f"KEY_{number}": {"value": str(number)} for number in range(500)}
    arena.submit(namespace, "many", environment={"items": variables})
    arena.until_phase(namespace, "many", "Running")
    [pod] = arena.pods(namespace)
    env = {each["name"]: each.get("value") for each in pod["spec"]["containers"][0]["env"]}
    assert {name: env[name] for name in variables} == {name: item["value"] for name, item in variables.items()}


def test_what_a_pod_says_backwards_is_told_so_that_it_can_be_read(arena: Arena, namespace: str) -> None:
    """Text from elsewhere ends up on terminals of people."""
    arena.submit(namespace, "odd", completions=1, backoffLimit=0)
    arena.until_phase(namespace, "odd", "Running")
    [pod] = arena.pods(namespace)
    path = f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}/status"
    odd = f"first\nsecond\x1b[31m {RTL}txet"
    arena.patch(path, {"status": {"phase": "Failed", "reason": "Odd", "message": odd}})
    message = arena.until_phase(namespace, "odd", "Failed")["phaseMessage"]
    assert r"first second\x1b[31m \u202etxet" in message
    assert message.isprintable()


def test_s39_four_replicas_of_a_quarter_take_one_gpu(arena: Arena, namespace: str) -> None:
    """cluster-api.md S39, as a workload: replicas are its scale."""
    port = {"items": {"http": {"value": {"container": 8000}}}}
    arena.submit(namespace, "chat", kind="InferenceWorkload", ports=port, minScale=4, maxScale=4, gpu="0.25")
    arena.until_running_pods(namespace, 4)
    arena.until(
        lambda: arena.status(namespace, "chat", "InferenceWorkload").get("totalAllocatedGPU") == "1",
        "one GPU to be told for all four",
    )
    assert arena.status(namespace, "chat", "InferenceWorkload")["requestedGPU"] == "1"
    devices = {pod["metadata"]["annotations"]["aliquot.dev/gpu-ids"] for pod in arena.running_pods(namespace)}
    assert len(devices) == 1, "all four share one"


def test_s37_an_elastic_gang_shrinks_to_its_minimum_for_the_owner_of_its_gpus(arena: Arena) -> None:
    """cluster-api.md S37: it goes on with those that it needs, and grows again when there is room."""
    arena.nodes(1, gpus=4)
    namespace, owner = arena.project("a", deserved=2), arena.project("b", deserved=2)
    elastic = {"values": {"minReplicas": {"value": 2}, "maxReplicas": {"value": 4}}}
    arena.submit(namespace, "llm", kind="DistributedWorkload", jobType="PyTorchJob", workers=3, pyTorchJob=elastic)
    arena.until_running_pods(namespace, 4)
    first = {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in arena.running_pods(namespace)}
    arena.submit(owner, "mine", gpu="2")
    arena.until_phase(owner, "mine", "Running")
    arena.until_running_pods(namespace, 2)
    left = {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in arena.running_pods(namespace)}
    assert left.items() <= first.items(), "those that are left were never stopped"
    arena.until_phase(namespace, "llm", "Running", kind="DistributedWorkload")
    arena.delete(arena.path(owner, "mine"))
    arena.until_running_pods(namespace, 4)
    again = {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in arena.running_pods(namespace)}
    assert left.items() <= again.items()
