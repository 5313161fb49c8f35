"""`/v1/k8s/auth` and `/v1/k8s/config`: tokens, whose they are, and where one signs in (control-plane-api.md 2.1)."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from aliquot.contracts.administrator_api.older.subjects import OlderSelf
from aliquot.contracts.administrator_api.older.tokens import (
    OlderApplicationSignIn,
    OlderApplicationToken,
    OlderConfiguration,
    OlderRefreshQuery,
)
from aliquot.contracts.administrator_api.problems import Problem
from aliquot.contracts.administrator_api.tokens import TokenAnswer
from aliquot.controlplane.auth import sign_in
from aliquot.controlplane.auth.asking import tenant_of
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.tokens import AUDIENCE
from aliquot.controlplane.older import subjects
from aliquot.controlplane.older.rights import Rule, rights
from aliquot.controlplane.services import address_of, services_of

router = APIRouter(prefix="/v1/k8s", tags=["Older: tokens"])


@router.post("/auth/oauth/apptoken", responses={400: {"model": Problem}, 429: {"model": Problem}})
def application_token(request: Request, body: OlderApplicationSignIn) -> OlderApplicationToken:
    """Give a token for an application's secret."""
    issued = sign_in.application_signs_in(
        services_of(request), tenant_of(request), body.id, body.secret, address_of(request)
    )
    return OlderApplicationToken(access_token=issued.access_token, id_token=issued.id_token)


@router.post("/auth/oauth/tokens/refresh", responses={400: {"model": Problem}})
def refreshed_token(request: Request, query: Annotated[OlderRefreshQuery, Query()]) -> TokenAnswer:
    """Give a user another token."""
    issued = sign_in.refreshed(services_of(request), tenant_of(request), query.refresh_token)
    return TokenAnswer(
        access_token=issued.access_token,
        expires_in=issued.expires_in,
        id_token=issued.id_token,
        refresh_token=issued.refresh_token,
    )


@router.get("/auth/me")
def who_calls(gate: GateOfRequest) -> OlderSelf:
    """Say who the caller is."""
    with gate.own() as permit:
        holder = permit.holder
        rules = [
            Rule(grant.role.id, grant.place.cluster_id, grant.scope_type in ("tenant", "cluster"))
            for grant in permit.grants
        ]
        return OlderSelf.model_validate(
            {
                "id": holder.id,
                "name": holder.name,
                "entityType": "regular-user" if holder.kind == "user" else "app",
                "tenantId": holder.tenant_id,
                **subjects.shown(rights(rules)),
            }
        )


@router.get("/config")
def configuration(request: Request) -> OlderConfiguration:
    """Say where users of this host sign in."""
    tenant = tenant_of(request)
    return OlderConfiguration(
        tenant_name=tenant.name,
        auth_client_name=AUDIENCE,
        auth_url=f"{services_of(request).url}/auth",
        auth_realm=tenant.name,
    )
