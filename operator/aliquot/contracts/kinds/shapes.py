"""What every model of a custom resource is built from: the base class and the marks that only the schema sees.

Reading an object is lenient: fields that a model does not know are skipped, and bounds, patterns and cross-field rules
are left to the API server, which has the same ones in the schemas that `crd` makes of these models. So a newer or
an older object can always be read, and reading is cheap. Marks (`text`, `whole`, `list_of`, …) therefore change nothing
but the generated schema.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

INT32_MAX: Final = 2**31 - 1
NAME_LENGTH: Final = 63
"""Longest DNS label, and so the longest name of a namespace, a Service or a label's value."""
LONG_NAME_LENGTH: Final = 253
"""Longest name of most other objects of Kubernetes."""
DNS_LABEL: Final = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
"""RFC 1123 label: what a namespace may be called."""

UNUSUAL_NAMES: Final = {
    "class_": "class",
    "k8s_status": "k8sStatus",
    "original_workload_uid": "originalWorkloadUID",
    "requested_gpu": "requestedGPU",
    "total_allocated_gpu": "totalAllocatedGPU",
    "total_allocated_gpu_memory": "totalAllocatedGPUMemory",
}
"""Members whose name outside does not follow from their name inside."""

Reason = Literal["FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate"]


def outside_name(name: str) -> str:
    """Return what a member is called in an object: `run_as_uid` is `runAsUid`."""
    return UNUSUAL_NAMES.get(name) or to_camel(name)


@dataclass(frozen=True, kw_only=True)
class Check:
    """A CEL rule that the API server applies to every object of a shape.

    Attributes:
        rule: a CEL expression over `self` (and `oldSelf`) that must hold.
        message: what to tell the user otherwise; names what is allowed.
        field: JSON path of the member to blame, relative to the shape, such as `.gpu`; empty: the shape itself.
        reason: the kind of error.
        message_expression: CEL that makes the message, where the message needs values.
        lasting: whether it is about members that may change as long as the object lives; see `Shape.settled`.
    """

    rule: str
    message: str
    field: str = ""
    reason: Reason = "FieldValueInvalid"
    message_expression: str = ""
    lasting: bool = False

    def schema(self, *, once: bool = False) -> dict[str, str | bool]:
        """Return the rule as an entry of `x-kubernetes-validations`; with `once`, for new objects only."""
        entry: dict[str, str | bool] = {"rule": self.rule, "message": self.message, "reason": self.reason}
        if once:
            entry["rule"] = f"oldSelf.hasValue() || ({self.rule})"
            entry["optionalOldSelf"] = True
        if self.field:
            entry["fieldPath"] = self.field
        if self.message_expression:
            entry["messageExpression"] = self.message_expression
        return entry


def _until(settled: str, checks: Sequence[Check]) -> Check:
    """Make the rule that applies others to changes of an object that is not settled; it says what the first says."""
    says = "".join(f"!({check.rule}) ? '{check.field[1:]}: {check.message}' : " for check in checks)
    return Check(
        rule=f"{settled} || ({' && '.join(f'({check.rule})' for check in checks)})",
        message="must hold together as in a new object",
        message_expression=f"{says}'must hold together as in a new object'",
        lasting=True,
    )


class Mark:
    """Keywords of the generated schema for an annotated type; without effect on parsing."""

    def __init__(self, **keywords: object) -> None:
        self.keywords = keywords

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Add the keywords to what pydantic makes of the type."""
        return {**handler(core), **self.keywords}


def _checked(keywords: dict[str, object], checks: Sequence[Check]) -> Mark:
    if checks:
        keywords["x-kubernetes-validations"] = [check.schema() for check in checks]
    return Mark(**keywords)


def text(longest: int, *checks: Check, pattern: str = "") -> Mark:
    """Bound a string.

    Args:
        longest: characters at most.
        checks: rules with messages of their own, for what users type.
        pattern: a regular expression, for what programs write.
    """
    return _checked({"maxLength": longest, **({"pattern": pattern} if pattern else {})}, checks)


def one_of(*values: str) -> Mark:
    """Restrict a string to given values, where reading must survive values that a newer version may know."""
    return Mark(enum=list(values))


def whole(least: int = 0, most: int = INT32_MAX) -> Mark:
    """Bound an integer; both ends are allowed."""
    return Mark(minimum=least, maximum=most, format="int32" if least >= -INT32_MAX and most <= INT32_MAX else "int64")


def number(least: float, most: float, *checks: Check) -> Mark:
    """Bound a number; both ends are allowed."""
    return _checked({"minimum": least, "maximum": most}, checks)


def list_of(most: int, *, keys: Sequence[str] = (), kind: Literal["atomic", "set", "map"] = "atomic") -> Mark:
    """Bound a list and say how server-side apply merges it.

    Args:
        most: entries at most.
        keys: members that identify an entry; given, the list is merged entry by entry and no two may share them.
        kind: `set` for scalars that may appear once each.
    """
    if keys:
        return Mark(**{"maxItems": most, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)})
    return Mark(**{"maxItems": most, "x-kubernetes-list-type": kind})


def map_of(most: int) -> Mark:
    """Bound a map's entries."""
    return Mark(maxProperties=most)


QUANTITY: Final = Mark(**{"x-kubernetes-int-or-string": True, "maxLength": 64})
"""An amount as Kubernetes writes it: `2`, `500m`, `80Gi`; a bare number is fine."""
Amounts = Annotated[dict[str, Annotated[int | str, QUANTITY]], map_of(64)]
"""Amounts by resource."""
OR_NULL: Final = Mark(nullable=True)
"""Lets a member be null, as some programs write it where they have nothing to say."""


class Shape(BaseModel):
    """Base of everything inside a custom resource: camelCase outside, snake_case inside, immutable.

    Attributes:
        checks: CEL rules for objects of this shape; those of the base classes hold too.
        settled: CEL over `oldSelf`; where it holds, nothing that the rules are about can change any more, and only the
            `lasting` ones are applied: rules cost the API server dear, at each write of a status (docs/decisions/0001).
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=outside_name,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
    )

    checks: ClassVar[tuple[Check, ...]] = ()
    settled: ClassVar[str] = ""

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Return itself: it never changes, so defaults can be shared between all objects that are read."""
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Add the rules of this shape to what pydantic makes of it."""
        schema = handler.resolve_ref_schema(handler(core))
        checks = [check for base in reversed(cls.__mro__) for check in base.__dict__.get("checks", ())]
        if cls.settled:
            first = [check for check in checks if not check.lasting]
            rules = [check.schema(once=True) for check in first]
            rules += [check.schema() for check in (_until(cls.settled, first), *checks) if check.lasting]
        else:
            rules = [check.schema() for check in checks]
        if rules:
            schema["x-kubernetes-validations"] = rules
        return schema


class Metadata(Shape):
    """Identity and bookkeeping of an object, as far as Aliquot reads it; Kubernetes checks it itself."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    finalizers: tuple[str, ...] = ()


class Resource(Shape):
    """Base of the kinds themselves.

    Attributes:
        checks: rules over the whole object; of its metadata they see the name only.
    """

    api_version: str = ""
    kind: str = ""
    metadata: Metadata = Metadata()


FreeForm = dict[str, Any]
"""An object whose members are somebody else's business: kept as it is, not checked."""
