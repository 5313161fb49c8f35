"""What runs in the container: image, command line, environment, terminal, home directory."""

import re
import shlex
from typing import Final

from aliquot.contracts.kinds.parameters.container import ContainerParameters
from aliquot.core.submission.keys import NUL_FORBIDDEN, read_environment
from aliquot.core.submission.pod_values import Process
from aliquot.core.submission.problems import Problems

MOST_LINE_BYTES: Final = 128 * 1024
"""Longest command, and longest arguments: Linux takes no single argument that is longer."""

# Roughly what a reference to an image looks like; what exactly it means, the node's runtime knows.
_IMAGE: Final = re.compile(r"[A-Za-z0-9\[][-A-Za-z0-9_.:/@+\[\]]{0,1023}", re.ASCII)
_PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")

IMAGE_ALLOWED: Final = "a container image, such as ubuntu:24.04 or registry.example.com/team/train:1.4"
LINE_ALLOWED: Final = "one line that a shell could split: every quote closed, nothing missing after the last backslash"
DIRECTORY_ALLOWED: Final = "an absolute path, such as /workspace"


def read_process(spec: ContainerParameters, problems: Problems, *, as_user: bool, image_optional: bool) -> Process:
    """Read what runs in the container.

    Args:
        spec: says it.
        problems: takes what is wrong.
        as_user: whether it runs as the user who submits it; it then has a home directory unless it says otherwise.
        image_optional: whether an image may be left out.
    """
    image = spec.image.value
    if not (image is None and image_optional) and not is_image(image):
        problems.add("spec.image.value", image, IMAGE_ALLOWED)
    policy = spec.image_pull_policy.value
    if policy is not None and policy not in _PULL_POLICIES:
        problems.add("spec.imagePullPolicy.value", policy, "Always, IfNotPresent or Never")
    home = spec.create_home_dir.value
    return Process(
        image=image or "",
        image_pull_policy=policy,
        command=_words("command", spec.command.value, problems),
        arguments=_words("arguments", spec.arguments.value, problems),
        working_dir=_directory(spec.working_dir.value, problems),
        environment=read_environment(spec.environment.items, problems),
        stdin=bool(spec.stdin.value),
        tty=bool(spec.tty.value),
        home=as_user if home is None else home,
    )


def is_image(text: str | None) -> bool:
    """Whether a text may name a container image."""
    return text is not None and _IMAGE.fullmatch(text) is not None


def _words(parameter: str, line: str | None, problems: Problems) -> tuple[str, ...]:
    if line is None:
        return ()
    if "\0" in line:
        problems.add(f"spec.{parameter}.value", line, NUL_FORBIDDEN)
        return ()
    if len(line.encode()) > MOST_LINE_BYTES:
        problems.add(f"spec.{parameter}.value", line, f"at most {MOST_LINE_BYTES} bytes; put more into a file")
        return ()
    try:
        return tuple(shlex.split(line))
    except ValueError:
        problems.add(f"spec.{parameter}.value", line, LINE_ALLOWED)
        return ()


def _directory(path: str | None, problems: Problems) -> str | None:
    if path is not None and (not path.startswith("/") or "\0" in path):
        problems.add("spec.workingDir.value", path, DIRECTORY_ALLOWED)
    return path
