"""The table's text: what is taken, what is refused and with which words, and how additions combine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.contracts.workload_kinds import WorkloadKind, keys_of
from aliquot.core.intake.group_table import builtin_table, read_kinds, table_of
from tests.core.intake.group_world import World

CREW = """
kinds:
  - group: example.com
    kind: Crew
    minimum: {first: [spec.minAvailable, {each: spec.roles, of: {product: [replicas, {first: [hosts, 1]}]}}]}
    podSets:
      - each: spec.roles
        nameFrom: name
        pods: {label: example.com/role}
        minimum: replicas
        topology: {required: near}
    priorityClass: build
    completed: [{condition: Done}]
topologies:
  - name: fabric
    levels: [zone, rack, host]
"""


def test_a_kind_that_an_administrator_adds_counts_like_those_that_are_built_in() -> None:
    table, wrong = table_of([("crew", CREW)])
    assert wrong == []
    world = World(
        """
apiVersion: example.com/v1beta3
kind: Crew
name: c
annotations: {kai.scheduler/topology: fabric, kai.scheduler/topology-preferred-placement: rack}
spec: {roles: [{name: pilot, replicas: 1, near: host}, {name: crew, replicas: 2}]}
---
{name: a, owner: Crew/c, labels: {example.com/role: pilot}}
---
{name: b, owner: Crew/c, labels: {example.com/role: crew}}
""",
        table,
    )
    assert world.outline() == "c 3 prio 100 kept@~rack (pilot=1@host crew=2) | a:pilot b:crew"
    [job] = {job.id: job for job, _ in world.facts()}.values()
    assert job.group is not None
    assert job.group.topology is not None
    assert job.group.topology.levels == ("zone", "rack", "host")


def test_an_entry_for_a_kind_that_is_there_changes_what_it_names() -> None:
    more = "kinds: [{group: apps, kind: Deployment, priorityClass: train}]"
    less = "kinds: [{group: apps, kind: Deployment, preemptibility: preemptible}]"
    table, wrong = table_of([("one", more), ("two", less)])
    assert wrong == []
    changed, known = table.get("apps", "Deployment"), builtin_table().get("apps", "Deployment")
    assert changed is not None
    assert known is not None
    assert (changed.priority_class, changed.preemptibility, changed.jobs) == ("train", "preemptible", "pod")
    assert changed.stopped == known.stopped
    assert known.priority_class == "inference"


PATH = "the path of a member, such as spec.replicas or metadata.annotations['example.com/size']"
NUMBER = f"a whole number, {PATH}, or one of first, positive, sum, product, least and each"
REFUSED: dict[str, tuple[str, list[str]]] = {
    "a key that nobody knows": (
        "kindz: []",
        ["kindz: 'kindz' is not allowed: it is an unknown key; known here are kinds, topologies"],
    ),
    "a number that is none": (
        "kinds: [{group: a, kind: B, minimum: {frist: [a]}}]",
        [f"kinds[0].minimum: a mapping is not allowed: {NUMBER}"],
    ),
    "a path that is none, deep inside": (
        "kinds: [{group: a, kind: B, minimum: {first: [1, {sum: ['a..b']}]}}]",
        [f"kinds[0].minimum.first[1].sum[0]: 'a..b' is not allowed: {PATH}"],
    ),
    "too much": (
        "kinds: [{group: a, kind: B, minimum: 100001}]",
        ["kinds[0].minimum: 100001 is not allowed: at most 100000"],
    ),
    "an empty list": (
        "kinds: [{group: a, kind: B, minimum: {least: []}}]",
        ["kinds[0].minimum.least: a list is not allowed: a list of at least 1"],
    ),
    "a key in a part": (
        "kinds: [{group: a, kind: B, podSets: [{name: w, pods: {label: x, vaule: y}}]}]",
        ["kinds[0].podSets[0].pods.vaule: 'vaule' is not allowed: it is an unknown key; known here are label, value"],
    ),
    "things that are missing, and of another type": (
        "kinds: [{group: 3, jobs: one}]",
        [
            "kinds[0].group: 3 is not allowed: a text; put it into quotes",
            "kinds[0].kind: nothing is not allowed: it is required",
            "kinds[0].jobs: 'one' is not allowed: one of 'owner', 'pod' or 'below'",
        ],
    ),
    "a minimum of pods that are alone": (
        "kinds: [{group: a, kind: B, jobs: pod, minimum: 3}]",
        ["kinds[0]: a mapping is not allowed: minimum is allowed only with jobs: owner"],
    ),
    "a pod set with two names": (
        "kinds: [{group: a, kind: B, podSets: [{name: w, each: spec.x, pods: {label: y}}]}]",
        ["kinds[0].podSets[0]: a mapping is not allowed: it has exactly one of name and each"],
    ),
    "a test of nothing": (
        "kinds: [{group: a, kind: B, stopped: [{}]}]",
        ["kinds[0].stopped[0]: a mapping is not allowed: it has exactly one of path and condition"],
    ),
    "no list": ("kinds: 3", ["kinds: 3 is not allowed: a list"]),
    "no mapping": ("- 1", ["document: a list is not allowed: a mapping with kinds, topologies, or both"]),
    "no YAML": (
        "kinds: ]",
        ["line 1, column 8: 'kinds: ]' is not allowed: it is no YAML: did not find expected node content"],
    ),
    "an alias": (
        "kinds: &a [*a]",
        ["line 1, column 8: the value is not allowed: aliases are not taken here: write it out"],
    ),
    "a key that stands twice": (
        "kinds: []\nkinds: []",
        ["line 1, column 1: 'kinds' is not allowed: a key may stand only once in a mapping"],
    ),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_said_with_its_place(text: str, said: list[str]) -> None:
    found, problems = read_kinds(text)
    assert [str(problem) for problem in problems] == said
    assert found.kinds == []


def test_one_wrong_entry_does_not_spoil_the_others() -> None:
    found, problems = read_kinds("kinds: [{group: a, kind: B}, {group: a}, {group: a, kind: C}]")
    assert [entry.kind for entry in found.kinds] == ["B", "C"]
    assert [problem.field for problem in problems] == ["kinds[1].kind"]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["spec.a", "first"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*keys_of(WorkloadKind), "first", "each", "of", "sum", "label"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(st.lists(VALUES, max_size=3))
def test_no_table_whatever_raises(entries: list[object]) -> None:
    import yaml

    found, problems = read_kinds(yaml.safe_dump({"kinds": entries}))
    assert len(found.kinds) + len({problem.field.split(".")[0] for problem in problems}) >= len(entries)


@given(st.text(max_size=40))
def test_no_text_whatever_raises(text: str) -> None:
    found, problems = read_kinds(text)
    assert problems or found.kinds == []
