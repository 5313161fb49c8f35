"""Clusters of the older surface (control-plane-api.md 1.3, last table)."""

from aliquot.contracts.administrator_api.shapes import DisplayName, Text, TolerantBody


class OlderClusterCreation(TolerantBody):
    """A cluster to be."""

    name: DisplayName
    """How it is called; unique in the tenant."""
    description: Text | None = None
    """What it is for; it is not kept."""
