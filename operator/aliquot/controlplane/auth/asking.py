"""Who asks for a token: the tenant whose host the request came to."""

import re
from typing import Final

from fastapi import Request

from aliquot.controlplane.auth import sign_in
from aliquot.controlplane.auth.tokens import REALMS
from aliquot.controlplane.database.tables import Tenant
from aliquot.controlplane.refusals import BadRequest
from aliquot.controlplane.services import services_of

_PORT: Final = re.compile(r":[0-9]*$")


def tenant_of(request: Request) -> Tenant:
    """The tenant whose host a request came to, else the only one there is.

    Raises:
        BadRequest: it is no tenant's host.
    """
    tenant = sign_in.tenant_of_host(services_of(request), _PORT.sub("", request.headers.get("host", "")))
    if tenant is None:
        raise BadRequest(
            "The host of the request is no tenant's.",
            f"use {REALMS}{{realm}}/protocol/openid-connect/token with the name of the realm instead",
        )
    return tenant
