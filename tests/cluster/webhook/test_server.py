"""The webhook as the API server meets it: questions over TLS, answers in its own form, certificates that change."""

import io
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec
import pytest
from prometheus_client import CollectorRegistry

from aliquot import names
from aliquot.clock import SystemClock
from aliquot.cluster.webhook.certificates import Credentials, UnusableCredentials, issue
from aliquot.cluster.webhook.server import PATH, AdmissionMetrics, Server
from aliquot.contracts.kinds.tenancy import NodePool, Project
from aliquot.contracts.kubernetes import Metadata, Namespace
from aliquot.settings import Webhook
from tests.support.written_cluster import Cluster

HOST = "127.0.0.1"
CLOCK = SystemClock()
VISION = Cluster(
    projects=[Project.model_validate({"metadata": {"name": "vision"}, "spec": {"deservedGpus": 8}})],
    node_pools=[
        NodePool.model_validate({"metadata": {"name": "a"}, "spec": {"labelKey": "run.ai/type", "labelValue": "h100"}})
    ],
    namespaces=[Namespace(metadata=Metadata(name="runai-vision", labels={names.QUEUE_LABEL: "vision"}))],
)

Json = dict[str, Any]


def certificate() -> Credentials:
    return issue((HOST,), CLOCK.now(), 90)


@dataclass
class Door:
    """A server that listens, and a caller that trusts what it shows."""

    server: Server
    registry: CollectorRegistry
    credentials: Credentials = field(default_factory=certificate)

    async def post(self, body: object, *, trusted: bytes | None = None) -> tuple[int, Json | str]:
        """Post on a new connection; the status, and the answer as JSON if it is any."""
        context = ssl.create_default_context(cadata=(trusted or self.credentials.authorities).decode())
        async with aiohttp.ClientSession() as session:
            data = io.BytesIO(body if isinstance(body, bytes) else msgspec.json.encode(body))
            url = f"https://{HOST}:{self.server.port}{PATH}"
            async with session.post(url, data=data, ssl=context) as answer:
                as_json = answer.content_type == "application/json"
                return answer.status, await (answer.json() if as_json else answer.text())

    async def ask(self, question: Json) -> Json:
        status, answer = await self.post(question)
        assert status == 200, answer
        assert isinstance(answer, dict)
        assert (answer["apiVersion"], answer["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
        assert answer["response"]["uid"] == "u-1"
        return answer["response"]

    def counted(self, kind: str, verdict: str) -> float:
        labels = {"kind": kind, "verdict": verdict}
        return self.registry.get_sample_value("aliquot_admission_review_duration_seconds_count", labels) or 0


@asynccontextmanager
async def opened() -> AsyncGenerator[Door]:
    registry = CollectorRegistry()
    server = Server(Webhook(host=HOST, port=0), VISION, CLOCK, AdmissionMetrics(registry))
    door = Door(server, registry)
    server.show(door.credentials)
    await server.start()
    try:
        yield door
    finally:
        await server.close()


def workload(where: str = "runai-vision", **parameters: object) -> Json:
    spec = {name: {"value": value} for name, value in {"image": "ubuntu", **parameters}.items()}
    metadata = {"name": "train", "namespace": where, "uid": "w", "creationTimestamp": "2026-11-01T10:00:00Z"}
    return {"apiVersion": "run.ai/v2alpha1", "kind": "TrainingWorkload", "metadata": metadata, "spec": spec}


def pool(name: str, value: str) -> Json:
    spec = {"labelKey": "run.ai/type", "labelValue": value}
    return {"apiVersion": "run.ai/v1alpha1", "kind": "NodePool", "metadata": {"name": name}, "spec": spec}


def question(new: Json, old: Json | None = None) -> Json:
    """As the API server writes it, with more than we read."""
    group, _, version = new["apiVersion"].rpartition("/")
    kind = {"group": group, "version": version, "kind": new["kind"]}
    request: Json = {
        "uid": "u-1",
        "kind": kind,
        "requestKind": kind,
        "name": new["metadata"]["name"],
        "namespace": new["metadata"].get("namespace", ""),
        "operation": "UPDATE" if old else "CREATE",
        "userInfo": {"username": "ann", "groups": ["system:authenticated"]},
        "object": new,
        "oldObject": old,
        "dryRun": False,
        "options": {"kind": "CreateOptions"},
    }
    return {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request}


async def test_a_good_object_is_taken_in_silence() -> None:
    async with opened() as door:
        assert await door.ask(question(workload(gpu="2"))) == {"uid": "u-1", "allowed": True}
        assert door.counted("TrainingWorkload", "allowed") == 1


async def test_a_bad_object_is_refused_with_every_field() -> None:
    async with opened() as door:
        answer = await door.ask(question(workload(gpu="1.5", parallelism=3)))
        assert answer["allowed"] is False
        status = answer["status"]
        assert (status["code"], status["reason"]) == (422, "Invalid")
        assert status["message"] == (
            'spec.gpu.value: \'1.5\' is not allowed: a whole number of GPUs, such as "0", "1" or "8", or a part '
            'of one, such as "0.25"; spec.parallelism.value: 3 is not allowed: at most spec.completions, which '
            "is 1: there is no work for more pods at a time"
        )
        details = status["details"]
        assert (details["kind"], details["group"], details["name"]) == ("TrainingWorkload", "run.ai", "train")
        assert [cause["field"] for cause in details["causes"]] == ["spec.gpu.value", "spec.parallelism.value"]
        assert [f"{cause['field']}: {cause['message']}" for cause in details["causes"]] == status["message"].split("; ")
        assert door.counted("TrainingWorkload", "refused") == 1


OTHER_KINDS = ("InteractiveWorkload", "InferenceWorkload", "DistributedWorkload")


@pytest.mark.parametrize("kind", OTHER_KINDS)
async def test_workloads_and_policies_of_all_kinds_are_reviewed(kind: str) -> None:
    async with opened() as door:
        answer = await door.ask(question({**workload(gpu="1.5"), "kind": kind}))
        assert "spec.gpu.value" in [cause["field"] for cause in answer["status"]["details"]["causes"]]
        policy = {**workload(), "kind": kind.replace("Workload", "Policy")}
        policy["spec"] = {"cpu": {"rules": {"min": "2", "max": "1"}}}
        answer = await door.ask(question(policy))
        assert [cause["field"] for cause in answer["status"]["details"]["causes"]] == ["spec.cpu.rules"]


async def test_of_a_distributed_workload_the_master_is_reviewed_too() -> None:
    spec = {"image": {"value": "x"}, "jobType": "PyTorchJob"}
    manifest = {**workload(), "kind": "DistributedWorkload", "spec": spec, "masterSpec": {"cpu": {"value": "many"}}}
    async with opened() as door:
        answer = await door.ask(question(manifest))
        assert [cause["field"] for cause in answer["status"]["details"]["causes"]] == ["masterSpec.cpu.value"]


async def test_warnings_come_with_an_object_that_is_taken() -> None:
    async with opened() as door:
        answer = await door.ask(question(workload("elsewhere")))
        assert answer["allowed"] is True
        [warning] = answer["warnings"]
        assert warning.startswith("the namespace elsewhere belongs to no project")
        assert door.counted("TrainingWorkload", "warned") == 1


@pytest.mark.parametrize(("before", "allowed"), [("h100", True), ("a100", False)])
async def test_a_change_is_compared_with_what_was_before(before: str, allowed: bool) -> None:
    async with opened() as door:
        answer = await door.ask(question(pool("b", "h100"), pool("b", before)))
        assert answer["allowed"] is allowed


async def test_pods_are_read_as_pods() -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "runai-vision", "annotations": {"gpu-fraction": "2"}},
        "spec": {"schedulerName": "runai-scheduler", "containers": [{"name": "main", "image": "x"}]},
    }
    async with opened() as door:
        answer = await door.ask(question(pod))
        assert [cause["field"] for cause in answer["status"]["details"]["causes"]] == ["metadata.annotations"]
        assert door.counted("Pod", "refused") == 1


OTHERS = {
    "a kind of others": {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}},
    "a kind of ours that nobody reviews": {
        "apiVersion": "run.ai/v1alpha1",
        "kind": "ExternalWorkload",
        "metadata": {"name": "x"},
        "spec": {},
    },
    "a kind of others with a name of ours": {
        "apiVersion": "example.com/v1",
        "kind": "Project",
        "metadata": {"name": "x"},
    },
}


@pytest.mark.parametrize("manifest", OTHERS.values(), ids=OTHERS)
async def test_of_other_kinds_nothing_is_said(manifest: Json) -> None:
    async with opened() as door:
        assert (await door.ask(question(manifest)))["allowed"] is True
        assert door.counted("other", "allowed") == 1


async def test_an_object_of_another_version_of_the_definition_is_left_to_the_api_server() -> None:
    async with opened() as door:
        assert (await door.ask(question({**workload(), "spec": {"image": "no wrapper"}})))["allowed"] is True


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b'{"request": {"uid": 1}}', b'{"request": null}'], ids=repr)
async def test_what_is_no_question_is_answered_so(body: bytes) -> None:
    async with opened() as door:
        status, text = await door.post(body)
        assert status == 400
        assert "this is no AdmissionReview" in str(text)
        assert door.counted("other", "failed") == 1


async def test_the_largest_objects_are_read() -> None:
    async with opened() as door:
        items = {f"KEY_{number}": {"value": "x" * 32_000} for number in range(90)}
        big = workload()
        big["spec"]["environment"] = {"items": items}
        answer = await door.ask(question(big, workload()))
        assert [cause["field"] for cause in answer["status"]["details"]["causes"]] == ["spec.environment"]


async def test_a_new_certificate_is_shown_on_new_connections() -> None:
    async with opened() as door:
        renewed = issue((HOST,), CLOCK.now(), 90, door.credentials.authorities)
        door.server.show(renewed)
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await door.post(question(workload()))
        status, _ = await door.post(question(workload()), trusted=renewed.authorities)
        assert status == 200
        ends = door.registry.get_sample_value("aliquot_webhook_certificate_expiry_timestamp_seconds")
        assert ends == renewed.expires


async def test_a_certificate_that_tls_does_not_take_changes_nothing() -> None:
    async with opened() as door:
        bad = Credentials(certificate().certificate, certificate().key, b"")
        with pytest.raises(UnusableCredentials):
            door.server.show(bad)
        assert (await door.ask(question(workload())))["allowed"] is True
