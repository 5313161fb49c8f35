"""Generates Python from `deviceplugin.proto`, with types. Needs the packages of the dependency group `dev`."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
FOLDER = Path(__file__).parent.relative_to(ROOT)
PROTO = FOLDER / "deviceplugin.proto"
GENERATED = tuple(FOLDER / f"deviceplugin_{part}" for part in ("pb2.py", "pb2.pyi", "pb2_grpc.py", "pb2_grpc.pyi"))


def generate(target: Path) -> None:
    """Write the generated files below a folder that stands for the root of the checkout.

    Raises:
        RuntimeError: protoc or one of its plugins is missing or failed.
    """
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOT}"]
    for plugin in ("protoc-gen-mypy", "protoc-gen-mypy_grpc"):
        # Beside this Python first: an environment need not be activated to be used.
        found = shutil.which(plugin, path=str(Path(sys.executable).parent)) or shutil.which(plugin)
        if found is None:
            message = f"{plugin} is missing; the Python package mypy-protobuf brings it"
            raise RuntimeError(message)
        command.append(f"--plugin={plugin}={found}")
    command += [f"--{kind}_out={target}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")]
    done = subprocess.run([*command, str(ROOT / PROTO)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        message = f"protoc failed:\n{done.stderr}"
        raise RuntimeError(message)


if __name__ == "__main__":
    generate(ROOT)
