"""Which types of nodes a project's work may use, as it and its department say."""

import pytest

from aliquot.core.tenancy import NodeTypes

DEPARTMENT = {"h100": ("dgx-3",), "mixed": ("dgx-1", "dgx-2")}
CASES: dict[str, tuple[NodeTypes, tuple[str, ...], tuple[str, ...]]] = {
    # what is named, the node pools, what is left
    "neither names any": (NodeTypes(), ("default",), ()),
    "the project alone": (NodeTypes(("dgx-2", "dgx-1")), ("default",), ("dgx-2", "dgx-1")),
    "the department alone": (NodeTypes((), DEPARTMENT), ("mixed",), ("dgx-1", "dgx-2")),
    "what both name, as the project orders it": (
        NodeTypes(("a", "dgx-2", "dgx-1"), DEPARTMENT),
        ("mixed",),
        ("dgx-2", "dgx-1"),
    ),
    "a pool of which the department says nothing": (NodeTypes(("a",), DEPARTMENT), ("default",), ("a",)),
    "nothing in common: the department's bound": (NodeTypes(("a",), DEPARTMENT), ("mixed",), ("dgx-1", "dgx-2")),
    "of several pools what is left in any": (NodeTypes((), DEPARTMENT), ("h100", "mixed"), ("dgx-3", "dgx-1", "dgx-2")),
    "all where one of them is open": (NodeTypes((), DEPARTMENT), ("h100", "default"), ()),
}


@pytest.mark.parametrize(("types", "pools", "wanted"), CASES.values(), ids=CASES)
def test_what_is_left(types: NodeTypes, pools: tuple[str, ...], wanted: tuple[str, ...]) -> None:
    assert types.left(pools) == wanted
