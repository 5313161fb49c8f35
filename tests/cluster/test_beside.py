"""What workloads have beside their pods: Services, claims, Ingresses and addresses, from their making to their end."""

from typing import Any

import pytest

from aliquot_lab.api import ApiError
from tests.cluster.conftest import AUTH_URL, DOMAIN
from tests.support.arena import WORKLOADS, Arena, names_of

pytestmark = pytest.mark.cluster

CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
PLURALS = {"services": "/api/v1", "persistentvolumeclaims": "/api/v1", "ingresses": "/apis/networking.k8s.io/v1"}


def items(**values: dict[str, Any]) -> dict[str, Any]:
    return {"items": {label: {"value": value} for label, value in values.items()}}


API = {"container": 8000, "serviceType": "ClusterIP"}


def path(namespace: str, plural: str, name: str = "") -> str:
    return f"{PLURALS[plural]}/namespaces/{namespace}/{plural}/{name}".rstrip("/")


def listed(arena: Arena, namespace: str) -> dict[str, list[str]]:
    return {
        plural: sorted(names_of(arena.get(path(namespace, plural))["items"]))
        for plural in PLURALS
        if arena.get(path(namespace, plural))["items"]
    }


@pytest.fixture
def namespace(arena: Arena) -> str:
    arena.nodes(1)
    return arena.project("a", deserved=8)


def test_everything_is_there_before_the_pods_and_goes_with_the_workload_but_for_its_data(
    arena: Arena, namespace: str
) -> None:
    arena.submit(
        namespace,
        "served",
        ports=items(api=API, board={"container": 6006, "serviceType": "LoadBalancer", "external": 80}),
        exposedUrls=items(lab={"containerPort": 8888}),
        pvcs=items(
            results={"claimName": "results", "size": "1Gi", "path": "/results"},
            scratch={"size": "1Gi", "path": "/scratch", "ephemeral": True},
        ),
    )
    status = arena.until_phase(namespace, "served", "Running")
    assert status["externalUrls"] == [f"https://{DOMAIN}/{arena.name}-a/served"]
    assert listed(arena, namespace) == {
        "services": ["served", "served-balancer", "served-url"],
        "persistentvolumeclaims": ["pvc-served-1", "results"],
        "ingresses": ["served"],
    }
    uid = arena.workload(namespace, "served")["metadata"]["uid"]
    pod = arena.only_pod(namespace, "served")
    for plural, names in listed(arena, namespace).items():
        for name in names:
            metadata = arena.get(path(namespace, plural, name))["metadata"]
            owners = [owner["uid"] for owner in metadata.get("ownerReferences", ())]
            assert owners == ([] if name == "results" else [uid]), name
            assert metadata["creationTimestamp"] <= pod["metadata"]["creationTimestamp"], name
    arena.delete(f"{WORKLOADS}/namespaces/{namespace}/trainingworkloads/served")
    left = {"persistentvolumeclaims": ["results"]}
    arena.until(lambda: listed(arena, namespace) == left, "everything but the claim to go")


def test_what_is_changed_or_deleted_by_hand_is_put_back(arena: Arena, namespace: str) -> None:
    arena.submit(namespace, "served", ports=items(api=API), exposedUrls=items(lab={"containerPort": 8888}))
    arena.until_phase(namespace, "served", "Running")
    pod = arena.only_pod(namespace, "served")
    service, ingress = path(namespace, "services", "served"), path(namespace, "ingresses", "served")
    made, address = arena.get(service), arena.get(ingress)["spec"]

    arena.patch(service, {"spec": {"type": "NodePort", "selector": {"app": "other"}}})
    arena.until(lambda: arena.get(service)["spec"] == made["spec"], "the Service to be as it was made")
    arena.patch(service, {"metadata": {"labels": {"app.kubernetes.io/managed-by": None, "mine": "yes"}}})
    labels = {**made["metadata"]["labels"], "mine": "yes"}
    arena.until(lambda: arena.get(service)["metadata"]["labels"] == labels, "its label to come back")
    arena.patch(ingress, {"spec": {"rules": [{"host": "elsewhere.example.com"}]}})
    arena.until(lambda: arena.get(ingress)["spec"] == address, "the Ingress to be as it was made")
    arena.delete(ingress)
    arena.until(lambda: arena.get(ingress).get("spec") == address, "the Ingress to be made again")
    arena.delete(service)
    arena.until(
        lambda: arena.get(service).get("metadata", {}).get("uid") not in (None, made["metadata"]["uid"]),
        "the Service to be made again",
    )
    arena.until_phase(namespace, "served", "Running")
    assert arena.only_pod(namespace, "served")["metadata"]["uid"] == pod["metadata"]["uid"], "work is not disturbed"


def test_an_address_for_some_users_stays_closed_to_others(arena: Arena, namespace: str) -> None:
    lab = {"containerPort": 8888, "authorizedUsers": "ann@example.com,bob@example.com"}
    arena.submit(namespace, "served", exposedUrls=items(board={"containerPort": 6006}, lab=lab))
    status = arena.until_phase(namespace, "served", "Running")
    own = f"https://{DOMAIN}/{arena.name}-a/served"
    assert status["externalUrls"] == [own, f"{own}/8888"]
    ingress, name = path(namespace, "ingresses", "served-url-1"), "nginx.ingress.kubernetes.io/auth-url"
    asked = {name: AUTH_URL.replace("{users}", "ann@example.com,bob@example.com")}
    assert arena.get(ingress)["metadata"]["annotations"] == asked
    assert "annotations" not in arena.get(path(namespace, "ingresses", "served"))["metadata"]

    arena.patch(ingress, {"metadata": {"annotations": {name: None, "mine": "yes"}}})
    both = {**asked, "mine": "yes"}
    arena.until(lambda: arena.get(ingress)["metadata"].get("annotations") == both, "the annotation to come back")


def test_a_name_that_is_somebody_elses_is_told_and_no_pod_is_made(arena: Arena, namespace: str) -> None:
    theirs = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "served"}}
    arena.make(path(namespace, "services"), {**theirs, "spec": {"ports": [{"port": 80}]}})
    arena.submit(namespace, "served", ports=items(api=API))
    status = arena.until_reason(namespace, "served", "NameTaken")
    said = "a Service served exists already and is not the workload's: delete it, or choose another name"
    assert (status["phase"], status["phaseMessage"]) == ("Pending", said)
    assert arena.pods(namespace, "served") == []
    arena.delete(path(namespace, "services", "served"))
    arena.until_phase(namespace, "served", "Running")


def test_one_that_was_made_before_anybody_could_note_it_is_the_workloads_own(arena: Arena, namespace: str) -> None:
    workload = arena.submit(namespace, "served", active=False, ports=items(api=API))
    arena.until_phase(namespace, "served", "Stopped")
    assert listed(arena, namespace) == {}, "a suspended workload needs nothing yet"
    owner = {key: workload[key] for key in ("apiVersion", "kind")} | {
        "name": "served",
        "uid": workload["metadata"]["uid"],
        "controller": True,
    }
    ours = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "served", "ownerReferences": [owner]}}
    made = arena.lab.api.call("POST", path(namespace, "services"), {**ours, "spec": {"ports": [{"port": 1}]}})
    arena.patch(f"{WORKLOADS}/namespaces/{namespace}/trainingworkloads/served", {"spec": {"active": {"value": True}}})
    arena.until_phase(namespace, "served", "Running")
    service = arena.get(path(namespace, "services", "served"))
    assert service["metadata"]["uid"] == made["metadata"]["uid"]
    assert [port["port"] for port in service["spec"]["ports"]] == [8000]


def test_a_workload_submitted_again_does_not_keep_what_goes_with_the_one_before(arena: Arena, namespace: str) -> None:
    scratch = {"claimName": "scratch", "size": "1Gi", "path": "/scratch", "ephemeral": True}
    for _ in range(2):
        arena.submit(namespace, "served", ports=items(api=API), pvcs=items(scratch=scratch))
        arena.until_phase(namespace, "served", "Running")
        uid = arena.workload(namespace, "served")["metadata"]["uid"]
        for plural, name in (("services", "served"), ("persistentvolumeclaims", "scratch")):
            [owner] = arena.get(path(namespace, plural, name))["metadata"]["ownerReferences"]
            assert owner["uid"] == uid, name
        arena.delete(f"{WORKLOADS}/namespaces/{namespace}/trainingworkloads/served")


def test_a_claim_that_is_there_is_used_as_it_is(arena: Arena, namespace: str) -> None:
    size = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "5Gi"}}}
    theirs = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "sets"}, "spec": size}
    arena.lab.api.call("POST", path(namespace, "persistentvolumeclaims"), theirs)
    sets = {"claimName": "sets", "size": "1Gi", "path": "/sets", "ephemeral": True}
    arena.submit(namespace, "reader", pvcs=items(sets=sets), duration="1s")
    arena.until_phase(namespace, "reader", "Completed")
    arena.delete(f"{WORKLOADS}/namespaces/{namespace}/trainingworkloads/reader")
    arena.until(lambda: not arena.pods(namespace), "its pods to go")
    found = arena.get(path(namespace, "persistentvolumeclaims", "sets"))
    assert found["spec"]["resources"] == size["resources"]
    assert "deletionTimestamp" not in found["metadata"], "somebody else's data does not go with a workload"


def test_a_claim_that_is_being_deleted_is_waited_for_and_made_anew(arena: Arena, namespace: str) -> None:
    claim = path(namespace, "persistentvolumeclaims", "data")
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}}
    kept = {"name": "data", "finalizers": ["test.example.com/keep"]}
    old = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": kept, "spec": spec}
    arena.lab.api.call("POST", path(namespace, "persistentvolumeclaims"), old)
    arena.delete(claim)
    arena.submit(namespace, "writer", pvcs=items(data={"claimName": "data", "size": "1Gi", "path": "/data"}))
    said = "the PersistentVolumeClaim data is being deleted: it is made anew when it is gone"
    assert arena.until_reason(namespace, "writer", "BeingDeleted")["phaseMessage"] == said
    arena.patch(claim, {"metadata": {"finalizers": None}})
    arena.until_phase(namespace, "writer", "Running")
    assert arena.get(claim)["spec"]["resources"]["requests"] == {"storage": "1Gi"}


def test_a_volume_that_waits_for_its_first_pod_is_told_where_that_is(arena: Arena, namespace: str) -> None:
    late, provisioner = f"late-{arena.name}", "disks.example.com"
    storage_class = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": late},
        "provisioner": provisioner,
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    arena.make(CLASSES, storage_class)
    data = {"claimName": "data", "size": "1Gi", "path": "/data", "storageClass": late}
    arena.submit(namespace, "writer", pvcs=items(data=data))
    claim = path(namespace, "persistentvolumeclaims", "data")
    prefix = "volume.kubernetes.io/"

    def told() -> dict[str, str]:
        annotations = arena.get(claim).get("metadata", {}).get("annotations", {})
        return {key.removeprefix(prefix): value for key, value in annotations.items() if key.startswith(prefix)}

    arena.until(lambda: "storage-provisioner" in told(), "Kubernetes to ask the provisioner for a volume")
    pod = arena.only_pod(namespace, "writer")
    assert told() == {"selected-node": pod["spec"]["nodeName"], "storage-provisioner": provisioner}


def test_what_the_api_server_refuses_is_told_in_its_words(arena: Arena, namespace: str) -> None:
    board = {"container": 6006, "serviceType": "NodePort", "external": 80}
    arena.submit(namespace, "board", ports=items(board=board))
    status = arena.until_reason(namespace, "board", "CreateRefused")
    assert status["phaseMessage"].startswith("its Service board was refused: ")
    assert "The range of valid ports is 30000-32767" in status["phaseMessage"]
    assert arena.pods(namespace, "board") == []


def test_an_address_below_another_project_is_refused(arena: Arena, namespace: str) -> None:
    arena.submit(namespace, "phish", exposedUrls=items(a={"containerPort": 80, "url": f"https://{DOMAIN}/other/login"}))
    status = arena.until_phase(namespace, "phish", "Failed")
    assert f"an address that begins with https://{DOMAIN}/{arena.name}-a/" in status["phaseMessage"]
    with pytest.raises(ApiError):
        arena.lab.api.call("GET", path(namespace, "ingresses", "phish"))
