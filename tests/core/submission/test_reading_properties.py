"""Any workload with any template and any policy, of every kind: laws of the layers, and what follows from reading."""

import json

import pytest
from hypothesis import given as whatever

from aliquot.contracts.kinds.catalogue import Wrapper, of_kind
from aliquot.contracts.kinds.status import Inherited
from aliquot.core.submission import InvalidWorkload, carried_out, inheritance_now
from aliquot.core.submission.inheritance import NOT_TAKEN
from aliquot.core.submission.layers import DEFAULTS as DEFAULTS_LABEL
from aliquot.core.submission.layers import over
from aliquot.core.submission.master import MASTER
from tests.core.rendering.golden_pods import DEFAULTS, SITE
from tests.core.submission.any_workload import CASES, Case, cases, laws, manifests, read, taken
from tests.core.submission.written import Json, plain
from tests.support.written_cluster import Cluster

pytestmark = pytest.mark.timeout(300 if CASES <= 200 else 0)


@whatever(cases())
@laws
def test_the_workload_wins_and_what_it_deletes_is_gone(case: Case) -> None:
    whole = taken(case)
    for parameter in of_kind(type(whole).__name__).values():
        mine: Json = plain(getattr(case.given.spec, parameter.attribute))
        found: Json = plain(getattr(whole.spec, parameter.attribute))
        if parameter.wrapper is Wrapper.VALUE and "value" in mine:
            assert found["value"] == mine["value"]
        for name, member in mine.get("values", {}).items():
            assert found["values"][name] == member
        items = found.get("items", {})
        assert DEFAULTS_LABEL not in items
        for label, item in mine.get("items", {}).items():
            if item.get("deleted"):
                assert label not in items
            elif label != DEFAULTS_LABEL:
                said, became = item.get("value"), items[label].get("value")
                assert became == (said if isinstance(said, str) else {**became, **said}), "it says what it said"


@whatever(cases())
@laws
def test_taking_twice_is_taking_once(case: Case) -> None:
    """What is laid upon itself stays, and what the status keeps says the same, without template and policy."""
    spec, parameters = case.given.spec, of_kind(type(case.given).__name__)
    assert over(parameters, spec, spec) == spec
    now = inheritance_now(case.given, case.known)
    written = Inherited(template=now.template, policy=now.policy, values=dict(now.values), origins=dict(now.origins))
    kept = Inherited.model_validate_json(written.model_dump_json(by_alias=True, exclude_unset=True))
    later = case.given.model_copy(update={"status": case.given.status.model_copy(update={"inherited": kept})})
    assert taken(Case(later, Cluster())) == taken(case).model_copy(update={"status": later.status})


@whatever(cases())
@laws
def test_every_value_that_is_taken_has_its_layer(case: Case) -> None:
    now = inheritance_now(case.given, case.known)
    assert {*now.origins.values()} <= {"template", "policy"}
    of_spec = {path.partition("[")[0].partition(".")[0] for path in now.origins if not path.startswith(f"{MASTER}.")}
    assert of_spec <= {*now.values} - NOT_TAKEN
    if now.policy is None and now.template is None:
        assert now.values == {}


@whatever(cases())
@laws
def test_everything_that_is_wrong_is_in_one_answer(case: Case) -> None:
    """What a policy forbids does not hide what makes no sense, nor the other way round."""
    now = inheritance_now(case.given, case.known)
    try:
        carried_out(case.given, now, DEFAULTS, SITE)
        told: tuple[object, ...] = ()
    except InvalidWorkload as invalid:
        told = invalid.errors
    try:
        read(taken(case))
        wrong: tuple[object, ...] = ()
    except InvalidWorkload as invalid:
        wrong = invalid.errors
    assert all(each in told for each in (*now.refusals, *wrong))
    assert len(told) == len(set(map(str, told))), "nothing is told twice"


@whatever(cases())
@laws
def test_whatever_is_read_can_be_rendered(case: Case) -> None:
    for pod, *beside in manifests(case):
        assert json.loads(json.dumps([pod, *beside])) == [pod, *beside]
        assert pod["spec"]["containers"][0]["image"]
