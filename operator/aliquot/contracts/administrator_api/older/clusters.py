"""Clusters of the older surface (control-plane-api.md 1.3, last table; 1.4.1)."""

from typing import Literal

from aliquot.contracts.administrator_api.shapes import Body, DisplayName, Text, TolerantBody


class OlderClusterCreation(TolerantBody):
    """A cluster to be."""

    name: DisplayName
    """How it is called; unique in the tenant."""
    description: Text | None = None
    """What it is for; it is not kept."""


class OlderInstallQuery(Body):
    """How a cluster is going to be installed."""

    cloud: Literal["gke", "aws", "aks", "op", "airgapped", "openshift"] | None = None
    """Where it runs; it is not looked at: the values are the same everywhere."""
    clusterip: Text | None = None
    """Addresses of its nodes, with commas between; they are not looked at: nothing is exposed."""
    format: Literal["yaml", "json"] = "yaml"
    """How the file is written."""
