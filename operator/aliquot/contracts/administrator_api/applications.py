"""Applications (control-plane-api.md 1.4.7)."""

from aliquot.contracts.administrator_api.shapes import Answer, Body, DisplayName, Flag, Time


class ApplicationCreation(Body):
    """An application to be."""

    name: DisplayName
    """What it calls itself at the token endpoint; unique in the tenant."""


class ApplicationChange(Body):
    """Whether an application may have tokens."""

    enabled: Flag
    """Whether it may have tokens; those that it has do not count any more, either."""


class Secret(Answer):
    """A new secret; the one before does not count any more."""

    secret: str
    """Shown this once."""


class ApplicationWithSecret(Answer):
    """A new application."""

    id: str
    """Its id."""
    name: str
    """What it calls itself at the token endpoint."""
    secret: str
    """Shown this once."""


class Installer(Answer):
    """The application for installing clusters."""

    id: str
    """Its id."""
    name: str
    """What it calls itself at the token endpoint."""
    secret: str
    """Shown whenever somebody asks who may change applications."""


class Application(Answer):
    """An application."""

    id: str
    """Its id."""
    name: str
    """What it calls itself at the token endpoint."""
    created_by: str
    """Who created it."""
    created_at: Time
    """When it was created."""
    updated_at: Time
    """When it was changed last."""
    enabled: bool
    """Whether it may have tokens."""
    last_login: Time | None
    """When it got a token last."""
    tenant_id: str
    """Whose it is."""
