"""RunaiConfig: the settings of the cluster's installation (cluster-api.md 3.5), read by `core.configuration`."""

from pydantic import Field

from aliquot.contracts.kinds.shapes import FreeForm, Resource


class RunaiConfig(Resource):
    """Settings of the whole cluster. There is one, called runai, in the namespace runai."""

    spec: FreeForm = Field(default_factory=dict)
    """The settings, by component."""
    status: FreeForm = Field(default_factory=dict)
    """How the settings were taken up."""
