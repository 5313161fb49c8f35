"""Who vouches for the people of a tenant.

It is said on the command line, by whoever may write the database, and nowhere in the API: an issuer can let in anybody
under any name, so naming one is more than any role may do. The API that Run:ai documents has no word for it either.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import select

from aliquot.controlplane.auth.people.claims import Trust
from aliquot.controlplane.auth.people.provider import is_allowed
from aliquot.controlplane.database import Database
from aliquot.controlplane.database.tables import Issuer, Tenant
from aliquot.errors import UserError

_LONGEST: Final = 255
_LONGEST_URL: Final = 1024


def keep_issuer(database: Database, name: str, trust: Trust | None) -> None:
    """Say who vouches for the people of a tenant from now on.

    People of another issuer, and their tokens, do not count any more from then on; what is known of them stays.

    Args:
        database: up to date.
        name: of the tenant.
        trust: the issuer; None: nobody.

    Raises:
        UserError: there is no such tenant, or what is given makes no issuer.
    """
    if trust is not None:
        _check(trust)
    with database.writing() as session:
        tenant_id = session.scalar(select(Tenant.id).where(Tenant.name == name))
        if tenant_id is None:
            raise UserError("name", name, "there is no tenant of this name")
        row = session.get(Issuer, tenant_id)
        if trust is None:
            if row is not None:
                session.delete(row)
            return
        session.merge(
            Issuer(
                tenant_id=tenant_id,
                url=trust.url,
                client_id=trust.client_id,
                client_secret=trust.client_secret,
                username_claim=trust.username_claim,
                groups_claim=trust.groups_claim,
                required_claims=dict(trust.required_claims),
                hosts=sorted(trust.hosts),
            )
        )


def claims_of(written: list[str]) -> Mapping[str, str]:
    """Read claims that are written `NAME=VALUE`.

    Raises:
        UserError: one is not.
    """
    claims: dict[str, str] = {}
    for each in written:
        name, equals, value = each.partition("=")
        if not name or not equals:
            raise UserError("require", each, "NAME=VALUE")
        claims[name] = value
    return claims


def _check(trust: Trust) -> None:
    if not is_allowed(trust.url, trust.url) or "?" in trust.url or len(trust.url) > _LONGEST_URL:
        raise UserError("url", trust.url, "https://HOST/…, or http:// on this machine, as the issuer calls itself")
    fields = {"client-id": trust.client_id, "username-claim": trust.username_claim, "groups-claim": trust.groups_claim}
    for field, value in fields.items():
        if not value or len(value) > _LONGEST or not value.isprintable():
            raise UserError(field, value, f"1 to {_LONGEST} printable characters")
    secret = trust.client_secret
    if secret is not None and (not secret or len(secret) > _LONGEST_URL or not secret.isprintable()):
        raise UserError("client-secret-file", "…", f"1 to {_LONGEST_URL} printable characters in it")
    for host in sorted(trust.hosts):
        if not is_allowed(f"https://{host}/", f"https://{host}/") or "/" in host or ":" in host:
            raise UserError("endpoint-host", host, "a host name, such as oauth2.example.com")
