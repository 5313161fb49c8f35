"""Workloads, templates and policies of every kind as somebody would write them, made from the catalogue alone.

Nothing here knows a parameter by name: what is added to the contract is covered as soon as it is there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

from pydantic import TypeAdapter, ValidationError

from aliquot.contracts.kinds.catalogue import Member, Parameter, ValueType, Wrapper, of_kind, workload_kind
from aliquot.contracts.kinds.policies import Policy
from aliquot.contracts.kinds.registry import KINDS
from aliquot.contracts.kinds.shapes import Resource, Shape, outside_name
from aliquot.contracts.kinds.workloads import Workload
from aliquot.core.submission import master
from aliquot.core.submission.layers import settled
from aliquot.core.submission.master import MASTER, master_of

Json = dict[str, Any]

MODELS: Final = {kind.name: kind.model for kind in KINDS}
WORKLOADS: Final = sorted(name for name in MODELS if name.endswith("Workload") and name != "ExternalWorkload")
POLICIES: Final = sorted(name for name in MODELS if name.endswith("Policy"))
HERE: Final = "runai-team-a"
LABEL: Final = "one"
"""Of an item, where a test writes one."""
_VALUES: Final[dict[ValueType, tuple[Any, Any, Any]]] = {
    ValueType.BOOLEAN: (True, False, True),
    ValueType.INTEGER: (1, 2, 3),
    ValueType.TEXT: ("a", "b", "c"),
    ValueType.DECIMAL: ("1", "2", "3"),
    ValueType.QUANTITY: ("1Gi", "2Gi", "3Gi"),
}
_CHOICES: Final = ("NoSchedule", "NoExecute", "PreferNoSchedule", "Equal", "Exists")
"""Where a member takes some texts only."""
_DEMANDED: Final = {
    "capabilities": ("capability",),
    "extendedResources": ("name", "quantity"),
    "gitSync": ("repository",),
    "s3": ("bucket", "key", "path", "secret", "secretName", "url"),
}
"""Members of items whose rules a policy must give where it gives any (crd-contract.md)."""


@dataclass(frozen=True)
class Place:
    """A parameter where it is written.

    Attributes:
        kind: of the workload.
        part: `spec`, or `masterSpec`.
    """

    kind: str
    part: str
    parameter: Parameter

    def __str__(self) -> str:
        return f"{self.kind}.{self.part}.{self.parameter.name}"

    @property
    def field(self) -> str:
        """What refusals call it."""
        return f"{MASTER}.{self.parameter.name}" if self.part == MASTER else self.parameter.name

    def read(self, whole: Workload) -> Any:
        """The parameter of a workload that has all that it takes from others; None: nothing of it is said."""
        spec: Shape | None = whole.spec if self.part == "spec" else master_of(whole)
        assert spec is not None
        return plain(getattr(settled({self.parameter.name: self.parameter}, spec), self.parameter.attribute))


def places() -> list[Place]:
    """Every parameter of every kind, in both parts of distributed workloads."""
    of_specs = [Place(kind, "spec", each) for kind in WORKLOADS for each in of_kind(kind).values()]
    return [*of_specs, *(Place("DistributedWorkload", MASTER, each) for each in master.PARAMETERS.values())]


def workload(kind: str, name: str = "mine", /, *, namespace: str = HERE, **parts: Any) -> Workload:
    """A workload; parts are `spec` and `masterSpec`, as JSON."""
    made = resource(kind, name, {"spec": {}, **parts}, namespace)
    return cast("Workload", made)


def policy(kind: str, spec: Json, *, namespace: str = HERE) -> Policy:
    """The policy for workloads of a kind."""
    [model] = [each for each in POLICIES if workload_kind(each) == kind]
    return cast("Policy", resource(model, "limits", {"spec": spec}, namespace))


def resource(kind: str, name: str, body: Json, namespace: str = HERE) -> Resource:
    metadata = {"name": name, "namespace": namespace}
    return MODELS[kind].model_validate({"kind": kind, "metadata": metadata, **body})


def wrapped(parameter: Parameter, which: int) -> Json:
    """A parameter as it is written, one of three different values of it."""
    match parameter.wrapper:
        case Wrapper.VALUE:
            assert parameter.value_type is not None
            return {"value": _VALUES[parameter.value_type][which]}
        case Wrapper.KEYED:
            return {"items": {LABEL: {"value": _VALUES[ValueType.TEXT][which]}}}
        case Wrapper.ITEMS:
            members = {each.name: member_value(parameter, each, which) for each in parameter.members.values()}
            return {"items": {LABEL: {"value": members}}}
        case Wrapper.GROUP:
            values = {name: {"value": _VALUES[each.value_type][which]} for name, each in parameter.members.items()}
            return {"values": values}


def member_value(parameter: Parameter, member: Member, which: int) -> Any:
    """One of three different values of a member, as far as there are so many."""
    assert parameter.model is not None
    adapter = TypeAdapter(cast("type[object]", parameter.model.model_fields[member.attribute].annotation))
    fitting: list[Any] = []
    for value in (*_VALUES[member.value_type], *_CHOICES):
        try:
            fitting.append(adapter.validate_python(value, strict=True))
        except ValidationError:
            continue
    return fitting[which % len(fitting)]


def broken(parameter: Parameter) -> Iterator[tuple[str, Json]]:
    """What a policy may say that the first of what `wrapped` gives breaks, after the path that a refusal names."""
    match parameter.wrapper:
        case Wrapper.VALUE:
            assert parameter.value_type is not None
            for rules in _broken(parameter.value_type):
                yield "", {"rules": rules, **({"value": False} if parameter.value_type is ValueType.BOOLEAN else {})}
        case Wrapper.KEYED:
            yield f"[{LABEL}]", {"itemRules": {"options": [{"value": "other"}]}}
            yield f"[{LABEL}]", {"keyRules": {"options": [{"value": "OTHER"}]}}
            yield from _of_items({"value": "b"})
        case Wrapper.ITEMS:
            for member in parameter.members.values():
                for rules in _broken(member.value_type) if member.rules else ():
                    yield f"[{LABEL}].{member.name}", {"itemRules": _item_rules(parameter, member, rules)}
            yield from _of_items(wrapped(parameter, 1)["items"][LABEL])
        case Wrapper.GROUP:
            for member in parameter.members.values():
                for rules in _broken(member.value_type):
                    yield f".{member.name}", {"values": {member.name: {"rules": rules}}}


def _of_items(theirs: Json) -> Iterator[tuple[str, Json]]:
    yield f"[{LABEL}]", {"rules": {"canAdd": False}}
    yield f"[{LABEL}]", {"items": {LABEL: {**theirs, "rules": {"canEdit": False}}}}


def _item_rules(parameter: Parameter, member: Member, rules: Json) -> Json:
    """Rules for a member, with empty ones for those that the schema demands."""
    demanded: Json = {name: {} for name in _DEMANDED.get(parameter.name, ())}
    return {**demanded, outside_name(member.rules): rules}


def _broken(value_type: ValueType) -> Iterator[Json]:
    yield {"canEdit": False}
    match value_type:
        case ValueType.INTEGER:
            yield from ({"max": 0}, {"min": 100})
        case ValueType.DECIMAL:
            yield from ({"max": "0.5"}, {"min": "100"}, {"step": "0.3"})
        case ValueType.QUANTITY:
            yield from ({"max": "1G"}, {"min": "1Ti"}, {"options": [{"value": "2Gi"}]})
        case ValueType.TEXT:
            yield from ({"options": [{"value": "other"}]}, {"format": "email"})
        case ValueType.BOOLEAN:
            return


def plain(shape: Shape) -> Json:
    """What a wrapper says, without what it leaves out."""
    return shape.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True)
