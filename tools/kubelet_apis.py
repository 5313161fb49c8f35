"""Makes Python of the kubelet's gRPC APIs, with types: `python -m tools.kubelet_apis`.

Needs the dependency group `dev`. Each definition has a name of its own, as protobuf knows files by their paths, and
every API of the kubelet is an `api.proto`.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[1]
_PLUGINS: Final = ("mypy", "mypy_grpc")
"""What protoc does not bring itself, but a program `protoc-gen-…`."""


@dataclass(frozen=True)
class Api:
    """An API that Python speaks.

    Attributes:
        name: of its definition, and first part of the names of what is made of it.
        root: folder below which its packages are.
        folder: where it is, and what is made of it, below the root.
        outputs: the kinds of files that are made, as protoc calls them.
        suffixes: the last parts of their names.
    """

    name: str
    root: Path
    folder: Path
    outputs: tuple[str, ...]
    suffixes: tuple[str, ...]

    @property
    def generated(self) -> tuple[Path, ...]:
        """What is made of it, below the root."""
        return tuple(self.folder / f"{self.name}_{suffix}" for suffix in self.suffixes)

    def generate(self, target: Path) -> None:
        """Write what is made of it below a folder that stands for the root.

        Raises:
            RuntimeError: protoc or one of its plugins is missing or failed.
        """
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{self.root}"]
        for output in self.outputs:
            if output in _PLUGINS:
                command.append(_plugin(f"protoc-gen-{output}"))
            command.append(f"--{output}_out={target}")
        definition = self.root / self.folder / f"{self.name}.proto"
        done = subprocess.run([*command, str(definition)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            message = f"protoc failed:\n{done.stderr}"
            raise RuntimeError(message)


def _plugin(program: str) -> str:
    # Beside this Python first: an environment need not be activated to be used.
    found = shutil.which(program, path=str(Path(sys.executable).parent)) or shutil.which(program)
    if found is None:
        message = f"{program} is missing; the Python package mypy-protobuf brings it"
        raise RuntimeError(message)
    return f"--plugin={program}={found}"


APIS: Final = (
    Api(
        "deviceplugin",
        _ROOT,
        Path("demo", "fake_gpus", "kubelet_api"),
        ("python", "grpc_python", "mypy", "mypy_grpc"),
        ("pb2.py", "pb2.pyi", "pb2_grpc.py", "pb2_grpc.pyi"),
    ),
    # Its client needs no stub.
    Api(
        "podresources",
        _ROOT / "operator",
        Path("aliquot", "agent", "pod_resources"),
        ("python", "pyi"),
        ("pb2.py", "pb2.pyi"),
    ),
)

if __name__ == "__main__":
    for each in APIS:
        each.generate(each.root)
