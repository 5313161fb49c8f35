"""This node as the API server has it: its labels, who wrote them, and the resources that it has."""

from collections.abc import Iterable

import msgspec

from aliquot import names
from aliquot.contracts.kubernetes import Metadata, NodeStatus, Projection


class ManagedFields(Projection, frozen=True):
    """Which fields of an object somebody wrote last."""

    manager: str = ""
    fields_v1: msgspec.Raw = msgspec.Raw(b"{}")


class OwnedMetadata(Metadata, frozen=True):
    """Metadata with who wrote them."""

    managed_fields: tuple[ManagedFields, ...] = ()


class _Labels(msgspec.Struct, frozen=True):
    labels: dict[str, msgspec.Raw] = msgspec.field(default_factory=dict[str, msgspec.Raw], name="f:labels")


class _Fields(msgspec.Struct, frozen=True):
    metadata: _Labels = msgspec.field(default=_Labels(), name="f:metadata")


class OwnNode(Projection, frozen=True):
    """The node."""

    metadata: OwnedMetadata = OwnedMetadata()
    status: NodeStatus = NodeStatus()

    def labels_of_the_agent(self) -> frozenset[str]:
        """Labels that an agent wrote, and nobody else since."""
        return frozenset(
            key.removeprefix("f:")
            for entry in self.metadata.managed_fields
            if entry.manager == names.AGENT_MANAGER
            for key in _labels(entry.fields_v1)
            if key.startswith("f:")
        )


def _labels(fields: msgspec.Raw) -> Iterable[str]:
    try:
        return msgspec.json.decode(fields, type=_Fields).metadata.labels
    except msgspec.DecodeError:
        return ()
