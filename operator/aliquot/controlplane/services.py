"""What requests are carried out with: made once at the start, found on the application."""

from dataclasses import dataclass

from fastapi import Request

from aliquot.clock import Clock
from aliquot.controlplane.auth.keys import KeyRing
from aliquot.controlplane.auth.passwords import Passwords
from aliquot.controlplane.auth.people.provider import Provider
from aliquot.controlplane.auth.tokens import Tokens
from aliquot.controlplane.cluster_sync.waiting import Waiting
from aliquot.controlplane.database import Database
from aliquot.controlplane.database.revisions import current
from aliquot.controlplane.settings import ControlPlaneSettings


@dataclass(frozen=True, slots=True)
class Services:
    """What requests are carried out with."""

    settings: ControlPlaneSettings
    url: str
    database: Database
    clock: Clock
    keys: KeyRing
    passwords: Passwords
    tokens: Tokens
    waiting: Waiting
    provider: Provider


def services(settings: ControlPlaneSettings, url: str, database: Database, clock: Clock) -> Services:
    """Make them.

    Args:
        settings: all of them.
        url: how clients reach this control plane.
        database: up to date already.
        clock: the time.
    """
    keys = KeyRing(database, settings.tokens, clock)
    return Services(
        settings,
        url,
        database,
        clock,
        keys,
        Passwords(settings.sign_in.checks_at_once),
        Tokens(keys, url, settings.tokens, clock),
        Waiting(lambda clusters: current(database, clusters)),
        Provider(settings.people, clock),
    )


def services_of(request: Request) -> Services:
    """Those of the application that a request came to."""
    found = request.app.state.services
    assert isinstance(found, Services)
    return found
