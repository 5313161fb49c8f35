"""An API server in memory, for tests in virtual time: objects with versions, preconditions, and wires that fail.

It knows what leases, Events and certificates need: create, get, patch with a resource version, delete. Everything about
real answers is tested on a real API server.
"""

import asyncio
import copy
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, cast

import msgspec

from aliquot.kube.client import ApiClient
from aliquot.kube.problems import Request, Timeout, Unreachable, refusal
from aliquot.kube.resources import Resource
from aliquot.kube.transport import Answer, Limits, Transport

Json = dict[str, Any]


class Store:
    """What is in the API server.

    Attributes:
        objects: by path.
        versions: every version that an object ever had, oldest first, as (loop time, path, object).
    """

    def __init__(self) -> None:
        self.objects: dict[str, Json] = {}
        self.versions: list[tuple[float, str, Json]] = []
        self._version = 0

    def of(self, resource: Resource) -> list[Json]:
        """All objects of a kind."""
        return [found for found in self.objects.values() if found["kind"] == resource.kind]

    def put(self, path: str, body: Json) -> Json:
        """Store a version, whoever may have written it."""
        self._version += 1
        stored = copy.deepcopy(body)
        stored["metadata"]["resourceVersion"] = str(self._version)
        self.objects[path] = stored
        self.versions.append((asyncio.get_running_loop().time(), path, stored))
        return stored

    def carry_out(self, request: Request, method: str, path: str, body: bytes | None) -> bytes:
        """Do what a request asks for; the answer.

        Raises:
            Refused: as an API server would.
        """
        given: Json = msgspec.json.decode(body) if body else {}
        if method == "POST":
            path = f"{path}/{given['metadata']['name']}"
            if path in self.objects:
                raise _refused(request, 409, "AlreadyExists")
            return msgspec.json.encode(self.put(path, given))
        if path not in self.objects:
            raise _refused(request, 404, "NotFound")
        found = self.objects[path]
        if method == "PATCH":
            version = given.get("metadata", {}).get("resourceVersion")
            if version is not None and version != found["metadata"]["resourceVersion"]:
                raise _refused(request, 409, "Conflict")
            found = self.put(path, _merged(found, given, lists=request.verb == "apply"))
        if method == "DELETE":
            del self.objects[path]
        return msgspec.json.encode(found)


def _merged(old: Json, patch: Json, *, lists: bool) -> Json:
    """A merge patch, or server-side apply, which merges `lists` of things with names."""
    new = copy.deepcopy(old)
    for key, value in patch.items():
        if value is None:
            new.pop(key, None)
        elif isinstance(value, dict):
            new[key] = _merged(new.get(key) or {}, cast("Json", value), lists=lists)
        elif lists and isinstance(value, list):
            given = {item["name"]: item for item in cast("list[Json]", value)}
            held: list[Json] = new[key]
            new[key] = [_merged(item, given.get(item["name"], {}), lists=lists) for item in held]
        else:
            new[key] = value
    return new


def _refused(request: Request, code: int, reason: str, causes: list[Json] | None = None) -> Exception:
    status: Json = {"code": code, "reason": reason, "message": f"{request}: {reason}", "details": {"causes": causes}}
    return refusal(request, code, msgspec.json.encode(status))


class Weather(Enum):
    """How a wire does."""

    FINE = "fine"
    NO_CONNECTION = "no connection"
    SILENT = "requests get lost"
    DEAF = "requests are carried out, answers get lost"


class Wire(Transport):
    """One client's connection to the store.

    Attributes:
        weather: may change at any time.
        latency_seconds: until a request arrives.
        refuse: called with each request; an exception that it returns is the answer.
    """

    def __init__(self, store: Store, limits: Limits | None = None, *, origin: "Wire | None" = None) -> None:
        self.limits = limits or Limits()
        self.store = store
        self._origin = origin or self
        self.weather = Weather.FINE
        self.latency_seconds = 0.005
        self.refuse: Callable[[Request], Exception | None] = lambda _: None
        self.seen: list[Request] = []

    def with_limits(self, limits: Limits) -> "Wire":
        return Wire(self.store, limits, origin=self._origin)

    def refuse_with(self, code: int, reason: str, *, verb: str = "", cause: str = "", times: int = 1_000_000) -> None:
        """Have requests of a verb (empty: of any) refused, so many times."""
        left = times

        def refuse(request: Request) -> Exception | None:
            nonlocal left
            if verb not in ("", request.verb) or left == 0:
                return None
            left -= 1
            return _refused(request, code, reason, [{"reason": cause}] if cause else None)

        self.refuse = refuse

    async def send(
        self,
        request: Request,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str | int] | None = None,
        body: bytes | None = None,
        content_type: str = "application/json",
        repeatable: bool = True,
    ) -> Answer:
        origin = self._origin
        origin.seen.append(request)
        if origin.weather is Weather.NO_CONNECTION:
            raise Unreachable(request, "connection refused", sent=False)
        try:
            async with asyncio.timeout(self.limits.request_timeout_seconds):
                await asyncio.sleep(origin.latency_seconds)
                if origin.weather is Weather.SILENT:
                    await asyncio.get_running_loop().create_future()
                if (problem := origin.refuse(request)) is not None:
                    raise problem
                answer = self.store.carry_out(request, method, path, body)
                await asyncio.sleep(origin.latency_seconds)
                if origin.weather is Weather.DEAF:
                    await asyncio.get_running_loop().create_future()
        except TimeoutError as error:
            raise Timeout(request, "no answer in time") from error
        return Answer(request, answer)


def client_on(wire: Wire) -> ApiClient:
    """A client that speaks over a wire."""
    return ApiClient(wire)
