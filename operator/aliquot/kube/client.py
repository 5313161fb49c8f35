"""The verbs of an API server, on raw bytes and msgspec projections.

Which requests are repeated by themselves (429, 5xx, broken connections) is said at each verb. A merge patch or an apply
that was carried out although its answer was lost, and that names a resource version, meets a Conflict when repeated:
read the object again, as with any Conflict.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Literal, Self, TypeVar, cast

import msgspec

from aliquot.kube.decoding import HasMetadata, Page, PageDecoder
from aliquot.kube.problems import Expired, Request, Unreadable
from aliquot.kube.resources import PODS, Resource
from aliquot.kube.transport import Answer, Limits, Socket, Transport

T = TypeVar("T", bound=HasMetadata)

Body = bytes | Mapping[str, Any] | msgspec.Struct
"""What can be sent: JSON as bytes, or anything that msgspec encodes to a JSON object."""

_CHANNELS: Final = "v4.channel.k8s.io"
"""Websockets whose messages begin with the number of a channel."""
Propagation = Literal["Background", "Foreground", "Orphan"]


class ApiClient:
    """Speaks to one API server; use it as an async context manager, which opens and closes the transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._transport.__aexit__()

    @property
    def limits(self) -> Limits:
        """The limits in force."""
        return self._transport.limits

    def with_limits(self, limits: Limits) -> "ApiClient":
        """The same connections, with other time limits and attempts; the original opens and closes them."""
        return ApiClient(self._transport.with_limits(limits))

    async def read(self, path: str) -> Answer:
        """GET any path, such as `/version`."""
        return await self._transport.send(Request("get", path), "GET", path)

    async def get(self, resource: Resource, namespace: str, name: str, *, subresource: str = "") -> Answer:
        """Read one object.

        Raises:
            NotFound: there is none of that name.
            ApiProblem: see `aliquot.kube.problems`.
        """
        request = Request("get", resource.full_name, namespace, name, subresource)
        return await self._transport.send(request, "GET", resource.item(namespace, name, subresource))

    async def pages(
        self,
        resource: Resource,
        projection: type[T],
        *,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        chunk_size: int = 500,
    ) -> AsyncIterator[Page[T]]:
        """Read all objects, part by part; all parts show the same moment.

        Args:
            resource: which kind.
            projection: a msgspec struct with the fields that are needed.
            namespace: empty for all.
            label_selector: as for kubectl.
            field_selector: as for kubectl.
            chunk_size: objects in a part; 0 asks for all at once.

        Raises:
            Expired: reading took so long that the moment is forgotten; start again, best with `chunk_size=0`.
            Unreadable: an answer that is no list.
            ApiProblem: see `aliquot.kube.problems`.
        """
        request = Request("list", resource.full_name, namespace)
        path = resource.collection(namespace)
        parameters = _selectors(label_selector, field_selector)
        if chunk_size:
            parameters["limit"] = chunk_size
        decoder = PageDecoder(projection)
        while True:
            answer = await self._transport.send(request, "GET", path, parameters=parameters)
            try:
                page = decoder.decode(answer.body)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise Unreadable(request, f"the answer is no list: {error}") from error
            yield page
            if not page.continue_token:
                return
            parameters["continue"] = page.continue_token

    async def list(
        self,
        resource: Resource,
        projection: type[T],
        *,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        chunk_size: int = 500,
    ) -> Page[T]:
        """Read all objects as one page; starts again in one piece if the moment is forgotten meanwhile.

        See `pages` for arguments and errors. Objects that do not fit the projection are in `Page.undecodable`.
        """
        found: Page[T] = Page([], [], "", "")
        try:
            async for page in self.pages(
                resource,
                projection,
                namespace=namespace,
                label_selector=label_selector,
                field_selector=field_selector,
                chunk_size=chunk_size,
            ):
                found.items.extend(page.items)
                found.undecodable.extend(page.undecodable)
                found = Page(found.items, found.undecodable, page.resource_version, "")
        except Expired:
            if not chunk_size:
                raise
            return await self.list(
                resource,
                projection,
                namespace=namespace,
                label_selector=label_selector,
                field_selector=field_selector,
                chunk_size=0,
            )
        return found

    async def create(
        self,
        resource: Resource,
        body: Body,
        *,
        namespace: str = "",
        name: str = "",
        subresource: str = "",
        field_manager: str = "",
        dry_run: bool = False,
    ) -> Answer:
        """Create an object; or, with `name` and `subresource`, post to a subresource such as `eviction` or `token`.

        Repeated only when it was certainly not carried out. Give objects deterministic names, so that AlreadyExists
        says "done before".

        Raises:
            AlreadyExists: an object of that name is there.
            ApiProblem: see `aliquot.kube.problems`.
        """
        assert bool(name) == bool(subresource), "a name belongs to posting to a subresource"
        path = resource.item(namespace, name, subresource) if subresource else resource.collection(namespace)
        return await self._transport.send(
            Request("create", resource.full_name, namespace, name or _name_in(body), subresource),
            "POST",
            path,
            parameters=_writing(field_manager, dry_run=dry_run),
            body=_encode(body),
            repeatable=False,
        )

    async def replace(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        body: Body,
        *,
        subresource: str = "",
        field_manager: str = "",
    ) -> Answer:
        """Put a whole object, or with `subresource` what belongs to that, in the place of the one that is there.

        `metadata.resourceVersion` in the body is a precondition, which custom resources must have; repeated by itself.
        The API server spends a sixth less on it than on a merge patch of a custom resource (docs/benchmark.md).

        Raises:
            NotFound: there is no such object.
            Conflict: it has changed. Also when an earlier attempt was carried out and its answer lost: read it again.
            ApiProblem: see `aliquot.kube.problems`.
        """
        return await self._transport.send(
            Request("update", resource.full_name, namespace, name, subresource),
            "PUT",
            resource.item(namespace, name, subresource),
            parameters=_writing(field_manager, dry_run=False),
            body=_encode(body),
        )

    async def merge_patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        body: Body,
        *,
        subresource: str = "",
        field_manager: str = "",
        dry_run: bool = False,
    ) -> Answer:
        """Change the fields in `body`; null removes, lists are replaced whole (RFC 7386).

        `metadata.resourceVersion` and `metadata.uid` in the body are preconditions. Repeated by itself.

        Raises:
            NotFound: there is no such object.
            Conflict: a precondition failed.
            ApiProblem: see `aliquot.kube.problems`.
        """
        return await self._patch(
            Request("patch", resource.full_name, namespace, name, subresource),
            resource.item(namespace, name, subresource),
            body=_encode(body),
            content_type="application/merge-patch+json",
            parameters=_writing(field_manager, dry_run=dry_run),
        )

    async def json_patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        operations: Sequence[Mapping[str, Any]],
        *,
        subresource: str = "",
        field_manager: str = "",
        dry_run: bool = False,
    ) -> Answer:
        """Carry out RFC 6902 operations one after the other; all or none.

        Repeated only when it was certainly not carried out, as operations may add up.

        Raises:
            NotFound: there is no such object.
            Invalid: a `test` failed, or a path does not exist.
            ApiProblem: see `aliquot.kube.problems`.
        """
        return await self._patch(
            Request("patch", resource.full_name, namespace, name, subresource),
            resource.item(namespace, name, subresource),
            body=msgspec.json.encode(operations),
            content_type="application/json-patch+json",
            parameters=_writing(field_manager, dry_run=dry_run),
            repeatable=False,
        )

    async def apply(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        body: Body,
        *,
        field_manager: str,
        force: bool = True,
        subresource: str = "",
        dry_run: bool = False,
    ) -> Answer:
        """Server-side apply: own exactly the fields in `body`; creates the object if it is not there.

        Fields that this manager owned before and that are missing now are given up. Repeated by itself.

        Args:
            resource: which kind.
            namespace: empty for cluster-wide kinds.
            name: of the object.
            body: with apiVersion, kind and metadata.name; `metadata.uid` and `metadata.resourceVersion` are
                preconditions (and forbid creating).
            field_manager: one per purpose, from `aliquot.names`.
            force: take fields over from other managers.
            subresource: such as `status`.
            dry_run: check everything, store nothing.

        Raises:
            Conflict: a precondition failed, or without `force` another manager owns a field.
            ApiProblem: see `aliquot.kube.problems`.
        """
        return await self._patch(
            Request("apply", resource.full_name, namespace, name, subresource),
            resource.item(namespace, name, subresource),
            body=_encode(body),
            content_type="application/apply-patch+yaml",  # JSON is YAML
            parameters={**_writing(field_manager, dry_run=dry_run), "force": "true" if force else "false"},
        )

    async def _patch(
        self,
        request: Request,
        path: str,
        *,
        body: bytes,
        content_type: str,
        parameters: Mapping[str, str | int],
        repeatable: bool = True,
    ) -> Answer:
        return await self._transport.send(
            request,
            "PATCH",
            path,
            parameters=parameters,
            body=body,
            content_type=content_type,
            repeatable=repeatable,
        )

    async def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        *,
        uid: str = "",
        resource_version: str = "",
        grace_seconds: int | None = None,
        propagation: Propagation | None = None,
        dry_run: bool = False,
    ) -> Answer:
        """Delete an object, or start to: graceful deletion and finalizers take their time. Repeated by itself.

        Args:
            resource: which kind.
            namespace: empty for cluster-wide kinds.
            name: of the object.
            uid: precondition: only this object, not a later one of the same name.
            resource_version: precondition: only if unchanged.
            grace_seconds: grace period of a pod; None leaves it to the pod's own.
            propagation: what happens to dependents; None leaves it to the kind's default.
            dry_run: check everything, delete nothing.

        Raises:
            NotFound: it is gone already; usually as good as done.
            Conflict: a precondition failed.
            ApiProblem: see `aliquot.kube.problems`.
        """
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        options: dict[str, object] = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if uid or resource_version:
            options["preconditions"] = {key: value for key, value in preconditions.items() if value}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        if propagation is not None:
            options["propagationPolicy"] = propagation
        if dry_run:
            options["dryRun"] = ["All"]
        return await self._transport.send(
            Request("delete", resource.full_name, namespace, name),
            "DELETE",
            resource.item(namespace, name),
            body=msgspec.json.encode(options),
        )

    async def bind(
        self,
        namespace: str,
        name: str,
        *,
        node: str,
        uid: str,
        resource_version: str = "",
        annotations: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Answer:
        """Give a pod its node, and with it annotations and labels, in one write (design.md 4).

        Args:
            namespace: of the pod.
            name: of the pod.
            node: where it shall run.
            uid: precondition: only this pod.
            resource_version: precondition: only if unchanged; empty for any.
            annotations: merged into the pod's by the API server.
            labels: merged likewise, from Kubernetes 1.35 on; older ones leave the pod's as they are.

        Raises:
            NotFound: the pod is gone.
            Conflict: it has a node already, is being deleted, or a precondition failed. Also when an earlier attempt
                was carried out and its answer lost: the pod says which.
            ApiProblem: see `aliquot.kube.problems`.
        """
        metadata: dict[str, object] = {"name": name, "namespace": namespace, "uid": uid}
        if resource_version:
            metadata["resourceVersion"] = resource_version
        if annotations:
            metadata["annotations"] = annotations
        if labels:
            metadata["labels"] = labels
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": metadata,
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        # With the uid as a precondition a second binding of the same pod is refused, so that repeating is safe.
        return await self._transport.send(
            Request("create", PODS.full_name, namespace, name, "binding"),
            "POST",
            PODS.item(namespace, name, "binding"),
            body=msgspec.json.encode(binding),
        )

    def watch(
        self,
        resource: Resource,
        *,
        resource_version: str,
        timeout_seconds: int,
        silence_seconds: float,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open a watch; inside the context, its lines as they come (`aliquot.kube.decoding.EventDecoder` reads them).

        Args:
            resource: which kind.
            resource_version: events after this one.
            timeout_seconds: after so long the server ends the stream; spread them.
            silence_seconds: a stream that brings neither event nor bookmark for so long raises Timeout.
            namespace: empty for all.
            label_selector: as for kubectl.
            field_selector: as for kubectl.

        Raises:
            Expired: the version is too old: list again.
            ApiProblem: see `aliquot.kube.problems`.
        """
        return self._transport.stream(
            Request("watch", resource.full_name, namespace),
            resource.collection(namespace),
            {
                **_selectors(label_selector, field_selector),
                "watch": "true",
                "allowWatchBookmarks": "true",
                "resourceVersion": resource_version,
                "timeoutSeconds": timeout_seconds,
            },
            silence_seconds=silence_seconds,
        )

    def forward(self, namespace: str, name: str, port: int) -> AbstractAsyncContextManager[Socket]:
        """Connect to a port of a pod; inside the context bytes go to and fro.

        Messages begin with their channel: 0 is the connection, and on 1 comes what is wrong with it. The first one of
        each channel only says the port.

        Raises:
            ApiProblem: it was refused, or nobody answers.
        """
        request = Request("create", PODS.full_name, namespace, name, "portforward")
        path = PODS.item(namespace, name, "portforward")
        return self._transport.converse(request, path, {"ports": port}, protocol=_CHANNELS)


def _selectors(label_selector: str, field_selector: str) -> dict[str, str | int]:
    given = {"labelSelector": label_selector, "fieldSelector": field_selector}
    return {key: value for key, value in given.items() if value}


def _writing(field_manager: str, *, dry_run: bool) -> dict[str, str | int]:
    given = {"fieldManager": field_manager, "dryRun": "All" if dry_run else ""}
    return {key: value for key, value in given.items() if value}


def _encode(body: Body) -> bytes:
    return body if isinstance(body, bytes) else msgspec.json.encode(body)


def _name_in(body: Body) -> str:
    """The name that a new object will have, for problems; empty where it is not at hand."""
    if isinstance(body, Mapping):
        metadata = cast("Mapping[str, object]", body.get("metadata") or {})
        return str(metadata.get("name") or "")
    return str(getattr(getattr(body, "metadata", None), "name", "") or "")
