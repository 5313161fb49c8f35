"""Rules of clusters (control-plane-api.md 1.4.1, 5.3)."""

from typing import Final

CHART: Final = "helm/aliquot"
"""The chart, in a checkout of this version of Aliquot."""


def install_command(namespace: str) -> str:
    """The command that installs Aliquot on a cluster, or brings it up to date."""
    return (
        f"helm upgrade --install aliquot {CHART} --namespace {namespace} --create-namespace --reset-then-reuse-values"
    )
