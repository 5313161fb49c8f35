"""A server of metrics of pods (custom.metrics.k8s.io), as a Prometheus adapter is one, that says what the test wants.

The API server passes questions on to it by an APIService, for which the test's own Service names this machine.
"""

import json
import ssl
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

from aliquot_lab.api import Api
from aliquot_lab.certificates import Authority

GROUP: Final = "custom.metrics.k8s.io"
VERSION: Final = "v1beta2"
_HOST: Final = "127.0.0.1"
_ROOT: Final = f"/apis/{GROUP}/{VERSION}"
SERVICES: Final = "/apis/apiregistration.k8s.io/v1/apiservices"


class PodMetrics(ThreadingHTTPServer):
    """Serves one metric; use it as a context manager.

    Args:
        api: says which pods there are.
        metric: its name.
        folder: for its certificate.

    Attributes:
        load: what all pods together have of it, shared out evenly; None: there is no value.
    """

    daemon_threads = True

    def __init__(self, api: Api, metric: str, folder: Path) -> None:
        super().__init__((_HOST, 0), _Questions)
        self.api = api
        self.metric = metric
        self.load: int | None = 0
        self.port = int(self.socket.getsockname()[1])
        authority = Authority.new("pod-metrics")
        authority.server("pod-metrics", hosts=["localhost"]).write(folder, "pod-metrics")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "pod-metrics.crt", folder / "pod-metrics.key")
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self._serving = threading.Thread(target=lambda: self.serve_forever(0.05), daemon=True)

    def __enter__(self) -> Self:
        self._serving.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._serving.join()
        self.server_close()

    def manifest(self, namespace: str, service: str) -> dict[str, Any]:
        """The APIService by which the API server finds it; the Service is one of type ExternalName, for localhost."""
        return {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": f"{VERSION}.{GROUP}"},
            "spec": {
                "group": GROUP,
                "version": VERSION,
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
                "insecureSkipTLSVerify": True,
                "service": {"namespace": namespace, "name": service, "port": self.port},
            },
        }

    def answer(self, path: str) -> tuple[int, dict[str, Any]]:
        """What is answered to a question."""
        asked = urlsplit(path)
        if asked.path == _ROOT:
            kind = {"name": f"pods/{self.metric}", "singularName": "", "namespaced": True, "verbs": ["get"]}
            resources = [{**kind, "kind": "MetricValueList"}]
            return 200, {
                "kind": "APIResourceList",
                "apiVersion": "v1",
                "groupVersion": f"{GROUP}/{VERSION}",
                "resources": resources,
            }
        parts = unquote(asked.path).removeprefix(f"{_ROOT}/namespaces/").split("/")
        if len(parts) == 4 and parts[1:] == ["pods", "*", self.metric] and self.load is not None:
            [selector] = parse_qs(asked.query).get("labelSelector", [""])
            return 200, self._values(parts[0], selector, self.load)
        message = f"the server could not find the metric {self.metric} for pods"
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
        return 404, {**status, "message": message}

    def _values(self, namespace: str, selector: str, load: int) -> dict[str, Any]:
        pods = self.api.call("GET", f"/api/v1/namespaces/{namespace}/pods?labelSelector={quote(selector)}")["items"]
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        items = [
            {
                "describedObject": {"kind": "Pod", "namespace": namespace, "name": pod["metadata"]["name"]},
                "metric": {"name": self.metric},
                "timestamp": now,
                "value": f"{load * 1000 // len(pods)}m",
            }
            for pod in pods
        ]
        return {"kind": "MetricValueList", "apiVersion": f"{GROUP}/{VERSION}", "metadata": {}, "items": items}


class _Questions(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        metrics = self.server
        assert isinstance(metrics, PodMetrics)
        code, answer = metrics.answer(self.path)
        body = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class has
        """Nothing: it would be in every test's output."""
