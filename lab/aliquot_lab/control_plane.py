"""The control plane of one lab: its certificates and the command lines of its processes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from aliquot_lab import audit
from aliquot_lab.binaries import Binaries
from aliquot_lab.certificates import Authority, KeyPair, signing_key, write_secret
from aliquot_lab.kubeconfig import Access, write
from aliquot_lab.ports import HOST, free_ports
from aliquot_lab.processes import ProcessSpec

AUTHENTICATION = "authentication.yaml"
SERVICES = "10.96.0.0/16"

ETCD = "etcd"
API_SERVER = "kube-apiserver"
HOLLOW_KUBELETS = "lab-hollow-kubelets"
CONTROLLER_MANAGER = "kube-controller-manager"
SCHEDULER = "kube-scheduler"


@dataclass(frozen=True)
class Options:
    """What kind of control plane.

    Attributes:
        fast: Client limits of controller manager and scheduler at 500 requests/s, the API server's at 2,000 and 1,000
            in flight: for performance tests. Functional tests keep the defaults, as these are what users have.
        audit: Record writes to pods, events and run.ai objects (see `audit.Record`).
        runtime_config: `--runtime-config` of the API server, e.g. `resource.k8s.io/v1beta1=true`.
        feature_gates: `--feature-gates` of API server, controller manager and scheduler.
        pod_webhooks: Let the API server call webhooks at the addresses of their Service's pods, on real nodes. Then it
            calls none by another name (`ExternalName`), as other people's operators in a lab need.
        node_grace: Seconds without a sign of life after which a node is lost; None is Kubernetes' own, 50.
    """

    fast: bool = False
    audit: bool = False
    runtime_config: str = ""
    feature_gates: str = ""
    pod_webhooks: bool = False
    node_grace: int | None = None

    def document(self) -> dict[str, object]:
        """As plain values."""
        return asdict(self)


def trust(directory: Path, issuers: Sequence[Mapping[str, object]]) -> None:
    """Write whose tokens the API server takes; one that runs reads it anew by itself.

    Args:
        directory: Of the lab.
        issuers: As `jwt` of Kubernetes' `AuthenticationConfiguration` has them.
    """
    kind = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration"}
    fresh = directory / f"{AUTHENTICATION}.new"
    fresh.write_bytes(orjson.dumps({**kind, "jwt": list(issuers)}))
    fresh.rename(directory / AUTHENTICATION)


class ControlPlane:
    """Certificates, kubeconfigs and command lines below a lab directory; starts nothing itself."""

    def __init__(self, directory: Path, binaries: Binaries, options: Options) -> None:
        self._directory = directory
        self._binaries = binaries
        self._options = options
        self._etcd_port, self._peer_port, self._api_port = free_ports(3)
        self.server = f"https://{HOST}:{self._api_port}"

    def prepare(self) -> Access:
        """Write certificates, kubeconfigs and policies; returns the administrator's access."""
        for folder in ("pki", "logs"):
            (self._directory / folder).mkdir(mode=0o700)
        pki = self._directory / "pki"
        authority = Authority.new("aliquot-lab")
        authority.keys.write(pki, "ca")  # its key, too, for real nodes that are added later
        authority.client("lab-kubelet-client", groups=("system:masters",)).write(pki, "kubelet-client")
        names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"]
        authority.server("kube-apiserver", hosts=[HOST, "10.96.0.1", "localhost", *names]).write(pki, "server")
        write_secret(pki / "service-accounts.key", signing_key())
        (self._directory / "audit-policy.yaml").write_text(audit.policy())
        trust(self._directory, ())

        def access(user: str, *groups: str) -> Access:
            client: KeyPair = authority.client(user, groups=groups)
            return Access(self.server, authority.certificate, client)

        administrator = access("lab-admin", "system:masters")
        write(self._directory / "kubeconfig", administrator, user="lab-admin")
        for name in (CONTROLLER_MANAGER, SCHEDULER):
            write(self._directory / f"{name}.kubeconfig", access(f"system:{name}"), user=name)
        hollow = access(HOLLOW_KUBELETS, "system:masters")
        write(self._directory / "kwok.kubeconfig", hollow, user=HOLLOW_KUBELETS)
        return administrator

    def etcd(self) -> ProcessSpec:
        """The store; it never syncs to disk, as a lab has nothing to lose."""
        clients, peers = f"http://{HOST}:{self._etcd_port}", f"http://{HOST}:{self._peer_port}"
        return self._spec(
            ETCD,
            f"--data-dir={self._directory / 'etcd'}",
            "--unsafe-no-fsync",
            f"--listen-client-urls={clients}",
            f"--advertise-client-urls={clients}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
            "--log-level=warn",
        )

    def api_server(self) -> ProcessSpec:
        """The API server, with the authorisers and admission that a cluster made by kubeadm has."""
        pki = self._directory / "pki"
        arguments = [
            f"--etcd-servers=http://{HOST}:{self._etcd_port}",
            f"--bind-address={HOST}",
            f"--advertise-address={HOST}",
            f"--secure-port={self._api_port}",
            f"--tls-cert-file={pki / 'server.crt'}",
            f"--tls-private-key-file={pki / 'server.key'}",
            f"--client-ca-file={pki / 'ca.crt'}",
            f"--authentication-config={self._directory / AUTHENTICATION}",
            f"--service-account-key-file={pki / 'service-accounts.key'}",
            f"--service-account-signing-key-file={pki / 'service-accounts.key'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-cluster-ip-range={SERVICES}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged",
            "--kubelet-preferred-address-types=InternalIP",
            f"--kubelet-client-certificate={pki / 'kubelet-client.crt'}",
            f"--kubelet-client-key={pki / 'kubelet-client.key'}",
            # A loopback address is no endpoint that pods could use, and would be refused.
            "--endpoint-reconciler-type=none",
        ]
        if self._options.runtime_config:
            arguments.append(f"--runtime-config={self._options.runtime_config}")
        if self._options.pod_webhooks:
            arguments.append("--enable-aggregator-routing")
        if self._options.fast:
            arguments += ["--max-requests-inflight=2000", "--max-mutating-requests-inflight=1000"]
        if self._options.audit:
            arguments += [
                f"--audit-policy-file={self._directory / 'audit-policy.yaml'}",
                f"--audit-log-path={self._directory / 'audit.log'}",
                "--audit-log-mode=blocking",
            ]
        return self._spec(API_SERVER, *arguments, *self._gates())

    def controller_manager(self) -> ProcessSpec:
        """The built-in controllers, each with its own ServiceAccount."""
        pki = self._directory / "pki"
        arguments = [
            f"--service-account-private-key-file={pki / 'service-accounts.key'}",
            f"--root-ca-file={pki / 'ca.crt'}",
            "--use-service-account-credentials",
        ]
        if self._options.fast:
            # Hollow nodes renew their leases rarely then (`hollow.configuration`).
            arguments += ["--node-monitor-grace-period=600s"]
        elif self._options.node_grace is not None:
            arguments += [f"--node-monitor-grace-period={self._options.node_grace}s", "--node-monitor-period=1s"]
        return self._client(CONTROLLER_MANAGER, *arguments)

    def scheduler(self) -> ProcessSpec:
        """The default scheduler."""
        return self._client(SCHEDULER)

    def _client(self, name: str, *arguments: str) -> ProcessSpec:
        kubeconfig = self._directory / f"{name}.kubeconfig"
        limits = ["--kube-api-qps=500", "--kube-api-burst=1000"] if self._options.fast else []
        common = [f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--secure-port=0"]
        return self._spec(name, *common, *arguments, *limits, *self._gates())

    def _gates(self) -> list[str]:
        return [f"--feature-gates={self._options.feature_gates}"] if self._options.feature_gates else []

    def _spec(self, name: str, *arguments: str) -> ProcessSpec:
        command = [str(self._binaries.path(name)), *arguments]
        return ProcessSpec(name, command, log=str(self._directory / "logs" / f"{name}.log"), grace=3.0)
