"""Every parameter of every kind: set, from a template, from a policy, bound by one, deleted (cluster-api.md 1.6, 4)."""

import json
from typing import Any

import pytest

from aliquot.contracts.kinds.catalogue import Wrapper
from aliquot.contracts.kinds.status import Inherited
from aliquot.contracts.kinds.workloads import Workload
from aliquot.core.submission import NOTHING, Inheritance, inheritance_now, policy_problems_of
from aliquot.core.submission.inheritance import NOT_TAKEN, with_inherited
from tests.core.submission.written import LABEL, Json, Place, broken, places, policy, workload, wrapped
from tests.support.written_cluster import Cluster

every = pytest.mark.parametrize("place", places(), ids=str)
EVERY_TAKEN = [place for place in places() if place.parameter.name not in NOT_TAKEN]
every_taken = pytest.mark.parametrize("place", EVERY_TAKEN, ids=str)
with_items = pytest.mark.parametrize(
    "place", [each for each in places() if each.parameter.wrapper in (Wrapper.ITEMS, Wrapper.KEYED)], ids=str
)


def mine(place: Place, written: Json | None, *, based: bool = False) -> Workload:
    """A workload that gives the parameter, or does not."""
    parts: dict[str, Any] = {"spec": {"baseWorkload": "defaults"} if based else {}}
    if place.part != "spec":
        parts[place.part] = {}
    if written is not None:
        parts[place.part][place.parameter.name] = written
    return workload(place.kind, **parts)


def template(place: Place, written: Json) -> Workload:
    parts: dict[str, Any] = {"spec": {}, place.part: {place.parameter.name: written}}
    parts["spec"]["usage"] = "Template"
    return workload(place.kind, "defaults", **parts)


def known(place: Place, of_template: Json | None = None, of_policy: Json | None = None) -> Cluster:
    policies = [] if of_policy is None else [policy(place.kind, {place.parameter.name: of_policy})]
    return Cluster(templates=[] if of_template is None else [template(place, of_template)], every_policy=policies)


def effective(place: Place, given: Workload, cluster: Cluster) -> Json:
    """What the parameter says in the end: the same when it is looked up and when the status has kept it."""
    now = inheritance_now(given, cluster)
    inherited = Inherited(template=now.template, policy=now.policy, values=dict(now.values), origins=dict(now.origins))
    status = given.status.model_copy(
        update={"inherited": Inherited.model_validate(json.loads(inherited.model_dump_json(by_alias=True)))}
    )
    kept = inheritance_now(given.model_copy(update={"status": status}), Cluster())
    said = place.read(with_inherited(given, now))
    assert place.read(with_inherited(given, kept)) == said, "what is kept does not say the same"
    return said


def layers(place: Place, inheritance: Inheritance) -> set[str]:
    """Where the parameter's values are from."""
    return {layer for path, layer in inheritance.origins.items() if path.startswith(place.field)}


@every
def test_what_is_set_holds_whatever_others_give(place: Place) -> None:
    first, second, third = (wrapped(place.parameter, which) for which in range(3))
    assert effective(place, mine(place, first), Cluster()) == first
    assert effective(place, mine(place, first, based=True), known(place, second, third)) == first
    assert inheritance_now(mine(place, first), Cluster()) == NOTHING


@every_taken
def test_a_template_gives_it_and_else_the_policy(place: Place) -> None:
    """A policy gives it to the master, too: by way of the workers' part."""
    _, second, third = (wrapped(place.parameter, which) for which in range(3))
    both, policy_alone = known(place, second, third), known(place, of_policy=third)
    assert effective(place, mine(place, None, based=True), both) == second
    assert effective(place, mine(place, None), policy_alone) == third
    assert layers(place, inheritance_now(mine(place, None, based=True), both)) == {"template"}
    of_spec = Place(place.kind, "spec", place.parameter)
    assert layers(of_spec, inheritance_now(mine(place, None), policy_alone)) == {"policy"}


@pytest.mark.parametrize("name", sorted(NOT_TAKEN))
def test_names_are_never_taken(name: str) -> None:
    for place in places():
        if place.parameter.name == name:
            cluster = known(place, wrapped(place.parameter, 0), wrapped(place.parameter, 1))
            assert effective(place, mine(place, None, based=True), cluster) == {}
            assert layers(place, inheritance_now(mine(place, None, based=True), cluster)) == set()


@every
def test_a_policy_binds_it(place: Place) -> None:
    for path, rules in broken(place.parameter):
        cluster = known(place, of_policy=rules)
        refusals = inheritance_now(mine(place, wrapped(place.parameter, 0)), cluster).refusals
        assert [refusal.field for refusal in refusals] == [f"{place.field}{path}"], rules
        assert str(refusals[0]).startswith(f"{place.field}{path}: must be ")
        assert inheritance_now(mine(place, None), cluster).refusals == ()
        if place.parameter.name not in NOT_TAKEN:
            by_template = known(place, wrapped(place.parameter, 0), rules)
            assert inheritance_now(mine(place, None, based=True), by_template).refusals == refusals


@every
def test_a_policy_may_demand_it(place: Place) -> None:
    rules: Json = {"rules": {"required": True}}
    if place.parameter.wrapper is Wrapper.GROUP:
        rules = {"values": {name: {"rules": {"required": True}} for name in place.parameter.members}}
    of_spec = Place(place.kind, "spec", place.parameter)
    fields = [refusal.field for refusal in inheritance_now(mine(place, None), known(place, of_policy=rules)).refusals]
    assert {field.partition(".")[0] for field in fields} == {place.parameter.name}, "the master shares what is missing"
    given = mine(of_spec, wrapped(place.parameter, 0))
    assert inheritance_now(given, known(place, of_policy=rules)).refusals == ()


@with_items
def test_an_item_that_is_deleted_is_gone(place: Place) -> None:
    gone: Json = {"items": {LABEL: {"deleted": True}}}
    one = wrapped(place.parameter, 1)
    for cluster in (known(place, one), known(place, None, one), known(place, one, one)):
        given = mine(place, gone, based=bool(cluster.templates))
        assert effective(place, given, cluster).get("items", {}) == {}
    assert effective(place, mine(place, None, based=True), known(place, gone, one)).get("items", {}) == {}, (
        "a template deletes, too"
    )


@with_items
def test_an_item_that_must_stay_stays(place: Place) -> None:
    held = wrapped(place.parameter, 1)
    held["items"][LABEL]["rules"] = {"canRemove": False}
    given = mine(place, {"items": {LABEL: {"deleted": True}}})
    [refusal] = inheritance_now(given, known(place, of_policy=held)).refusals
    assert str(refusal) == f"{place.field}[{LABEL}]: must be kept: the policy allows no removal"


CROSSED: dict[str, Json] = {
    "integer": {"min": 2, "max": 1},
    "decimal": {"min": "2", "max": "1"},
    "quantity": {"min": "2Gi", "max": "1Gi"},
    "text": {"format": "email", "options": [{"value": "nobody"}]},
}


@pytest.mark.parametrize("place", [each for each in places() if each.part == "spec"], ids=str)
def test_a_policy_that_nobody_can_keep_is_known(place: Place) -> None:
    parameter, spoilt = place.parameter, list[tuple[str, Json]]()
    field = f"spec.{parameter.name}"
    if parameter.wrapper is Wrapper.VALUE and parameter.value_type in CROSSED:
        spoilt = [(f"{field}.rules", {"rules": CROSSED[parameter.value_type]})]
    elif parameter.wrapper is Wrapper.KEYED:
        spoilt = [(f"{field}.{rules}", {rules: CROSSED["text"]}) for rules in ("itemRules", "keyRules")]
    elif parameter.wrapper is Wrapper.GROUP:
        spoilt = [
            (f"{field}.values.{name}.rules", {"values": {name: {"rules": CROSSED[each.value_type]}}})
            for name, each in parameter.members.items()
        ]
    elif parameter.wrapper is Wrapper.ITEMS:
        for path, rules in broken(parameter):
            if rules.get("itemRules"):
                default = {"items": {"DEFAULTS": wrapped(parameter, 0)["items"][LABEL]}}
                member = path.rpartition(".")[2]
                edit = [rule for each in rules["itemRules"].values() for rule in each] == ["canEdit"]
                if not edit:
                    spoilt.append((f"{field}.items[DEFAULTS].value.{member}", {**rules, **default}))
    else:
        spoilt = [(f"{field}.value", {"rules": {"required": True, "canEdit": False}})]
    assert spoilt
    for blamed, written in spoilt:
        told = policy_problems_of(policy(place.kind, {parameter.name: written}))
        assert [problem.field for problem in told] == [blamed]
    assert policy_problems_of(policy(place.kind, {parameter.name: wrapped(parameter, 0)})) == ()
