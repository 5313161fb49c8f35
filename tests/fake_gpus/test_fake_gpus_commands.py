"""`python -m demo.fake_gpus`, as people type it."""

import subprocess
import sys
from pathlib import Path

from demo.fake_gpus import products, state


def typed(*arguments: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "demo.fake_gpus", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_file_is_made_changed_and_checked(tmp_path: Path) -> None:
    file = tmp_path / "state"
    assert typed("new", str(file), "--node", "n1", "--gpus", "2", "--product", "a100", "--mig", "1g.5gb") == (0, "", "")
    assert state.read(file) == products.node("n1", 2, product="a100", mig=("1g.5gb",))
    assert typed("set", str(file), "1", "healthy=no", "power_milliwatts=5") == (0, "", "")
    assert state.read(file).gpus[1].power_milliwatts == 5
    assert typed("check", str(file)) == (0, "nvidia.com/mig-1g.5gb: 2, 1 of them healthy\n", "")
    wrong = "fake_gpus: healthy: 'maybe': allowed are 'yes' and 'no'\n"
    assert typed("set", str(file), "1", "healthy=maybe") == (1, "", wrong)
    file.write_text("gpu\n")
    told = (1, "", f"fake_gpus: {file}: line 1: gpu: there is no value\n")
    assert typed("check", str(file)) == told
    assert typed("plugin", str(file), "--kubelet", str(tmp_path)) == told


def test_it_says_where_the_library_is(fake_library: Path) -> None:
    assert typed("library") == (0, f"{fake_library}\n", "")
