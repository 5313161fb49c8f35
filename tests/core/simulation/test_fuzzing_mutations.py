"""Examples of the pages and random documents, spoilt, through the command: an outcome, or errors with paths, status 2.

`ALIQUOT_FUZZ=50000` tries so many.
"""

import json
import os
import random
import re
from typing import Any, Final

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from aliquot.cli.main import app
from tests.core.simulation.documents import spliced
from tests.core.simulation.mutations import is_there, mutated, text_of

EXAMPLES: Final = int(os.environ.get("ALIQUOT_FUZZ", "150"))
SEEDS: Final = st.integers(0, 1 << 40)
PROBLEM: Final = re.compile(r"(?P<path>\S.*?): (.+ is not allowed|missing): \S.*")
WITHOUT_PLACE: Final = re.compile(r"document|line \d+, column \d+")
MORE: Final = re.compile(r"… and \d+ more")

fuzz = settings(deadline=None, max_examples=EXAMPLES)
pytestmark = pytest.mark.timeout(300 if EXAMPLES <= 1000 else 0)


@given(SEEDS)
@fuzz
def test_what_is_spoilt_is_simulated_or_refused_by_path_with_status_2(seed: int) -> None:
    luck, values = random.Random(seed), mutated(seed)
    form, rounds = luck.choice(["json", "yaml", "table"]), luck.choice([1, 1, 2, 4])
    text, whole = text_of(values, luck), luck.random() < 0.8
    if not whole:
        text = spliced(text, luck)
    said = CliRunner().invoke(app, ["simulate", "-", "-o", form, "--rounds", str(rounds)], input=text)
    assert said.exception is None or isinstance(said.exception, SystemExit), said.exc_info
    if said.exit_code == 0:
        assert said.stderr == ""
        _is_an_outcome(said.stdout, form, rounds)
        return
    assert (said.exit_code, said.stdout) == (2, "")
    lines = said.stderr.removesuffix("\n").split("\n")
    assert lines
    for line in lines:
        _is_a_problem(line, values if whole else None)


def _is_an_outcome(text: str, form: str, rounds: int) -> None:
    if form == "table":
        assert text
        return
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    values: dict[str, Any] = json.loads(text) if form == "json" else yaml.load(text, loader)
    assert len(values["rounds"]) == rounds


def _is_a_problem(line: str, values: Any) -> None:
    """A line of what is wrong; `values` are None where nobody knows what the text says."""
    if MORE.fullmatch(line):
        return
    found = PROBLEM.fullmatch(line)
    assert found is not None, f"no sentence with path, value and what is allowed: {line!r}"
    assert line.isprintable(), f"what a terminal could stumble over: {line!r}"
    assert len(line) < 1000, f"a long line: {line!r}"
    path = found["path"]
    known = values is None or WITHOUT_PLACE.fullmatch(path) or is_there(values, path)
    assert known, f"{path} is not in the document: {line!r}"
