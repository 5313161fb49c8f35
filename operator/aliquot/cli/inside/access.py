"""Logs and streams of a pod, through the `kubernetes` package, which knows their protocols.

The package is loaded on first use, as it takes a second. What the API server refuses is an `ApiProblem` as from
`aliquot.kube`.
"""

import importlib
import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol
from urllib.parse import urlencode

from aliquot.kube.config import ConfigError
from aliquot.kube.contexts import kubeconfig_paths
from aliquot.kube.problems import Request, Unreachable, refusal
from aliquot.kube.resources import PODS

STDIN: Final = 0
STDOUT: Final = 1
STDERR: Final = 2
ERROR: Final = 3
RESIZE: Final = 4
_CHUNK_BYTES: Final = 2**16


@dataclass(frozen=True, slots=True)
class Container:
    """Which container of which pod."""

    namespace: str
    pod: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogChoice:
    """Which part of a log.

    Attributes:
        follow: go on as it grows.
        since_seconds: how far back; None: from the beginning.
        tail: so many lines from the end; None: all.
        timestamps: with the time before each line.
    """

    follow: bool = False
    since_seconds: int | None = None
    tail: int | None = None
    timestamps: bool = False


class Stream(Protocol):
    """A conversation with a container, in channels."""

    def is_open(self) -> bool:
        """Whether it goes on."""
        ...

    def update(self, timeout: float) -> None:
        """Take in what has come, and wait so many seconds for something if nothing has."""
        ...

    def read_channel(self, channel: int, timeout: float = 0) -> bytes:
        """Take what has come on a channel."""
        ...

    def write_channel(self, channel: int, data: bytes) -> None:
        """Send on a channel."""
        ...

    def close_channel(self, channel: int) -> None:
        """Say that nothing more will be sent on it."""
        ...


class PodAccess:
    """Access to the pods of a cluster.

    Args:
        context: of the kubeconfig; None: its current one.

    Raises:
        ConfigError: it is unclear where the cluster is.
    """

    def __init__(self, context: str | None) -> None:
        client: Any = importlib.import_module("kubernetes.client")
        config: Any = importlib.import_module("kubernetes.config")
        self._configuration = client.Configuration()
        self._configuration.proxy = None  # that of the kubeconfig, and none of the environment, as in aliquot.kube
        paths = kubeconfig_paths(os.environ, context)
        try:
            if paths is None:
                config.load_incluster_config(client_configuration=self._configuration)
            else:
                config.load_kube_config(paths, context, self._configuration, persist_config=False)
        except Exception as error:
            raise ConfigError(f"kubeconfig {paths or 'of this pod'}: {error}") from error
        self._pods = client.CoreV1Api(client.ApiClient(self._configuration))

    def log(self, container: Container, choice: LogChoice) -> Iterator[bytes]:
        """Read a log, piece by piece.

        Raises:
            ApiProblem: it cannot be had.
        """
        exceptions: Any = importlib.import_module("kubernetes.client.exceptions")
        network: Any = importlib.import_module("urllib3.exceptions")
        request = _request("get", container, "log")
        try:
            answer = self._pods.read_namespaced_pod_log(
                container.pod,
                container.namespace,
                container=container.name,
                follow=choice.follow,
                since_seconds=choice.since_seconds,
                tail_lines=choice.tail,
                timestamps=choice.timestamps,
                _preload_content=False,
            )
            yield from answer.stream(_CHUNK_BYTES, decode_content=False)
        except exceptions.ApiException as problem:
            raise refusal(request, problem.status or 0, _bytes(problem.body)) from problem
        except network.HTTPError as problem:
            raise Unreachable(request, str(problem)) from problem
        finally:
            self._pods.api_client.rest_client.pool_manager.clear()

    @contextmanager
    def converse(
        self,
        container: Container,
        verb: Literal["exec", "attach"],
        *,
        command: Sequence[str] = (),
        stdin: bool,
        tty: bool,
    ) -> Generator[Stream]:
        """Run a command in a container, or attach to what runs there; inside the context it can be talked to.

        Raises:
            ApiProblem: that is refused, or nobody answers.
        """
        websocket: Any = importlib.import_module("websocket")
        streams: Any = importlib.import_module("kubernetes.stream.ws_client")
        wanted = {"stdin": stdin, "stdout": True, "stderr": not tty, "tty": tty}
        query = [("container", container.name), *((name, str(value).lower()) for name, value in wanted.items())]
        query += [("command", word) for word in command]
        path = PODS.item(container.namespace, container.pod, verb)
        url = streams.get_websocket_url(f"{self._configuration.host}{path}?{urlencode(query)}")
        request = _request("create", container, verb)
        try:
            stream = streams.WSClient(self._configuration, url, self._headers(), capture_all=False, binary=True)
        except websocket.WebSocketBadStatusException as problem:
            raise refusal(request, problem.status_code, _bytes(problem.resp_body)) from problem
        except (websocket.WebSocketException, OSError) as problem:
            raise Unreachable(request, str(problem), sent=False) from problem
        try:
            yield stream
        finally:
            stream.close()
            stream.sock.shutdown()  # a stream that the other side has ended is left open by the package

    def _headers(self) -> Mapping[str, str]:
        token = self._configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
        return {"authorization": token} if token else {}


def _request(verb: str, container: Container, subresource: str) -> Request:
    return Request(verb, PODS.full_name, container.namespace, container.pod, subresource)


def _bytes(body: object) -> bytes:
    return body if isinstance(body, bytes) else str(body or "").encode()
