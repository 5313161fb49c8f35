"""The platform as its users run it: operator, webhook and agent are pods of the chart's image, on a real node.

Only what is NVIDIA's is not real: the device plugin, and the driver's library, which is put into the agent as the
container toolkit would.
"""

import json
import shutil
import urllib.request
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

from aliquot_lab import Cluster, Options, RealNode, dedicated, real_nodes
from aliquot_lab.api import ApiError
from aliquot_lab.nodes.images import BUSYBOX, PAUSE
from aliquot_lab.processes import eventually
from demo import image
from demo.fake_gpus import library, products, state
from demo.fake_gpus.model import GpuProcess
from demo.platform import NAMESPACE, RELEASE, install
from tests.nodes.gpu_node import GpuNode
from tests.support.arena import PATIENCE_SECONDS, Arena

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("platform-in-pods")]

GPUS: Final = 2
MIB: Final = 1 << 20
START_SECONDS: Final = 600
USED_MIB: Final = 20_000
DRIVER: Final = Path("/run/fake-nvml")
"""Where the driver's library and its state are, on the node and in the agent."""
COMPONENTS: Final = {"operator": "65532", "webhook": "65532", "agent": "0"}
"""What the chart runs, and as which user."""


@pytest.fixture(scope="module")
def cluster(real_nodes_here: None) -> Generator[Cluster]:
    with dedicated(Options(pod_webhooks=True), nodes=0) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def node(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Generator[RealNode]:
    """The node, with the image."""
    with real_nodes(cluster, 1, labels={"nvidia.com/gpu.memory": "81559"}) as (node,):
        archive = image.write(tmp_path_factory.mktemp("image") / "aliquot.tar")
        node.load_image(archive)
        archive.unlink()
        yield node


@pytest.fixture(scope="module")
def gpus(cluster: Cluster, node: RealNode) -> Generator[GpuNode]:
    """The node with GPUs: a device plugin, and a driver."""
    driver = node.run / DRIVER.name
    driver.mkdir()
    shutil.copy(library.ensure(), driver)
    state.write(driver / "state", products.node(node.name, GPUS))
    with GpuNode(cluster, node).running(GPUS) as gpus:
        yield gpus


@pytest.fixture(scope="module")
def platform(cluster: Cluster, gpus: GpuNode) -> Cluster:
    """The chart, with everything of it ready."""
    install(
        cluster,
        f"image.repository={image.REPOSITORY}",
        f"image.tag={image.TAG}",
        "image.pullPolicy=Never",
        f"settings.grants.reservationImage={PAUSE}",
        "agent.enabled=true",
        "replicas=1",
        "webhook.timeoutSeconds=30",
    )
    for component in ("operator", "webhook"):
        deployment = ("deployment", f"{RELEASE}-{component}", "-n", NAMESPACE)
        cluster.kubectl("rollout", "status", *deployment, f"--timeout={START_SECONDS}s")
    # What the container toolkit does: the driver's library, in containers that see GPUs. Then the node says that it has
    # some, and the agent comes.
    agent = {
        "name": "agent",
        "env": [{"name": "LD_LIBRARY_PATH", "value": str(DRIVER)}],
        "volumeMounts": [{"name": "driver", "mountPath": str(DRIVER), "readOnly": True}],
    }
    volume = {"name": "driver", "hostPath": {"path": str(DRIVER), "type": "Directory"}}
    patch = {"spec": {"template": {"spec": {"containers": [agent], "volumes": [volume]}}}}
    cluster.kubectl("patch", "daemonset", f"{RELEASE}-agent", "-n", NAMESPACE, "-p", json.dumps(patch))
    gpus.label({"nvidia.com/gpu.present": "true"})
    return cluster


@pytest.fixture
def arena(platform: Cluster, arena: Arena) -> Arena:
    """The one of all these tests, on the platform."""
    return arena


def ready(pod: dict[str, Any]) -> bool:
    conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", ())}
    return conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]


def pod_of(cluster: Cluster, component: str) -> dict[str, Any]:
    """The one pod of a component, once it is ready."""
    path = f"/api/v1/namespaces/{NAMESPACE}/pods?labelSelector=app.kubernetes.io/component={component}"
    found: list[dict[str, Any]] = []

    def there() -> bool:
        found[:] = [pod for pod in cluster.api.call("GET", path)["items"] if ready(pod)]
        return len(found) == 1

    assert eventually(there, seconds=PATIENCE_SECONDS), cluster.kubectl("describe", "pods", "-n", NAMESPACE)
    return found[0]


def inside(cluster: Cluster, component: str, script: str) -> str:
    """What a shell in a component's container says."""
    name = pod_of(cluster, component)["metadata"]["name"]
    return cluster.kubectl("exec", "-n", NAMESPACE, name, "--", "sh", "-c", script).strip()


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_runs_without_rights_on_its_node(component: str, platform: Cluster) -> None:
    script = """
    grep -h Uid: /proc/self/status | awk '{print $2}'
    grep -hE 'Cap(Eff|Prm|Bnd|Amb):' /proc/self/status | awk '{print $2}' | sort -u
    awk '/NoNewPrivs:|Seccomp:/ {print $2}' /proc/self/status
    touch /anything 2>/dev/null || echo read-only
    touch /tmp/something && echo /tmp
    """
    said = inside(platform, component, script).split()
    assert said == [COMPONENTS[component], "0" * 16, "1", "2", "read-only", "/tmp"]


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_has_an_account_and_a_network_policy_of_its_own(component: str, platform: Cluster) -> None:
    pod = pod_of(platform, component)
    assert pod["spec"]["serviceAccountName"] == f"{RELEASE}-{component}"
    policy = platform.api.call(
        "GET", f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/networkpolicies/{RELEASE}-{component}"
    )
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()


def test_the_api_server_asks_the_webhook(arena: Arena) -> None:
    namespace = arena.project("a", deserved=GPUS)
    wrong = {
        "apiVersion": "run.ai/v2alpha1",
        "kind": "TrainingWorkload",
        "metadata": {"name": "wrong"},
        "spec": {"image": {"value": "x"}, "gpu": {"value": "1"}, "parallelism": {"value": 3}},
    }
    said = ""

    def refused() -> bool:
        nonlocal said
        try:
            # Nobody asks before it has told the API server its certificate.
            arena.lab.api.call("POST", f"{arena.path(namespace)}?dryRun=All", wrong)
        except ApiError as problem:
            said = str(problem)
        return bool(said)

    arena.until(refused, "the webhook to be asked")
    assert "spec.parallelism.value: 3 is not allowed" in said


def test_half_a_gpu_is_given_and_its_use_told(arena: Arena, gpus: GpuNode) -> None:
    """From the workload to what Prometheus would read, with nothing in between but pods."""
    namespace = arena.project("a", deserved=GPUS)
    script = 'sh -c "trap exit TERM; echo $NVIDIA_VISIBLE_DEVICES; sleep 100000 & wait"'
    given: dict[str, Any] = {"imagePullPolicy": "Never", "command": script, "cpu": "0.01", "memory": "10Mi"}
    arena.submit(namespace, "half", gpu="0.5", image=BUSYBOX, **given)
    arena.until_running_pods(namespace, 1)
    [pod] = arena.running_pods(namespace)
    uuid, uid = pod["metadata"]["annotations"]["aliquot.dev/gpu-ids"], pod["metadata"]["uid"]
    logs = ("logs", "-n", namespace, pod["metadata"]["name"])
    arena.until(lambda: arena.lab.kubectl(*logs).strip() == uuid, "its container to see the card that it was given")
    # What the driver would say: a process, by its id on the node, has memory of that card.
    pids = inside(arena.lab, "agent", f"grep -l {uid} /proc/[0-9]*/cgroup || true").split()
    pid = int(pids[0].split("/")[2])
    cards = products.node(gpus.node.name, GPUS)
    process = GpuProcess(pid=pid, memory_used_mib=USED_MIB, sm_percent=40)
    state.write(gpus.node.run / DRIVER.name / "state", cards.with_gpu(gpus.uuids.index(uuid), processes=[process]))
    labels = {"namespace": namespace, "pod": pod["metadata"]["name"], "pod_uid": uid, "uuid": uuid}
    labels["node"] = gpus.node.name
    address = pod_of(arena.lab, "agent")["status"]["podIP"]

    def told(metric: str) -> float | None:
        with urllib.request.urlopen(f"http://{address}:9400/metrics", timeout=PATIENCE_SECONDS) as answer:
            families = text_string_to_metric_families(answer.read().decode())
        values = [
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == metric and labels.items() <= sample.labels.items()
        ]
        return values[0] if values else None

    arena.until(lambda: told("aliquot_pod_gpu_allocated_ratio") == 0.5, "the agent to tell what the pod was given")
    arena.until(lambda: told("aliquot_pod_gpu_memory_used_bytes") == USED_MIB * MIB, "the agent to tell what it uses")
