"""The tenant's logo in the database."""

import base64

from aliquot.contracts.administrator_api.logo import Logo
from aliquot.controlplane.auth.permit import Permit


def shown(permit: Permit) -> Logo | None:
    """The logo; None: there is none."""
    image = permit.logo()
    return None if image is None else Logo(logo=base64.b64encode(image).decode())


def change(permit: Permit, image: bytes) -> None:
    """Give the tenant another logo.

    Raises:
        Forbidden: the caller's rights do not reach the tenant itself.
    """
    before = len(permit.logo() or b"")
    permit.set_logo(image)
    permit.record_of_tenant("logo", "logo", before={"bytes": before}, after={"bytes": len(image)})
