"""Texts that many kinds have in common, with their bounds. Every text has one, so that rules over it have a cost."""

from typing import Annotated, Final

from aliquot.contracts.kinds.shapes import LONG_NAME_LENGTH, text

MESSAGE_LENGTH: Final = 32768
"""Longest message, in characters."""

Name = Annotated[str, text(LONG_NAME_LENGTH)]
"""Name of an object, or what is as short."""
Message = Annotated[str, text(MESSAGE_LENGTH)]
"""A sentence for people."""
FilePath = Annotated[str, text(4096)]
"""A path in a container, on a node or on a server."""
Address = Annotated[str, text(2048)]
"""A URL, or what is as long."""
ImageName = Annotated[str, text(1024)]
"""A container image."""
