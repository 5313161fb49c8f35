"""Tokens over HTTP: the form of Keycloak, the platform's own, and what a stranger needs to check our tokens."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Body, Depends, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import ValidationError

from aliquot.contracts.administrator_api.problems import Problem
from aliquot.contracts.administrator_api.tokens import OpenIdProblem, OpenIdToken, TokenAnswer, TokenRequest
from aliquot.controlplane.auth import sign_in
from aliquot.controlplane.auth.asking import tenant_of
from aliquot.controlplane.auth.issued import Issued, WrongCredentials, answered
from aliquot.controlplane.auth.people.signing_in import Code, person_signs_in, trust_of
from aliquot.controlplane.auth.sign_in import required
from aliquot.controlplane.auth.tokens import ALGORITHM, REALMS
from aliquot.controlplane.database.tables import Tenant
from aliquot.controlplane.failures import in_words
from aliquot.controlplane.refusals import BadRequest, Conflict, Later, NotFound
from aliquot.controlplane.services import Services, address_of, services_of, take_from_stranger

router = APIRouter(tags=["Tokens"], dependencies=[Depends(take_from_stranger)])

_SPELLED = {
    str(field.alias or name).lower(): str(field.alias or name) for name, field in TokenRequest.model_fields.items()
}
_OPENID = f"{REALMS}{{realm}}/protocol/openid-connect"
_GRANTS = ("client_credentials", "password", "refresh_token", "authorization_code")
_PASSED_ON = frozenset(
    ("redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "prompt", "login_hint")
)


@router.post("/api/v1/token", responses={409: {"model": Problem}})
def token(
    request: Request, body: Annotated[dict[str, Any], Body(json_schema_extra=TokenRequest.model_json_schema())]
) -> TokenAnswer:
    """Give a token for an application's secret, a user's password, a refresh token, or a code of the issuer."""
    asked = _asked(body)
    return answered(_issued(services_of(request), tenant_of(request), asked, address_of(request)))


@router.post(
    f"{_OPENID}/token",
    response_model=OpenIdToken,
    responses={status: {"model": OpenIdProblem | Problem} for status in (400, 401, 409, 429, 503)},
)
def openid_token(
    request: Request,
    realm: str,
    grant_type: Annotated[str, Form()] = "",
    client_id: Annotated[str, Form()] = "",
    client_secret: Annotated[str, Form()] = "",
    username: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    refresh_token: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
    redirect_uri: Annotated[str, Form()] = "",
    code_verifier: Annotated[str, Form()] = "",
) -> OpenIdToken | JSONResponse:
    """Give a token, as OpenID Connect has it; errors, too, are as RFC 6749 has them."""
    services = services_of(request)
    tenant = sign_in.tenant_of_realm(services, realm)
    if tenant is None:
        raise NotFound("Realm does not exist")
    address = address_of(request)
    try:
        match grant_type:
            case "client_credentials":
                issued = sign_in.application_signs_in(services, tenant, client_id, client_secret, address)
            case "password":
                issued = sign_in.user_signs_in(services, tenant, username, password, address)
            case "refresh_token":
                issued = sign_in.refreshed(services, tenant, refresh_token)
            case "authorization_code":
                issued = person_signs_in(services, tenant, Code(code, redirect_uri, client_id, code_verifier))
            case _:
                return _oauth_error(400, "unsupported_grant_type", ", ".join(_GRANTS))
    except WrongCredentials as error:
        if grant_type == "client_credentials":
            return _oauth_error(401, "invalid_client", error.says)
        return _oauth_error(401 if grant_type == "password" else 400, "invalid_grant", error.says)
    except Conflict as error:
        return _oauth_error(409, "invalid_grant", f"{error.says}: {error.details}")
    except BadRequest as error:
        return _oauth_error(400, "invalid_request", error.says)
    except Later as error:
        answer = _oauth_error(error.status, "temporarily_unavailable", error.says)
        answer.headers["Retry-After"] = str(error.retry_seconds)
        return answer
    return OpenIdToken(
        access_token=issued.access_token,
        expires_in=issued.expires_in,
        refresh_token=issued.refresh_token,
        refresh_expires_in=issued.refresh_expires_in,
        id_token=issued.id_token,
    )


@router.get(f"{_OPENID}/auth", status_code=303, response_class=RedirectResponse)
def authorize(request: Request, realm: str) -> RedirectResponse:
    """Send somebody who wants to sign in to the tenant's issuer, with the parameters that they came with."""
    services = services_of(request)
    tenant = sign_in.tenant_of_realm(services, realm)
    if tenant is None:
        raise NotFound("Realm does not exist")
    trust = trust_of(services, tenant)
    asked = [(name, value) for name, value in request.query_params.multi_items() if name in _PASSED_ON]
    query = urlencode([("client_id", trust.client_id), ("response_type", "code"), *asked])
    endpoint = services.provider.authorization_endpoint(trust)
    return RedirectResponse(f"{endpoint}{'&' if '?' in endpoint else '?'}{query}", 303)


@router.get(f"{_OPENID}/certs")
def certs(request: Request, realm: str) -> dict[str, list[dict[str, Any]]]:
    """Show the keys that sign tokens (JWKS)."""
    services = services_of(request)
    if sign_in.tenant_of_realm(services, realm) is None:
        raise NotFound("Realm does not exist")
    return {"keys": services.keys.published()}


@router.get(f"{REALMS}{{realm}}/.well-known/openid-configuration")
def discovery(request: Request, realm: str) -> dict[str, Any]:
    """Say where everything is, for those who check tokens, such as API servers of clusters."""
    services = services_of(request)
    if sign_in.tenant_of_realm(services, realm) is None:
        raise NotFound("Realm does not exist")
    issuer = services.tokens.issuer(realm)
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/protocol/openid-connect/auth",
        "token_endpoint": f"{issuer}/protocol/openid-connect/token",
        "jwks_uri": f"{issuer}/protocol/openid-connect/certs",
        "grant_types_supported": list(_GRANTS),
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "email", "preferred_username", "groups", "nonce"],
    }


def _asked(body: dict[str, Any]) -> TokenRequest:
    """Read a request for a token; callers differ in how they write its members (control-plane-api.md, fact 3)."""
    spelled = {_SPELLED.get(name.lower(), name): value for name, value in body.items()}
    try:
        return TokenRequest.model_validate(spelled)
    except ValidationError as error:
        raise BadRequest(*in_words(error.errors(include_url=False))) from error


def _issued(services: Services, tenant: Tenant, asked: TokenRequest, address: str) -> Issued:
    grant = asked.grant_type
    if grant == "app_token":
        name, secret = required(asked.app_id, "appID", grant), required(asked.app_secret, "appSecret", grant)
        return sign_in.application_signs_in(services, tenant, name, secret, address)
    if grant == "password":
        email, password = required(asked.username, "username", grant), required(asked.password, "password", grant)
        return sign_in.user_signs_in(services, tenant, email, password, address)
    if grant == "exchange_token":
        code, target = required(asked.code, "code", grant), required(asked.redirect_uri, "redirectUri", grant)
        brought = Code(code, target, asked.client_id, asked.code_verifier, asked.nonce)
        return person_signs_in(services, tenant, brought)
    return sign_in.refreshed(services, tenant, required(asked.refresh_token, "refreshToken", grant))


def _oauth_error(status: int, error: str, description: str) -> JSONResponse:
    body = OpenIdProblem(error=error, error_description=description)
    return JSONResponse(body.model_dump(), status, {"Cache-Control": "no-store"})
