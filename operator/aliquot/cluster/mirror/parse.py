"""Custom resources from raw JSON to typed values, at the door."""

from collections.abc import Mapping
from typing import Any, cast

from pydantic import ValidationError

from aliquot import log
from aliquot.contracts.kinds.registry import Kind
from aliquot.contracts.kinds.shapes import Resource

_log = log.get(__name__)


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
