"""Node types: names for the values of the label `run.ai/type` (control-plane-api.md 1.4.5)."""

from typing import Annotated

from pydantic import Field

from aliquot.contracts.administrator_api.node_pools import LABEL_VALUE
from aliquot.contracts.administrator_api.shapes import Answer, Id, TolerantBody


class OlderNodeTypeCreation(TolerantBody):
    """A node type to be, or what one is to be."""

    name: Annotated[str, Field(min_length=1, max_length=63, pattern=LABEL_VALUE)]
    """Value of the label `run.ai/type` of its nodes; unique in the cluster."""
    cluster_uuid: Id
    """Cluster that it belongs to; it cannot be changed."""


class OlderNodeTypeOfCluster(Answer):
    """A node type."""

    id: int
    """Its id."""
    name: str
    """Value of the label `run.ai/type` of its nodes."""
    tenant_id: int
    """Whose it is."""
    cluster_uuid: str
    """Cluster that it belongs to."""
