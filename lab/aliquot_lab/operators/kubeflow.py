"""The Kubeflow Training Operator in a lab: PyTorchJobs, TFJobs, XGBoostJobs, MPIJobs and the like."""

import base64
from dataclasses import dataclass
from typing import Any, Final

from aliquot_lab.binaries import Program, Progress
from aliquot_lab.certificates import write_secret
from aliquot_lab.cluster import Cluster
from aliquot_lab.operators import manifests
from aliquot_lab.operators.modules import Edit, Module, ensure
from aliquot_lab.operators.process import web_answer
from aliquot_lab.ports import HOST, free_ports
from aliquot_lab.waiting import wait_for

NAME: Final = "training-operator"
NAMESPACE: Final = "kubeflow"
MODULE: Final = Module(
    path="github.com/kubeflow/training-operator",
    version="v1.8.1",
    manifests="manifests",
    programs=(Program(NAME, "github.com/kubeflow/training-operator/cmd/training-operator.v1", 95),),
    # Its webhook server reads its certificate below TMPDIR. Whether there is one yet it asks elsewhere, at a path that
    # all labs would share.
    edits=(
        Edit(
            "pkg/cert/cert.go",
            "CertDir:        certDir,",
            'CertDir:        os.TempDir() + "/k8s-webhook-server/serving-certs",',
        ),
    ),
)
_SECRET: Final = f"/api/v1/namespaces/{NAMESPACE}/secrets/training-operator-webhook-cert"


@dataclass(frozen=True)
class TrainingOperator:
    """A Training Operator that runs in a lab.

    Attributes:
        cluster: The lab.
        probes: The port at which it says how it is.
        objects: What was applied for it.
    """

    cluster: Cluster
    probes: int
    objects: tuple[manifests.Manifest, ...]

    def wait_ready(self) -> None:
        """Wait until it reconciles jobs, and its webhooks answer.

        Raises:
            LabError: it does not in time, or has ended.
        """
        wait_for(lambda: web_answer(self.probes, "/readyz") == "ok", f"{NAME} to be ready", self.cluster, NAME)

    def kill(self) -> None:
        """End it by SIGKILL; its webhooks are asked all the same."""
        self.cluster.stop(NAME, kill=True)

    def start(self) -> None:
        """Start it again and wait until it is ready."""
        self.cluster.start(NAME)
        self.wait_ready()

    def close(self) -> None:
        """End it; its kinds and their objects stay."""
        self.cluster.stop(NAME)
        manifests.forget_webhooks(self.cluster, self.objects)


def install(cluster: Cluster, progress: Progress | None = None) -> TrainingOperator:
    """Apply its manifests, run it with the rights that they give it, and wait until it is ready.

    Args:
        cluster: A lab on this machine: its API server has to reach the operator.
        progress: Told if it has to be built first.

    Raises:
        LabError: it cannot be built, was refused, or is not ready in time.
    """
    kept = ensure(MODULE, progress)
    webhook, probes = free_ports(2)
    overlay = kept.manifests(MODULE.name) / "overlays" / "standalone"
    rendered = manifests.parse(cluster.kubectl("kustomize", str(overlay)))
    wanted = [manifest for manifest in rendered if manifest["kind"] != "Deployment"]
    objects = manifests.served_here(wanted, NAME, webhook)
    manifests.apply(cluster, objects)
    home = cluster.directory / NAME
    arguments = [
        str(kept.program(NAME)),
        f"--webhook-server-port={webhook}",
        f"--health-probe-bind-address={HOST}:{probes}",
        "--metrics-bind-address=0",
    ]
    environment = {
        "KUBECONFIG": str(cluster.kubeconfig_for(NAME, NAMESPACE)),
        "MY_POD_NAMESPACE": NAMESPACE,
        "TMPDIR": str(home),
    }
    cluster.run(NAME, arguments, environment)
    operator = TrainingOperator(cluster, probes, tuple(objects))
    try:
        wait_for(lambda: "tls.key" in _certificate(cluster), f"the certificate of {NAME}", cluster, NAME)
        # As the kubelet would: mount the Secret that the operator fills.
        folder = home / "k8s-webhook-server" / "serving-certs"
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in sorted(_certificate(cluster).items(), reverse=True):
            write_secret(folder / file, base64.b64decode(content))
        operator.wait_ready()
    except BaseException:
        operator.close()
        raise
    return operator


def _certificate(cluster: Cluster) -> dict[str, str]:
    secret: dict[str, Any] = cluster.api.call("GET", _SECRET)
    return secret.get("data") or {}
