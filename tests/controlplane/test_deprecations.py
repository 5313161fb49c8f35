"""What is deprecated says so, and is taken away only when it may be (control-plane-api.md 6)."""

from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path

import pytest

from aliquot.contracts.administrator_api.deprecations import DEPRECATIONS, Deprecation
from aliquot.controlplane.deprecation.page import page
from aliquot.controlplane.deprecation.record import now_served, read, written
from aliquot.controlplane.deprecation.rules import Served, ends_too_early, headers, may_not_go, months_later
from tests.controlplane.plane import Tenant

RECORDS = Path(__file__).parent / "served"
PAGE = Path(__file__).parents[2] / "docs" / "deprecated.md"
OLD = Deprecation("GET /old/{id}", "0.1.0", date(2027, 1, 10), "/new/{id}", removed="0.4.0")


@pytest.fixture(scope="module")
def served() -> frozenset[str]:
    return now_served()


def test_nothing_that_a_release_served_is_missing_before_its_time(served: frozenset[str]) -> None:
    releases = [read(file) for file in sorted(RECORDS.glob("*.txt"))]
    today = datetime.now(UTC).date()
    assert releases, "python -m aliquot.controlplane.deprecation.record tests/controlplane/served"
    assert [
        why
        for release in releases
        for name in sorted(release.names - served)
        if (why := may_not_go(name, DEPRECATIONS, releases, version("aliquot"), today))
    ] == []
    assert [why for each in DEPRECATIONS if (why := ends_too_early(each, releases))] == []


def test_what_is_deprecated_is_served_and_so_is_what_there_is_instead(served: frozenset[str]) -> None:
    assert [each.what for each in DEPRECATIONS if (each.what in served) is bool(each.removed)] == []
    paths = {_shape(name.split()[1]) for name in served if " " in name and "?" not in name}
    assert [each.what for each in DEPRECATIONS if " " in each.what and _shape(each.instead) not in paths] == []
    assert len({each.what for each in DEPRECATIONS}) == len(DEPRECATIONS)


def _shape(path: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


def test_the_page_is_in_step() -> None:
    assert PAGE.read_text() == page(), "run: python -m aliquot.controlplane.deprecation.page docs/deprecated.md"


def test_records_are_read_as_they_are_written(tmp_path: Path) -> None:
    for released in (None, date(2027, 1, 31)):
        record = Served("0.9.1", released, frozenset({"GET /a", "GET /a?b", "C.d"}))
        (tmp_path / "0.9.1.txt").write_text(written(record))
        assert read(tmp_path / "0.9.1.txt") == record


@pytest.mark.parametrize(
    ("releases", "version_without", "today", "says"),
    [
        ({"0.1.0": "2027-01-10", "0.2.0": "2027-03-01", "0.3.0": "2027-06-01"}, "0.4.0", "2027-07-10", None),
        ({"0.1.0": "2027-01-10", "0.2.0": "2027-03-01", "0.3.0": "2027-06-01"}, "0.4.0", "2027-07-09", "2027-07-10"),
        ({"0.1.0": "2027-01-10", "0.2.0": "2027-03-01", "0.2.1": "2027-06-01"}, "0.4.0", "2028-01-01", "1 releases"),
        ({"0.1.0": "2027-01-10", "0.2.0": "2027-03-01", "0.3.0": "2027-06-01"}, "0.3.1", "2028-01-01", "1 releases"),
        ({"0.1.0": "2027-01-10", "0.2.0": "2027-03-01", "0.3.0": None}, "0.4.0", "2028-01-01", "1 releases"),
        ({"0.1.0": None}, "0.1.0", "2028-01-01", "0 releases"),
        ({"0.1.0": "2027-01-10", "1.0.0": "2027-03-01", "1.1.0": "2027-06-01"}, "2.0.0", "2027-08-01", None),
    ],
)
def test_two_more_releases_and_six_months_have_to_pass(
    releases: dict[str, str | None], version_without: str, today: str, says: str | None
) -> None:
    known = [
        Served(name, None if day is None else date.fromisoformat(day), frozenset()) for name, day in releases.items()
    ]
    for name in (OLD.what, f"{OLD.what}?parameter"):
        why = may_not_go(name, [OLD], known, version_without, date.fromisoformat(today))
        assert why is None if says is None else says in (why or "")


def test_what_was_never_deprecated_stays() -> None:
    releases = [Served(f"0.{minor}.0", date(2027, minor, 1), frozenset()) for minor in range(1, 9)]
    far = date(2030, 1, 1)
    assert "was not deprecated" in (may_not_go("GET /other", [OLD], releases, "0.9.0", far) or "")
    not_told = Deprecation("Model.field", "0.1.0", date(2027, 1, 10), "another")
    assert "in which version" in (may_not_go("Model.field", [not_told], releases, "0.9.0", far) or "")


@pytest.mark.parametrize(("ends", "says"), [(None, None), ("2027-07-10", None), ("2027-07-09", "before 2027-07-10")])
def test_an_end_that_comes_too_early_is_noticed(ends: str | None, says: str | None) -> None:
    ending = Deprecation("GET /old", "0.1.0", date(2027, 1, 10), "/new", date.fromisoformat(ends) if ends else None)
    why = ends_too_early(ending, [Served("0.1.0", date(2027, 1, 10), frozenset())])
    assert why is None if says is None else says in (why or "")
    if ends is not None:
        assert "not been released" in (ends_too_early(ending, [Served("0.1.0", None, frozenset())]) or "")


def test_headers_are_as_the_rfcs_have_them() -> None:
    ending = Deprecation("GET /old/{id}", "0.1.0", date(2024, 4, 14), "/new/{id}", date(2027, 7, 10))
    assert headers(ending, {"id": 'a>b"/c'}) == [
        ("Deprecation", "@1713052800"),
        ("Sunset", "Sat, 10 Jul 2027 00:00:00 GMT"),
        ("Link", '</new/a%3Eb%22%2Fc>; rel="successor-version"'),
    ]
    assert months_later(date(2027, 8, 31), 6) == date(2028, 2, 29)


def test_answers_of_deprecated_routes_say_so_also_when_they_refuse(tenant: Tenant) -> None:
    for caller, status in ((tenant.admin, 404), (tenant.nobody, 401)):
        answer = caller.call("GET", "/v1/k8s/users/no%20body")
        assert answer.status_code == status
        assert answer.headers["Deprecation"] == "@1713052800"
        assert answer.headers["Link"] == '</api/v1/users/no%20body>; rel="successor-version"'
        assert "Sunset" not in answer.headers
    for path in ("/api/v1/users", "/v1/k8s/setting", "/v1/k8s/no-such"):
        assert "Deprecation" not in tenant.admin.call("GET", path).headers


def test_the_openapi_document_flags_what_is_deprecated(tenant: Tenant) -> None:
    document = tenant.nobody.done("GET", "/api/openapi.json")
    flagged = {
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if operation.get("deprecated")
    } | {
        f"{model}.{field}"
        for model, schema in document["components"]["schemas"].items()
        for field, described in schema.get("properties", {}).items()
        if described.get("deprecated")
    }
    assert flagged == {each.what for each in DEPRECATIONS if not each.removed}
    assert "use /api/v1/users" in document["paths"]["/v1/k8s/users"]["get"]["description"]
