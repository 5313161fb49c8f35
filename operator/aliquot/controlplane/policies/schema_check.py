"""What an API server would refuse of a policy's spec: its schema, and those rules over it that can be broken. Pure.

The schema is the one that the definition of the kind is made of (`contracts.kinds.schema`). Its CEL rules have a twin
here only where REST lets in what would break them; `tests/sync/test_policies_dry_run.py` asks an API server about that.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final, cast

from aliquot.contracts.kinds.policies import Policy
from aliquot.contracts.kinds.schema import structural
from aliquot.core.quantities import InvalidQuantityError, parse_quantity
from aliquot.errors import UserError

Node = Mapping[str, Any]

_PYTHON: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
    "array": (list,),
}
_BOUNDS: Final[tuple[tuple[str, Callable[[Any, Any], bool], str], ...]] = (
    ("enum", lambda value, allowed: value in allowed, "one of {}"),
    ("pattern", lambda value, allowed: re.search(allowed, value) is not None, "what matches {}"),
    ("maxLength", lambda value, allowed: len(value) <= allowed, "at most {} characters"),
    ("minimum", lambda value, allowed: value >= allowed, "no less than {}"),
    ("maximum", lambda value, allowed: value <= allowed, "no greater than {}"),
    ("maxItems", lambda value, allowed: len(value) <= allowed, "at most {} entries"),
    ("maxProperties", lambda value, allowed: len(value) <= allowed, "at most {} of them"),
)
_LIMITS: Final = (("cpu", "cpuLimit"), ("memory", "memoryLimit"), ("gpu", "gpuLimit"), ("gpuMemory", "gpuMemoryLimit"))
_ORDERED: Final = (("parallelism", "completions"), ("minScale", "maxScale"))
_KINDS_OF_GPUS: Final = ("gpu", "gpuMemory", "migProfile")
_QUANTITIES: Final = ("memory", "memoryLimit", "gpuMemory", "gpuMemoryLimit")
_GROUPS: Final = r"[0-9]+([;,][0-9]+)*"


def refused(model: type[Policy], spec: Mapping[str, Any]) -> list[UserError]:
    """Everything that an API server would refuse, by the paths of the custom resource.

    Args:
        model: of the policy's kind.
        spec: what it says.
    """
    return [*_against(_schema(model), spec, "spec"), *_broken(spec)]


@cache
def _schema(model: type[Policy]) -> Node:
    return structural(model)["properties"]["spec"]


def _is_a(name: str, value: object) -> bool:
    return isinstance(value, _PYTHON[name]) and (name == "boolean" or not isinstance(value, bool))


def _against(schema: Node, value: Any, path: str) -> Iterator[UserError]:
    if "type" in schema and not _is_a(schema["type"], value):
        yield UserError(path, value, f"a {schema['type']}")
        return
    for word, holds, allowed in _BOUNDS:
        if word in schema and not holds(value, schema[word]):
            yield UserError(path, value, allowed.format(schema[word]))
    for name in schema.get("required", ()):
        if name not in value:
            yield UserError(f"{path}.{name}", None, "needed")
    if isinstance(value, dict):
        for name, below in cast("dict[str, Any]", value).items():
            known = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
            if known is not None:
                is_label = name not in schema.get("properties", {})
                yield from _against(known, below, f"{path}[{name}]" if is_label else f"{path}.{name}")
    elif isinstance(value, list):
        for number, below in enumerate(cast("list[Any]", value)):
            yield from _against(schema["items"], below, f"{path}.{number}")


def _broken(spec: Mapping[str, Any]) -> Iterator[UserError]:
    given = {name: part["value"] for name, part in spec.items() if "value" in part}
    for name in _QUANTITIES:
        amount = _amount(given.get(name))
        if name in given and (amount is None or amount < 0):
            yield UserError(f"spec.{name}.value", given[name], "an amount that is not negative, such as 500M or 80Gi")
    for first, second in ((0, 1), (0, 2), (1, 2)):
        one, other = _KINDS_OF_GPUS[first], _KINDS_OF_GPUS[second]
        if one in given and other in given:
            yield UserError(f"spec.{other}.value", given[other], f"left out, because there is a default for {one}")
    for request, limit in _LIMITS:
        least, most = _amount(given.get(request)), _amount(given.get(limit))
        if least is not None and most is not None and most < least:
            yield UserError(f"spec.{limit}.value", given[limit], f"no less than the request, {given[request]}")
    for least, most in _ORDERED:
        if least in given and most in given and given[least] > given[most]:
            yield UserError(f"spec.{least}.value", given[least], f"no greater than {most}, which is {given[most]}")
    replicas = spec.get("pyTorchJob", {}).get("values", {})
    least, most = (replicas.get(name, {}).get("value") for name in ("minReplicas", "maxReplicas"))
    if least is not None and most is not None and least > most:
        yield UserError(
            "spec.pyTorchJob.values.minReplicas.value", least, f"no greater than maxReplicas, which is {most}"
        )
    groups = given.get("supplementalGroups")
    if groups is not None and not re.fullmatch(_GROUPS, groups):
        yield UserError("spec.supplementalGroups.value", groups, "numbers of groups with commas between them")
    for label, item in spec.get("tolerations", {}).get("items", {}).items():
        yield from _toleration(f"spec.tolerations.items[{label}].value", item["value"])


def _toleration(path: str, value: Mapping[str, Any]) -> Iterator[UserError]:
    if "seconds" in value and value.get("effect", "NoExecute") != "NoExecute":
        yield UserError(f"{path}.seconds", value["seconds"], "left out, because the effect is not NoExecute")
    if value.get("operator") == "Exists" and value.get("tolerationValue"):
        yield UserError(f"{path}.tolerationValue", value["tolerationValue"], "left out, because operator is Exists")


def _amount(written: str | None) -> Decimal | None:
    try:
        return None if written is None else parse_quantity(written)
    except InvalidQuantityError:
        return None
