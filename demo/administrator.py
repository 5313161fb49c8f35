"""Somebody who administers a control plane, over REST."""

from dataclasses import dataclass
from typing import Any, Final, Self

import httpx

from aliquot_lab import LabError

DEPARTMENTS: Final = "/api/v1/org-unit/departments"
PROJECTS: Final = "/api/v1/org-unit/projects"
WORKLOADS: Final = "/api/v1/workloads"
_ANSWER_SECONDS: Final = 120.0


@dataclass(frozen=True)
class Joined:
    """A cluster that the control plane knows.

    Attributes:
        uuid: what the control plane calls it.
        secret: with which the cluster speaks to it.
    """

    uuid: str
    secret: str


def printed_credentials(said: str) -> dict[str, str]:
    """What a control plane prints when it first starts: `administrator` and `password`, among others."""
    return dict(line.split(": ", 1) for line in said.splitlines() if ": " in line)


class Administrator:
    """Speaks to a control plane; a context manager, and usable from several threads at once.

    Args:
        address: of the control plane, such as `http://127.0.0.1:8443`.
    """

    def __init__(self, address: str) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        self._http = httpx.Client(base_url=address, timeout=_ANSWER_SECONDS, trust_env=False, limits=limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def is_served(self) -> bool:
        """Whether the control plane is ready."""
        try:
            return self._http.get("/readyz").is_success
        except httpx.HTTPError:
            return False

    def sign_in(self, username: str, password: str) -> None:
        """Get a token, which is sent from now on.

        Raises:
            LabError: see `call`.
        """
        given = {"grantType": "password", "username": username, "password": password}
        self._http.headers["Authorization"] = f"Bearer {self.call('POST', '/api/v1/token', given)['accessToken']}"

    def call(self, method: str, path: str, body: object = None, **parameters: str | int) -> Any:
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
        return answer.json() if answer.content else None

    def add_cluster(self, name: str) -> Joined:
        """Make a cluster, and ask for what it needs to connect."""
        uuid: str = self.call("POST", "/api/v1/clusters", {"name": name})["uuid"]
        info = self.call("GET", f"/api/v1/clusters/{uuid}/cluster-install-info", version="2.18")
        return Joined(uuid, info["clientSecret"])


def owner(name: str, cluster: str, deserved: float, **members: object) -> dict[str, Any]:
    """What a department or project is made of.

    Args:
        name: of it.
        cluster: uuid of its cluster.
        deserved: GPUs, in the default node pool.
        **members: further ones.
    """
    resources = [{"nodePool": None, "gpu": {"deserved": deserved}}]
    return {"name": name, "clusterId": cluster, "resources": resources, **members}
