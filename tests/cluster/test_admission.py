"""The admission webhook before a real API server: who is refused, who never waits for it, what happens without it."""

import json
import re
import ssl
import subprocess
import time
import urllib.request
from base64 import b64decode
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from typer.testing import CliRunner

from aliquot.cli.main import app
from aliquot.cluster.webhook.certificates import DAY, Credentials, issue, read
from aliquot_lab import Cluster, dedicated
from aliquot_lab.api import ApiError
from aliquot_lab.ports import free_ports
from aliquot_lab.processes import eventually
from demo import platform
from tests.support.arena import MERGE, POOLS, PROJECTS, WORKLOADS, Arena
from tests.support.balancer import Balancer
from tests.support.command_line import own_logging

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("admission")]

CONFIGURATION: Final = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/aliquot-webhook"
SECRET: Final = "/api/v1/namespaces/runai/secrets/aliquot-webhook"
SHORT: Final = {"ALIQUOT_CERTIFICATES__CHECK_SECONDS": "0.5", "ALIQUOT_CERTIFICATES__SETTLE_SECONDS": "1"}
COUNT: Final = re.compile(r'aliquot_admission_review_duration_seconds_count\{kind="(\w+)",verdict="(\w+)"\} (\d+)')


@dataclass
class Plane:
    """A cluster in which the API server asks one of two webhooks, as through a Service.

    Attributes:
        lab: the cluster.
        webhooks: both.
    """

    lab: Cluster
    webhooks: list[platform.WebhookProcess]

    def asked(self, kind: str) -> int:
        """How often the API server has asked about objects of a kind."""
        found = [count for webhook in self.webhooks for count in COUNT.findall(webhook.probe("metrics")[1])]
        return sum(int(number) for counted, _, number in found if counted == kind)

    def start(self) -> None:
        """Start those that do not run, and wait for them."""
        for webhook in self.webhooks:
            if webhook.pid is None:
                webhook.start()
            webhook.wait_ready()

    def kubectl(self, *arguments: str, manifest: object = None) -> tuple[int, str]:
        """Run kubectl; its exit code, and what it says to people."""
        done = subprocess.run(
            [str(self.lab.binary("kubectl")), *arguments],
            input=None if manifest is None else yaml.safe_dump(manifest),
            env=self.lab.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stderr


@pytest.fixture(scope="module")
def plane() -> Generator[Plane]:
    with dedicated() as lab:
        ports = free_ports(2)
        with Balancer(ports) as balancer:
            # Whom the webhook does not answer in time is taken: here it has as long as it needs.
            platform.install(
                lab, f"webhook.url=https://127.0.0.1:{balancer.port}/validate", "webhook.timeoutSeconds=30"
            )
            platform.start_operator(lab, settings={"ALIQUOT_WORKLOADS__RETRY_BASE_SECONDS": "0.5"})
            started = [
                platform.start_webhook(lab, f"webhook-{number}", https_port=port, settings=SHORT, wait=False)
                for number, port in enumerate(ports)
            ]
            plane = Plane(lab, started)
            plane.start()
            yield plane


@pytest.fixture
def arena(plane: Plane, name_for_test: str) -> Generator[Arena]:
    plane.start()
    arena = Arena(plane.lab, name_for_test)
    arena.pool()
    yield arena
    plane.start()
    arena.clear()


WRONG: Final[dict[str, Any]] = {"cpu": "200000", "memory": "1Pi", "parallelism": 3}
LINES: Final = """\
* spec.cpu.value: '200000' is not allowed: a number of CPU cores of at most 100000, such as "0.5" or "20"
* spec.memory.value: '1Pi' is not allowed: an amount of memory of at most 64Ti, such as 500M or 80Gi
* spec.parallelism.value: 3 is not allowed: at most spec.completions, which is 1: there is no work for more pods at a \
time
"""


def workload(namespace: str, name: str = "bad", **parameters: object) -> dict[str, Any]:
    spec = {key: {"value": value} for key, value in {"image": "x", **parameters}.items()}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "run.ai/v2alpha1", "kind": "TrainingWorkload", "metadata": metadata, "spec": spec}


def refusal(arena: Arena, namespace: str, name: str = "bad", **parameters: object) -> str:
    """What the API server says to a workload that it must not take; empty if it takes it."""
    path = f"{WORKLOADS}/namespaces/{namespace}/trainingworkloads?dryRun=All"
    try:
        arena.lab.api.call("POST", path, workload(namespace, name, **parameters))
    except ApiError as problem:
        if (problem.status, problem.reason) != (422, "Invalid"):
            raise
        return str(problem)
    return ""


def known_project(plane: Plane, arena: Arena) -> str:
    """Make a project that the webhooks have heard of, whichever is asked; returns its namespace."""
    namespace = arena.project("a", deserved=1)
    good = workload(namespace, "good", gpu="1")
    for webhook in plane.webhooks:
        arena.until(lambda webhook=webhook: not warnings(webhook, good), f"{webhook.name} to know the project")
    return namespace


def warnings(webhook: platform.WebhookProcess, manifest: dict[str, Any]) -> list[str]:
    """What one of the webhooks warns of when somebody makes an object, asked as the API server asks it."""
    group, _, version = manifest["apiVersion"].rpartition("/")
    request = {
        "uid": "asked-by-a-test",
        "kind": {"group": group, "version": version, "kind": manifest["kind"]},
        "name": manifest["metadata"]["name"],
        "namespace": manifest["metadata"].get("namespace", ""),
        "operation": "CREATE",
        "userInfo": {"username": "ann", "groups": ["system:authenticated"]},
        "object": manifest,
        "dryRun": True,
    }
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    url = f"https://127.0.0.1:{webhook.https_port}/validate"
    asked = urllib.request.Request(url, json.dumps(review).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=60, context=context) as answer:
        return json.load(answer)["response"].get("warnings", [])


def test_kubectl_shows_everything_that_is_wrong_with_a_workload_a_line_each(plane: Plane, arena: Arena) -> None:
    namespace = known_project(plane, arena)
    for command in ("apply", "create"):
        code, says = plane.kubectl(command, "-f", "-", manifest=workload(namespace, **WRONG))
        assert code == 1
        assert says == f'The TrainingWorkload "bad" is invalid: \n{LINES}'
    assert arena.workload(namespace, "bad") == {}


def test_what_is_right_is_taken_in_silence(plane: Plane, arena: Arena) -> None:
    namespace = known_project(plane, arena)
    assert plane.kubectl("apply", "-f", "-", manifest=workload(namespace, "good", gpu="1")) == (0, "")


def test_what_is_taken_while_the_webhook_is_away_is_refused_by_the_operator_in_the_same_words(
    plane: Plane, arena: Arena
) -> None:
    namespace = arena.project("a", deserved=1)
    before = arena.until(lambda: refusal(arena, namespace, **WRONG), "the webhook to refuse it")
    for webhook in plane.webhooks:
        webhook.kill()
    code, _ = plane.kubectl("apply", "-f", "-", manifest=workload(namespace, **WRONG))
    assert code == 0
    status = arena.until_reason(namespace, "bad", "InvalidSpec")
    [condition] = status["conditions"]
    assert (condition["type"], condition["status"]) == ("Failed", "True")
    assert condition["message"] == status["phaseMessage"]
    assert before.endswith(f'admission webhook "workloads.aliquot.dev" denied the request: {status["phaseMessage"]}')
    plane.start()
    arena.until(lambda: refusal(arena, namespace, "another", **WRONG), "it to be refused again")


def test_a_workload_that_was_taken_can_be_suspended_and_deleted_though_it_is_wrong(plane: Plane, arena: Arena) -> None:
    namespace = arena.project("a", deserved=1)
    for webhook in plane.webhooks:
        webhook.kill()
    plane.kubectl("apply", "-f", "-", manifest=workload(namespace, gpuLimit="0.8"))
    plane.start()
    arena.until(lambda: refusal(arena, namespace, "another", gpuLimit="0.8"), "the webhook to be asked again")
    path = f"{WORKLOADS}/namespaces/{namespace}/trainingworkloads/bad"
    arena.patch(path, {"spec": {"active": {"value": False}}})
    with pytest.raises(ApiError, match=r"spec\.parallelism\.value: 2 is not allowed"):
        arena.patch(path, {"spec": {"parallelism": {"value": 2}}})
    arena.delete(path)
    arena.until(lambda: not arena.workload(namespace, "bad"), "it to go")


def test_nobody_waits_but_who_writes_what_is_ours(plane: Plane, arena: Arena) -> None:
    """A workload costs one question in all its life; pods are asked about only in a project's namespace."""
    arena.nodes(1, gpus=8)
    namespace, elsewhere = arena.project("a", deserved=8), arena.namespace("elsewhere")
    workloads, pods, projects = (plane.asked(kind) for kind in ("TrainingWorkload", "Pod", "Project"))
    arena.submit(namespace, "job", job_name=None, duration="1s")
    arena.until_phase(namespace, "job", "Completed")
    path = f"{WORKLOADS}/namespaces/{namespace}/trainingworkloads/job"
    arena.patch(path, {"metadata": {"annotations": {"note": "x"}, "finalizers": ["lab.aliquot.dev/kept"]}})
    arena.delete(path)
    arena.patch(path, {"metadata": {"finalizers": None}})
    arena.pod(namespace, "plain", schedulerName="default-scheduler")
    arena.pod(elsewhere, "ours-elsewhere", metadata={"annotations": {"gpu-fraction": "lots"}})
    arena.patch(f"{PROJECTS}/{arena.name}-a", {"metadata": {"annotations": {"note": "x"}}})
    assert (plane.asked("TrainingWorkload"), plane.asked("Pod")) == (workloads + 1, pods)
    assert plane.asked("Project") == projects
    with pytest.raises(ApiError, match="gpu-fraction is 'lots'"):
        arena.pod(namespace, "ours", metadata={"annotations": {"gpu-fraction": "lots"}})
    assert plane.asked("Pod") == pods + 1, "this one counts: so would the others have"


def test_others_do_not_notice_that_the_webhook_is_away(plane: Plane, arena: Arena) -> None:
    elsewhere = arena.namespace("elsewhere")
    for webhook in plane.webhooks:
        webhook.kill()
    arena.pod(elsewhere, "plain", schedulerName="default-scheduler")
    arena.lab.kubectl("create", "configmap", "any", "-n", elsewhere)
    metrics = arena.lab.kubectl("get", "--raw", "/metrics")
    assert 'apiserver_admission_webhook_fail_open_count{name="pods.aliquot.dev"' not in metrics


KINDS: Final = ("Training", "Interactive", "Inference", "Distributed")


@pytest.mark.parametrize("kind", KINDS)
def test_workloads_of_every_kind_are_held_to_their_policy_and_told_everything_at_once(
    plane: Plane, arena: Arena, kind: str
) -> None:
    namespace = arena.project("a", deserved=1)
    there = f"{WORKLOADS}/namespaces/{namespace}/{kind.lower()}"
    base = {"apiVersion": "run.ai/v2alpha1"}
    limits = {**base, "kind": f"{kind}Policy", "metadata": {"name": "limits"}}
    with pytest.raises(ApiError, match=r"spec\.gpu\.rules: .* is not allowed: min must be no greater than max"):
        arena.lab.api.call("POST", f"{there}policies", {**limits, "spec": {"gpu": {"rules": {"min": "2", "max": "1"}}}})
    arena.lab.api.call("POST", f"{there}policies", {**limits, "spec": {"gpu": {"rules": {"max": "1"}}}})
    defaults = {"usage": "Template", "gpu": {"value": "4"}}
    body = {**base, "kind": f"{kind}Workload"}
    arena.lab.api.call("POST", f"{there}workloads", {**body, "metadata": {"name": "defaults"}, "spec": defaults})
    spec = {"baseWorkload": "defaults", "cpu": {"value": "200000"}}
    mine = {**body, "metadata": {"name": "mine", "namespace": namespace}, "spec": spec}
    says = ""

    def told() -> bool:
        nonlocal says
        _, says = plane.kubectl("create", "--dry-run=server", "-f", "-", manifest=mine)
        return "gpu: must be no greater than 1" in says

    arena.until(told, "the webhooks to know the policy and the template")
    lines = {line.removeprefix("* ").partition(":")[0] for line in says.splitlines()[1:]}
    assert {"gpu", "spec.cpu.value", "spec.image.value"} <= lines


def test_s20_the_command_line_tells_everything_that_a_policy_refuses(arena: Arena, tmp_path: Path) -> None:
    namespace = arena.project("a", deserved=1)
    rules = {"gpu": {"rules": {"required": True, "min": "1", "max": "4"}}, "memory": {"rules": {"max": "2G"}}}
    policy = {"apiVersion": "run.ai/v2alpha1", "kind": "InteractivePolicy", "metadata": {"name": "p"}, "spec": rules}
    arena.make(f"{WORKLOADS}/namespaces/{namespace}/interactivepolicies", policy)
    env = {"KUBECONFIG": str(arena.lab.kubeconfig), "HOME": str(tmp_path), "XDG_CONFIG_HOME": None}
    words = ("submit", "-i", "ubuntu", "--gpu", "5", "--memory", "3G", "--interactive", "-p", f"{arena.name}-a")
    says = ""

    def refused() -> bool:
        nonlocal says
        with own_logging():
            done = CliRunner(env=env).invoke(app, [*words])
        says = done.stderr
        return done.exit_code == 1 and "must be no greater than" in says

    arena.until(refused, "the webhooks to know the policy")
    assert says.startswith(f"aliquot: refused (project {arena.name}-a): ")
    assert "gpu: must be no greater than 4" in says
    assert "memory: must be no greater than 2G" in says


def test_a_change_of_a_master_alone_is_a_question_too(plane: Plane, arena: Arena) -> None:
    namespace = arena.project("a", deserved=1)
    path = f"{WORKLOADS}/namespaces/{namespace}/distributedworkloads"
    body = {"apiVersion": "run.ai/v2alpha1", "kind": "DistributedWorkload", "metadata": {"name": "base"}}
    arena.lab.api.call("POST", path, {**body, "spec": {"usage": "Template"}, "masterSpec": {"cpu": {"value": "1"}}})
    before = plane.asked("DistributedWorkload")
    arena.patch(f"{path}/base", {"masterSpec": {"cpu": {"value": "2"}}})
    assert plane.asked("DistributedWorkload") == before + 1


TENANTS: Final = {
    "a node pool with the label of another": (
        POOLS,
        {"apiVersion": "run.ai/v1alpha1", "kind": "NodePool", "spec": {"labelKey": "lab.aliquot.dev/test"}},
        r"Node pool \S+ has the label lab.aliquot.dev/test=\S+ already",
    ),
    "an access rule for a role that there is not": (
        "/apis/run.ai/v1alpha1/accessrules",
        {
            "apiVersion": "run.ai/v1alpha1",
            "kind": "AccessRule",
            "spec": {"subjectId": "ada@example.com", "roleName": "King", "scopeType": "cluster"},
        },
        "spec.roleName: 'King' is not allowed: one of the roles",
    ),
    "a RunaiConfig with a wrong value": (
        "/apis/run.ai/v1/namespaces/runai/runaiconfigs",
        {
            "apiVersion": "run.ai/v1",
            "kind": "RunaiConfig",
            "metadata": {"name": "runai"},
            "spec": {"global": {"nodeAffinity": {"restrictScheduling": "yes"}}},
        },
        "spec.global.nodeAffinity.restrictScheduling: 'yes' is not allowed: true or false",
    ),
    "a project in a namespace of the system": (
        PROJECTS,
        {"apiVersion": "run.ai/v2", "kind": "Project", "spec": {"deservedGpus": 1, "namespace": "kube-system"}},
        "Namespace kube-system belongs to the system: choose another one in spec.namespace",
    ),
}


@pytest.mark.parametrize(("path", "manifest", "says"), TENANTS.values(), ids=TENANTS)
def test_what_can_never_become_right_is_refused(path: str, manifest: dict[str, Any], says: str, arena: Arena) -> None:
    manifest = {"metadata": {"name": f"{arena.name}-x"}, **manifest}
    if manifest["kind"] == "NodePool":
        manifest["spec"] = {**manifest["spec"], "labelValue": arena.name}

    def refused() -> bool:
        try:
            arena.lab.api.call("POST", f"{path}?dryRun=All", manifest)
        except ApiError as problem:
            return bool(re.search(says, str(problem)))
        return False

    # The webhook hears of the arena's node pool by and by.
    arena.until(refused, f"it to be refused because of {says}")


def test_what_may_still_become_right_is_warned_of(plane: Plane, arena: Arena) -> None:
    spec = {"deservedGpus": 1, "department": f"{arena.name}-later"}
    project = {"apiVersion": "run.ai/v2", "kind": "Project", "metadata": {"name": f"{arena.name}-a"}, "spec": spec}
    code, says = plane.kubectl("create", "--dry-run=server", "-f", "-", manifest=project)
    assert code == 0
    assert says.startswith(f"Warning: Department {arena.name}-later does not exist")
    elsewhere = arena.namespace("elsewhere")
    good = workload(elsewhere, "good")
    warning = f"the namespace {elsewhere} belongs to no project"
    for webhook in plane.webhooks:
        arena.until(
            lambda webhook=webhook: any(each.startswith(warning) for each in warnings(webhook, good)),
            f"{webhook.name} to know the namespace",
        )
    code, says = plane.kubectl("apply", "-f", "-", manifest=good)
    assert code == 0
    assert says.startswith(f"Warning: {warning}")


def test_the_clusters_runaiconfig_is_known_to_it(plane: Plane, arena: Arena) -> None:
    configs = "/apis/run.ai/v1/namespaces/runai/runaiconfigs"
    spec = {"project-controller": {"createNamespaces": False}}
    config = {"apiVersion": "run.ai/v1", "kind": "RunaiConfig", "metadata": {"name": "runai"}, "spec": spec}
    queues = [{"name": "own", "nodepool": arena.name, "resources": {"gpu": {"deserved": 1}}}]
    project = {
        "apiVersion": "run.ai/v2",
        "kind": "Project",
        "metadata": {"name": arena.name},
        "spec": {"queues": queues},
    }

    def warned() -> bool:
        code, said = plane.kubectl("create", "--dry-run=server", "-f", "-", manifest=project)
        assert code == 0, said
        return f"kubectl label namespace runai-{arena.name} runai/queue={arena.name}" in said

    assert not warned()
    plane.lab.api.call("POST", configs, config)
    try:
        assert eventually(warned, seconds=120), "it never heard of the RunaiConfig"
    finally:
        plane.lab.api.call("DELETE", f"{configs}/runai")
    assert eventually(lambda: not warned(), seconds=120), "it never heard that the RunaiConfig is gone"


def test_an_unknown_field_is_pruned_with_kubernetes_own_warning(plane: Plane, arena: Arena) -> None:
    namespace = known_project(plane, arena)
    manifest = workload(namespace, "typo", gpus="1")
    manifest["spec"]["ports"] = {"items": {"ui": {"value": {"container": 80, "service": "NodePort"}, "delete": True}}}
    code, says = plane.kubectl("create", "--dry-run=server", "--validate=warn", "-f", "-", manifest=manifest)
    fields = ("spec.gpus", "spec.ports.items.ui.delete", "spec.ports.items.ui.value.service")
    assert says.splitlines()[:3] == [f'Warning: unknown field "{field}"' for field in fields]
    del manifest["spec"]["ports"]
    code, says = plane.kubectl("create", "--validate=warn", "-f", "-", manifest=manifest)
    assert (code, says.strip()) == (0, 'Warning: unknown field "spec.gpus"')
    assert "gpus" not in arena.workload(namespace, "typo")["spec"]


def stored(arena: Arena) -> Credentials:
    found = read(arena.get(SECRET)["data"])
    assert found is not None
    return found


def bundles(arena: Arena) -> set[bytes]:
    """What the API server trusts."""
    return {b64decode(entry["clientConfig"].get("caBundle", "")) for entry in arena.get(CONFIGURATION)["webhooks"]}


def ends(webhook: platform.WebhookProcess) -> float:
    """When the certificate ends that a webhook shows."""
    [value] = re.findall(
        r"^aliquot_webhook_certificate_expiry_timestamp_seconds (\S+)$", webhook.probe("metrics")[1], re.MULTILINE
    )
    return float(value)


def test_two_that_start_together_show_one_certificate(plane: Plane, arena: Arena) -> None:
    for webhook in plane.webhooks:
        webhook.kill()
    arena.patch(SECRET, {"data": None})
    plane.start()
    made = stored(arena)
    arena.until(lambda: {ends(webhook) for webhook in plane.webhooks} == {made.expires}, "both to show it")
    arena.until(lambda: bundles(arena) == {made.authorities}, "the API server to trust it")
    logs = "".join(webhook.log() for webhook in plane.webhooks)
    times = [json.loads(line)["why"] for line in logs.splitlines() if '"made a certificate"' in line]
    assert times.count("there is none") == 2, "once at the beginning, once now"


def test_of_two_one_may_die(plane: Plane, arena: Arena) -> None:
    namespace = arena.project("a", deserved=1)
    for webhook in plane.webhooks:
        plane.start()
        webhook.kill()
        arena.until(lambda: refusal(arena, namespace, gpuLimit="0.8"), "the other one to refuse")
        assert all(refusal(arena, namespace, gpuLimit="0.8") for _ in range(10))


def test_while_the_certificate_is_renewed_everything_wrong_is_refused(plane: Plane, arena: Arena) -> None:
    namespace = arena.project("a", deserved=1)
    shown = stored(arena)
    due = issue(shown.host_names, time.time() - 70 * DAY, 90, shown.authorities)
    arena.patch(SECRET, {"data": due.data()})
    taken: list[int] = []
    attempts = 0

    def renewed() -> bool:
        nonlocal attempts
        attempts += 1
        if not refusal(arena, namespace, gpuLimit="0.8"):
            taken.append(attempts)
        found = {ends(webhook) for webhook in plane.webhooks}
        return found == {stored(arena).expires} and found.isdisjoint({shown.expires, due.expires})

    arena.until(renewed, "both to show a new certificate")
    assert taken == [], f"of {attempts} attempts"
    assert shown.authorities in stored(arena).authorities
    arena.until(lambda: bundles(arena) == {stored(arena).authorities}, "the API server to trust both authorities")


def test_an_upgrade_of_the_chart_leaves_the_certificate_in_place(plane: Plane, arena: Arena) -> None:
    before = stored(arena)
    arena.until(lambda: bundles(arena) == {before.authorities}, "the API server to trust it")
    [url] = {entry["clientConfig"]["url"] for entry in arena.get(CONFIGURATION)["webhooks"]}
    platform.install(arena.lab, f"webhook.url={url}", "webhook.timeoutSeconds=29")
    assert {entry["timeoutSeconds"] for entry in arena.get(CONFIGURATION)["webhooks"]} == {29}
    assert stored(arena) == before
    assert bundles(arena) == {before.authorities}


def test_what_the_api_server_trusts_is_put_right(plane: Plane, arena: Arena) -> None:
    wanted = stored(arena).authorities
    webhooks = arena.get(CONFIGURATION)["webhooks"]
    for entry in webhooks:
        del entry["clientConfig"]["caBundle"]
    arena.lab.api.call("PATCH", CONFIGURATION, {"webhooks": webhooks}, content_type=MERGE)
    arena.until(lambda: bundles(arena) == {wanted}, "the API server to be told again whom to trust")
