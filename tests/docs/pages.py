"""The pages of this repository, and what is written on them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import yaml

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "tests" / "README.md",
    *sorted(ROOT.glob("docs/**/*.md")),
)
EXAMPLES: Final = tuple(sorted((ROOT / "examples").rglob("*.yaml")))
OUR_GROUPS: Final = ("run.ai", "scheduling.run.ai")


def name_of(path: Path) -> str:
    """Such as docs/install.md."""
    return path.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of a page in a language; empty: those without one."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", page.read_text(), re.DOTALL | re.MULTILINE)


def custom_resources() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every custom resource of ours that a page or an example shows whole, with where it is."""
    texts = [(name_of(page), block) for page in PAGES for block in blocks(page, "yaml")]
    texts += [(name_of(example), example.read_text()) for example in EXAMPLES]
    for where, text in texts:
        for document in cast("Iterator[dict[str, Any] | None]", yaml.safe_load_all(text)):
            if document and str(document.get("apiVersion", "")).partition("/")[0] in OUR_GROUPS:
                yield f"{where}: {document['kind']} {document['metadata']['name']}", document
