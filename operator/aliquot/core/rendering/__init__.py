"""What is asked for → manifests, as JSON-able dictionaries. Pure and deterministic; golden files show every case.

Doors: `training_pod`, and for workloads of any kind `workload_pod` (a whole pod), `pod_labels`, `pod_annotations` and
`pod_spec` (for templates of pods in other objects), `objects_beside` and `external_urls` (once for each workload), with
`Owner` and `Context`; `standing` and `mended` for such objects when they are looked at again. Reconcilers call them and
post what they return.
"""

from aliquot.core.rendering.beside import external_urls, objects_beside
from aliquot.core.rendering.context import Context, Owner
from aliquot.core.rendering.pod import training_pod, workload_pod
from aliquot.core.rendering.template import pod_annotations, pod_labels, pod_spec
from aliquot.core.rendering.upkeep import Standing, holder_of, mended, standing

__all__ = [
    "Context",
    "Owner",
    "Standing",
    "external_urls",
    "holder_of",
    "mended",
    "objects_beside",
    "pod_annotations",
    "pod_labels",
    "pod_spec",
    "standing",
    "training_pod",
    "workload_pod",
]
