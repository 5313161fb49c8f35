"""How many requests who may make, and how large they may be."""

from collections.abc import Generator

import pytest

from aliquot.controlplane.limits import Budgets, Rate
from aliquot.controlplane.refusals import TooMany
from tests.controlplane.cluster import Cluster
from tests.controlplane.plane import Clock, Plane, running

PERMISSIONS = "/api/v1/authorization/permissions"


class Still(Clock):
    """A clock that stands unless it is set."""

    def monotonic(self) -> float:
        return self.later_seconds


@pytest.mark.parametrize(
    ("per_second", "burst", "seconds", "let_in"),
    [
        (1, 1, [0, 0, 0.5, 1, 1.5, 2], [0, 3, 5]),
        (1, 3, [0, 0, 0, 0, 1, 1], [0, 1, 2, 4]),
        (8, 1, [0, 0.0625, 0.125, 0.1875, 0.25], [0, 2, 4]),
        (1, 2, [0, 0, 100, 100, 100], [0, 1, 2, 3]),
        (0.5, 1, [0, 1, 2, 3, 4], [0, 2, 4]),
        (0, 1, [0, 0, 0], [0, 1, 2]),
        (1, 2, [1000, 0, 0, 0], [0, 1, 2]),
    ],
    ids=[
        "one by one",
        "a burst",
        "eighths",
        "a pause gives no more than the burst",
        "one in two seconds",
        "no limit",
        "a clock that was set back",
    ],
)
def test_a_rate_lets_so_many_in(per_second: float, burst: int, seconds: list[float], let_in: list[int]) -> None:
    clock = Still()
    budgets, entered = Budgets(Rate(per_second, burst), clock), list[int]()
    for number, second in enumerate(seconds):
        clock.later_seconds = second
        try:
            budgets.take("a")
        except TooMany:
            continue
        entered.append(number)
    assert entered == let_in


def test_who_has_to_wait_is_told_how_long_and_is_let_in_then() -> None:
    clock = Still()
    budgets = Budgets(Rate(0.1, 1), clock)
    budgets.take("a")
    with pytest.raises(TooMany) as refused:
        budgets.take("a")
    assert refused.value.retry_seconds == 10
    budgets.take("b")
    clock.later_seconds = 10
    budgets.take("a")


def test_of_too_many_those_are_forgotten_that_were_silent_for_longest() -> None:
    budgets = Budgets(Rate(0.1, 1), Still(), most=2)
    for who in ("a", "b", "c", "a"):
        budgets.take(who)
    with pytest.raises(TooMany):
        budgets.take("c")


@pytest.fixture
def strict(tmp_path: object) -> Generator[Plane]:
    limits = {"caller_per_second": 0.01, "caller_burst": 8, "cluster_per_second": 0.01, "cluster_burst": 3}
    strangers = {"stranger_per_second": 0.01, "stranger_burst": 20}
    with running(f"sqlite:///{tmp_path}/aliquot.db", limits={**limits, **strangers}) as plane:
        yield plane


def test_a_caller_who_asks_for_too_much_has_to_wait_and_nobody_else(strict: Plane) -> None:
    tenant = strict.tenant()
    _, caller = tenant.application()
    for _ in range(8):
        caller.done("GET", PERMISSIONS)
    refused = caller.call("GET", PERMISSIONS)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "100")
    assert refused.json() == {"code": 429, "message": "Too many requests."}
    tenant.admin.done("GET", PERMISSIONS)
    strict.clock.later_seconds = 100
    caller.done("GET", PERMISSIONS)


def test_strangers_share_what_their_address_has_and_callers_lose_nothing_by_it(strict: Plane) -> None:
    tenant = strict.tenant()
    statuses = [tenant.nobody.call("GET", PERMISSIONS).status_code for _ in range(30)]
    assert statuses == [401] * 19 + [429] * 11, "one was used for the administrator's token"
    assert tenant.nobody.call("POST", "/api/v1/token", {"grantType": "app_token"}).status_code == 429
    tenant.admin.done("GET", PERMISSIONS)


OLDER = (
    ("POST", "/v1/k8s/auth/oauth/apptoken", {"id": "ci", "name": "ci", "secret": "guess"}),
    ("POST", "/v1/k8s/auth/oauth/tokens/refresh?refresh_token=guess", None),
    ("GET", "/v1/k8s/auth/token/exchange?code=guess&redirect_uri=x", None),
    ("GET", "/v1/k8s/config", None),
)


@pytest.mark.parametrize(("method", "path", "body"), OLDER, ids=[path for _, path, _ in OLDER])
def test_the_older_surface_costs_strangers_as_much(strict: Plane, method: str, path: str, body: object) -> None:
    tenant = strict.tenant()
    assert tenant.nobody.call(method, path, body).status_code < 429
    for _ in range(20):
        tenant.nobody.call("GET", PERMISSIONS)
    assert tenant.nobody.call(method, path, body).status_code == 429


def test_a_cluster_has_a_budget_of_its_own_that_strangers_cannot_use_up(strict: Plane) -> None:
    tenant = strict.tenant()
    uuid = tenant.cluster()
    info = tenant.admin.done("GET", f"/api/v1/clusters/{uuid}/cluster-install-info", version="2.18")
    stranger, cluster = Cluster(strict.http, uuid, "guess"), Cluster(strict.http, uuid, info["clientSecret"])
    assert {stranger.ask().status_code for _ in range(8)} <= {401, 429}
    assert [cluster.ask().status_code for _ in range(4)] == [200, 200, 200, 429]
    other = tenant.cluster()
    info = tenant.admin.done("GET", f"/api/v1/clusters/{other}/cluster-install-info", version="2.18")
    assert Cluster(strict.http, other, info["clientSecret"]).ask().status_code == 200
    tenant.admin.done("GET", PERMISSIONS)


@pytest.mark.parametrize("path", ["/api/v1/clusters", "/api/v1/token"])
def test_a_body_that_is_too_long_is_refused(tmp_path: object, path: str) -> None:
    with running(f"sqlite:///{tmp_path}/aliquot.db", server={"body_bytes": 2048}) as plane:
        tenant = plane.tenant()
        assert "too large" in tenant.admin.refused(413, "POST", path, {"name": "x" * 3000})
