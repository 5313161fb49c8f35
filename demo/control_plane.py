"""The control plane of the demo: a process of this machine, where quotas are made and states are read, over REST."""

import sys
from collections.abc import Mapping
from typing import Any, Final

from aliquot_lab import Cluster, LabError
from aliquot_lab.ports import free_ports
from aliquot_lab.processes import eventually
from demo.administrator import DEPARTMENTS, PROJECTS, WORKLOADS, Administrator, owner, printed_credentials

NAME: Final = "control-plane"
ORGANIZATION: Final[Mapping[str, Mapping[str, float]]] = {
    "research": {"vision": 64, "language": 48},
    "product": {"search": 48},
}
"""Departments, their projects, and how many GPUs each deserves; a department deserves what its projects do."""
_READY_SECONDS: Final = 60.0


class ControlPlane:
    """A control plane that the lab's supervisor runs, and what its administrator does there.

    Args:
        cluster: the lab; it is what the control plane gets to know as its one cluster.

    Raises:
        LabError: it does not serve in time, or refuses what it is asked.
    """

    def __init__(self, cluster: Cluster) -> None:
        (port,) = free_ports(1)
        self._folder = cluster.directory
        self.address = f"http://127.0.0.1:{port}"
        self._administrator = Administrator(self.address)
        database = f"sqlite:///{self._folder / 'control-plane.db'}"
        serve = ["serve", "--database", database, "--host", "127.0.0.1", "--port", str(port)]
        cluster.run(NAME, [sys.executable, "-m", "aliquot", "control-plane", *serve], {}, restarts=True)
        if not eventually(self._administrator.is_served, seconds=_READY_SECONDS):
            message = f"the control plane does not serve; its log is {cluster.log(NAME)}"
            raise LabError(message)
        printed = printed_credentials(cluster.log(NAME).read_text())
        self.username, self.password = printed["administrator"], printed["password"]
        self._administrator.sign_in(self.username, self.password)
        self._joined = self._administrator.add_cluster("demo")

    def chart_values(self) -> tuple[str, ...]:
        """Values with which the chart gives the operator the rights that it needs for the control plane."""
        return (
            f"controlPlane.url={self.address}",
            f"controlPlane.clientSecret={self._joined.secret}",
            f"cluster.uid={self._joined.uuid}",
        )

    def operator_settings(self) -> dict[str, str]:
        """What the chart tells an operator's pod of the control plane, for an operator that is a process."""
        secret = self._folder / "control-plane.secret"
        secret.touch(0o600)
        secret.write_text(self._joined.secret)
        given = {"URL": self.address, "CLUSTER_UUID": self._joined.uuid, "CLIENT_SECRET_FILE": str(secret)}
        return {f"ALIQUOT_CONTROL_PLANE__{name}": value for name, value in given.items()}

    def make_organization(self) -> None:
        """Make the departments and projects, with their quotas."""
        call, uuid = self._administrator.call, self._joined.uuid
        for department, projects in ORGANIZATION.items():
            made = call("POST", DEPARTMENTS, owner(department, uuid, sum(projects.values())))
            for project, deserved in projects.items():
                call("POST", PROJECTS, owner(project, uuid, deserved, parentId=made["id"]))

    def projects(self) -> list[dict[str, Any]]:
        """The projects of the cluster, as the control plane shows them."""
        return self._all(PROJECTS, sortBy="name")["projects"]

    def workloads(self) -> list[dict[str, Any]]:
        """The workloads of the cluster, as the control plane shows them; the oldest first."""
        return self._all(WORKLOADS, sortBy="createdAt", sortOrder="asc")["workloads"]

    def _all(self, path: str, **order: str) -> Any:
        return self._administrator.call("GET", path, filterBy=f"clusterId=={self._joined.uuid}", **order)
