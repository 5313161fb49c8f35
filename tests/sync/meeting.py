"""A cluster and its control plane, both real, and what a test does with the two."""

import contextlib
import itertools
import shutil
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from aliquot_lab import Cluster, FaultProxy
from aliquot_lab.kubeconfig import Access
from demo.platform import OperatorProcess
from tests.controlplane.plane import Caller, Process, serving
from tests.crashes.stage import SHORT_LEASE, Stage
from tests.support.arena import DEPARTMENTS, POOLS, PROJECTS

RULES: Final = "/apis/run.ai/v1alpha1/accessrules"
KINDS: Final = {"nodePool": POOLS, "department": DEPARTMENTS, "project": PROJECTS, "accessRule": RULES}
POLICY_KINDS: Final = ("trainingpolicies", "interactivepolicies", "distributedpolicies", "inferencepolicies")
OURS: Final = "aliquot.dev/control-plane"
REST_PROJECTS: Final = "/api/v1/org-unit/projects"
REST_DEPARTMENTS: Final = "/api/v1/org-unit/departments"
REST_POOLS: Final = "/api/v1/node-pools"
REST_RULES: Final = "/api/v1/authorization/access-rules"
_SOON: Final = {
    "ALIQUOT_CONTROL_PLANE__WAIT_SECONDS": "20",
    "ALIQUOT_CONTROL_PLANE__POLL_SECONDS": "0.2",
    "ALIQUOT_CONTROL_PLANE__SETTLE_SECONDS": "0.2",
}


class ControlPlane:
    """A control plane's process, which can be killed, and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "aliquot.db"
        self._numbers = itertools.count()
        self._port = "0"
        self._running = contextlib.ExitStack()
        self._process: Process | None = None
        self.start()
        assert self._process is not None
        self.address = self._process.address
        self._port = self.address.rpartition(":")[2]
        self.http = self._running_http()
        self.admin = self._process.administrator(self.http, self._process.printed["password"])

    def start(self) -> None:
        """Start it, with the database that there is."""
        folder = self._folder / str(next(self._numbers))
        folder.mkdir()
        process = serving(f"sqlite:///{self._file}", folder, "--port", self._port)
        self._process = self._running.enter_context(process)

    def kill(self) -> None:
        """Kill it."""
        assert self._process is not None
        self._process.kill()

    def copy(self, name: str) -> None:
        """Keep a copy of its database, while it does not run."""
        shutil.copytree(self._folder, self._folder.parent / name, ignore=shutil.ignore_patterns("std*"))

    def restore(self, name: str) -> None:
        """Bring back a copy of its database, while it does not run."""
        for file in self._folder.glob("aliquot.db*"):
            file.unlink()
        for file in (self._folder.parent / name).glob("aliquot.db*"):
            shutil.copy(file, self._folder)

    def close(self) -> None:
        """End it."""
        self.http.close()
        self._running.close()

    def _running_http(self) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=60, trust_env=False)


class Meeting(Stage):
    """A stage whose operators have a control plane.

    Attributes:
        plane: the control plane.
        admin: its administrator.
        cluster: what it calls the cluster.
    """

    def __init__(self, lab: Cluster, name: str, plane: ControlPlane, folder: Path) -> None:
        super().__init__(lab, name)
        self.plane = plane
        self.admin: Caller = plane.admin
        self._folder = folder
        self.cluster = self.admin.done("POST", "/api/v1/clusters", {"name": name})["uuid"]
        info = self.admin.done("GET", f"/api/v1/clusters/{self.cluster}/cluster-install-info", version="2.18")
        self.secret: str = info["clientSecret"]

    def settings(self, way: FaultProxy | None = None, **further: str) -> Mapping[str, str]:
        """What an operator of the cluster is told.

        Args:
            way: a proxy before the control plane.
            **further: settings of the group, by their names in capital letters.
        """
        secret = self._folder / "secret"
        secret.write_text(f"{self.secret}\n")
        told = {"URL": self.plane.address, "CLUSTER_UUID": self.cluster, "CLIENT_SECRET_FILE": str(secret)}
        if way is not None:
            authority = self._folder / "authority.pem"
            authority.write_bytes(way.authority)
            told |= {"URL": way.url, "CA_FILE": str(authority)}
        told |= further
        return {**SHORT_LEASE, **_SOON, **{f"ALIQUOT_CONTROL_PLANE__{name}": value for name, value in told.items()}}

    def connected(self, way: FaultProxy | None = None, name: str = "operator", **further: str) -> OperatorProcess:
        """Start an operator, and wait until the control plane knows the cluster; arguments as of `settings`."""
        started = self.operator(name, settings=self.settings(way, **further))
        self.until(lambda: self.state() == "Connected", "the cluster to be connected")
        return started

    # What the control plane shows

    def state(self) -> str:
        """State of the cluster."""
        return self.shown_cluster()["status"]["state"]

    def shown_cluster(self) -> dict[str, Any]:
        """The cluster, as the control plane shows it."""
        clusters = self.admin.done("GET", "/api/v1/clusters")
        return next(each for each in clusters if each["uuid"] == self.cluster)

    def shown(self, path: str, name: str) -> dict[str, Any]:
        """A department, project or node pool, as the control plane shows it."""
        filters = [f"clusterId=={self.cluster}", f"name=={name}"]
        [found] = next(iter(self.admin.done("GET", path, filterBy=filters).values()))
        return self.admin.done("GET", f"{path}/{found['id']}")

    def shown_project(self, name: str) -> dict[str, Any]:
        """A project, as the control plane shows it."""
        return self.shown(REST_PROJECTS, name)

    def until_ready(self, name: str) -> dict[str, Any]:
        """Wait until the control plane shows a project as ready."""

        def ready() -> dict[str, Any]:
            shown = self.shown_project(name)
            return shown if shown["status"]["phase"] == "Ready" else {}

        return self.until(ready, f"project {name} to be ready; it is {self.shown_project(name)['status']}")

    # What administrators do

    def make_project(self, name: str, deserved: float = 1, **members: Any) -> dict[str, Any]:
        """Make a project over REST."""
        resources = [{"nodePool": None, "gpu": {"deserved": deserved}}]
        body = {"name": name, "clusterId": self.cluster, "resources": resources, **members}
        return self.admin.done("POST", REST_PROJECTS, body)

    def make_department(self, name: str) -> dict[str, Any]:
        """Make a department over REST."""
        resources = [{"nodePool": None, "gpu": {"deserved": 1}}]
        body = {"name": name, "clusterId": self.cluster, "resources": resources}
        return self.admin.done("POST", REST_DEPARTMENTS, body)

    def make_pool(self, name: str, key: str = "gpu", value: str | None = None) -> dict[str, Any]:
        """Make a node pool over REST."""
        body = {"name": name, "clusterId": self.cluster, "labelKey": key, "labelValue": value or name}
        return self.admin.done("POST", REST_POOLS, body)

    def give(self, project: dict[str, Any], subject: str, role: int = 5) -> dict[str, Any]:
        """Give an application, which is made, a role in a project."""
        self.admin.done("POST", "/api/v1/apps", {"name": subject})
        body = {"subjectId": subject, "subjectType": "app", "roleId": role, "scopeType": "project"}
        return self.admin.done("POST", REST_RULES, {**body, "scopeId": project["id"]})

    def set_quota(self, project: dict[str, Any], deserved: float) -> None:
        """Change a project's quota in the default pool."""
        quota = [{"nodePool": None, "gpu": {"deserved": deserved}}]
        self.admin.done("PATCH", f"{REST_PROJECTS}/{project['id']}/resources", quota)

    # What is in the cluster

    def some_nodes(self, *names: str, **labels: str) -> None:
        """Add nodes with four GPUs each, in no pool of the test's own."""
        self._nodes.extend(names)
        self.lab.add_nodes(list(names), gpus=4, labels=labels)

    def held(self, path: str) -> dict[str, dict[str, Any]]:
        """The objects of a kind that are the control plane's, by name."""
        found = self.lab.api.call("GET", f"{path}?labelSelector={OURS}={self.cluster}")["items"]
        return {each["metadata"]["name"]: each for each in found}

    def all_held(self) -> dict[str, dict[str, Any]]:
        """The specs of all objects that are the control plane's, by kind and name."""
        return {
            f"{kind} {name}": each["spec"] for kind, path in KINDS.items() for name, each in self.held(path).items()
        }

    def deserved(self, name: str) -> float | None:
        """How many GPUs a project deserves in the default pool, by its custom resource; None: there is none."""
        queues = self.get(f"{PROJECTS}/{name}").get("spec", {}).get("queues", ())
        found = [queue["resources"]["gpu"]["deserved"] for queue in queues if queue["nodepool"] == "default"]
        return found[0] if found else None

    def delete_all_held(self) -> None:
        """Delete all objects that are the control plane's, behind its back."""
        for path in reversed(KINDS.values()):
            self.lab.api.call("DELETE", f"{path}?labelSelector={OURS}={self.cluster}")

    def delete_all_policies(self) -> None:
        """Delete all policies that are the control plane's."""
        for kind in POLICY_KINDS:
            path = f"/apis/run.ai/v2alpha1/{kind}?labelSelector={OURS}={self.cluster}"
            for each in self.lab.api.call("GET", path)["items"]:
                metadata = each["metadata"]
                self.delete(f"/apis/run.ai/v2alpha1/namespaces/{metadata['namespace']}/{kind}/{metadata['name']}")

    def clear(self) -> None:
        """End the operators, and remove everything that was made."""
        for operator in self._operators:
            operator.kill()
        self.delete_all_policies()
        namespaces = [f"runai-{name}" for name in self.held(PROJECTS)]
        self.delete_all_held()
        for name in namespaces:
            self.delete(f"/api/v1/namespaces/{name}")
        super().clear()


@contextlib.contextmanager
def way_to(plane: ControlPlane, seed: int = 1) -> Generator[FaultProxy]:
    """A way to a control plane on which requests can be struck."""
    with FaultProxy(Access(plane.address, None), seed=seed) as proxy:
        yield proxy
