"""In which form an answer is sent: as JSON, or as CSV where the caller prefers that (control-plane-api.md 1.1).

The layout of CSV is nowhere documented. Here it has a line of names, then a line for each value.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from fastapi import Request, Response

CSV: Final = "text/csv"
_JSON: Final = "application/json"
AS_CSV: Final[Mapping[str, Any]] = {"content": {CSV: {"schema": {"type": "string"}}}}
"""For the OpenAPI document: beside JSON an answer has this form."""


def wants_csv(request: Request) -> bool:
    """Whether the caller would rather have CSV than JSON, by the header `Accept`; where nothing is said, JSON."""
    accepted = request.headers.get("accept", "")
    return _preference(accepted, CSV) > _preference(accepted, _JSON)


def as_csv(names: Sequence[str], lines: Iterable[Sequence[str | None]], status: int = 200) -> Response:
    """An answer as CSV."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows(lines)
    return Response(text.getvalue(), status, media_type=CSV)


def _preference(accepted: str, media_type: str) -> float:
    """How much a form is wanted, from 0 to 1: what names it counts more than what has a `*` in it."""
    main, _, _ = media_type.partition("/")
    found: dict[str, float] = {}
    for part in accepted.split(","):
        name, *parameters = (each.strip().lower() for each in part.split(";"))
        found[name] = next((_quality(each[2:]) for each in parameters if each.startswith("q=")), 1.0)
    return next((found[name] for name in (media_type, f"{main}/*", "*/*") if name in found), 0.0)


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 1.0
