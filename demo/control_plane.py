"""The control plane of the demo: a process of this machine, where quotas are made and states are read, over REST."""

import sys
from collections.abc import Mapping
from typing import Any, Final

import httpx

from aliquot_lab import Cluster, LabError
from aliquot_lab.ports import free_ports
from aliquot_lab.processes import eventually

NAME: Final = "control-plane"
ORGANIZATION: Final[Mapping[str, Mapping[str, float]]] = {
    "research": {"vision": 64, "language": 48},
    "product": {"search": 48},
}
"""Departments, their projects, and how many GPUs each deserves; a department deserves what its projects do."""
_PROJECTS: Final = "/api/v1/org-unit/projects"
_DEPARTMENTS: Final = "/api/v1/org-unit/departments"
_READY_SECONDS: Final = 60.0
_ANSWER_SECONDS: Final = 60.0


class ControlPlane:
    """A control plane that the lab's supervisor runs, and what its administrator does there.

    Args:
        cluster: the lab; it is what the control plane gets to know as its one cluster.

    Raises:
        LabError: it does not serve in time, or refuses what it is asked.
    """

    def __init__(self, cluster: Cluster) -> None:
        (port,) = free_ports(1)
        self._cluster = cluster
        self.address = f"http://127.0.0.1:{port}"
        self._http = httpx.Client(base_url=self.address, timeout=_ANSWER_SECONDS, trust_env=False)
        database = f"sqlite:///{cluster.directory / 'control-plane.db'}"
        serve = ["serve", "--database", database, "--host", "127.0.0.1", "--port", str(port)]
        cluster.run(NAME, [sys.executable, "-m", "aliquot", "control-plane", *serve], {}, restarts=True)
        if not eventually(self._serves, seconds=_READY_SECONDS):
            message = f"the control plane does not serve; its log is {cluster.log(NAME)}"
            raise LabError(message)
        printed = dict(line.split(": ", 1) for line in cluster.log(NAME).read_text().splitlines() if ": " in line)
        self.administrator, self.password = printed["administrator"], printed["password"]
        self._http.headers["Authorization"] = f"Bearer {self._token()}"
        self.uuid: str = self.call("POST", "/api/v1/clusters", {"name": "demo"})["uuid"]
        info = self.call("GET", f"/api/v1/clusters/{self.uuid}/cluster-install-info", version="2.18")
        self._secret: str = info["clientSecret"]

    def call(self, method: str, path: str, body: object = None, **parameters: str) -> Any:
        """The body of an answer.

        Args:
            method: of the request.
            path: what is asked for.
            body: of the request, to be written as JSON; None: it has none.
            **parameters: of its query.

        Raises:
            LabError: nobody answers, or it is refused.
        """
        try:
            answer = self._http.request(method, path, json=body, params=parameters)
        except httpx.HTTPError as problem:
            message = f"{method} {path}: {problem}"
            raise LabError(message) from problem
        if not answer.is_success:
            message = f"{method} {path}: {answer.status_code} {answer.text}"
            raise LabError(message)
        return answer.json()

    def chart_values(self) -> tuple[str, ...]:
        """Values with which the chart gives the operator the rights that it needs for the control plane."""
        return (
            f"controlPlane.url={self.address}",
            f"controlPlane.clientSecret={self._secret}",
            f"cluster.uid={self.uuid}",
        )

    def operator_settings(self) -> dict[str, str]:
        """What the chart tells an operator's pod of the control plane, for an operator that is a process."""
        secret = self._cluster.directory / "control-plane.secret"
        secret.touch(0o600)
        secret.write_text(self._secret)
        given = {"URL": self.address, "CLUSTER_UUID": self.uuid, "CLIENT_SECRET_FILE": str(secret)}
        return {f"ALIQUOT_CONTROL_PLANE__{name}": value for name, value in given.items()}

    def make_organization(self) -> None:
        """Make the departments and projects, with their quotas."""
        for department, projects in ORGANIZATION.items():
            made = self.call("POST", _DEPARTMENTS, self._of(department, sum(projects.values())))
            for project, deserved in projects.items():
                self.call("POST", _PROJECTS, {**self._of(project, deserved), "parentId": made["id"]})

    def projects(self) -> list[dict[str, Any]]:
        """The projects of the cluster, as the control plane shows them."""
        return self.call("GET", _PROJECTS, filterBy=f"clusterId=={self.uuid}", sortBy="name")["projects"]

    def _of(self, name: str, deserved: float) -> dict[str, Any]:
        resources = [{"nodePool": None, "gpu": {"deserved": deserved}}]
        return {"name": name, "clusterId": self.uuid, "resources": resources}

    def _serves(self) -> bool:
        try:
            return self._http.get("/readyz").is_success
        except httpx.HTTPError:
            return False

    def _token(self) -> str:
        given = {"grantType": "password", "username": self.administrator, "password": self.password}
        return self.call("POST", "/api/v1/token", given)["accessToken"]
