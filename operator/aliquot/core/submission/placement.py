"""Where pods may run and where they should (cluster-api.md 1.4, 5.6)."""

import re
from typing import Final

from aliquot import names
from aliquot.contracts.kinds.parameters import placement as parameters
from aliquot.contracts.kinds.parameters.placement import PlacementParameters
from aliquot.contracts.kinds.shapes import INT32_MAX
from aliquot.contracts.kinds.wrappers import given
from aliquot.core.submission.keys import KEY_ALLOWED, LABEL_ALLOWED, is_label_value, is_qualified
from aliquot.core.submission.pod_values import Placement, Together, Toleration
from aliquot.core.submission.problems import Problems
from aliquot.core.submission.spec import Site

MOST_NODE_POOLS: Final = 100
_POOL: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)
_OF_NODES: Final = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")
"""Taints of nodes that are out of order. A pod that bears them for ever keeps its place on a node that is gone."""

POOLS_ALLOWED: Final = f"names of at most {MOST_NODE_POOLS} node pools with spaces between them, most wanted first"
TAINTS_OF_NODES: Final = "borne for a number of seconds only, as this taint says that the node is out of order"
RULES_ALLOWED: Final = "hard (they must be together) or soft (they should be)"
NEEDS_AFFINITY: Final = "left out, because spec.podAffinity is not true"


def read_placement(spec: PlacementParameters, site: Site | None, priority_class: str, problems: Problems) -> Placement:
    """Read where pods may run.

    Args:
        spec: says it.
        site: with the types of nodes that may be used; None: any.
        priority_class: of the pods: training and interactive work may use nodes of different types.
        problems: takes what is wrong.
    """
    pools = _node_pools(spec, problems)
    types = () if site is None else site.node_types(priority_class, pools)
    return Placement(
        node_type=_node_type(spec.node_type.value, types, site, problems),
        node_pools=pools,
        tolerations=_tolerations(spec, problems),
        together=_together(spec, problems),
    )


def _node_type(node_type: str | None, types: tuple[str, ...], site: Site | None, problems: Problems) -> str | None:
    if node_type is None:
        return None
    if not is_label_value(node_type):
        problems.add("spec.nodeType.value", node_type, f"the value of a node's label run.ai/type: {LABEL_ALLOWED}")
    elif site is not None and types and node_type not in types:
        allowed = f"one of the node types of the project {site.project}: {', '.join(types)}"
        problems.add("spec.nodeType.value", node_type, allowed)
    return node_type


def _node_pools(spec: PlacementParameters, problems: Problems) -> tuple[str, ...]:
    one, many = spec.node_pool.value, spec.node_pools.value
    if one is not None and many is not None:
        problems.add("spec.nodePool.value", one, "left out, because spec.nodePools names the node pools")
    field, written = ("spec.nodePool.value", one) if many is None else ("spec.nodePools.value", many)
    pools = tuple(dict.fromkeys((written or "").split()))
    most = 1 if many is None else MOST_NODE_POOLS
    if len(pools) > most or not all(map(_POOL.fullmatch, pools)):
        problems.add(field, written, POOLS_ALLOWED if many is not None else "the name of one node pool")
    return pools


def _tolerations(spec: PlacementParameters, problems: Problems) -> tuple[Toleration, ...]:
    items = sorted(given(spec.tolerations.items).items())
    found = (_toleration(f"spec.tolerations.items[{label}].value", item, problems) for label, item in items)
    return tuple(dict.fromkeys(found))


def _toleration(field: str, item: parameters.Toleration, problems: Problems) -> Toleration:
    key, value, exists = item.toleration_key, item.toleration_value, item.operator == "Exists"
    if not is_qualified(key):
        problems.add(f"{field}.tolerationKey", key, KEY_ALLOWED)
    elif key.startswith(_OF_NODES) and item.seconds is None:
        problems.add(f"{field}.tolerationKey", key, TAINTS_OF_NODES)
    if exists and value:
        problems.add(f"{field}.tolerationValue", value, "left out, because with operator Exists any value will do")
    elif value and not is_label_value(value):
        problems.add(f"{field}.tolerationValue", value, LABEL_ALLOWED)
    if item.seconds is not None and item.effect != "NoExecute":
        problems.add(f"{field}.seconds", item.seconds, "left out, because only a NoExecute taint is borne for a time")
    elif item.seconds is not None and not 0 <= item.seconds <= INT32_MAX:
        problems.add(f"{field}.seconds", item.seconds, f"a whole number from 0 to {INT32_MAX}")
    return Toleration(key, None if exists else value or "", item.effect, item.seconds)


def _together(spec: PlacementParameters, problems: Problems) -> Together | None:
    rule, topology = spec.pod_affinity_scheduling_rule.value, spec.pod_affinity_topology.value
    if not spec.pod_affinity.value:
        for name, value in (("podAffinitySchedulingRule", rule), ("podAffinityTopology", topology)):
            if value is not None and spec.pod_affinity.value is None:
                problems.add(f"spec.{name}.value", value, NEEDS_AFFINITY)
        return None
    if rule is not None and rule.lower() not in ("hard", "soft"):
        problems.add("spec.podAffinitySchedulingRule.value", rule, RULES_ALLOWED)
    if topology is not None and not is_qualified(topology):
        problems.add("spec.podAffinityTopology.value", topology, f"the key of a node's label: {KEY_ALLOWED}")
    return Together(topology or names.HOST_NAME_LABEL, required=rule is not None and rule.lower() == "hard")
