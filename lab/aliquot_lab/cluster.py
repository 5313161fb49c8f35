"""The handle on a running lab."""

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import orjson

from aliquot_lab import audit, hollow
from aliquot_lab.api import Api, ApiError, Call
from aliquot_lab.control_plane import API_SERVER, trust
from aliquot_lab.errors import LabError
from aliquot_lab.hollow import NodeSpec
from aliquot_lab.kubeconfig import Access, read, write
from aliquot_lab.processes import ProcessSpec, eventually
from aliquot_lab.supervision import SupervisorClient

RECORD = "lab.json"
_READY_SECONDS = 300.0
_TOKEN_SECONDS = 7 * 24 * 3600


class Cluster:
    """A running lab, found by its directory; any number of processes may hold a handle on the same lab.

    Attributes:
        directory: Where everything of the lab is; gone when the lab ends.
        server: URL of the API server.
        kubeconfig: An administrator's kubeconfig file.
        access: The same, read.
        api: Plain requests as that administrator.
    """

    def __init__(self, directory: Path) -> None:
        """Open the lab in `directory`.

        Raises:
            LabError: there is no lab, or it is still starting.
        """
        try:
            record = cast("dict[str, Any]", orjson.loads((directory / RECORD).read_bytes()))
        except OSError as problem:
            message = f"there is no running lab in {directory}"
            raise LabError(message) from problem
        self.directory = directory
        self.kubeconfig = directory / "kubeconfig"
        self.server: str = record["server"]
        self.created: str = record["created"]
        self.access: Access = read(self.kubeconfig)
        self.api = Api(self.access)
        self._binaries: dict[str, str] = record["binaries"]
        self._options: dict[str, Any] = record["options"]
        self._supervisor = SupervisorClient(directory)

    # Commands

    def kubectl(self, *arguments: str, input: str | bytes | None = None) -> str:  # noqa: A002 - as subprocess.run names it
        """Run `kubectl` as the administrator and return its output.

        Args:
            *arguments: As on the command line.
            input: Given to its standard input (for `apply -f -`).

        Raises:
            LabError: it failed; the message has its error output.
        """
        return self._command("kubectl", arguments, input)

    def helm(self, *arguments: str, input: str | bytes | None = None) -> str:  # noqa: A002 - as above
        """Run `helm` as the administrator and return its output; errors as for `kubectl`."""
        return self._command("helm", arguments, input)

    def binary(self, name: str) -> Path:
        """The path of one of the lab's programs, e.g. `kubectl`."""
        return Path(self._binaries[name])

    def environment(self) -> dict[str, str]:
        """This process's environment with `KUBECONFIG` pointing at the lab and no proxy in between.

        What kubectl remembers of a server's kinds is the lab's own: another lab may have the same port next time.
        """
        proxies = {"http_proxy", "https_proxy", "all_proxy"}
        kept = {name: value for name, value in os.environ.items() if name.lower() not in proxies}
        return {**kept, "KUBECONFIG": str(self.kubeconfig), "KUBECACHEDIR": str(self.directory / "kubectl-cache")}

    def _command(self, program: str, arguments: Sequence[str], given: str | bytes | None) -> str:
        done = subprocess.run(
            [str(self.binary(program)), *arguments],
            input=given.encode() if isinstance(given, str) else given,
            stdin=subprocess.DEVNULL if given is None else None,
            env=self.environment(),
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            message = f"{program} {' '.join(arguments)}: exit code {done.returncode}:\n{done.stderr.decode().strip()}"
            raise LabError(message)
        return done.stdout.decode()

    def kubeconfig_for(
        self, service_account: str, namespace: str, *, server: str | None = None, authority: bytes | None = None
    ) -> Path:
        """A kubeconfig with a token of a ServiceAccount, so that a process runs with just the rights it was given.

        Args:
            service_account: Its name.
            namespace: Its namespace.
            server: URL to use in place of the API server's, such as a fault proxy's.
            authority: PEM of the authority that signed that server's certificate; None is the lab's own.

        Raises:
            ApiError: there is no such ServiceAccount.
        """
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}/token"
        # Nobody renews it, and a demo may be left up for longer than the usual hour.
        spec = {"expirationSeconds": _TOKEN_SECONDS}
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        token = self.api.call("POST", path, request)["status"]["token"]
        access = Access(server or self.server, authority or self.access.authority, token=token)
        suffix = "" if server is None else f"-{server.rpartition(':')[2]}"
        file = self.directory / f"{namespace}-{service_account}{suffix}.kubeconfig"
        return write(file, access, user=f"system:serviceaccount:{namespace}:{service_account}")

    def trust(self, issuers: Sequence[Mapping[str, object]]) -> None:
        """Have the API server take the tokens of these issuers (`control_plane.trust`), and of no others any more.

        It takes a moment until it does.
        """
        trust(self.directory, issuers)

    # Nodes

    def add_nodes(
        self,
        names: int | Sequence[str],
        *,
        gpus: int = 8,
        cpu: str = "64",
        memory: str = "512Gi",
        labels: Mapping[str, str] | None = None,
        taints: Iterable[Mapping[str, str]] = (),
        capacity: Mapping[str, str] | None = None,
        wait: bool = True,
    ) -> list[str]:
        """Add hollow nodes and wait until they are Ready; nodes that exist already are left as they are.

        Args:
            names: Their names, or how many (then `node-0`, `node-1`, … after those there are).
            gpus: `nvidia.com/gpu` devices on each.
            cpu: Quantity.
            memory: Quantity.
            labels: Added to the usual ones.
            taints: As in `spec.taints`.
            capacity: Further extended resources, as quantities.
            wait: Whether to wait for Ready.

        Returns:
            Their names.

        Raises:
            LabError: a node was refused, or not Ready in time.
        """
        present: list[str] = [node["metadata"]["name"] for node in self.nodes()]
        if isinstance(names, int):
            numbers = [int(name.removeprefix("node-")) for name in present if name.removeprefix("node-").isdecimal()]
            first = max(numbers, default=-1) + 1
            names = [f"node-{number}" for number in range(first, first + names)]
        specs = [NodeSpec(name, gpus, cpu, memory, labels or {}, tuple(taints), capacity or {}) for name in names]
        exists = frozenset({409})
        self.api.call_all(
            [
                Call("POST", "/api/v1/nodes", spec.manifest(address=hollow.address(number)), allowed=exists)
                for number, spec in enumerate(specs, start=len(present))
            ]
        )
        if wait:
            wanted = set(names)
            if not eventually(lambda: wanted <= self.ready_nodes(), seconds=_READY_SECONDS):
                message = f"not Ready after {_READY_SECONDS:.0f} s: {', '.join(sorted(wanted - self.ready_nodes()))}"
                raise LabError(message)
        return list(names)

    def nodes(self) -> list[dict[str, Any]]:
        """All Node objects."""
        return self.api.call("GET", "/api/v1/nodes?resourceVersion=0")["items"]

    def ready_nodes(self) -> set[str]:
        """The names of the nodes that are Ready and that pods may be bound to."""
        return {
            node["metadata"]["name"]
            for node in self.nodes()
            # Until the controller manager has seen it, a new node carries a taint that keeps pods away.
            if not any(taint["key"].startswith("node.kubernetes.io/") for taint in node["spec"].get("taints", ()))
            and any(
                condition["type"] == "Ready" and condition["status"] == "True"
                for condition in node["status"].get("conditions", ())
            )
        }

    def remove_node(self, name: str) -> None:
        """Delete a Node object; its pods are orphans then, which the controller manager collects."""
        self._remove(f"/api/v1/nodes/{name}")

    def lose_node(self, name: str) -> None:
        """Lose a hollow node as if its machine had stopped: its Ready condition becomes Unknown, its pods stand still.

        What follows is the controller manager's own work: the taint `node.kubernetes.io/unreachable`, and eviction of
        the pods when their toleration is over. `restore_node` brings it back.
        """
        pods = self.api.call("GET", f"/api/v1/pods?fieldSelector=spec.nodeName={name}")["items"]
        self._mark([pod["metadata"] for pod in pods], "true")
        self._merge(f"/api/v1/nodes/{name}", {"metadata": {"annotations": {hollow.LOST: "true"}}})

        def gone() -> bool:
            return hollow.LOST in self.api.call("GET", f"/api/v1/nodes/{name}")["metadata"]["labels"]

        if not eventually(gone, seconds=_READY_SECONDS):
            message = f"node {name} was not reported as lost; is it a hollow node?"
            raise LabError(message)

    def restore_node(self, name: str) -> None:
        """Bring a lost node back: it becomes Ready and its pods go on."""
        mark = {hollow.LOST: None}
        self._merge(f"/api/v1/nodes/{name}", {"metadata": {"annotations": mark, "labels": mark}})
        pods = self.api.call("GET", f"/api/v1/pods?fieldSelector=spec.nodeName={name}")["items"]
        self._mark([pod["metadata"] for pod in pods], None)

    def _mark(self, pods: Iterable[dict[str, Any]], frozen: str | None) -> None:
        patch = {"metadata": {"annotations": {hollow.FROZEN: frozen}}}
        gone = frozenset({404})
        self.api.call_all(
            [
                Call(
                    "PATCH",
                    f"/api/v1/namespaces/{pod['namespace']}/pods/{pod['name']}",
                    patch,
                    "application/merge-patch+json",
                    gone,
                )
                for pod in pods
            ]
        )

    def _merge(self, path: str, patch: object) -> None:
        self.api.call("PATCH", path, patch, content_type="application/merge-patch+json")

    # Namespaces

    def add_namespace(self, name: str, labels: Mapping[str, str] | None = None) -> None:
        """Create a namespace and wait for its `default` ServiceAccount, without which pods are refused."""
        metadata = {"name": name, "labels": dict(labels or {})}
        self.api.call("POST", "/api/v1/namespaces", {"metadata": metadata})
        account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
        if not eventually(lambda: self.api.answers(account), seconds=_READY_SECONDS, interval=0.02):
            message = f"namespace {name} got no ServiceAccount `default`: does the controller manager run?"
            raise LabError(message)

    def remove_namespace(self, name: str) -> None:
        """Ask for the deletion of a namespace; does not wait for it."""
        self._remove(f"/api/v1/namespaces/{name}")

    def _remove(self, path: str) -> None:
        try:
            self.api.call("DELETE", path)
        except ApiError as problem:
            if problem.status != 404:
                raise

    # Processes

    def processes(self) -> dict[str, int]:
        """Name → process id of what runs: `etcd`, `kube-apiserver`, `kube-controller-manager` and so on."""
        return self._supervisor.processes()

    @property
    def supervisor(self) -> int:
        """Process id of the supervisor."""
        return self._supervisor.pid

    def run(
        self,
        name: str,
        arguments: list[str],
        environment: Mapping[str, str],
        *,
        grace: float = 5.0,
        restarts: bool = False,
    ) -> None:
        """Run another program, such as an operator, that ends when the lab ends; see `stop`, `start` and `log`.

        Args:
            name: The name it is asked for by from now on.
            arguments: Command line, program first.
            environment: Added to the environment in which the lab was started.
            grace: Seconds that it has to end when it is stopped.
            restarts: Whether it is started again when it ends by itself, as containers of pods are.
        """
        self._supervisor.run(ProcessSpec(name, arguments, str(self.log(name)), dict(environment), grace, restarts))

    def log(self, name: str) -> Path:
        """The file with the output of a process."""
        return self.directory / "logs" / f"{name}.log"

    def stop(self, name: str, *, kill: bool = False) -> None:
        """Stop a process of the lab; with `kill` by SIGKILL, at once."""
        self._supervisor.stop(name, kill=kill)

    def start(self, name: str) -> None:
        """Start a stopped process again, with the same command line and port, and wait until it is ready."""
        self._supervisor.start(name)
        if name == API_SERVER and not eventually(lambda: self.api.answers("/readyz"), seconds=_READY_SECONDS):
            message = f"the API server was not ready {_READY_SECONDS:.0f} s after its restart"
            raise LabError(message)

    def restart(self, name: str, *, kill: bool = False) -> None:
        """Stop and start a process."""
        self.stop(name, kill=kill)
        self.start(name)

    def disown(self) -> None:
        """Let the lab live on when the process that started it ends (see `aliquot-lab up`)."""
        self._supervisor.disown()

    def close(self) -> None:
        """End the lab: stop every process and remove its directory."""
        self._supervisor.shutdown()

    # History

    @property
    def audited(self) -> bool:
        """Whether `audit` can be asked: the lab was started with `Options(audit=True)`."""
        return bool(self._options["audit"])

    def audit(self) -> list[audit.Record]:
        """What was written to pods, events and run.ai objects so far, in the order in which it was finished.

        Raises:
            LabError: the lab was not started with `Options(audit=True)`.
        """
        if not self.audited:
            message = "this lab keeps no history: start it with Options(audit=True)"
            raise LabError(message)
        return list(audit.read(self.directory / "audit.log"))
