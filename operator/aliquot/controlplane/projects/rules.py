"""Rules of projects (control-plane-api.md 1.4.3, 4.6)."""

from collections.abc import Collection, Sequence
from typing import Final

from aliquot import names, naming
from aliquot.controlplane.refusals import BadRequest

_LONGEST_NAME: Final = naming.LONGEST - len(names.PROJECT_NAMESPACE_PREFIX)


def check_name(name: str) -> None:
    """See that a namespace can be named after the project.

    Raises:
        BadRequest: it cannot.
    """
    if len(name) > _LONGEST_NAME:
        raise BadRequest(
            f"Bad request - name: {name!r} is not allowed: at most {_LONGEST_NAME} characters, so that "
            f"{names.PROJECT_NAMESPACE_PREFIX!r} and the name make a name of a namespace"
        )


def namespace_of(name: str, requested: str | None) -> str:
    """The namespace of a project.

    Args:
        name: of the project.
        requested: the one that was asked for, if any was.
    """
    return requested or f"{names.PROJECT_NAMESPACE_PREFIX}{name}"


def check_namespace(requested: str | None, *, is_taken: bool) -> None:
    """See that a namespace can be the project's.

    Args:
        requested: the namespace.
        is_taken: whether another project of the cluster has asked for it.

    Raises:
        BadRequest: it belongs to the system, or to another project.
    """
    if requested in names.RESERVED_NAMESPACES:
        why = "it belongs to the system"
    elif requested is not None and is_taken:
        why = "another project has it"
    else:
        return
    raise BadRequest(f"Bad request - requestedNamespace: {requested!r} is not allowed: {why}")


def check_default_pools(given: Sequence[str], pools: Collection[str]) -> None:
    """See that the cluster has the pools, and each is there once.

    Raises:
        BadRequest: it has not, or one is there twice.
    """
    for index, name in enumerate(given):
        if name not in pools:
            raise BadRequest(
                f"Bad request - defaultNodePools.{index}: {name!r} is not allowed: the cluster has the node pools "
                f"{', '.join(sorted(pools)[:20])}"
            )
        if name in given[:index]:
            raise BadRequest(f"Bad request - defaultNodePools.{index}: {name!r} is not allowed: it is there twice")
