"""What whoever may write the database says on the command line: issuers of tenants, and when keys are replaced."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aliquot.cli.main import app
from tests.controlplane.issuer import CLIENT, SECRET, TARGET, issuing
from tests.controlplane.plane import Caller, Plane, Tenant, running

PERMISSIONS = "/api/v1/authorization/permissions"


def _run(plane: Plane, *arguments: str) -> Result:
    database = plane.services.settings.database.url
    return CliRunner().invoke(app, ["control-plane", *arguments, "--database", database])


def test_an_issuer_is_named_and_taken_back_on_the_command_line(plane: Plane, tenant: Tenant, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n")
    name = tenant.made.tenant
    with issuing() as issuer:
        issuer.people["a1"] = {"upn": "ada", "teams": "ml", "hd": "example.com"}
        said = ["--url", issuer.url, "--client-id", CLIENT, "--client-secret-file", str(secret)]
        claims = ["--username-claim", "upn", "--groups-claim", "teams", "--require", "hd=example.com"]
        done = _run(plane, "issuer", name, *said, *claims, "--endpoint-host", "localhost")
        assert done.exit_code == 0, done.output
        issuer.found = {"jwks_uri": issuer.url.replace("127.0.0.1", "localhost") + "/keys"}
        body = {"grantType": "exchange_token", "code": issuer.code("a1"), "redirectUri": TARGET}
        ada = Caller(plane.http, tenant.host, tenant.nobody.done("POST", "/api/v1/token", body)["accessToken"])
        ada.done("GET", PERMISSIONS)
    (user,) = tenant.admin.done("GET", "/api/v1/users", filter="runai.is_local:false")
    assert (user["username"], user["groups"]) == ("ada", ["ml"])
    assert _run(plane, "issuer", name, "--remove").exit_code == 0
    ada.refused(401, "GET", PERMISSIONS)
    assert _run(plane, "issuer", name, "--remove").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--url", "http://issuer.example.com"], "https://"),
        (["--url", "https://issuer.example.com/?a=b"], "https://"),
        (["--url", "https://a:b@issuer.example.com"], "https://"),
        (["--url", "https://"], "https://"),
        (["--url", "ftp://127.0.0.1"], "https://"),
        (["--url", "https://issuer.example.com", "--client-id", ""], "client-id"),
        (["--url", "https://issuer.example.com", "--require", "hd"], "NAME=VALUE"),
        (["--url", "https://issuer.example.com", "--endpoint-host", "a/b"], "endpoint-host"),
        (["--url", "https://issuer.example.com", "--client-secret-file", "/no/such"], "/no/such"),
        (["--remove", "--url", "https://issuer.example.com"], "--url"),
        ([], "--url"),
    ],
    ids=str,
)
def test_what_is_no_issuer_is_refused(plane: Plane, tenant: Tenant, arguments: list[str], says: str) -> None:
    done = _run(plane, "issuer", tenant.made.tenant, *arguments)
    assert done.exit_code in (1, 2)
    assert says in done.output
    assert "Traceback" not in done.output


def test_an_issuer_of_no_tenant_is_refused(plane: Plane) -> None:
    done = _run(plane, "issuer", "nobody", "--url", "https://issuer.example.com")
    assert (done.exit_code, "no tenant of this name" in done.stderr) == (1, True)


def _kid(tenant: Tenant) -> str:
    head = (tenant.admin.token or "").split(".", maxsplit=1)[0]
    return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]


@pytest.mark.parametrize("forget", [False, True], ids=["replaced", "forgotten"])
def test_a_key_that_is_replaced_counts_for_its_tokens_and_one_that_is_forgotten_does_not(
    tmp_path: Path, forget: bool
) -> None:
    with running(f"sqlite:///{tmp_path}/aliquot.db") as plane:
        first = plane.tenant()
        assert _run(plane, "rotate-keys", *(["--forget"] if forget else [])).exit_code == 0
        certs = f"/auth/realms/{first.made.tenant}/protocol/openid-connect/certs"
        plane.clock.later_seconds = 61
        second = plane.tenant()
        published: list[dict[str, Any]] = plane.http.get(certs).json()["keys"]
        assert [key["kid"] for key in published] == ([] if forget else [_kid(first)]) + [_kid(second)]
        second.admin.done("GET", PERMISSIONS)
        if forget:
            first.admin.refused(401, "GET", PERMISSIONS)
        else:
            first.admin.done("GET", PERMISSIONS)
