"""The worked examples of docs/scheduling come out as they say, and the document of docs/simulate.md is taken."""

from pathlib import Path
from typing import Any, Final, cast

import pytest
import yaml

from aliquot.core.simulation import load, simulate
from tests.docs.pages import ROOT, blocks, name_of

FOLDER: Final = ROOT / "docs" / "scheduling"
PAGE: Final = ROOT / "docs" / "simulate.md"
EXAMPLES: Final = tuple(sorted(path for path in FOLDER.glob("*.yaml") if not path.name.endswith(".out.yaml")))
ROUNDS: Final = 2


def differences(expected: Any, actual: Any, path: str = "") -> list[str]:
    """Where the outcome is not as expected; keys that are not expected may be there."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        wanted, there = cast("dict[str, Any]", expected), cast("dict[str, Any]", actual)
        return [line for key, value in wanted.items() for line in differences(value, there.get(key), f"{path}.{key}")]
    if isinstance(expected, list) and isinstance(actual, list):
        wanted_, there_ = cast("list[Any]", expected), cast("list[Any]", actual)
        if len(wanted_) == len(there_):
            pairs = enumerate(zip(wanted_, there_, strict=True))
            return [line for number, pair in pairs for line in differences(*pair, f"{path}[{number}]")]
    return [] if expected == actual else [f"{path}: expected {expected}, is {actual}"]


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_an_example_comes_out_as_it_says(example: Path) -> None:
    outcome = simulate(load(example.read_bytes()), ROUNDS).model_dump(mode="json")
    expected = yaml.safe_load(example.with_suffix(".out.yaml").read_text())
    assert len(expected["rounds"]) == ROUNDS
    assert differences(expected, outcome) == []


def test_every_example_is_explained_and_has_an_outcome() -> None:
    page = (FOLDER / "README.md").read_text()
    assert len(EXAMPLES) >= 8
    for path in sorted(FOLDER.glob("*.yaml")):
        assert f"]({path.name})" in page
    assert {path.name.removesuffix(".out.yaml") for path in FOLDER.glob("*.out.yaml")} == {
        each.stem for each in EXAMPLES
    }


def test_the_document_of_the_page_is_taken() -> None:
    [shown] = blocks(PAGE, "yaml")
    assert simulate(load(shown.encode())).rounds[0].bind
