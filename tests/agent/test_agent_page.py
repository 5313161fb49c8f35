"""The agent's page names every setting, with its default and meaning."""

from pathlib import Path

from tests.agent.settings_rows import rows

PAGE = Path(__file__).parents[2] / "docs" / "agent.md"


def test_the_table_of_settings_is_that_of_the_settings() -> None:
    shown = [line for line in PAGE.read_text().splitlines() if line.startswith("| `ALIQUOT_")]
    assert shown == rows()
