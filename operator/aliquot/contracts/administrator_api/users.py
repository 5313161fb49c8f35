"""Users, with a password here or with one elsewhere (control-plane-api.md 1.4.6)."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from aliquot.contracts.administrator_api.shapes import Answer, Body, Flag, Time

SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 1024
EMAIL: Final = r"^[^@\s]{1,64}@[^@\s]{1,189}$"


def _encodable(password: str) -> str:
    """Refuse halves of surrogate pairs: they are no text."""
    password.encode()
    return password


Email = Annotated[str, Field(pattern=EMAIL, max_length=254), AfterValidator(_encodable)]
NewPassword = Annotated[
    str, Field(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD), AfterValidator(_encodable)
]
Password = Annotated[str, Field(max_length=LONGEST_PASSWORD), AfterValidator(_encodable)]


class UserCreation(Body):
    """A user to be."""

    email: Email
    """Name to sign in with; unique in the tenant, small and capital letters are the same."""
    reset_password: Flag = True
    """Whether the password has to be changed before anything else."""


class PasswordChange(Body):
    """Another password for the caller."""

    current_password: Password
    """The one that counts now."""
    new_password: NewPassword
    """The one that counts from now on."""


class UserQuery(Body):
    """Which users."""

    filter: Literal["runai.is_local:true", "runai.is_local:false"] | None = None
    """By where they have their passwords."""


class UserWithPassword(Answer):
    """A new user."""

    id: str
    """Its id."""
    username: str
    """Name to sign in with."""
    temp_password: str
    """Shown this once."""


class TemporaryPassword(Answer):
    """A new password; the one before does not count any more."""

    temp_password: str
    """Shown this once; it has to be changed at first."""


class PasswordChanged(Answer):
    """The password was changed."""

    message: str
    """What follows from that."""


class User(Answer):
    """A user."""

    id: str
    """Its id."""
    username: str
    """Name to sign in with."""
    created_by: str
    """Who created it."""
    created_at: Time
    """When it was created."""
    updated_at: Time
    """When it was changed last."""
    last_login: Time | None
    """When it got a token last."""
    is_local: bool
    """Whether its password is here."""
    groups: list[str]
    """Groups that the tenant's issuer said it is in when it signed in last; none for those with a password here."""
