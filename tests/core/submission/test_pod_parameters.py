"""What each parameter of pods means, and what is answered to values that make no sense or would harm others."""

from dataclasses import replace
from operator import attrgetter

import pytest

from aliquot.contracts.kinds import TrainingWorkload
from aliquot.core.submission import InvalidWorkload, Site, effective
from aliquot.core.submission.durations import parse_duration
from aliquot.core.submission.pod_values import Url
from tests.core.submission.parameters_read import READ, REFUSED
from tests.core.submission.test_effective import DEFAULTS, SITE, carried_out, refusals, workload


@pytest.mark.parametrize(
    ("spec", "member", "says"), READ, ids=[f"{member} {n}" for n, (_, member, _) in enumerate(READ)]
)
def test_what_is_given_is_read(spec: dict[str, object], member: str, says: object) -> None:
    assert attrgetter(member)(carried_out(**spec).pod) == says


@pytest.mark.parametrize(
    ("spec", "field", "said"), REFUSED, ids=[f"{field} {n}" for n, (_, field, _) in enumerate(REFUSED)]
)
def test_what_makes_no_sense_is_refused_by_field(spec: dict[str, object], field: str, said: str) -> None:
    answers = refusals(workload(spec))
    assert list(answers) == [field], "exactly the field that is wrong is named"
    assert said in answers[field]


@pytest.mark.parametrize("site", [None, Site("team-a")], ids=["site not known", "cluster without a domain"])
@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"exposedUrls": {"a": {"containerPort": 80}}}, "spec.exposedUrls.items[a].value"),
        (
            {"ports": {"a": {"container": 80, "serviceType": "external-url"}}},
            "spec.ports.items[a].value.serviceType",
        ),
    ],
)
def test_without_a_domain_there_are_no_addresses(site: Site | None, spec: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidWorkload) as caught:
        effective(workload(spec), DEFAULTS, site)
    [error] = caught.value.errors
    assert (error.field, error.allowed) == (
        field,
        "left out: this cluster has no domain for addresses from outside",
    )


CHECKED = replace(SITE, checks_users=True)
NAMES = "names of users, such as ann@example.com,bob@example.com"
ANN = {"containerPort": 80, "authorizedUsers": "ann@example.com"}


@pytest.mark.parametrize(
    ("written", "users"),
    [
        ("ann@example.com", ("ann@example.com",)),
        ("bob, ann+lab@example.com,bob", ("ann+lab@example.com", "bob")),
        ("bob ann", ("ann", "bob")),
        (None, ()),
    ],
)
def test_an_address_may_be_for_some_users(written: str | None, users: tuple[str, ...]) -> None:
    items = {"a": {"containerPort": 80, "authorizedUsers": written}, "b": {"containerPort": 81}}
    network = effective(workload({"exposedUrls": items}), DEFAULTS, CHECKED).pod.network
    assert network.urls == (Url(80, users=users), Url(81))


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ({"a": {"containerPort": 80, "authorizedUsers": written}}, NAMES)
        for written in ("", " ", ",", "ann,", "ann;bob", "ann&all=1", "$host", "a b\n", "ann}", "@", "x" * 255)
    ]
    + [
        ({"a": ANN, "b": {"containerPort": 80}}, "the same users for all addresses of a port"),
        ({"a": ANN, "b": {**ANN, "authorizedUsers": "bob"}}, "the same users for all addresses of a port"),
    ],
)
def test_users_whom_nobody_could_tell_are_refused(items: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidWorkload) as caught:
        effective(workload({"exposedUrls": items}), DEFAULTS, CHECKED)
    [error] = caught.value.errors
    assert error.field == f"spec.exposedUrls.items[{max(items)}].value.authorizedUsers"
    assert error.allowed.startswith(said)


def test_a_port_with_an_address_for_all_is_for_nobody_alone() -> None:
    ports = {"p": {"container": 80, "serviceType": "external-url"}}
    with pytest.raises(InvalidWorkload, match="the same users for all addresses of a port"):
        effective(workload({"ports": ports, "exposedUrls": {"a": ANN}}), DEFAULTS, CHECKED)


def test_clear_text_credentials_are_never_repeated() -> None:
    items = {"a": {"repository": "https://git/x", "secretName": "s", "username": "ada", "password": "hush"}}
    assert "hush" not in "".join(refusals(workload({"gitSync": items})).values())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5s", 5), ("2m", 120), ("3h", 10800), ("1h30m", 5400), ("0", 0), ("0.5s", 1), ("1499ms", 1), ("2d", 172_800)]
    + [(wrong, None) for wrong in ("", "5", "s", "-5s", "5 s", "1y", "٣s")],
)
def test_lengths_of_time_are_read_in_seconds(text: str, seconds: int | None) -> None:
    assert parse_duration(text) == seconds


def test_the_older_spelling_of_the_time_to_deletion_means_the_same() -> None:
    assert carried_out(ttlAfterFinish="2h").ttl_seconds == 7200
    assert carried_out(ttlAfterFinish="0").ttl_seconds == 0


def test_a_null_in_items_is_nothing() -> None:
    spec = {"image": {"value": "ubuntu"}, "ports": {"items": {"a": {}, "b": {"value": None}}}}
    found = effective(TrainingWorkload.model_validate({"spec": spec}), DEFAULTS, SITE)
    assert found.pod.network.ports == ()
