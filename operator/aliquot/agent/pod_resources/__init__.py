"""Which pod holds which device, as the kubelet says it by its pod-resources API v1.

It knows whole GPUs, MIG devices and what other device plugins give; parts of GPUs are not its business. `Listing` is
what may be believed of several answers: just after its start the kubelet answers that nobody holds anything.
"""

from aliquot.agent.pod_resources.client import PodResources, PodResourcesError
from aliquot.agent.pod_resources.listing import Assignment, Listing

__all__ = ["Assignment", "Listing", "PodResources", "PodResourcesError"]
