"""Tokens of the older surface, and what somebody needs to get one (control-plane-api.md 2.1, rows C to E; 1.3)."""

from typing import Annotated, Final

from pydantic import ConfigDict, Field

from aliquot.contracts.administrator_api.shapes import Answer, Body, TolerantBody
from aliquot.contracts.administrator_api.tokens import LONGEST_TOKEN

_VISIBLE: Final = r"^[ -~]+$"
"""As RFC 6749 has codes, and RFC 3986 addresses."""


class OlderApplicationSignIn(TolerantBody):
    """An application, and its secret."""

    id: Annotated[str, Field(max_length=64)]
    """Its id, or its name."""
    name: Annotated[str, Field(max_length=255)]
    """Its name; it is not looked at."""
    secret: Annotated[str, Field(max_length=500)]
    """Its secret."""


class OlderApplicationToken(Answer):
    """A token for an application."""

    model_config = ConfigDict(alias_generator=None)

    access_token: str
    """To be sent in each request: `Authorization: Bearer …`."""
    id_token: str
    """Says who it is; counts like the access token."""


class OlderRefreshQuery(Body):
    """What a token is given for."""

    refresh_token: Annotated[str, Field(alias="refresh_token", pattern=r"^[-A-Za-z0-9_.]+$", max_length=LONGEST_TOKEN)]
    """What came with the last token."""


class OlderExchangeQuery(Body):
    """What a token is given for."""

    code: Annotated[str, Field(pattern=_VISIBLE, max_length=8192)]
    """What the issuer delivered when somebody signed in there."""
    redirect_uri: Annotated[str, Field(alias="redirect_uri", pattern=_VISIBLE, max_length=2048)]
    """Where it was delivered to."""


class OlderConfiguration(Answer):
    """Where users of this host sign in."""

    tenant_name: str
    """Whose host it is."""
    auth_client_name: str
    """How programs for users call themselves."""
    auth_url: str
    """Where the realms are."""
    auth_realm: str
    """The tenant's realm."""
