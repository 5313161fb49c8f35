"""Statuses on their way to the API server: whole, or what differs as a JSON merge patch (RFC 7386) of their members."""

from typing import Any

from aliquot import names
from aliquot.contracts.kinds.shapes import Metadata, Shape
from aliquot.kube.client import ApiClient
from aliquot.kube.problems import NotFound
from aliquot.kube.resources import Resource
from aliquot.kube.transport import Answer


async def put_status(client: ApiClient, resource: Resource, metadata: Metadata, status: Shape) -> Answer:
    """Write a status as a whole, in the place of that of the very version of the object that it was made from.

    Raises:
        NotFound: the object is gone.
        Conflict: the object has changed; look at it again.
        ApiProblem: see `aliquot.kube.problems`.
    """
    body = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {
            "name": metadata.name,
            "namespace": metadata.namespace,
            "uid": metadata.uid,
            "resourceVersion": metadata.resource_version,
        },
        "status": _document(status),
    }
    return await client.replace(
        resource, metadata.namespace, metadata.name, body, subresource="status", field_manager=names.STATUS_MANAGER
    )


async def patch_status(
    client: ApiClient, resource: Resource, metadata: Metadata, before: Shape, after: Shape
) -> Answer | None:
    """Write those members of a status that differ; None: none does, or the object is gone, as its watch will tell.

    Raises:
        ApiProblem: see `aliquot.kube.problems`.
    """
    patch = _difference(before, after)
    if not patch:
        return None
    body = {"metadata": {"uid": metadata.uid}, "status": patch}
    try:
        return await client.merge_patch(
            resource, metadata.namespace, metadata.name, body, subresource="status", field_manager=names.STATUS_MANAGER
        )
    except NotFound:
        return None


def _difference(before: Shape, after: Shape) -> dict[str, Any]:
    """Members that differ, with their new value; null for those that are gone. Empty: nothing differs.

    A member is replaced whole: lists cannot be merged, and each of our statuses has one writer.
    """
    old, new = _document(before), _document(after)
    changed: dict[str, Any] = {name: value for name, value in new.items() if old.get(name) != value}
    return changed | dict.fromkeys(old.keys() - new.keys())


def _document(status: Shape) -> dict[str, Any]:
    """A status as the API server gets it: members without a value are left out."""
    return status.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
