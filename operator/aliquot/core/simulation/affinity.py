"""Affinity as in a PodSpec → facts, and back."""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, cast

from aliquot.contracts.simulation import (
    AffinityEntry,
    LabelSelector,
    NodeAffinity,
    NodeRequired,
    NodeSelectorTerm,
    PodAffinity,
    PodAffinityTerm,
    RequirementEntry,
    WeightedNodeTerm,
    WeightedPodTerm,
)
from aliquot.core.scheduling.facts import Affinity, NodeTerm, PodTerm, Requirement
from aliquot.core.simulation.problems import Problems, at

_EVERYWHERE: Final = "*"
_NAME_FIELD: Final = "metadata.name"
_OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist")
_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
_NONE: Final = Affinity()


def affinity_of(problems: Problems, path: str, entry: AffinityEntry, namespace: str) -> Affinity:
    """The facts of a task's affinity; the task is in the namespace."""
    node, near, far = entry.node_affinity, entry.pod_affinity, entry.pod_anti_affinity
    if node is None and near is None and far is None:
        return _NONE
    there, near_, far_ = at(path, "nodeAffinity"), at(path, "podAffinity"), at(path, "podAntiAffinity")
    node, near, far = node or NodeAffinity(), near or PodAffinity(), far or PodAffinity()
    required = node.required_during_scheduling_ignored_during_execution
    return Affinity(
        node_required=tuple(
            _node_term(problems, at(there, _REQUIRED, "nodeSelectorTerms", number), term)
            for number, term in enumerate([] if required is None else required.node_selector_terms)
        ),
        node_preferred=tuple(
            (each.weight, _node_term(problems, at(there, _PREFERRED, number, "preference"), each.preference))
            for number, each in enumerate(node.preferred_during_scheduling_ignored_during_execution)
        ),
        near_required=_required(problems, near_, near, namespace),
        near_preferred=_preferred(problems, near_, near, namespace),
        far_required=_required(problems, far_, far, namespace),
        far_preferred=_preferred(problems, far_, far, namespace),
    )


def _node_term(problems: Problems, path: str, term: NodeSelectorTerm) -> NodeTerm:
    if not term.match_expressions and not term.match_fields:
        problems.add(path, {}, "at least one condition in matchExpressions or matchFields")
    for number, entry in enumerate(term.match_fields):
        if entry.key != _NAME_FIELD or entry.operator not in ("In", "NotIn"):
            problems.add(at(path, "matchFields", number), entry.key, f"{_NAME_FIELD} with In or NotIn")
    return NodeTerm(
        _requirements(problems, at(path, "matchExpressions"), term.match_expressions, numbers=True),
        _requirements(problems, at(path, "matchFields"), term.match_fields, numbers=True),
    )


def _requirements(
    problems: Problems, path: str, entries: Sequence[RequirementEntry], *, numbers: bool
) -> tuple[Requirement, ...]:
    for number, entry in enumerate(entries):
        where = at(path, number)
        if entry.operator in ("In", "NotIn"):
            if not entry.values:
                problems.add(at(where, "values"), [], f"at least one value with {entry.operator}")
        elif entry.operator in ("Exists", "DoesNotExist"):
            if entry.values:
                problems.add(at(where, "values"), entry.values[0], f"no values with {entry.operator}")
        elif not numbers:
            problems.add(at(where, "operator"), entry.operator, f"one of {', '.join(_OPERATORS)} for labels of tasks")
        elif len(entry.values) != 1 or not entry.values[0].removeprefix("-").isdecimal():
            problems.add(at(where, "values"), str(entry.values), f"one whole number, as a text, with {entry.operator}")
    return tuple(Requirement(entry.key, entry.operator, tuple(entry.values)) for entry in entries)


def _required(problems: Problems, path: str, entry: PodAffinity, namespace: str) -> tuple[PodTerm, ...]:
    terms = entry.required_during_scheduling_ignored_during_execution
    return tuple(_pod_term(problems, at(path, _REQUIRED, number), term, namespace) for number, term in enumerate(terms))


def _preferred(problems: Problems, path: str, entry: PodAffinity, namespace: str) -> tuple[tuple[int, PodTerm], ...]:
    terms = entry.preferred_during_scheduling_ignored_during_execution
    return tuple(
        (
            each.weight,
            _pod_term(problems, at(path, _PREFERRED, number, "podAffinityTerm"), each.pod_affinity_term, namespace),
        )
        for number, each in enumerate(terms)
    )


def _pod_term(problems: Problems, path: str, term: PodAffinityTerm, namespace: str) -> PodTerm:
    selector = term.label_selector
    labels = tuple(Requirement(key, "In", (value,)) for key, value in sorted(selector.match_labels.items()))
    where = at(path, "labelSelector", "matchExpressions")
    more = _requirements(problems, where, selector.match_expressions, numbers=False)
    if term.namespace_selector is None:
        namespaces = tuple(term.namespaces) or (namespace,)
    else:
        if term.namespace_selector != LabelSelector():
            allowed = "{} for every namespace; namespaces have no labels here"
            problems.add(at(path, "namespaceSelector"), "a selector", allowed)
        namespaces = (_EVERYWHERE,)
    return PodTerm(labels + more, term.topology_key, namespaces)


# Back


def affinity_entry(affinity: Affinity) -> AffinityEntry:
    """The document's form of an affinity."""
    if affinity == _NONE:
        return AffinityEntry()
    node = None
    if affinity.node_required or affinity.node_preferred:
        terms = [_node_entry(term) for term in affinity.node_required]
        node = NodeAffinity(
            required_during_scheduling_ignored_during_execution=NodeRequired(node_selector_terms=terms)
            if terms
            else None,
            preferred_during_scheduling_ignored_during_execution=[
                WeightedNodeTerm(weight=weight, preference=_node_entry(term))
                for weight, term in affinity.node_preferred
            ],
        )
    return AffinityEntry(
        node_affinity=node,
        pod_affinity=_pod_affinity(affinity.near_required, affinity.near_preferred),
        pod_anti_affinity=_pod_affinity(affinity.far_required, affinity.far_preferred),
    )


def _node_entry(term: NodeTerm) -> NodeSelectorTerm:
    return NodeSelectorTerm(match_expressions=_entries(term.labels), match_fields=_entries(term.fields))


def _entries(requirements: Iterable[Requirement]) -> list[RequirementEntry]:
    return [
        RequirementEntry(
            key=each.key,
            operator=cast('Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]', each.operator),
            values=list(each.values),
        )
        for each in requirements
    ]


def _pod_affinity(required: Sequence[PodTerm], preferred: Sequence[tuple[int, PodTerm]]) -> PodAffinity | None:
    if not required and not preferred:
        return None
    return PodAffinity(
        required_during_scheduling_ignored_during_execution=[_pod_entry(term) for term in required],
        preferred_during_scheduling_ignored_during_execution=[
            WeightedPodTerm(weight=weight, pod_affinity_term=_pod_entry(term)) for weight, term in preferred
        ],
    )


def _pod_entry(term: PodTerm) -> PodAffinityTerm:
    everywhere = _EVERYWHERE in term.namespaces
    return PodAffinityTerm(
        label_selector=LabelSelector(match_expressions=_entries(term.selector)),
        topology_key=term.topology_key,
        namespaces=[] if everywhere else list(term.namespaces),
        namespace_selector=LabelSelector() if everywhere else None,
    )
