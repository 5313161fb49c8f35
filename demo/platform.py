"""The platform on a lab, as demo, tests and benchmarks run it: the real chart, and operators as supervised processes.

An operator runs as a process on this machine with the token of the chart's ServiceAccount, and with the very
environment that the chart gives its pods: a right or a setting that is missing in the chart is missing here too.
"""

import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aliquot_lab import Cluster, LabError, RealNode
from aliquot_lab.ports import free_ports
from aliquot_lab.processes import eventually
from demo.fake_gpus.state import VARIABLE

CHART = Path(__file__).parent.parent / "helm" / "aliquot"
NAMESPACE = "runai"
RELEASE = "aliquot"
SERVICE_ACCOUNT = "aliquot-operator"
WEBHOOK_ACCOUNT = "aliquot-webhook"
AGENT_ACCOUNT = "aliquot-agent"
AGENT = ("agent.enabled=true", r"agent.nodeSelector.nvidia\.com/gpu\.present=nowhere")
"""Values with which the chart gives the agent its rights, and no node one of its pods."""
OPERATOR = (sys.executable, "-m", "aliquot", "operator")
WEBHOOK = (sys.executable, "-m", "aliquot", "webhook")
_READY_SECONDS = 300.0
_GRACE_SECONDS = 30.0
_PROBE_SECONDS = 30.0
_ATTEMPTS = 5
_TOO_BUSY = "request did not complete within requested timeout"
"""What the API server says when it has taken more than 34 s; our definitions are large, and it compiles their rules."""


def install(cluster: Cluster, *values: str) -> None:
    """Install the chart, or upgrade it; unless a value says so the Deployments get no replicas: hollow nodes run none.

    The API server asks a webhook only where a value `webhook.url=https://127.0.0.1:PORT/validate` says where it is.

    Args:
        cluster: where.
        *values: as for `helm --set`.

    Raises:
        LabError: Helm or the API server refused it.
    """
    settings = [argument for value in ("replicas=0", *values) for argument in ("--set", value)]
    install_chart(cluster, "--namespace", NAMESPACE, "--create-namespace", *settings)
    if not eventually(lambda: definitions_are_served(cluster), seconds=_READY_SECONDS):
        message = "the API server does not serve the chart's custom resources"
        raise LabError(message)


def install_chart(cluster: Cluster, *options: str) -> None:
    """Have helm install the chart or upgrade it, again if the API server was too busy to take all of it.

    Raises:
        LabError: Helm or the API server refused it.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            cluster.helm("upgrade", RELEASE, str(CHART), "--install", *options)
        except LabError as problem:
            if attempt == _ATTEMPTS or _TOO_BUSY not in str(problem):
                raise
        else:
            return


def definitions_are_served(cluster: Cluster) -> bool:
    """Whether the API server serves every custom resource that is defined, and tells kubectl so, which takes longer."""
    definitions = cluster.api.call("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")["items"]
    return bool(definitions) and all(_established(one) and _discovered(cluster, one["spec"]) for one in definitions)


def _established(definition: dict[str, Any]) -> bool:
    return any(
        condition["type"] == "Established" and condition["status"] == "True"
        for condition in definition.get("status", {}).get("conditions") or ()
    )


def _discovered(cluster: Cluster, spec: dict[str, Any]) -> bool:
    for version in spec["versions"]:
        path = f"/apis/{spec['group']}/{version['name']}"
        served: list[dict[str, Any]] = cluster.api.call("GET", path)["resources"] if cluster.api.answers(path) else []
        if version["served"] and not any(each["name"] == spec["names"]["plural"] for each in served):
            return False
    return True


@dataclass
class OperatorProcess:
    """An operator under the supervision of a lab; made by `start_operator`.

    Attributes:
        cluster: the lab.
        name: its name among the lab's processes, and in the Lease.
        port: where it serves probes and metrics.
    """

    cluster: Cluster
    name: str
    port: int

    @property
    def pid(self) -> int | None:
        """Its process id; None while it does not run."""
        return self.cluster.processes().get(self.name)

    def wait_ready(self, seconds: float = _READY_SECONDS) -> None:
        """Wait until /readyz answers 200.

        Raises:
            LabError: it did not in time; the message has its last answer and the end of its log.
        """
        if not eventually(lambda: self.probe("readyz") == (200, "ok"), seconds=seconds):
            log = "\n".join(self.log().splitlines()[-20:])
            message = f"{self.name} is not ready after {seconds:.0f} s: {self.probe('readyz')}\n{log}"
            raise LabError(message)

    def probe(self, path: str) -> tuple[int, str]:
        """Status and text of a probe; (0, problem) when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", timeout=_PROBE_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def log(self) -> str:
        """All that it has said."""
        return self.cluster.log(self.name).read_text(errors="replace")

    def kill(self) -> None:
        """End it by SIGKILL."""
        self.cluster.stop(self.name, kill=True)

    def stop(self) -> None:
        """End it by SIGTERM."""
        self.cluster.stop(self.name)

    def start(self) -> None:
        """Start it again, if it does not run."""
        self.cluster.start(self.name)


@dataclass
class WebhookProcess(OperatorProcess):
    """A webhook under the supervision of a lab; made by `start_webhook`.

    Attributes:
        https_port: where it answers the API server.
    """

    https_port: int


def start_webhook(
    cluster: Cluster,
    name: str = "webhook",
    *,
    https_port: int | None = None,
    settings: Mapping[str, str] | None = None,
    wait: bool = True,
) -> WebhookProcess:
    """Start a webhook with the rights of the chart's ServiceAccount.

    Args:
        cluster: a lab on which the chart is installed with a `webhook.url`.
        name: unique in the lab.
        https_port: where it listens; None takes a free one.
        settings: further environment variables.
        wait: whether to wait until it answers.

    Raises:
        LabError: the ServiceAccount is missing, or it does not answer in time.
    """
    https_port = https_port or free_ports(1)[0]
    environment = {
        "ALIQUOT_WEBHOOK__HOST": "127.0.0.1",
        "ALIQUOT_WEBHOOK__HOST_NAME": "127.0.0.1",
        "ALIQUOT_WEBHOOK__PORT": str(https_port),
        **(settings or {}),
    }
    access = cluster.kubeconfig_for(WEBHOOK_ACCOUNT, NAMESPACE)
    port = _run(cluster, name, WEBHOOK, access, environment)
    webhook = WebhookProcess(cluster, name, port, https_port)
    if wait:
        webhook.wait_ready()
    return webhook


def start_operator(
    cluster: Cluster,
    name: str = "operator",
    *,
    settings: Mapping[str, str] | None = None,
    server: str | None = None,
    authority: bytes | None = None,
    wait: bool = True,
    program: Sequence[str] = OPERATOR,
) -> OperatorProcess:
    """Start an operator with the rights of the chart's ServiceAccount.

    Args:
        cluster: a lab on which the chart is installed.
        name: unique in the lab.
        settings: further environment variables, such as `{"ALIQUOT_LOG__LEVEL": "debug"}`.
        server: URL of a proxy before the API server.
        authority: PEM of the authority that signed the proxy's certificate.
        wait: whether to wait until it is ready.
        program: the command line.

    Raises:
        LabError: the ServiceAccount is missing, or the operator is not ready in time.
    """
    access = cluster.kubeconfig_for(SERVICE_ACCOUNT, NAMESPACE, server=server, authority=authority)
    operator = OperatorProcess(cluster, name, _run(cluster, name, program, access, settings or {}))
    if wait:
        operator.wait_ready()
    return operator


def start_agent(cluster: Cluster, node: RealNode, nvml: Path, state: Path, *, wait: bool = True) -> OperatorProcess:
    """Start an agent for a real node, with the rights of the chart's ServiceAccount.

    Args:
        cluster: a lab on which the chart is installed with `AGENT`.
        node: the node; processes are looked for on this machine, so its driver has to tell their ids there.
        nvml: the library in the place of NVIDIA's.
        state: the file that says to it which GPUs the node has.
        wait: whether to wait until it has read them.

    Raises:
        LabError: the ServiceAccount is missing, or the agent is not ready in time.
    """
    name, (port,) = f"agent-{node.name}", free_ports(1)
    environment = {
        "KUBECONFIG": str(cluster.kubeconfig_for(AGENT_ACCOUNT, NAMESPACE)),
        "LD_LIBRARY_PATH": str(nvml.parent),
        VARIABLE: str(state),
        "ALIQUOT_IDENTITY__NODE": node.name,
        "ALIQUOT_SOURCES__KUBELET_SOCKET": str(node.pod_resources),
        "ALIQUOT_SERVER__HOST": "127.0.0.1",
        "ALIQUOT_SERVER__PORT": str(port),
    }
    cluster.run(name, [sys.executable, "-m", "aliquot", "agent"], environment)
    agent = OperatorProcess(cluster, name, port)
    if wait:
        agent.wait_ready()
    return agent


def _run(cluster: Cluster, name: str, program: Sequence[str], kubeconfig: Path, settings: Mapping[str, str]) -> int:
    """Run one of the platform's processes; returns the port of its probes."""
    (port,) = free_ports(1)
    environment = {
        "KUBECONFIG": str(kubeconfig),
        "ALIQUOT_IDENTITY__NAME": name,
        "ALIQUOT_IDENTITY__NAMESPACE": NAMESPACE,
        "ALIQUOT_SERVER__HOST": "127.0.0.1",
        "ALIQUOT_SERVER__PORT": str(port),
        **settings,
    }
    cluster.run(name, list(program), environment, grace=_GRACE_SECONDS)
    return port
