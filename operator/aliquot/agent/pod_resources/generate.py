"""Makes Python of `podresources.proto`, with types: `python -m aliquot.agent.pod_resources.generate`.

The file has a name of its own as protobuf knows files by their paths, and every API of the kubelet is an `api.proto`.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
PROTO: Final = Path(__file__).with_name("podresources.proto").relative_to(ROOT)
GENERATED: Final = tuple(PROTO.with_name(f"podresources_pb2.{suffix}") for suffix in ("py", "pyi"))


def generate(target: Path) -> None:
    """Write the generated files below a folder that stands for that of the package `aliquot`.

    Raises:
        CalledProcessError: protoc failed, or the package grpcio-tools is missing.
    """
    outputs = [f"--{kind}_out={target}" for kind in ("python", "pyi")]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOT}", *outputs, str(PROTO)], check=True)


if __name__ == "__main__":
    generate(ROOT)
