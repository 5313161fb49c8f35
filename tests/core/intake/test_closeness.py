"""What annotations say of how close pods are to be, and what that is among the topologies there are."""

import pytest

from aliquot.core.intake.closeness import Hint, group_in, hint_in
from aliquot.core.scheduling.facts import Group, PodSet, Topology

NAME, REQUIRED, PREFERRED = (
    f"kai.scheduler/{end}" for end in ("topology", "topology-required-placement", "topology-preferred-placement")
)
THERE = {"racks": ("zone", "rack", "host"), "fabric": ("block", "host")}

FOUND: dict[str, tuple[dict[str, str], Topology]] = {
    "a level of a topology": (
        {NAME: "racks", REQUIRED: "rack"},
        Topology(("zone", "rack", "host"), "rack", None, "racks"),
    ),
    "two levels": (
        {NAME: "racks", REQUIRED: "zone", PREFERRED: "host"},
        Topology(("zone", "rack", "host"), "zone", "host", "racks"),
    ),
    "a level without a topology: the first by name that has it": (
        {PREFERRED: "host"},
        Topology(("block", "host"), None, "host", "fabric"),
    ),
    "a label that no topology has": ({REQUIRED: "cage"}, Topology(("cage",), "cage")),
    "a topology that is not there": (
        {NAME: "moon", REQUIRED: "rack"},
        Topology((), "rack", None, "moon", ("fabric", "racks")),
    ),
    "a level that is not there": (
        {NAME: "fabric", PREFERRED: "rack"},
        Topology(("block", "host"), None, "rack", "fabric"),
    ),
}


@pytest.mark.parametrize(("annotations", "expected"), FOUND.values(), ids=FOUND)
def test_what_annotations_ask_for(annotations: dict[str, str], expected: Topology) -> None:
    assert group_in(annotations, (PodSet("default", 3),), THERE) == Group(
        topology=expected, pod_sets=(PodSet("default", 3),)
    )
    hint = hint_in(annotations)
    assert hint is not None
    assert hint.among(THERE) == expected


@pytest.mark.parametrize("annotations", [{}, {NAME: "racks"}, {NAME: "moon", REQUIRED: "", PREFERRED: ""}])
def test_who_asks_for_no_level_asks_for_nothing(annotations: dict[str, str]) -> None:
    assert hint_in(annotations) is None
    assert group_in(annotations, (PodSet("default", 3),), THERE) is None


def test_what_is_missing_is_named() -> None:
    missing = {hint: hint.among(THERE).missing for hint in (Hint("moon", "rack"), Hint("fabric", "host", "rack"))}
    assert missing == {Hint("moon", "rack"): "rack", Hint("fabric", "host", "rack"): "rack"}
    assert Hint("racks", "rack", "host").among(THERE).missing is None


def test_texts_that_can_be_no_names_are_cut_as_statuses_show_them() -> None:
    hint = hint_in({NAME: "n" * 100_000, REQUIRED: "r" * 100_000})
    assert hint == Hint("n" * 317, "r" * 317)
