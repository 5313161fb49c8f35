"""docs/cli.md names every command and flag that there is; the program has both its names, and starts quickly."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from aliquot.cli.main import app

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "cli.md").read_text()


def commands(group: Any, beginning: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if not command.hidden:
            yield from commands(command, f"{name} ") if hasattr(command, "commands") else ((beginning + name, command),)


RESEARCH = {
    name: command
    for name, command in commands(typer.main.get_command(app))
    if command.rich_help_panel != "For the platform"
}


def test_every_command_is_on_the_page() -> None:
    words = {word for name in RESEARCH for word in name.split()}
    assert {"submit", "describe", "pytorch", "whoami"} <= words
    assert {word for word in words if not re.search(rf"\b{word}\b", PAGE)} == set()


def test_every_flag_is_on_the_page() -> None:
    flags = {
        flag
        for command in RESEARCH.values()
        for option in command.params
        if not getattr(option, "hidden", False)
        for flag in option.opts
        if flag.startswith("--")
    }
    assert "--gpu" in flags
    known_to_all = {"--all-projects", "--all", "--output", "--follow"}  # by their letters: -A, -o, -f
    assert {flag for flag in flags - known_to_all if f"{flag}" not in PAGE} == set()


def test_every_flag_on_the_page_is_one() -> None:
    options = [option for command in RESEARCH.values() for option in command.params]
    known = {flag for option in options for flag in (*option.opts, *option.secondary_opts)}
    older = PAGE[PAGE.index("Older spellings") : PAGE.index("## What can go wrong")]
    shown = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", PAGE.replace(older, "")))
    assert shown - known - {"--help", "--dry-run"} == set()


def test_the_program_has_both_names() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts["aliquot"] == scripts["runai"] == "aliquot.cli.main:app"


def test_what_is_heavy_is_loaded_only_by_commands_that_need_it() -> None:
    heavy = ("aiohttp", "kopf", "kubernetes", "numpy", "pydantic")
    code = f"import sys, aliquot.cli.main; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
