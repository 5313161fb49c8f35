"""An API server that answers from a script: for what only real nodes do (logs, commands in containers)."""

import asyncio
import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from aiohttp import WSMsgType, web


class ScriptedCluster:
    """Objects by path, and how containers answer.

    Attributes:
        objects: what GET answers, by path.
        refused: what nobody may do, by path.
        created: told of every object that is made.
        warnings: what is said then besides.
        logs: what a pod has printed, by its name.
        ending: what is said on the error channel when a command ends; None: nothing is.
        asked: method, path and query of every request.
        heard: what came on standard input.
    """

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}
        self.refused: set[str] = set()
        self.created: Callable[[dict[str, Any]], None] = lambda _: None
        self.warnings: list[str] = []
        self.logs: dict[str, bytes] = {}
        self.ending: dict[str, Any] | None = {"status": "Success"}
        self.asked: list[tuple[str, str, str]] = []
        self.heard = b""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self.asked.append((request.method, request.path, request.query_string))
        *_, pod, verb = request.path.split("/")
        if verb == "log" and pod in self.logs:
            return web.Response(body=self.logs[pod])
        if verb in ("exec", "attach") and pod in self.logs:
            return await self._converse(request)
        if verb == "portforward" and pod in self.logs and "Upgrade" in request.headers:
            return await self._forward(request)
        if request.path in self.refused:
            said = f'User "ada" cannot {request.method.lower()} {request.path}'
            status = {"kind": "Status", "code": 403, "reason": "Forbidden", "message": said}
            return web.json_response(status, status=403)
        if request.method == "POST":
            return await self._create(request)
        if request.path in self.objects:
            return web.json_response(self.objects[request.path])
        if request.path.endswith("workloads") or request.path.endswith(("pods", "events")):
            return web.json_response({"metadata": {}, "items": []})
        status = {"kind": "Status", "code": 404, "reason": "NotFound", "message": f"{request.path} not found"}
        return web.json_response(status, status=404)

    async def _create(self, request: web.Request) -> web.Response:
        made: dict[str, Any] = await request.json()
        path = f"{request.path}/{made['metadata']['name']}"
        if path in self.objects:
            status = {"kind": "Status", "code": 409, "reason": "AlreadyExists", "message": f"{path} already exists"}
            return web.json_response(status, status=409)
        self.objects[path] = made
        self.objects.setdefault(request.path, {"metadata": {}, "items": []})["items"].append(made)
        self.created(made)
        answer = web.json_response(made, status=201)
        for warning in self.warnings:
            answer.headers.add("Warning", f'299 - "{warning}"')
        return answer

    async def _converse(self, request: web.Request) -> web.StreamResponse:
        """Say what the command is, send back what is typed until that ends, and then how the command ended."""
        socket = web.WebSocketResponse(protocols=["v5.channel.k8s.io"])
        await socket.prepare(request)
        words = " ".join(request.query.getall("command", []))
        await socket.send_bytes(b"\x01ran " + words.encode() + b"\n")
        await socket.send_bytes(b"\x02" + b"a word of warning\n")
        if request.query["stdin"] == "true":
            async for message in socket:
                if message.type is WSMsgType.BINARY and message.data[0] == 255:
                    break
                self.heard += message.data[1:]
            await socket.send_bytes(b"\x01" + self.heard)
        if self.ending is not None:
            await socket.send_bytes(b"\x03" + json.dumps(self.ending).encode())
        await socket.close()
        return socket

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        """Let a connection through to a server that says everything twice; on other ports than 80 nobody listens."""
        socket = web.WebSocketResponse(protocols=["v4.channel.k8s.io"])
        await socket.prepare(request)
        port = int(request.query["ports"])
        for channel in (b"\x00", b"\x01"):
            await socket.send_bytes(channel + port.to_bytes(2, "little"))
        if port != 80:
            await socket.send_bytes(b"\x01error forwarding port: dial tcp4 127.0.0.1: connect: connection refused")
        else:
            async for message in socket:
                assert message.data[0] == 0
                await socket.send_bytes(message.data + message.data[1:])
        await socket.close()
        return socket


@contextmanager
def serving(cluster: ScriptedCluster, directory: Path) -> Generator[Path]:
    """Serve a script on this machine; gives the kubeconfig."""
    loop = asyncio.new_event_loop()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", cluster.handle)
    runner = web.AppRunner(application, access_log=None)
    loop.run_until_complete(runner.setup())
    site = web.TCPSite(runner, "127.0.0.1", 0)
    loop.run_until_complete(site.start())
    [(_, port)] = runner.addresses
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "runai-team-a"}}],
        "current-context": "c",
    }
    file = directory / "kubeconfig"
    file.write_text(yaml.safe_dump(document))
    try:
        yield file
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
