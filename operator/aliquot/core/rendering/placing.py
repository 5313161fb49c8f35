"""Where a pod may run, as Kubernetes writes it; the scheduler reads it from there (`core.intake.affinity`).

Which types of nodes its project may use is not written on a pod: the scheduler knows it of the project, and may be told
otherwise while the pod waits.
"""

from aliquot import names
from aliquot.core.rendering.context import Context, Manifest
from aliquot.core.submission.pod_values import Placement, Together, Toleration

_WEIGHT = 100


def placing(placement: Placement, context: Context) -> Manifest:
    """Return the parts of a pod's spec that say where it may run."""
    found: Manifest = {}
    if placement.node_type is not None:
        found["nodeSelector"] = {names.NODE_TYPE_LABEL: placement.node_type}
    if placement.together is not None:
        found["affinity"] = {"podAffinity": _together(placement.together, context)}
    if placement.tolerations:
        found["tolerations"] = list(map(_toleration, placement.tolerations))
    return found


def _together(together: Together, context: Context) -> Manifest:
    mark = context.mark()
    labels = {label: mark[label] for label in (names.WORKLOAD_NAME_LABEL, names.WORKLOAD_KIND_LABEL)}
    term = {"labelSelector": {"matchLabels": labels}, "topologyKey": together.topology}
    if together.required:
        return {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    wish = {"weight": _WEIGHT, "podAffinityTerm": term}
    return {"preferredDuringSchedulingIgnoredDuringExecution": [wish]}


def _toleration(toleration: Toleration) -> Manifest:
    found: Manifest = {"key": toleration.key, "operator": "Exists" if toleration.value is None else "Equal"}
    if toleration.value is not None:
        found["value"] = toleration.value
    if toleration.effect is not None:
        found["effect"] = toleration.effect
    if toleration.seconds is not None:
        found["tolerationSeconds"] = toleration.seconds
    return found
