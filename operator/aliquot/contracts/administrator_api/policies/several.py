"""Defaults for what a workload may have several of; members that a workload must give may be left out here.

instances     those that each workload gets; each has what it leaves out from the attributes
attributes    what holds in each that leaves it out, the workload's own included
"""

from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field, GetCoreSchemaHandler, create_model
from pydantic_core import CoreSchema

from aliquot.contracts.administrator_api.shapes import Body
from aliquot.contracts.administrator_api.submissions.parts import ExposedUrl, ExtendedResource, Port, Toleration
from aliquot.contracts.administrator_api.submissions.storage import S3, Claim, ConfigMapVolume, Git, HostPath, Nfs

MOST_INSTANCES: Final = 100
"""Items that a policy gives of one kind."""


class _Made(Body):
    """Base of models without sources, in which nobody need look for what is said of their members."""

    model_config = ConfigDict(use_attribute_docstrings=False)


def _part_of(model: type[Body]) -> type[Body]:
    """A model of the same members, all of which may be left out."""
    members: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        bare: Any = field.annotation
        marked: Any = Annotated[(bare, *field.metadata)] if field.metadata else bare
        members[name] = (marked | None, Field(default=None, description=field.description))
    return create_model(f"PartOf{model.__name__}", __base__=_Made, __doc__=model.__doc__, **members)


class _SeveralOf:
    """Makes a member be defaults for several parts that are as a model is."""

    def __init__(self, model: type[Body]) -> None:
        part: Any = _part_of(model)
        listed: Any = Annotated[list[part], Field(max_length=MOST_INSTANCES)]
        members: dict[str, Any] = {
            "instances": (listed | None, Field(default=None, description="Those that each workload gets.")),
            "attributes": (part | None, Field(default=None, description="What holds in each that leaves it out.")),
        }
        says = f"{model.__doc__} As policies give it."
        self._model = create_model(f"{model.__name__}Defaults", __base__=_Made, __doc__=says, **members)

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read it as that model."""
        return handler.generate_schema(self._model)


Tolerations = Annotated[Body, _SeveralOf(Toleration)]
Ports = Annotated[Body, _SeveralOf(Port)]
Urls = Annotated[Body, _SeveralOf(ExposedUrl)]
Resources = Annotated[Body, _SeveralOf(ExtendedResource)]
Claims = Annotated[Body, _SeveralOf(Claim)]
Gits = Annotated[Body, _SeveralOf(Git)]
ConfigMaps = Annotated[Body, _SeveralOf(ConfigMapVolume)]
HostPaths = Annotated[Body, _SeveralOf(HostPath)]
NfsFolders = Annotated[Body, _SeveralOf(Nfs)]
Buckets = Annotated[Body, _SeveralOf(S3)]
