"""Custom resources from raw JSON to typed values, at the door."""

from collections.abc import Mapping
from typing import Any, cast

import msgspec
from pydantic import ValidationError

from aliquot import log
from aliquot.contracts.kinds.registry import Kind
from aliquot.contracts.kinds.shapes import Resource
from aliquot.contracts.kubernetes import Metadata, Projection

_log = log.get(__name__)
_NOTHING = msgspec.Raw(b"{}")
_NONE = msgspec.Raw(b"null")


class Whole(Projection, frozen=True):
    """All of a custom resource: identity at hand, the rest not read yet, as most of what is heard is known already."""

    metadata: Metadata = Metadata()
    api_version: str = ""
    kind: str = ""
    spec: msgspec.Raw = _NOTHING
    master_spec: msgspec.Raw = _NONE
    status: msgspec.Raw = _NOTHING


def parse_whole(kind: Kind, whole: Whole) -> Resource | None:
    """Read an object; see `parse`."""
    return parse(
        kind,
        {
            "apiVersion": whole.api_version,
            "kind": whole.kind,
            "metadata": msgspec.to_builtins(whole.metadata),
            "spec": msgspec.json.decode(whole.spec),
            "masterSpec": msgspec.json.decode(whole.master_spec),
            "status": msgspec.json.decode(whole.status),
        },
    )


def parse(kind: Kind, raw: Mapping[str, Any]) -> Resource | None:
    """Read an object; one that its model cannot read is logged and left out.

    The API server has checked it against the same schema, so this happens only where a definition of another version
    is installed.
    """
    try:
        return kind.model.model_validate(raw)
    except ValidationError as error:
        metadata = cast("dict[str, object]", raw.get("metadata") or {})
        first = error.errors(include_url=False)[0]
        _log.error(
            "unreadable object: is the custom resource definition of this version?",
            kind=kind.name,
            namespace=metadata.get("namespace"),
            name=metadata.get("name"),
            field=".".join(str(part) for part in first["loc"]),
            problem=first["msg"],
        )
        return None
