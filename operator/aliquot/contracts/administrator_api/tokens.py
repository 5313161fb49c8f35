"""Tokens (control-plane-api.md 2.1)."""

from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field

from aliquot.contracts.administrator_api.shapes import Answer, Body

LONGEST_TOKEN: Final = 24_576


class TokenRequest(Body):
    """What a token is given for. Names of members may be written in any case: `AppId` is `appID`."""

    model_config = ConfigDict(extra="ignore")

    grant_type: Annotated[Literal["app_token", "password", "refresh_token", "exchange_token"], Field(alias="grantType")]
    """`app_token`: application; `password`: user; `refresh_token`: a user, again; `exchange_token`: somebody with a
    code of the tenant's issuer."""
    app_id: Annotated[str | None, Field(alias="appID", max_length=1024)] = None
    """The application's name."""
    app_secret: Annotated[str | None, Field(alias="appSecret", max_length=1024)] = None
    """The application's secret."""
    username: Annotated[str | None, Field(max_length=1024)] = None
    """The user's e-mail address."""
    password: Annotated[str | None, Field(max_length=1024)] = None
    """The user's password."""
    refresh_token: Annotated[str | None, Field(alias="refreshToken", max_length=LONGEST_TOKEN)] = None
    """What came with the last token."""
    client_id: Annotated[str | None, Field(alias="clientID", max_length=1024)] = None
    """Program that asks for a user; any. For a code: client that the issuer gave it to; left out: the tenant's."""
    code: Annotated[str | None, Field(max_length=8192)] = None
    """What the issuer delivered when somebody signed in there."""
    redirect_uri: Annotated[str | None, Field(alias="redirectUri", max_length=2048)] = None
    """Where it was delivered to."""
    code_verifier: Annotated[str | None, Field(alias="codeVerifier", max_length=128)] = None
    """Where the sign-in began with a challenge (PKCE, RFC 7636): what it was made of."""
    nonce: Annotated[str | None, Field(max_length=1024)] = None
    """Where the sign-in began with one: the issuer's ID token has to have the same."""


class TokenAnswer(Answer):
    """A token."""

    access_token: str
    """To be sent in each request: `Authorization: Bearer …`."""
    expires_in: int
    """Seconds that it counts."""
    id_token: str
    """Says who it is; counts like the access token."""
    refresh_token: str | None = None
    """For another token without the password; users only."""


class OpenIdProblem(Answer):
    """Why no token is given, as OAuth 2.0 has it (RFC 6749, 5.2)."""

    model_config = ConfigDict(alias_generator=None)

    error: str
    """One of the words of the standard."""
    error_description: str
    """For people."""


class OpenIdToken(Answer):
    """A token, as OpenID Connect has it."""

    model_config = ConfigDict(alias_generator=None)

    access_token: str
    """To be sent in each request: `Authorization: Bearer …`."""
    expires_in: int
    """Seconds that it counts."""
    refresh_token: str | None = None
    """For another token without the password; users only."""
    refresh_expires_in: int = 0
    """Seconds that the refresh token counts."""
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - no secret
    """How it is sent."""
    id_token: str
    """Says who it is; counts like the access token."""
    scope: str = "openid"
    """What it is for."""
