"""What somebody who signed in gets, and what somebody who could not is told."""

from dataclasses import dataclass

from aliquot.contracts.administrator_api.tokens import TokenAnswer
from aliquot.controlplane.auth.tokens import Holder
from aliquot.controlplane.refusals import BadRequest
from aliquot.controlplane.services import Services


@dataclass(frozen=True, slots=True)
class Vouched:
    """How far the word of somebody's issuer goes.

    Attributes:
        until: when it ends, in seconds since 1970: no token counts longer.
        refresh_token: of the issuer's, to be asked again by; None: people have to sign in there again.
        nonce: of the sign-in there.
    """

    until: int
    refresh_token: str | None
    nonce: str | None


@dataclass(frozen=True, slots=True)
class Issued:
    """What somebody who signed in gets; applications have no refresh token: they have their secret."""

    access_token: str
    id_token: str
    refresh_token: str | None
    expires_in: int
    refresh_expires_in: int


class WrongCredentials(BadRequest):
    """Name or secret is wrong; which one is nobody's business."""


def issued(services: Services, holder: Holder, vouched: Vouched | None = None) -> Issued:
    """Sign tokens.

    Args:
        services: of this process.
        holder: whom they are for.
        vouched: by whose word; None: they proved it here.
    """
    tokens, settings = services.tokens, services.settings.tokens
    until = None if vouched is None else vouched.until
    lasts = settings.access_seconds
    if until is not None:
        lasts = max(0, min(lasts, until - int(services.clock.now())))
    refresh_token = None
    if holder.kind == "user" and (vouched is None or vouched.refresh_token):
        refresh_token = tokens.issued(holder, "Refresh", of_issuer=vouched and vouched.refresh_token)
    return Issued(
        access_token=tokens.issued(holder, "Bearer", until),
        id_token=tokens.issued(holder, "ID", until, nonce=vouched and vouched.nonce),
        refresh_token=refresh_token,
        expires_in=lasts,
        refresh_expires_in=settings.refresh_seconds if refresh_token else 0,
    )


def answered(given: Issued) -> TokenAnswer:
    """Tokens as the platform's own form has them."""
    return TokenAnswer(
        access_token=given.access_token,
        expires_in=given.expires_in,
        id_token=given.id_token,
        refresh_token=given.refresh_token,
    )
