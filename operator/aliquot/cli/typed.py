"""A command whose words behind `--` are for a container, and which takes older spellings with a warning."""

from collections.abc import Sequence
from typing import Any, Final

import typer
from typer.core import TyperCommand

from aliquot.cli.submission.spoken import understand

_WORDS: Final = "aliquot.words"


class WithWords(TyperCommand):
    """Keeps apart what is typed before and behind `--`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Understand what was typed, warn of older spellings, and read the rest as usual."""
        switches = {
            flag
            for parameter in self.params
            if getattr(parameter, "is_flag", False)
            for flag in (*parameter.opts, *parameter.secondary_opts)
        }
        spoken = understand(args, switches)
        for warning in spoken.warnings:
            typer.echo(f"aliquot: warning: {warning}", err=True)
        ctx.meta[_WORDS] = tuple(spoken.words)
        return super().parse_args(ctx, [*spoken.arguments])


def words_of(context: typer.Context) -> Sequence[str]:
    """What was typed behind `--`."""
    return context.meta.get(_WORDS, ())
