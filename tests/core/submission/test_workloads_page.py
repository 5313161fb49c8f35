"""The pages on workloads keep their promises: their examples work, and nothing is missing."""

import re
from pathlib import Path
from typing import cast, get_args

import pytest
import yaml

from aliquot import names
from aliquot.contracts.kinds import InteractiveWorkload, TrainingWorkload
from aliquot.contracts.kinds.parameters import JOB_NAME_LENGTH, NAME_PREFIX_LENGTH, InteractiveParameters
from aliquot.contracts.kinds.shapes import outside_name
from aliquot.contracts.kinds.status import Phase
from aliquot.contracts.kinds.workloads import MUTABLE
from aliquot.core.scheduling.reasons import WaitCode
from aliquot.core.submission import Defaults, InvalidWorkload, Site, effective, effective_interactive
from aliquot.core.submission.extent import CARRIED_OUT, carried_out
from aliquot.core.submission.interactive import JUPYTER_IMAGE, JUPYTER_PORT
from aliquot.core.submission.keys import MOST_ENVIRONMENT_BYTES

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "workloads.md").read_text()
INTERACTIVE = (ROOT / "docs" / "interactive.md").read_text()
EXAMPLES = [
    *re.findall(r"```yaml\n(.*?)```", PAGE + INTERACTIVE, re.DOTALL),
    *(path.read_text() for path in sorted((ROOT / "examples" / "workloads").glob("*.yaml"))),
]
DEFAULTS = Defaults(cpu_milli_per_gpu=1000, memory_bytes_per_gpu=100 * 2**20)
SITE = Site("vision", "gpu.example.com", checks_users=True)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_is_carried_out(example: str) -> None:
    written = yaml.safe_load(example)
    if written["kind"] == "InteractiveWorkload":
        effective_interactive(InteractiveWorkload.model_validate(written), DEFAULTS, SITE)
    else:
        effective(TrainingWorkload.model_validate(written), DEFAULTS, SITE)


def first_cells(page: str) -> str:
    return "\n".join(line.split("|")[1] for line in page.splitlines() if line.startswith("| `"))


def test_every_parameter_has_its_row() -> None:
    rows = first_cells(PAGE)
    assert [name for name in map(outside_name, sorted(CARRIED_OUT)) if f"`{name}`" not in rows] == []


def test_every_parameter_that_only_interactive_workloads_have_has_its_row() -> None:
    own = carried_out(InteractiveParameters) - CARRIED_OUT
    assert {outside_name(name) for name in own} == set(re.findall("`(.*?)`", first_cells(INTERACTIVE))) - {"active"}
    assert f"port {JUPYTER_PORT}" in INTERACTIVE
    assert f"`{JUPYTER_IMAGE}`" in INTERACTIVE


@pytest.mark.parametrize("word", [*get_args(Phase), *WaitCode])
def test_every_phase_and_reason_has_its_row(word: str) -> None:
    assert re.search(rf"^\| .*`{word}`", PAGE, re.MULTILINE)


def test_every_variable_that_containers_get_is_listed() -> None:
    variables = [cast("str", value) for name, value in vars(names).items() if name.startswith("ENV_")]
    assert [name for name in variables if f"`{name}`" not in PAGE] == []


def test_what_may_change_is_said() -> None:
    [sentence] = re.findall(r"After submission only (.*?) can change", PAGE, re.DOTALL)
    assert set(re.findall("`(.*?)`", sentence)) == {outside_name(name) for name in MUTABLE & CARRIED_OUT}


def test_the_refusal_is_quoted_as_it_is() -> None:
    spec = {"image": {"value": "ubuntu"}, "ingressUrl": {"value": "https://gpu.example.com/x"}}
    with pytest.raises(InvalidWorkload) as caught:
        effective(TrainingWorkload.model_validate({"spec": spec}), DEFAULTS)
    assert f"    {caught.value}\n" in PAGE


@pytest.mark.parametrize("number", [JOB_NAME_LENGTH, NAME_PREFIX_LENGTH, MOST_ENVIRONMENT_BYTES])
def test_numbers_are_those_of_the_code(number: int) -> None:
    assert re.search(rf"at most {number}\b|\b{number} bytes", PAGE)
