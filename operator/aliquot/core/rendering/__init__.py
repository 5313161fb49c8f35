"""What is asked for → pod manifests, as JSON-able dictionaries. Pure and deterministic; golden files show every case.

Doors: `training_pod` and `Owner`. The workload reconciler calls it and posts what it returns.
"""

from aliquot.core.rendering.pod import Owner, training_pod

__all__ = ["Owner", "training_pod"]
