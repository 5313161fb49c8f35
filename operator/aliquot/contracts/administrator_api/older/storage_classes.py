"""StorageClasses of a cluster (control-plane-api.md 1.3, 1.5)."""

from pydantic import ConfigDict

from aliquot.contracts.administrator_api.shapes import Answer


class OlderStorageClass(Answer):
    """A kind of storage that claims in a cluster may ask for."""

    model_config = ConfigDict(alias_generator=None)

    storage_class_name: str
    """Its name."""
    is_default: bool
    """Whether claims that ask for none get this one."""
