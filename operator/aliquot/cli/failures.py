"""How commands fail: one sentence on the error output and an exit code, never a trace (docs/cli.md).

    0   done
    1   the cluster refuses, has no such thing, or cannot be asked
    2   what was typed makes no sense: a flag, a name, or no project

`exec` and `bash` end with the exit code of the command in the container.
"""

import re
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Final

import typer

from aliquot.cli.output import printable
from aliquot.core.submission import InvalidWorkload
from aliquot.errors import AliquotError, UserError
from aliquot.kube.problems import ApiProblem, Forbidden, Invalid, NoAnswer, NotFound, Unauthorized

REFUSED: Final = 1
MISTYPED: Final = 2
_WEBHOOK: Final = re.compile(r'^admission webhook "[^"]*" denied the request:\s*(?P<why>.*)$', re.DOTALL)
_NOT_ALLOWED: Final = re.compile(r'User "(?P<user>[^"]*)" cannot (?P<rest>.*)$', re.DOTALL)
_NO_KIND: Final = "the server could not find the requested resource"


class NotThere(AliquotError):  # noqa: N818 - it says what is not there
    """A job, pod or project that there is not; says where it was looked for."""


@contextmanager
def told(where: str = "") -> Generator[None]:
    """Turn what goes wrong inside into a sentence and an exit code.

    Args:
        where: what the command is about, such as `project team-a`; empty: nothing in particular.
    """
    try:
        yield
    except InvalidWorkload as problem:
        for error in problem.errors:
            complain(str(error))
        raise typer.Exit(MISTYPED) from problem
    except UserError as problem:
        complain(str(problem))
        raise typer.Exit(MISTYPED) from problem
    except ApiProblem as problem:
        complain(sentence(problem, where))
        raise typer.Exit(REFUSED) from problem
    except (AliquotError, OSError) as problem:
        complain(str(problem))
        raise typer.Exit(REFUSED) from problem


def sentence(problem: ApiProblem, where: str = "") -> str:
    """Say in a sentence why the API server did not do it."""
    place = f" ({where})" if where else ""
    webhook = _WEBHOOK.match(problem.message)
    if webhook is not None:
        return f"refused{place}: {webhook['why']}"
    match problem:
        case Unauthorized():
            return f"the cluster does not know you: log in again; it said: {problem.message}"
        case Forbidden() if found := _NOT_ALLOWED.search(problem.message):
            return f"not allowed{place}: you are {found['user']!r}, who cannot {found['rest']}"
        case Forbidden():
            return f"not allowed{place}: {problem.message}"
        case NotFound() if is_no_kind(problem):
            return f"this cluster has no {problem.request.resource}: is Aliquot installed there? {problem.message}"
        case NoAnswer():
            return f"the cluster does not answer: {problem.message}"
        case Invalid() if problem.causes:
            told = "; ".join(f"{cause.field}: {cause.message}" for cause in problem.causes)
            return f"refused{place}: {told}"
        case _:
            return f"refused{place}: {problem.message}"


def warn(warnings: Iterable[str]) -> None:
    """Tell what is no failure."""
    for warning in warnings:
        complain(f"warning: {warning}")


def is_no_kind(problem: NotFound) -> bool:
    """Whether the API server knows no such kind, rather than no such object or part of one."""
    return _NO_KIND in problem.message and not problem.request.subresource


def complain(text: str) -> None:
    """Tell a sentence on the error output."""
    typer.echo(f"aliquot: {printable(text)}", err=True)
