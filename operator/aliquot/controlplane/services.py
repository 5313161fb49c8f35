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
from aliquot.controlplane.limits import Budgets, Rate
from aliquot.controlplane.metrics.store import MetricStore
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
    callers: Budgets
    strangers: Budgets
    clusters: Budgets
    metrics: MetricStore | None


def services(
    settings: ControlPlaneSettings, url: str, database: Database, clock: Clock, metrics: MetricStore | None = None
) -> Services:
    """Make them.

    Args:
        settings: all of them.
        url: how clients reach this control plane.
        database: up to date already.
        clock: the time.
        metrics: what keeps time series; None: nothing does.
    """
    keys, limits = KeyRing(database, settings.tokens, clock), settings.limits
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
        callers=Budgets(Rate(limits.caller_per_second, limits.caller_burst), clock),
        strangers=Budgets(Rate(limits.stranger_per_second, limits.stranger_burst), clock),
        clusters=Budgets(Rate(limits.cluster_per_second, limits.cluster_burst), clock),
        metrics=metrics,
    )


def services_of(request: Request) -> Services:
    """Those of the application that a request came to."""
    found = request.app.state.services
    assert isinstance(found, Services)
    return found


def address_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else ""


def take_from_stranger(request: Request) -> None:
    """Let a request in of which nobody knows who makes it.

    Raises:
        TooMany: there were too many from its address.
    """
    services_of(request).strangers.take(address_of(request))
