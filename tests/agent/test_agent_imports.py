"""The agent runs on every node: it loads nothing that it does not need."""

import subprocess
import sys


def test_the_agent_loads_nothing_of_the_operators() -> None:
    heavy = {"kopf", "kubernetes", "numpy", "sqlalchemy", "aliquot.cluster", "aliquot.core.scheduling", "yaml", "rich"}
    code = f"import sys, aliquot.agent.main; print(*sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
