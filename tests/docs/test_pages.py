"""What pages promise is there: files behind links, headings behind anchors, targets of `make`."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, name_of

LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)")
MAKE = re.compile(r"(?:`|^\s*\$ )make((?:\s+[a-z][a-z-]*)?)((?:\s+[A-Z]+=[^\s`]*)*)", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links."""
    prose = re.sub(r"^ *```.*?^ *```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken: list[str] = []
    for link in LINK.findall(page.read_text()):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_page_can_be_reached(page: Path) -> None:
    linked = {
        (other.parent / link.partition("#")[0]).resolve() for other in PAGES for link in LINK.findall(other.read_text())
    }
    assert page in linked or page == ROOT / "README.md" or page.parent.name == "decisions"


def targets() -> set[str]:
    """What `make help` lists."""
    make = shutil.which("make")
    if make is None:
        pytest.skip("there is no make here")
    shown = subprocess.run([make, "-s", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^ *make ([a-z-]+)", shown, re.MULTILINE))


def test_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    [phony] = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert targets() == set(phony.split())
    assert targets() == set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_targets_and_variables_of_make_are_there(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target, variables in MAKE.findall(page.read_text()):
        assert not target or target.strip() in targets(), f"make {target}"
        for variable in re.findall(r"[A-Z]+(?==)", variables):
            assert f"$({variable})" in makefile or f"$(if $({variable})" in makefile, f"make … {variable}="
