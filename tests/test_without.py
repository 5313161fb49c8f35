"""Libraries can be imported as if another one were not there."""

import importlib
import sys

import pytest

from aliquot.without import without


def test_a_package_is_hidden_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    with without("wave"), pytest.raises(ImportError):
        importlib.import_module("wave")
    assert importlib.import_module("wave") is sys.modules["wave"]


def test_what_is_imported_already_stays() -> None:
    with without("pytest"):
        assert importlib.import_module("pytest") is pytest


def test_it_comes_back_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    with pytest.raises(ZeroDivisionError), without("wave"):
        raise ZeroDivisionError
    assert importlib.import_module("wave")
