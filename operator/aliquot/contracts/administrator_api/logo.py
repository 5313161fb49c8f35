"""The tenant's logo (control-plane-api.md 1.4.9)."""

from typing import Final

from aliquot.contracts.administrator_api.shapes import Answer, TolerantBody

LARGEST_LOGO: Final = 128 * 1024
"""In bytes, as an image."""


class Logo(Answer):
    """The logo."""

    logo: str
    """The image, in base64."""


class LogoChange(TolerantBody):
    """Another logo."""

    logo: str
    """A PNG, JPEG, GIF or WebP image of at most 128 KiB, in base64; `data:image/png;base64,` may be before it."""
