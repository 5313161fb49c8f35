"""Every operation of the OpenAPI document, with requests that it allows and that it does not.

None breaks the server, and every answer is one that the document tells of. The requests are the same each time; what
they change is put back. `ALIQUOT_FUZZ=200` makes so many for each operation.
"""

import os
import sqlite3
from collections.abc import Callable, Generator
from typing import Any, cast

import pytest
import requests
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import (
    CHECKS,  # pyright: ignore[reportUnknownVariableType] - its types are not complete
    load_all_checks,
)

from aliquot.controlplane.app import ROOMS
from tests.controlplane.plane import PATIENCE_SECONDS, running
from tests.controlplane.samples import AnyStore
from tests.controlplane.test_every_route import World, ids_of, with_its_id

REQUESTS = int(os.environ.get("ALIQUOT_FUZZ", "10"))
HELD = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
"""What has to hold of each answer; requests that go beyond the document may be taken, as clients need."""
Case = Any
Schema = Any
"""What schemathesis says of its own types is not complete."""
OPERATIONS = sorted(
    f"{method} {route.path}"
    for room in ROOMS
    for route in room.router.routes
    if isinstance(route, APIRoute) and route.include_in_schema
    for method in route.methods or ()
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    file = tmp_path_factory.mktemp("fuzzed") / "aliquot.db"
    with running(f"sqlite:///{file}", AnyStore()) as plane:
        tenant = plane.tenant()
        ids = {**ids_of(tenant), "realm": tenant.made.tenant}
        made = World(plane, tenant, ids, {}, file, sqlite3.connect(":memory:"))
        yield made
        made.saved.close()


@pytest.fixture(scope="module")
def asks(world: World) -> Generator[Callable[[Case, bool], None]]:
    """Sends a request as administrator, and looks at the answer."""
    administrator = world.tenant.with_role(1, "tenant", world.ids["tenant"])
    with sqlite3.connect(world.file, timeout=60) as live:
        live.backup(world.saved)
    live.close()
    headers = {"Host": world.tenant.host, "Authorization": f"Bearer {administrator.token}"}
    load_all_checks()
    checks = cast("list[Any]", CHECKS.get_by_names(HELD))
    with requests.Session() as session:
        session.trust_env = False

        def ask(case: Case, knows_ids: bool) -> None:
            if knows_ids:
                _name_what_is_there(case, world.ids)
            answer = case.call(
                base_url=world.plane.url,
                session=session,
                headers=headers,
                allow_redirects=False,
                timeout=PATIENCE_SECONDS,
            )
            if answer.status_code < 300 and case.method != "GET":
                world.put_back()
            case.validate_response(answer, checks=checks)

        yield ask


def _name_what_is_there(case: Case, ids: dict[str, str]) -> None:
    named = with_its_id(case.operation.path, ids)
    for name in list(case.path_parameters):
        case.path_parameters[name] = named[name]
    given_body: object = case.body
    if isinstance(given_body, dict):
        body = cast("dict[str, Any]", given_body)
        known = {"clusterId": ids["cluster"], "parentId": ids["department"], "scopeId": ids["project"]}
        body.update({name: value for name, value in known.items() if name in body})


@pytest.fixture(scope="module")
def schema(world: World) -> Schema:
    return schemathesis.openapi.from_dict(world.plane.http.get("/api/openapi.json").json())


def test_the_document_has_every_operation(schema: Schema) -> None:
    found = [each.ok().label for each in schema.get_all_operations()]
    assert sorted(found) == OPERATIONS


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_request_breaks_the_server_and_no_answer_the_document(
    schema: Schema, asks: Callable[[Case, bool], None], operation: str
) -> None:
    method, path = operation.split()
    described = schema[path][method]
    allowed = described.as_strategy(generation_mode=GenerationMode.POSITIVE)
    wrong = described.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @settings(
        max_examples=REQUESTS,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=tuple(HealthCheck),  # pyright: ignore[reportArgumentType] - its members are that
    )
    @given(case=st.one_of(allowed, wrong), knows_ids=st.booleans())
    def ask(case: Case, knows_ids: bool) -> None:
        asks(case, knows_ids)

    ask()
