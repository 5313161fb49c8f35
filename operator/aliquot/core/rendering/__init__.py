"""What is asked for → manifests, as JSON-able dictionaries. Pure and deterministic; golden files show every case.

Doors, for workloads of any kind: `pod_of` and `workload_pod` (a whole pod), `pod_labels`, `pod_annotations` and
`pod_spec` (for templates of pods in other objects), `objects_beside` and `external_urls` (once for each workload), with
`Owner` and `Context`. Reconcilers call them and post what they return.
"""

from aliquot.core.rendering.beside import external_urls, objects_beside
from aliquot.core.rendering.context import Context, Owner
from aliquot.core.rendering.pod import pod_of, workload_pod
from aliquot.core.rendering.template import pod_annotations, pod_labels, pod_spec

__all__ = [
    "Context",
    "Owner",
    "external_urls",
    "objects_beside",
    "pod_annotations",
    "pod_labels",
    "pod_of",
    "pod_spec",
    "workload_pod",
]
