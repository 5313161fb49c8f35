"""What the agent tells the API server: idle pods, devices of reservations, the node's GPUs and their health, over-use.

`reports` is the plan: from readings, and from what stands on an object, to a patch; each of `idleness`, `overuse`,
`health`, `labels` and `answers` decides one thing, and is pure. `publisher` writes. Nothing here is needed for metrics.
"""

from aliquot.agent.publishing.only_one import OnlyOne
from aliquot.agent.publishing.plan import Patch, Target
from aliquot.agent.publishing.publisher import Publisher
from aliquot.agent.publishing.reports import Reports

__all__ = ["OnlyOne", "Patch", "Publisher", "Reports", "Target"]
