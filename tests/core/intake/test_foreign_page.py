"""What docs/foreign-workloads.md says in tables is what the table does."""

import re
from pathlib import Path

import pytest
import yaml

from aliquot.contracts.workload_kinds import Requested, WorkloadKind, keys_of
from aliquot.core.intake.group_table import builtin_table, read_kinds

PAGE = (Path(__file__).parents[3] / "docs" / "foreign-workloads.md").read_text()
JOBS = {"owner": "all pods", "pod": "each pod", "below": "below"}


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    table = re.findall(r"^\|.*\|$", section, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def test_the_page_lists_the_built_in_kinds() -> None:
    shown = {(row[0].strip("`"), row[1].strip("`")): (row[2], row[4]) for row in rows("What is scheduled together")}
    kinds = builtin_table().kinds
    assert list(shown) == list(kinds), "in the order of the table"
    for name, kind in kinds.items():
        together, priority = shown[name]
        assert priority == kind.priority_class, name
        unit = "each group" if kind.per is not None and kind.jobs == "owner" else JOBS[kind.jobs]
        assert together.startswith(unit), name


def test_the_page_explains_every_member_of_a_kind() -> None:
    explained = {name for row in rows("Adding a kind") for name in re.findall(r"`(\w+)`", row[0])}
    assert explained >= set(keys_of(WorkloadKind))
    [requested] = [row[1] for row in rows("Adding a kind") if row[0] == "`requested`"]
    assert set(re.findall(r"`(\w+)`", requested)) == set(keys_of(Requested))


@pytest.mark.parametrize(
    "document", [each for each in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "kind: ConfigMap" in each]
)
def test_the_example_of_a_table_is_right(document: str) -> None:
    [config_map, role] = yaml.safe_load_all(document)
    for text in config_map["data"].values():
        found, problems = read_kinds(text)
        assert problems == []
        assert [(kind.group, f"{kind.kind.lower()}s") for kind in found.kinds] == [
            (group, resource) for rule in role["rules"] for group in rule["apiGroups"] for resource in rule["resources"]
        ]
