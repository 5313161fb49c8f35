"""The cluster document as a whole."""

from typing import Annotated, Final

from pydantic import Field

from aliquot.contracts.simulation.cluster import NodeEntry, QueueEntry, SettingsEntry, TopologyEntry
from aliquot.contracts.simulation.fields import Part
from aliquot.contracts.simulation.jobs import JobEntry

MOST_NODES: Final = 50_000
MOST_QUEUES: Final = 20_000
MOST_JOBS: Final = 500_000


class Document(Part):
    """A cluster, written down for `aliquot simulate`."""

    settings: SettingsEntry = Field(default=SettingsEntry(), description="how the scheduler is set")
    nodes: Annotated[list[NodeEntry], Field(max_length=MOST_NODES)] = Field(
        default_factory=list[NodeEntry], description="the machines"
    )
    queues: Annotated[list[QueueEntry], Field(max_length=MOST_QUEUES)] = Field(
        default_factory=list[QueueEntry], description="a tree; jobs hang on leaves"
    )
    jobs: Annotated[list[JobEntry], Field(max_length=MOST_JOBS)] = Field(
        default_factory=list[JobEntry], description="what runs, and what waits"
    )
    topologies: Annotated[list[TopologyEntry], Field(max_length=MOST_QUEUES)] = Field(
        default_factory=list[TopologyEntry], description="levels of closeness"
    )
