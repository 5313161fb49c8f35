"""What is served: the routes of all rooms, errors as problems, metrics, limits."""

from importlib.metadata import version
from typing import Final

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Gauge

from aliquot.contracts.administrator_api.deprecations import DEPRECATIONS
from aliquot.controlplane import observing
from aliquot.controlplane.access_rules import routes as access_rules
from aliquot.controlplane.applications import routes as applications
from aliquot.controlplane.audit import routes as audit
from aliquot.controlplane.auth import routes as auth
from aliquot.controlplane.cluster_sync import routes as cluster_sync
from aliquot.controlplane.clusters import routes as clusters
from aliquot.controlplane.departments import routes as departments
from aliquot.controlplane.deprecation.document import flagged
from aliquot.controlplane.deprecation.headers import DeprecationHeaders
from aliquot.controlplane.documented import document
from aliquot.controlplane.failures import answered_with_problems
from aliquot.controlplane.logo import routes as logo
from aliquot.controlplane.metrics import routes as metrics
from aliquot.controlplane.node_pools import routes as node_pools
from aliquot.controlplane.nodes import routes as nodes
from aliquot.controlplane.observing import RequestMetrics
from aliquot.controlplane.older.routes import OLDER
from aliquot.controlplane.policies import routes as policies
from aliquot.controlplane.projects import routes as projects
from aliquot.controlplane.roles import routes as roles
from aliquot.controlplane.services import Services
from aliquot.controlplane.submissions import routes as submissions
from aliquot.controlplane.telemetry import routes as telemetry
from aliquot.controlplane.users import routes as users
from aliquot.controlplane.workloads import routes as workloads

ROOMS: Final = (
    cluster_sync,
    auth,
    clusters,
    nodes,
    node_pools,
    departments,
    projects,
    telemetry,
    metrics,
    submissions,
    workloads,
    policies,
    applications,
    users,
    roles,
    access_rules,
    audit,
    logo,
    *OLDER,
    observing,
)
"""All that is served; routes are looked for in this order, so what is asked for most comes first."""


def application(services: Services, registry: CollectorRegistry) -> FastAPI:
    """Make the application.

    Args:
        services: what requests are carried out with.
        registry: the metrics to show.
    """
    app = FastAPI(
        title="Aliquot Administrator API",
        version=version("aliquot"),
        docs_url="/api/docs",
        redoc_url=None,
        openapi_url="/api/openapi.json",
        strict_content_type=False,  # clients send JSON without saying so (control-plane-api.md 1.1)
        redirect_slashes=False,
    )
    app.state.services = services
    app.state.registry = registry
    answered_with_problems(app)
    Gauge(
        "aliquot_control_plane_waiting_requests", "Requests of clusters that wait for changes.", registry=registry
    ).set_function(lambda: services.waiting.count)
    app.add_middleware(RequestMetrics, registry=registry, clock=services.clock)
    app.add_middleware(DeprecationHeaders, deprecations=DEPRECATIONS)
    for room in ROOMS:
        app.include_router(room.router, max_body_size=services.settings.server.body_bytes)
    # Else routes are made by the first requests, which is slow, and not safe where threads make them at once.
    document(app)
    flagged(app.openapi(), DEPRECATIONS)
    return app
