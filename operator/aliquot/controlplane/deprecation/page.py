"""The page of what is deprecated: `python -m aliquot.controlplane.deprecation.page docs/deprecated.md` writes it."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from aliquot.contracts.administrator_api.deprecations import DEPRECATIONS, Deprecation
from aliquot.controlplane.deprecation.rules import MONTHS, RELEASES

_HEAD: Final = f"""\
<!-- From operator/aliquot/contracts/administrator_api/deprecations.py, by
`python -m aliquot.controlplane.deprecation.page docs/deprecated.md`. -->
# What is deprecated in the API

What is listed here works, and gets no new features. It stays for {RELEASES} more releases (the first two numbers of a
version) and at least {MONTHS} months after the release that said so first. Answers of deprecated routes have the
headers `Deprecation` (RFC 9745) and `Link` (`rel="successor-version"`), and `Sunset` (RFC 8594) once it is known on
which day they go; the OpenAPI document (`/api/openapi.json`) flags routes, parameters and fields. How the two surfaces
differ: [control-plane.md](control-plane.md#the-older-surface).
"""


def page(deprecations: Iterable[Deprecation] = DEPRECATIONS) -> str:
    """The page."""
    routes = [each for each in deprecations if " " in each.what]
    fields = [each for each in deprecations if " " not in each.what]
    return "\n".join(
        [
            _HEAD,
            "## Routes\n",
            "| route | instead | deprecated since | in Aliquot | ends |",
            "|---|---|---|---|---|",
            *(f"| `{each.what}` | `{each.instead}` | {_rest(each)} |" for each in routes),
            "\n## Fields\n",
            "| field | instead | deprecated since | in Aliquot | ends |",
            "|---|---|---|---|---|",
            *(f"| `{each.what}` | {each.instead} | {_rest(each)} |" for each in fields),
            "",
        ]
    )


def _rest(each: Deprecation) -> str:
    ends = f"removed in {each.removed}" if each.removed else each.ends.isoformat() if each.ends else ""
    return f"{each.announced.isoformat()} | {each.since} | {ends}"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page())
