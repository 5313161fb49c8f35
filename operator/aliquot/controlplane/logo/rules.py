"""What is taken as a logo (control-plane-api.md 1.2, 1.4.9). Pictures that may contain scripts are not."""

import base64
import binascii
import re
from typing import Final

from aliquot.contracts.administrator_api.logo import LARGEST_LOGO
from aliquot.controlplane.refusals import BadRequest, TooLarge, WrongType

_SCHEME: Final = re.compile(r"data:[a-z]+/[-+.a-z0-9]+;base64,")
_BEGIN: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")
_WEBP: Final = re.compile(rb"RIFF.{4}WEBP", re.DOTALL)


def image(written: str) -> bytes:
    """Read a logo.

    Args:
        written: in base64, with or without `data:…;base64,` before it.

    Raises:
        BadRequest: it is not base64.
        TooLarge: it is larger than a logo may be.
        WrongType: it is no image of a kind that is taken.
    """
    scheme = _SCHEME.match(written)
    try:
        found = base64.b64decode(written[scheme.end() :] if scheme else written, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest(f"Bad request - logo: {written[:20]!r} is not allowed: an image, in base64") from error
    if len(found) > LARGEST_LOGO:
        raise TooLarge(f"logo: {len(found)} bytes are not allowed: at most {LARGEST_LOGO}")
    if not found.startswith(_BEGIN) and not _WEBP.match(found):
        raise WrongType("logo: a PNG, JPEG, GIF or WebP image is allowed, in base64")
    return found
