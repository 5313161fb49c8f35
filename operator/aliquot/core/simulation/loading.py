"""Plain values → a document whose every part has the right keys and types."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, cast, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from aliquot.contracts.simulation import Document, Part
from aliquot.contracts.simulation.fields import key_of
from aliquot.core.simulation.problems import NOTHING, Problems, at
from aliquot.core.simulation.reading import read

_ALLOWED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "refused": "{allowed}",
        "missing": "it is required",
        "string_type": "a text; put it into quotes",
        "int_type": "a whole number",
        "int_from_float": "a whole number",
        "float_type": "a number",
        "bool_type": "true or false",
        "list_type": "a list",
        "dict_type": "a mapping",
        "model_type": "a mapping",
        "finite_number": "a finite number",
        "literal_error": "one of {expected}",
        "greater_than": "more than {gt}",
        "greater_than_equal": "at least {ge}",
        "less_than": "less than {lt}",
        "less_than_equal": "at most {le}",
        "string_too_short": "not an empty text",
        "string_too_long": "a text of at most {max_length} characters",
        "string_pattern_mismatch": "a MIG profile such as 1g.10gb",
        "too_short": "at least one",
        "too_long": "a list of at most {max_length}",
    }
)
_OF_THE_WHOLE: Final = "document"


def load(data: bytes) -> Document:
    """The document that the text describes.

    Raises:
        SimulationError: the text is no YAML, or has unknown keys or wrong types.
    """
    return document_from(read(data))


def document_from(values: object) -> Document:
    """The document that plain values describe.

    Raises:
        SimulationError: unknown keys or wrong types; all of them.
    """
    try:
        return Document.model_validate(values, by_alias=True, by_name=False)
    except ValidationError as error:
        problems = Problems()
        for found in error.errors(include_url=False):
            _report(problems, found)
        problems.raise_if_any()
        raise  # pragma: no cover  an error without errors


def _report(problems: Problems, found: ErrorDetails) -> None:
    place = [part for part in found["loc"] if part != "[key]"]
    path = at("", *place) or _OF_THE_WHOLE
    if found["type"] == "extra_forbidden":
        keys = ", ".join(_keys_at(place[:-1]))
        problems.add(path, place[-1], f"it is an unknown key; known here are {keys}")
        return
    value = NOTHING if found["type"] == "missing" else found["input"]
    template = _ALLOWED.get(found["type"])
    context = cast("dict[str, object]", found.get("ctx", {}))
    problems.add(path, value, found["msg"] if template is None else template.format(**context))


def _keys_at(place: Sequence[int | str]) -> list[str]:
    """The keys that are known at a place in the document."""
    model: type[Part] = Document
    for part in place:
        if isinstance(part, int):
            continue
        annotation = next(
            (field.annotation for name, field in model.model_fields.items() if key_of(name) == part), None
        )
        below = _part_in(annotation)
        if below is None:
            return []
        model = below
    return [key_of(name) for name in model.model_fields]


def _part_in(annotation: object) -> type[Part] | None:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _part_in(inner)) is not None), None)
