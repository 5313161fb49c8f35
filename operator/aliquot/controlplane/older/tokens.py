"""`/v1/k8s/auth` and `/v1/k8s/config`: tokens, whose they are, and where one signs in (control-plane-api.md 2.1)."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from aliquot.contracts.administrator_api.older.subjects import OlderSelf
from aliquot.contracts.administrator_api.older.tokens import (
    OlderApplicationSignIn,
    OlderApplicationToken,
    OlderConfiguration,
    OlderExchangeQuery,
    OlderRefreshQuery,
)
from aliquot.contracts.administrator_api.problems import Problem
from aliquot.contracts.administrator_api.tokens import TokenAnswer
from aliquot.controlplane.auth import sign_in
from aliquot.controlplane.auth.asking import tenant_of
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.issued import answered
from aliquot.controlplane.auth.people.signing_in import Code, person_signs_in
from aliquot.controlplane.auth.tokens import AUDIENCE
from aliquot.controlplane.older import subjects
from aliquot.controlplane.older.rights import Rule, rights
from aliquot.controlplane.services import address_of, services_of, take_from_stranger

router = APIRouter(prefix="/v1/k8s", tags=["Older: tokens"])

_FOR_STRANGERS: Final = [Depends(take_from_stranger)]


@router.post(
    "/auth/oauth/apptoken", dependencies=_FOR_STRANGERS, responses={400: {"model": Problem}, 429: {"model": Problem}}
)
def application_token(request: Request, body: OlderApplicationSignIn) -> OlderApplicationToken:
    """Give a token for an application's secret."""
    issued = sign_in.application_signs_in(
        services_of(request), tenant_of(request), body.id, body.secret, address_of(request)
    )
    return OlderApplicationToken(access_token=issued.access_token, id_token=issued.id_token)


@router.post("/auth/oauth/tokens/refresh", dependencies=_FOR_STRANGERS, responses={400: {"model": Problem}})
def refreshed_token(request: Request, query: Annotated[OlderRefreshQuery, Query()]) -> TokenAnswer:
    """Give a user another token."""
    return answered(sign_in.refreshed(services_of(request), tenant_of(request), query.refresh_token))


@router.get(
    "/auth/token/exchange",
    dependencies=_FOR_STRANGERS,
    responses={400: {"model": Problem}, 409: {"model": Problem}},
)
def exchanged_token(request: Request, answer: Response, query: Annotated[OlderExchangeQuery, Query()]) -> TokenAnswer:
    """Give a token for a code of the tenant's issuer."""
    answer.headers["Cache-Control"] = "no-store"  # else caches may keep what a GET is answered with
    brought = Code(query.code, query.redirect_uri)
    return answered(person_signs_in(services_of(request), tenant_of(request), brought))


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


@router.get("/config", dependencies=_FOR_STRANGERS)
def configuration(request: Request) -> OlderConfiguration:
    """Say where users of this host sign in."""
    tenant = tenant_of(request)
    return OlderConfiguration(
        tenant_name=tenant.name,
        auth_client_name=AUDIENCE,
        auth_url=f"{services_of(request).url}/auth",
        auth_realm=tenant.name,
    )
