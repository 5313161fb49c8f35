"""Real nodes: kubelets whose pods run, whose power fails, and which leave nothing behind."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
import textwrap
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from aliquot_lab import Cluster, LabError, Options, RealNode, cgroups, dedicated, directories, real_nodes
from aliquot_lab.api import ApiError
from aliquot_lab.certificates import Authority
from aliquot_lab.nodes import fleet, images, programs, python_image
from aliquot_lab.nodes.images import BUSYBOX, Image
from aliquot_lab.nodes.network import API_ADDRESS, API_PORT, Addresses, Switch
from aliquot_lab.processes import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("real-nodes")]
SECONDS = 240.0
PODS = "/api/v1/namespaces/default/pods"
Document = dict[str, Any]


@pytest.fixture(scope="module")
def cluster(real_nodes_here: None) -> Generator[Cluster]:
    with dedicated(Options(node_grace=20, pod_webhooks=True), nodes=1) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def nodes(cluster: Cluster) -> Generator[list[RealNode]]:
    with real_nodes(cluster, 2, labels={"lab.aliquot.dev/kind": "real"}) as nodes:
        yield nodes


@pytest.fixture(scope="module")
def python(nodes: list[RealNode], tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image with the Python of the tests and one package, on the first node."""
    tag = "localhost/test/python:1"
    archive = tmp_path_factory.mktemp("image") / "python.tar"
    nodes[0].load_image(python_image.write(archive, tag, ["orjson"], busybox=Path(programs.find().busybox)))
    return tag


def until_ready(cluster: Cluster, *names: str) -> None:
    """Wait until nodes are Ready: one that gets no turn for a while is taken to be lost, and comes back."""
    assert eventually(lambda: cluster.ready_nodes() >= {*names}, seconds=SECONDS), cluster.ready_nodes()


def get(cluster: Cluster, name: str) -> Document:
    return cluster.api.call("GET", f"{PODS}/{name}")


def container(pod: Document) -> Document:
    return pod["status"].get("containerStatuses", [{}])[0]


def run(
    cluster: Cluster, name: str, node: RealNode, script: str = "exec sleep 100000", *, image: str = BUSYBOX
) -> None:
    """Run a pod on a node, past the scheduler, and wait until its container runs."""
    main = {
        "name": "main",
        "image": image,
        "imagePullPolicy": "Never",
        "command": ["sh", "-c", script],
        "env": [{"name": "DEVICES", "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['devices']"}}}],
    }
    spec = {"nodeName": node.name, "terminationGracePeriodSeconds": 1, "containers": [main]}
    metadata = {"name": name, "annotations": {"devices": f"GPU-of-{name}"}}
    if cluster.api.answers(f"{PODS}/{name}"):  # an earlier try of the same test has left it
        cluster.api.call("DELETE", f"{PODS}/{name}?gracePeriodSeconds=0")
    cluster.api.call("POST", PODS, {"metadata": metadata, "spec": spec})
    running = eventually(lambda: "running" in container(get(cluster, name)).get("state", {}), seconds=SECONDS)
    assert running, f"{get(cluster, name)['status']}\n{node.logs()}"


def logs(cluster: Cluster, name: str, wanted: str) -> str:
    """What a pod has said, once it has said what is wanted."""
    said = ""

    def heard() -> bool:
        nonlocal said
        try:
            said = cluster.kubectl("logs", name)
        except LabError as problem:  # a kubelet that starts answers before it knows its pods
            said = str(problem)
        return wanted in said

    assert eventually(heard, seconds=SECONDS), said
    return said


def everything_of(directory: Path) -> list[str]:
    """Processes, mounts and control groups of a lab's nodes."""
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if str(directory) in line]
    groups = [str(path) for path in cgroups.ROOT.glob(f"*/{cgroups.group(directory)}")]
    return [*mounts, *groups, *(f"process {pid}" for pid in directories.marked(directory))]


def test_real_nodes_are_ready_beside_hollow_ones(cluster: Cluster, nodes: list[RealNode]) -> None:
    assert [node.name for node in nodes] == ["real-0", "real-1"]
    until_ready(cluster, "node-0", "real-0", "real-1")
    for node in nodes:
        document = cluster.api.call("GET", f"/api/v1/nodes/{node.name}")
        assert {"type": "InternalIP", "address": node.ip} in document["status"]["addresses"]
        assert document["metadata"]["labels"]["lab.aliquot.dev/kind"] == "real"
        assert (node.device_plugins / "kubelet.sock").is_socket()
        assert node.pod_resources.is_socket()
    assert [node.name for node in fleet.existing(cluster)] == ["real-0", "real-1"]


def test_what_a_container_sees_can_be_read(cluster: Cluster, nodes: list[RealNode]) -> None:
    run(cluster, "seen", nodes[0], "env; exec sleep 100000")
    assert "DEVICES=GPU-of-seen" in logs(cluster, "seen", "DEVICES")
    assert cluster.kubectl("exec", "seen", "--", "sh", "-c", "echo $DEVICES") == "GPU-of-seen\n"


def test_pods_reach_the_api_server_each_other_and_this_machine(cluster: Cluster, nodes: list[RealNode]) -> None:
    with socket.create_server((nodes[1].machine_ip, 0)) as server:
        server.settimeout(SECONDS)
        port = server.getsockname()[1]
        run(cluster, "here", nodes[0], "while :; do echo hello from here | nc -l -p 8080; done")
        run(cluster, "there", nodes[1], f"while :; do echo hello | nc -w 5 {nodes[1].machine_ip} {port}; sleep 1; done")
        connection, _ = server.accept()
        with connection, connection.makefile() as lines:
            assert lines.readline() == "hello\n"
    here = get(cluster, "here")["status"]["podIP"]

    def from_there(address: str, port: int) -> str:
        script = f"nc -w 5 {address} {port} </dev/null && echo answers || true"
        return cluster.kubectl("exec", "there", "--", "sh", "-c", script)

    assert from_there(API_ADDRESS, API_PORT) == "answers\n"
    # What listens does so a moment after its container runs, and for one at a time.
    assert eventually(lambda: "hello from here" in from_there(here, 8080), seconds=SECONDS)
    with socket.create_connection((here, 8080), timeout=SECONDS) as connection, connection.makefile() as lines:
        assert lines.readline() == "hello from here\n"


def test_a_node_without_power_is_lost_and_comes_back_with_its_pods(cluster: Cluster, nodes: list[RealNode]) -> None:
    node = nodes[1]
    run(cluster, "survivor", node)
    (node.run / "in-memory").touch()
    (node.folder / "on-disk").touch()
    node.power_off()
    assert not node.powered
    assert not members(cluster.directory, node)
    assert eventually(lambda: node.name not in cluster.ready_nodes(), seconds=SECONDS)
    node.power_on()
    node.wait_ready()
    assert (node.folder / "on-disk").exists()
    assert not (node.run / "in-memory").exists()

    def runs_again() -> bool:
        status = container(get(cluster, "survivor"))
        return "running" in status["state"] and status["restartCount"] == 1

    assert eventually(runs_again, seconds=SECONDS), get(cluster, "survivor")["status"]


def members(directory: Path, node: RealNode) -> list[int]:
    """The processes of a node, by its control groups."""
    files = (cgroups.ROOT / "memory" / cgroups.group(directory) / node.name).glob("**/cgroup.procs")
    return [pid for file in files for pid in cgroups.members(file.parent)]


def test_a_restart_of_the_kubelet_leaves_its_containers_alone(cluster: Cluster, nodes: list[RealNode]) -> None:
    node = nodes[0]
    run(cluster, "unmoved", node)
    before, kubelet = container(get(cluster, "unmoved")), node.pid("kubelet")
    node.stop_kubelet()
    try:
        assert node.pid("kubelet") is None
        assert "sleep 100000" in commands(cluster.directory, node)
    finally:
        node.start_kubelet()
    assert node.pid("kubelet") not in (None, kubelet)

    def answers() -> bool:
        try:
            return cluster.kubectl("exec", "unmoved", "--", "echo", "still here") == "still here\n"
        except LabError:  # the kubelet answers before it knows its pods
            return False

    assert eventually(answers, seconds=SECONDS)
    after = container(get(cluster, "unmoved"))
    assert (after["containerID"], after["restartCount"]) == (before["containerID"], 0)


def commands(directory: Path, node: RealNode) -> set[str]:
    """The command lines of what runs on a node."""
    lines: set[str] = set()
    for pid in members(directory, node):
        with suppress(OSError):  # it has ended meanwhile
            lines.add(Path(f"/proc/{pid}/cmdline").read_bytes().decode().replace("\0", " ").strip())
    return lines


@pytest.mark.parametrize("program", ["kubelet", "containerd"])
def test_what_dies_on_a_node_is_started_again(cluster: Cluster, nodes: list[RealNode], program: str) -> None:
    pid = nodes[0].pid(program)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: nodes[0].pid(program) not in (None, pid), seconds=SECONDS)
    run(cluster, f"after-{program}", nodes[0])


def test_an_image_of_ones_own_runs(cluster: Cluster, nodes: list[RealNode], tmp_path: Path) -> None:
    file = tmp_path / "greeting"
    file.write_text("made without Docker\n")
    upper, base = tmp_path / "upper.tar", tmp_path / "base.tar"
    with tarfile.open(upper, "w") as tar:
        tar.add(file, arcname="greeting")
    with tarfile.open(nodes[0].folder / "images.tar") as tar:
        [name] = [name for name in tar.getnames() if name.endswith("/layer.tar")]
        packed = tar.extractfile(name)
        assert packed is not None
        base.write_bytes(packed.read())
    tag = "localhost/test/greeting:1"
    image = Image(tag, [base, upper], environment={"PATH": "/bin"})
    nodes[0].load_image(images.write(tmp_path / "image.tar", [image]))
    run(cluster, "greets", nodes[0], "cat /greeting; exec sleep 100000", image=tag)
    assert logs(cluster, "greets", "Docker") == "made without Docker\n"
    with pytest.raises(LabError, match="was not imported into real-0"):
        nodes[0].load_image(file)


REVIEWS = """
import http.server, json, ssl

class Review(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = {"uid": asked["request"]["uid"], "allowed": False, "status": {"message": "no, says a pod"}}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({**asked, "request": None, "response": answer}).encode())

server = http.server.HTTPServer(("", 8443), Review)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/keys/tls.crt", "/keys/tls.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


def test_the_api_server_asks_a_webhook_that_is_a_pod(
    cluster: Cluster, nodes: list[RealNode], python: str, tmp_path: Path
) -> None:
    authority = Authority.new("hook")
    authority.server("hook", hosts=["hook.default.svc"]).write(tmp_path, "tls")
    keys = [f"--{kind}={tmp_path / 'tls'}.{end}" for kind, end in (("cert", "crt"), ("key", "key"))]
    cluster.kubectl("create", "secret", "tls", "hook", *keys)
    cluster.kubectl("create", "service", "clusterip", "hook", "--tcp=443:8443")
    main = {"name": "main", "image": python, "imagePullPolicy": "Never", "args": ["-c", REVIEWS]}
    main |= {"volumeMounts": [{"name": "keys", "mountPath": "/keys"}]}
    volumes = [{"name": "keys", "secret": {"secretName": "hook"}}]
    spec = {"nodeName": nodes[0].name, "terminationGracePeriodSeconds": 1, "volumes": volumes, "containers": [main]}
    cluster.api.call("POST", PODS, {"metadata": {"name": "hook", "labels": {"app": "hook"}}, "spec": spec})
    bundle = base64.b64encode(authority.certificate).decode()
    webhook = {
        "name": "hook.test.aliquot.dev",
        "clientConfig": {"service": {"name": "hook", "namespace": "default"}, "caBundle": bundle},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}],
        "objectSelector": {"matchLabels": {"reviewed": "true"}},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Ignore",  # until it listens
    }
    path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    cluster.api.call("POST", path, {"metadata": {"name": "hook"}, "webhooks": [webhook]})
    reviewed = {"metadata": {"generateName": "x", "labels": {"reviewed": "true"}}}

    def refused() -> bool:
        try:
            cluster.api.call("POST", "/api/v1/namespaces/default/configmaps", reviewed)
        except ApiError as problem:
            return "no, says a pod" in str(problem)
        return False

    assert eventually(refused, seconds=SECONDS, interval=0.2), nodes[0].logs()


ASKS = """
import json, orjson, os, ssl, sys, urllib.request
account = "/var/run/secrets/kubernetes.io/serviceaccount"
headers = {"Authorization": "Bearer " + open(account + "/token").read()}
server = "https://" + os.environ["KUBERNETES_SERVICE_HOST"]
question = urllib.request.Request(server + "/api/v1/namespaces/default/pods/asks", headers=headers)
with urllib.request.urlopen(question, context=ssl.create_default_context(cafile=account + "/ca.crt")) as answer:
    print(os.getuid(), orjson.loads(answer.read())["metadata"]["name"], sys.version)
"""


def test_the_python_of_the_tests_runs_in_a_container_without_rights(
    cluster: Cluster, nodes: list[RealNode], python: str
) -> None:
    cluster.kubectl("create", "clusterrolebinding", "sees", "--clusterrole=view", "--serviceaccount=default:default")
    secure = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    main = {
        "name": "main",
        "image": python,
        "imagePullPolicy": "Never",
        "args": ["-c", ASKS],
        "securityContext": secure,
    }
    spec = {
        "nodeName": nodes[0].name,
        "restartPolicy": "OnFailure",  # the right to see pods may be there a moment later
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [main],
    }
    cluster.api.call("POST", PODS, {"metadata": {"name": "asks"}, "spec": spec})
    ended = eventually(lambda: get(cluster, "asks")["status"]["phase"] == "Succeeded", seconds=SECONDS)
    assert ended, cluster.kubectl("logs", "asks")
    assert cluster.kubectl("logs", "asks").split() == f"65532 asks {sys.version}".split()


def test_a_node_that_is_taken_away_leaves_nothing(cluster: Cluster, nodes: list[RealNode]) -> None:
    taint = {"key": "lab.aliquot.dev/reserved", "value": "yes", "effect": "NoSchedule"}
    with real_nodes(cluster, ["short"], taints=[taint]) as [node]:
        assert taint in cluster.api.call("GET", "/api/v1/nodes/short")["spec"]["taints"]
        run(cluster, "gone", node)
        assert members(cluster.directory, node)
        with pytest.raises(LabError, match="names real-0, short: there are real nodes"):
            fleet.add(cluster, ["short", "new", "real-0"])
    assert not node.folder.exists()
    # Neither mounts nor namespaces live without a process, and no control group goes before its last process.
    assert not list(cgroups.ROOT.glob(f"*/{cgroups.group(cluster.directory)}/short"))
    assert not cluster.api.answers("/api/v1/nodes/short")
    assert not cluster.api.answers(f"{PODS}/gone")
    until_ready(cluster, "real-0", "real-1")


OWNER = """
    import json, signal, sys
    from aliquot_lab import dedicated, real_nodes
    from aliquot_lab.nodes.network import Switch

    with dedicated() as cluster, real_nodes(cluster, 1) as [node]:
        pods = "/api/v1/namespaces/default/pods"
        main = {"name": "main", "image": "localhost/aliquot-lab/busybox:1", "imagePullPolicy": "Never",
                "command": ["sleep", "100000"]}
        spec = {"nodeName": node.name, "containers": [main]}
        cluster.api.call("POST", pods, {"metadata": {"name": "p"}, "spec": spec})
        while cluster.api.call("GET", pods + "/p")["status"]["phase"] != "Running":
            pass
        switch = Switch.read(cluster.directory)
        print(json.dumps([str(cluster.directory), cluster.supervisor, switch.addresses.number]), flush=True)
        signal.pause()
"""


@pytest.mark.crashes
@pytest.mark.parametrize("victim", ["owner", "supervisor"])
def test_nothing_is_left_when_somebody_is_killed(cluster: Cluster, nodes: list[RealNode], victim: str) -> None:
    """The lab ends with its owner; what a killed supervisor could not remove is swept by the next lab."""
    owner = subprocess.Popen([sys.executable, "-c", textwrap.dedent(OWNER)], stdout=subprocess.PIPE)
    try:
        assert owner.stdout
        directory, supervisor, number = json.loads(owner.stdout.readline())
        addresses = Addresses(number)
        assert addresses.laid()
        ours = Switch.read(cluster.directory)
        assert ours
        assert number != ours.addresses.number
        assert everything_of(Path(directory))
        os.kill(owner.pid if victim == "owner" else supervisor, signal.SIGKILL)
        if victim == "supervisor":
            assert eventually(lambda: not directories.alive(Path(directory)), seconds=SECONDS)
            directories.sweep()
        assert eventually(lambda: not Path(directory).exists(), seconds=SECONDS)
        assert eventually(lambda: not everything_of(Path(directory)), seconds=SECONDS), everything_of(Path(directory))
        assert eventually(lambda: not addresses.laid(), seconds=SECONDS)
    finally:
        owner.kill()
        owner.communicate()
    until_ready(cluster, "real-0", "real-1")
