"""Ports of labs: nobody is given one that somebody else has, though nothing listens there."""

import subprocess
import sys

import pytest

from aliquot_lab import LabError
from aliquot_lab.ports import free_ports

ASK = """
import sys
from aliquot_lab import LabError
from aliquot_lab.ports import free_ports
try:
    print(*free_ports(1, *[[int(port)] for port in sys.argv[1:]]), flush=True)
except LabError as problem:
    print(problem, flush=True)
sys.stdin.read()
"""


def asking(*among: str) -> subprocess.Popen[str]:
    """Another process, which keeps what it is given until it is told to end."""
    return subprocess.Popen(
        [sys.executable, "-c", ASK, *among], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_what_a_process_has_is_given_to_no_other_until_it_ends() -> None:
    with asking() as first:
        port = answer(first)
        with asking(port) as second:
            assert "no 1 free ports" in answer(second)
            second.communicate()
        first.communicate()
    assert free_ports(1, [int(port)]) == [int(port)]


def test_a_process_is_given_each_port_once() -> None:
    with pytest.raises(LabError, match="no 1 free ports"):
        free_ports(1, free_ports(1))
