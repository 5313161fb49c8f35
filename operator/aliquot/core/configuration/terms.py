"""Node selector terms in a RunaiConfig, as in the node affinity of a PodSpec."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from pydantic import ValidationError

from aliquot.contracts.simulation import NodeRequired, NodeSelectorTerm, RequirementEntry
from aliquot.core.scheduling.facts import NodeTerm, Requirement

_NAME_FIELD: Final = "metadata.name"
_WHOLE_NUMBER: Final = re.compile(r"[+-]?\d{1,19}", re.ASCII)


def _some(values: list[str]) -> bool:
    return bool(values)


def _none(values: list[str]) -> bool:
    return not values


def _number(values: list[str]) -> bool:
    return len(values) == 1 and _WHOLE_NUMBER.fullmatch(values[0]) is not None


_VALUES: Final[Mapping[str, Callable[[list[str]], bool]]] = MappingProxyType(
    {"In": _some, "NotIn": _some, "Exists": _none, "DoesNotExist": _none, "Gt": _number, "Lt": _number}
)


def read_terms(written: object) -> tuple[NodeTerm, ...] | None:
    """The terms; None where Kubernetes would not take them in a pod, or where there are none."""
    try:
        terms = NodeRequired.model_validate({"nodeSelectorTerms": written}).node_selector_terms
    except ValidationError:
        return None
    if not all(map(_makes_sense, terms)):
        return None
    return tuple(NodeTerm(_facts(term.match_expressions), _facts(term.match_fields)) for term in terms)


def _makes_sense(term: NodeSelectorTerm) -> bool:
    conditions = (*term.match_expressions, *term.match_fields)
    return (
        bool(conditions)
        and all(_VALUES[each.operator](each.values) for each in conditions)
        and all(each.key == _NAME_FIELD and each.operator in ("In", "NotIn") for each in term.match_fields)
    )


def _facts(conditions: list[RequirementEntry]) -> tuple[Requirement, ...]:
    return tuple(Requirement(each.key, each.operator, tuple(each.values)) for each in conditions)
