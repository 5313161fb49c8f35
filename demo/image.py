"""The chart's image without Docker: what runs here, as an archive that containerd and Docker import.

`python -m demo.image FILE [NAME]` writes it. Its containers are as those of the Containerfile, but with the Python and
the packages of this environment.
"""

import sys
from pathlib import Path
from typing import Final

import aliquot
from aliquot_lab import LabError
from aliquot_lab.nodes import programs, python_image

REPOSITORY: Final = "localhost/aliquot"
TAG: Final = "local"
NAME: Final = f"{REPOSITORY}:{TAG}"


def write(archive: Path, name: str = NAME) -> Path:
    """Write the archive and return its path; it takes some 300 MB.

    Args:
        archive: where.
        name: of the image, with its tag.

    Raises:
        LabError: there is no static busybox, which is what it has for a shell, and none can be fetched.
    """
    source = Path(aliquot.__file__).parent
    busybox = Path(programs.find().busybox)
    sources = {"aliquot": source}
    return python_image.write(archive, name, ["aliquot"], sources=sources, busybox=busybox, entrypoint=["aliquot"])


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(f"usage: python -m demo.image FILE [NAME]    NAME is {NAME} if it is left out")
    try:
        write(Path(sys.argv[1]), *sys.argv[2:])
    except (LabError, OSError) as problem:
        sys.exit(f"image: {problem}")
