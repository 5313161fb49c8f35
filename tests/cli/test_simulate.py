"""`aliquot simulate` from outside: what it prints, and how it fails."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from aliquot.cli.main import app

DOCUMENT = """
nodes:
- {name: n1, gpus: 2}
queues:
- {name: team-a, gpu: {deserved: 1}}
- {name: team-b, gpu: {deserved: 1}}
jobs:
- {name: old, queue: team-a, tasks: [{name: old-0, state: Running, node: n1, request: {gpu: 1}}]}
- {name: older, queue: team-a, created: -1, tasks: [{name: older-0, state: Running, node: n1, request: {gpu: 1}}]}
- {name: new, queue: team-b, tasks: [{name: new-0, request: {gpu: 1}}]}
- {name: "[red]big[/]", queue: team-b, tasks: [{name: big-0, request: {gpu: 9}}]}
"""


def run(*arguments: str, text: str | bytes = DOCUMENT) -> Result:
    return CliRunner().invoke(app, ["simulate", *arguments], input=text)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "cluster.yaml"
    path.write_text(DOCUMENT)
    return str(path)


def test_a_file_and_standard_input_say_the_same(file: str) -> None:
    from_file, from_input = run(file, "-o", "json"), run("-", "--output", "json")
    assert from_file.exit_code == from_input.exit_code == 0
    assert from_file.stdout == from_input.stdout


def test_json_and_yaml_say_the_same() -> None:
    as_json: dict[str, Any] = json.loads(run("-", "-o", "json").stdout)
    assert as_json == yaml.safe_load(run("-", "-o", "yaml").stdout)
    assert set(as_json) == {"rounds", "tasks", "queues", "nodes"}
    [done] = as_json["rounds"]
    assert done["evict"] == [{"job": "old", "task": "old-0", "action": "reclaim", "for": "new", "moves": False}]
    assert as_json["queues"]["team-b"]["gpu"]["requested"] == 10
    assert as_json["nodes"]["n1"] == {"freeGpus": 0, "releasingGpus": 1}


def test_so_many_rounds_as_asked_for() -> None:
    rounds = json.loads(run("-", "--rounds", "3", "-o", "json").stdout)["rounds"]
    assert [len(done["bind"]) for done in rounds] == [0, 1, 0]


def test_a_json_document_is_taken() -> None:
    assert run("-", text=json.dumps(yaml.safe_load(DOCUMENT))).stdout == run("-").stdout


def test_the_table_tells_people_everything() -> None:
    said = run("-", "--rounds", "2")
    assert said.exit_code == 0
    for words in ("Round 1", "Are stopped", "reclaim", "Start when others have gone", "Round 2", "Start now", "Wait"):
        assert words in said.stdout
    assert "[red]big[/]" in said.stdout, "names are no markup"
    assert "needs 9 GPUs on one node; the only node of pool default has 2" in " ".join(said.stdout.split())
    assert "deserved   fair share   allocated" in said.stdout
    assert "releasing" in said.stdout


def test_an_empty_cluster_has_nothing_to_do() -> None:
    assert "Nothing to do, and nobody waits." in run("-", text="{}").stdout


def test_the_schema_describes_every_field() -> None:
    said = run("--schema")
    assert said.exit_code == 0
    schema: dict[str, Any] = json.loads(said.stdout)
    assert set(schema["properties"]) == {"settings", "nodes", "queues", "jobs", "topologies"}
    models: dict[str, Any] = schema["$defs"] | {"Document": schema}
    assert models["NodeEntry"]["properties"]["gpuMemoryMiB"]["description"]
    for name, model in models.items():
        assert model["additionalProperties"] is False, name
        for key, field in model["properties"].items():
            assert field.get("description"), f"{name}.{key}"


FAILURES: dict[str, tuple[list[str], str | bytes, tuple[str, ...]]] = {
    "no file": ([], "", ("FILE is missing",)),
    "a file that is not there": (["/nowhere/x.yaml"], "", ("/nowhere/x.yaml cannot be read: No such file",)),
    "a folder": (["/"], "", ("/ cannot be read: Is a directory",)),
    "no YAML": (["-"], "a: [", ("line 2, column 1", "it is no YAML")),
    "no text": (["-"], b"\xff\xfe\xfd", ("UTF-8",)),
    "an unknown key": (["-"], "node: []", ("node: 'node' is not allowed", "known here are settings, nodes")),
    "two mistakes": (
        ["-"],
        "nodes: [{name: n, cpu: x}]\njobs: [{name: j, queue: q}]",
        ("nodes[0].cpu: 'x' is not allowed", "jobs[0].queue: 'q' is not allowed"),
    ),
    "no rounds": (["-", "--rounds", "0"], "{}", ("--rounds",)),
    "an unknown form": (["-", "-o", "xml"], "{}", ("xml",)),
}


@pytest.mark.parametrize(("arguments", "text", "words"), FAILURES.values(), ids=FAILURES)
def test_mistakes_are_told_on_stderr_with_status_2(
    arguments: list[str], text: str | bytes, words: tuple[str, ...]
) -> None:
    said = run(*arguments, text=text)
    assert said.exit_code == 2
    assert said.stdout == ""
    for word in words:
        assert word in said.stderr


def test_the_program_itself_fails_without_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    command = [sys.executable, "-m", "aliquot", "simulate", str(path)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 2
    assert said.stdout == ""
    assert said.stderr == ("document: '67108865 bytes' is not allowed: a cluster document has at most 67108864 bytes\n")
