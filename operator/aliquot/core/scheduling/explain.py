"""Reasons as sentences for people, with the numbers and, where there is one, the cure."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from aliquot import names
from aliquot.core.scheduling.reasons import Reason, WaitCode
from aliquot.core.scheduling.wording import NAMES, UNITS, amount_of, count, number, ordinal, standing

Details = Mapping[str, int | str]
_PROTECTED: Final = "over_protected_seconds"


def explain(reason: Reason) -> str:
    """One sentence, or the documented form where cluster-api.md 5.2 has one."""
    return _SENTENCES[reason.code](reason.details)


def _no_queue(details: Details) -> str:
    kind, _, namespace = str(details["queue"]).partition("/")
    if kind == "namespace":
        return f"namespace {namespace} belongs to no project"
    return f"project {details['queue']} has no share of node pool {details['pool']}"


def _no_such_node(details: Details) -> str:
    pool, nodes = details["pool"], _int(details, "nodes")
    if not nodes:
        return f"node pool {pool} has no nodes"
    if "resource" in details:
        most = f"the most in pool {pool} is {details['largest']}"
        return f"needs {details['needed']} {details['resource']} on one node; {most}"
    if "part_devices" in details:
        return _no_such_device(details)
    if "clashing_label" in details:
        label, allowed = details["clashing_label"], details["clashing_bound"]
        whose = "its project leaves it" if label == names.NODE_TYPE_LABEL else "its node affinity allows"
        return f"asks for nodes with {label} {details['clashing_wish']}, but {whose} only {allowed}"
    if "short_of" not in details:
        return f"none of {count(nodes, 'node')} of pool {pool} {_kept_off(details)}"
    axis = UNITS.index(str(details["short_of"]))
    candidates = _int(details, "candidates")
    which = "the largest node" if candidates == nodes else f"the largest of {count(candidates, 'node')}"
    which = "the only node" if nodes == 1 else which
    fit = "" if candidates == nodes else " that fit it otherwise"
    largest = number(axis, _int(details, f"largest_{UNITS[axis]}"))
    return f"needs {_needed(details, axis)} on one node; {which} of pool {pool}{fit} has {largest}"


def _kept_off(details: Details) -> str:
    """What no node has, of labels, affinity and taints."""
    selector = details.get("node_selector")
    has = [f"the label {details['node_role']}"] if "node_role" in details else []
    has += [f"the labels {selector}"] if selector else []
    has.append("only taints that it tolerates")
    meets = "meets its node affinity and " if "node_affinity" in details else ""
    return f"{meets}has {', '.join(has[:-1])}{' and ' if has[:-1] else ''}{has[-1]}"


def _no_such_device(details: Details) -> str:
    devices, pool = _int(details, "part_devices"), details["pool"]
    if devices > _int(details, "largest_devices"):
        most = f"the most in pool {pool} is {details['largest_devices']}"
        return f"needs parts of {count(devices, 'GPU')} on one node; {most}"
    largest = _int(details, "largest_mib")
    there = f"the largest has {largest} MiB" if largest else "no node says how much its GPUs have"
    return f"needs {details['part_mib']} MiB of one GPU; in pool {pool} {there}"


def _no_such_topology(details: Details) -> str:
    name = details["topology"]
    if "level" in details:
        return f"is to be close by {details['level']}, but topology {name} has only the levels {details['levels']}"
    there = details["topologies"]
    known = f"there are only {there}" if there else "there are none at all"
    return f"is to be close in topology {name}, but nobody has made one of that name: {known}"


def _gated(details: Details) -> str:
    gated = count(_int(details, "gated_pods"), "pod")
    return f"{gated} may not be scheduled yet: whoever set their scheduling gates must lift them"


def _too_few_pods(details: Details) -> str:
    which = f" of {details['pod_set']}" if "pod_set" in details else ""
    least = count(_int(details, "minimum_pods"), "pod")
    return f"starts with at least {least}{which}; so far there are {details['pods']}"


def _over_limit(details: Details) -> str:
    held, needed, limit, name = _bound(details, "limit")
    return (
        f"{details['queue']} quota has reached the allowable limit of {name}. Limit is {limit} {name}, "
        f"currently {held} {name} allocated and workload requested {needed} {name}"
    )


def _non_preemptible_over_quota(details: Details) -> str:
    held, needed, quota, name = _bound(details, "deserved")
    return (
        f"Non-preemptible workload is over quota. Workload requested {needed} {name}, but {details['queue']} quota is "
        f"{quota} {name}, while {held} {name} are already allocated for non-preemptible pods. "
        "Use a preemptible workload to go over quota."
    )


def _bound(details: Details, bound: str) -> tuple[str, str, str, str]:
    """Held, needed, the bound, and what they are of."""
    axis = next(axis for axis, unit in enumerate(UNITS) if f"{bound}_{unit}" in details)
    held, needed, most = (number(axis, _int(details, f"{name}_{UNITS[axis]}")) for name in ("held", "needed", bound))
    return held, needed, most, NAMES[axis]


def _waiting_for_eviction(details: Details) -> str:
    nodes = _int(details, "nodes")
    where = f"node {details['node']}" if nodes == 1 else f"{nodes} nodes such as {details['node']}"
    stopping = _int(details, "stopping_pods") if "stopping_pods" in details else 0
    who = f"{count(stopping, 'pod')} that {'makes' if stopping == 1 else 'make'} room for it" if stopping else "others"
    return f"starts on {where} when {who} {'has' if stopping == 1 else 'have'} stopped"


def _not_enough_resources(details: Details) -> str:
    parts = [_shortage(details)]
    if "broken_gpus" in details:
        nodes = _int(details, "broken_nodes")
        where = f"node {details['broken_node']}" if nodes == 1 else f"{nodes} nodes"
        parts.append(f"{count(_int(details, 'broken_gpus'), 'GPU')} of {where} cannot be used")
    axis = next(axis for axis, unit in enumerate(UNITS) if f"deserved_{unit}" in details)
    parts.append(f"{details['queue']} {_standing(details, axis, '')}")
    if "over_queue" in details:
        theirs = _standing(details, axis, "over_")
        alone = f", some of it protected by min-runtime for {_lasting(details)} more" if _PROTECTED in details else ""
        parts.append(
            f"{details['over_queue']} {theirs}{alone}, but nothing of it that may be stopped would make the room"
        )
    parts.append(f"{ordinal(_int(details, 'position'))} of {details['position_of']} in its queue")
    return "; ".join(parts)


def _shortage(details: Details) -> str:
    nodes, pods = _int(details, "nodes"), _int(details, "pods") if "pods" in details else 1
    if not nodes:
        return f"no node of pool {details['pool']} that fits it is ready and open to new pods"
    each = f"{pods} pods with " if pods > 1 else ""
    among = f"{count(nodes, 'node')} of pool {details['pool']}"
    short = details.get("free_short_of")
    if short is None and "close_level" in details:
        return _apart(details)
    if "free_part_mib" in details or "free_part_percent" in details:
        return f"needs {each}{_part(details)}; {_freest_for(details, among)} has {_part_free(details)}"
    if short is None:
        have = "together have" if nodes > 1 else "has"
        free = f"{amount_of(0, _int(details, 'free_gpu_percent'))} free"
        if "free_part_room" in details:
            free = f"room for {count(_int(details, 'free_part_room'), 'such pod')}"
        return f"needs {each}{_each_needs(details)}{' each' if each else ''} at once; {among} {have} {free}"
    axis = UNITS.index(str(short))
    best = number(axis, _int(details, f"free_best_node_{UNITS[axis]}"))
    return f"needs {each}{_needed(details, axis)} on one node; {_freest_for(details, among)} has {best} free"


def _freest_for(details: Details, among: str) -> str:
    """The node that has most free of what is short."""
    nodes, candidates = _int(details, "nodes"), _int(details, "free_candidates")
    if candidates < nodes:
        among = f"{count(candidates, 'node')} of pool {details['pool']} with enough of the rest"
    freest = f"the only node of pool {details['pool']}" if nodes == 1 else f"the freest of {among}"
    return freest + (f", {details['free_best_node']}," if "free_best_node" in details else "")


def _part(details: Details) -> str:
    """What is asked for of one device, or of each of several: `20000 MiB of one GPU`, `0.5 of each of 2 GPUs`."""
    devices = _int(details, "part_devices")
    where = "one GPU" if devices == 1 else f"each of {devices} GPUs on one node"
    return f"{_part_amount(details, 'part_')} of {where}"


def _part_free(details: Details) -> str:
    devices = _int(details, "part_devices")
    return f"{_part_amount(details, 'free_part_')} free on {'one' if devices == 1 else f'each of {devices}'}"


def _part_amount(details: Details, prefix: str) -> str:
    mib = f"{prefix}mib"
    return f"{details[mib]} MiB" if mib in details else number(0, _int(details, f"{prefix}percent"))


def _each_needs(details: Details) -> str:
    """What one task needs most of all."""
    if "part_devices" in details:
        return _part(details)
    return _needed(details, next((axis for axis, unit in enumerate(UNITS) if f"needed_{unit}" in details), 3))


def _apart(details: Details) -> str:
    """For those who would have room, but not close enough to one another."""
    pods, domains, pool = _int(details, "close_pods"), _int(details, "close_domains"), details["pool"]
    each = _each_needs(details)
    what = f"{pods} pods with {each} each" if pods > 1 else each
    wish = f"needs {what} within one domain of {details['close_level']}"
    if not domains:
        labels = f"labels {details['close_levels']}" if "close_levels" in details else f"label {details['close_level']}"
        return f"{wish}; no node of pool {pool} that is ready and open to new pods has the {labels}"
    held, domain = _int(details, "free_domain_pods"), details["free_domain"]
    if held >= pods:
        return f"{wish}; none of {count(domains, 'domain')} in pool {pool} has room for all of it at once"
    which = "the only one" if domains == 1 else f"the roomiest of {domains}"
    return f"{wish}; {which} in pool {pool}, {domain}, has room for {held or 'none'} of them"


def _lasting(details: Details) -> str:
    seconds = _int(details, _PROTECTED)
    return f"{seconds} s" if seconds < 120 else f"{-(-seconds // 60)} min"


def _standing(details: Details, axis: int, whose: str) -> str:
    held, deserved = (_int(details, f"{whose}{name}_{UNITS[axis]}") for name in ("held", "deserved"))
    return standing(axis, held, deserved)


def _needed(details: Details, axis: int) -> str:
    return "room for a pod" if axis == 3 else amount_of(axis, _int(details, f"needed_{UNITS[axis]}"))


def _int(details: Details, name: str) -> int:
    value = details[name]
    assert isinstance(value, int), f"{name} is a number"
    return value


_SENTENCES: Final[Mapping[WaitCode, Callable[[Details], str]]] = MappingProxyType(
    {
        WaitCode.NO_QUEUE: _no_queue,
        WaitCode.NO_SUCH_NODE: _no_such_node,
        WaitCode.NO_SUCH_TOPOLOGY: _no_such_topology,
        WaitCode.GATED: _gated,
        WaitCode.TOO_FEW_PODS: _too_few_pods,
        WaitCode.OVER_LIMIT: _over_limit,
        WaitCode.NON_PREEMPTIBLE_OVER_QUOTA: _non_preemptible_over_quota,
        WaitCode.WAITING_FOR_EVICTION: _waiting_for_eviction,
        WaitCode.NOT_ENOUGH_RESOURCES: _not_enough_resources,
    }
)
