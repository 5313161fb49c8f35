"""The affinity of pods as the scheduler's facts have it.

Namespaces that are selected by their labels are not known here. A pod that must be far from pods there keeps off those
of every namespace; one that must be near to them finds none there.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from aliquot import names
from aliquot.contracts import kubernetes
from aliquot.core.scheduling.facts import Affinity, NodeTerm, PodTerm, Requirement

_NONE: Final = Affinity()
_EVERY_NAMESPACE: Final = "*"
_NOBODY: Final = (Requirement("", "In"),)
"""A condition that no labels meet."""


def affinity_of(spec: kubernetes.PodSpec, namespace: str) -> Affinity:
    """What the pod demands and wishes for."""
    written = spec.affinity
    if written is None:
        return _NONE
    affinity = _NONE
    if (nodes := written.node_affinity) is not None:
        affinity = replace(
            affinity,
            node_required=_required_nodes(nodes.required_during_scheduling_ignored_during_execution),
            node_preferred=tuple(
                (each.weight, node_term(each.preference))
                for each in nodes.preferred_during_scheduling_ignored_during_execution
            ),
        )
    if (near := written.pod_affinity) is not None:
        affinity = replace(
            affinity,
            near_required=tuple(
                _pod_term(term, namespace) for term in near.required_during_scheduling_ignored_during_execution
            ),
            near_preferred=_wishes(near, namespace),
        )
    if (far := written.pod_anti_affinity) is not None:
        affinity = replace(
            affinity,
            far_required=tuple(
                _pod_term(term, namespace, unknown=(_EVERY_NAMESPACE,))
                for term in far.required_during_scheduling_ignored_during_execution
            ),
            far_preferred=_wishes(far, namespace),
        )
    return affinity


def on_types(affinity: Affinity, types: tuple[str, ...]) -> Affinity:
    """The same, on nodes of one of these types (label `run.ai/type`) only; no types: on any."""
    if not types:
        return affinity
    return demanding(affinity, Requirement(names.NODE_TYPE_LABEL, "In", types))


def demanding(affinity: Affinity, demand: Requirement) -> Affinity:
    """The same, on nodes only whose labels meet one condition more."""
    if not affinity.node_required:
        return replace(affinity, node_required=(NodeTerm((demand,)),))
    terms = (
        replace(term, labels=(*term.labels, demand)) if term != NodeTerm() else term for term in affinity.node_required
    )
    return replace(affinity, node_required=tuple(terms))


def affinity_problems(spec: kubernetes.PodSpec) -> tuple[str, ...]:
    """What of the pod's affinity is not followed to the letter, a sentence each."""
    if spec.affinity is None:
        return ()
    return tuple(
        f"{path}: namespaceSelector with conditions is not supported; allowed are namespaces, or an empty selector"
        for path, term in _pod_terms(spec.affinity)
        if term.namespace_selector is not None and _conditions(term.namespace_selector)
    )


def _pod_terms(affinity: kubernetes.Affinity) -> Iterator[tuple[str, kubernetes.PodTerm]]:
    for name, part in (("podAffinity", affinity.pod_affinity), ("podAntiAffinity", affinity.pod_anti_affinity)):
        if part is not None:
            for at, term in enumerate(part.required_during_scheduling_ignored_during_execution):
                yield f"spec.affinity.{name}.requiredDuringSchedulingIgnoredDuringExecution[{at}]", term
            for at, wish in enumerate(part.preferred_during_scheduling_ignored_during_execution):
                path = f"spec.affinity.{name}.preferredDuringSchedulingIgnoredDuringExecution[{at}].podAffinityTerm"
                yield path, wish.pod_affinity_term


def _required_nodes(selector: kubernetes.NodeSelector | None) -> tuple[NodeTerm, ...]:
    """A selector without terms is a demand that nobody meets, as is an empty term."""
    if selector is None:
        return ()
    return tuple(map(node_term, selector.node_selector_terms)) or (NodeTerm(),)


def node_term(term: kubernetes.NodeTerm) -> NodeTerm:
    """The term as the scheduler reads it."""
    return NodeTerm(tuple(map(_requirement, term.match_expressions)), tuple(map(_requirement, term.match_fields)))


def _requirement(written: kubernetes.Requirement) -> Requirement:
    return Requirement(written.key, written.operator, written.values)


def _conditions(selector: kubernetes.LabelSelector) -> tuple[Requirement, ...]:
    labels = (Requirement(key, "In", (value,)) for key, value in sorted(selector.match_labels.items()))
    return (*labels, *map(_requirement, selector.match_expressions))


def _wishes(part: kubernetes.PodAffinity, namespace: str) -> tuple[tuple[int, PodTerm], ...]:
    return tuple(
        (wish.weight, _pod_term(wish.pod_affinity_term, namespace))
        for wish in part.preferred_during_scheduling_ignored_during_execution
    )


def _pod_term(term: kubernetes.PodTerm, namespace: str, unknown: tuple[str, ...] = ()) -> PodTerm:
    """The term; where its namespaces are not known, `unknown` stands for them."""
    selector = _NOBODY if term.label_selector is None else _conditions(term.label_selector)
    namespaces, selected = term.namespaces, term.namespace_selector
    if selected is not None:
        namespaces = (*namespaces, *(unknown if _conditions(selected) else (_EVERY_NAMESPACE,)))
        if not namespaces:
            return PodTerm(_NOBODY, term.topology_key, (namespace,))
    return PodTerm(selector, term.topology_key, tuple(sorted(set(namespaces))) or (namespace,))
