"""From a training workload to what is carried out.

The API server has checked most of this already (schema and CEL). It is checked again, because an object may be older
than the schema, and because some things no schema can know.
"""

import re
import shlex
from collections.abc import Mapping
from typing import Final

from aliquot import names
from aliquot.contracts.kinds import TrainingWorkload
from aliquot.contracts.kinds.parameters import JOB_NAME_LENGTH, NAME_PREFIX_LENGTH
from aliquot.contracts.kinds.shapes import INT32_MAX
from aliquot.contracts.kinds.workloads import TrainingSpec
from aliquot.core.submission.amounts import read_amounts
from aliquot.core.submission.extent import refuse_the_rest
from aliquot.core.submission.keys import (
    LABEL_ALLOWED,
    NUL_FORBIDDEN,
    is_label_value,
    is_object_name,
    read_annotations,
    read_environment,
    read_labels,
)
from aliquot.core.submission.problems import Problems
from aliquot.core.submission.spec import Defaults, ValidSpec

DEFAULT_BACKOFF_LIMIT: Final = 6
MOST_PODS: Final = 100_000
"""Completions at most, as in the schema."""
MOST_NODE_POOLS: Final = 100
LONGEST_USER: Final = 253
MOST_LINE_BYTES: Final = 128 * 1024
"""Longest command, and longest arguments: Linux takes no single argument that is longer."""

_JOB_NAME: Final = re.compile(r"[a-z](?:[-a-z0-9]*[a-z0-9])?", re.ASCII)
# Roughly what a reference to an image looks like; what exactly it means, the node's runtime knows.
_IMAGE: Final = re.compile(r"[A-Za-z0-9\[][-A-Za-z0-9_.:/@+\[\]]{0,1023}", re.ASCII)
_POOL: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)
_PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
_PRIORITY_CLASS_ALIASES: Final[Mapping[str, str]] = {"interactivePreemptible": "interactive-preemptible"}
"""Older spellings (cluster-api.md 5.1) that no PriorityClass can have."""

NAME_ALLOWED: Final = (
    f"at most {JOB_NAME_LENGTH} lower-case letters, digits and '-', with a letter first and no '-' last"
)
PREFIX_ALLOWED: Final = NAME_ALLOWED.replace(str(JOB_NAME_LENGTH), str(NAME_PREFIX_LENGTH))
IMAGE_ALLOWED: Final = "a container image, such as ubuntu:24.04 or registry.example.com/team/train:1.4"
LINE_ALLOWED: Final = "one line that a shell could split: every quote closed, nothing missing after the last backslash"
DIRECTORY_ALLOWED: Final = "an absolute path, such as /workspace"
POOLS_ALLOWED: Final = f"names of at most {MOST_NODE_POOLS} node pools with spaces between them, most wanted first"


def effective(workload: TrainingWorkload, defaults: Defaults) -> ValidSpec:
    """Say what a workload asks for, defaults filled in.

    Args:
        workload: with its effective spec.
        defaults: the cluster's CPU and memory for each GPU.

    Raises:
        InvalidWorkload: with everything in it that cannot be carried out.
    """
    spec = workload.spec
    problems = Problems()
    refuse_the_rest(spec, problems)
    amounts = read_amounts(spec, defaults, problems)
    completions, parallelism = _pods(spec, problems)
    valid = ValidSpec(
        job_name=_name("name", spec.name.value, JOB_NAME_LENGTH, NAME_ALLOWED, problems),
        name_prefix=_prefix(spec, problems),
        image=_image(spec, problems),
        image_pull_policy=_pull_policy(spec.image_pull_policy.value, problems),
        command=_words("command", spec.command.value, problems),
        arguments=_words("arguments", spec.arguments.value, problems),
        working_dir=_directory(spec.working_dir.value, problems),
        environment=read_environment(spec.environment.items, problems),
        gpus=amounts.gpus,
        cpu_milli=amounts.cpu_milli,
        cpu_limit_milli=amounts.cpu_limit_milli,
        memory_bytes=amounts.memory_bytes,
        memory_limit_bytes=amounts.memory_limit_bytes,
        labels=read_labels(spec.labels.items, problems),
        annotations=read_annotations(spec.annotations.items, problems),
        node_type=_node_type(spec.node_type.value, problems),
        node_pools=_node_pools(spec, problems),
        completions=completions,
        parallelism=parallelism,
        backoff_limit=_count("backoffLimit", spec.backoff_limit.value, DEFAULT_BACKOFF_LIMIT, problems),
        ttl_seconds=_seconds(spec, problems),
        active=spec.active.value is not False,
        priority_class=_priority_class(workload.metadata.labels, problems),
        user=_user(spec.username.value, problems),
    )
    problems.raise_if_any()
    return valid


def _name(parameter: str, name: str | None, longest: int, allowed: str, problems: Problems) -> str | None:
    if name is not None and (len(name) > longest or not _JOB_NAME.fullmatch(name)):
        problems.add(f"spec.{parameter}.value", name, allowed)
    return name


def _prefix(spec: TrainingSpec, problems: Problems) -> str | None:
    prefix = spec.name_prefix.value
    if prefix is not None and spec.name.value is not None:
        problems.add("spec.namePrefix.value", prefix, "left out, because spec.name gives the whole name")
        return prefix
    return _name("namePrefix", prefix, NAME_PREFIX_LENGTH, PREFIX_ALLOWED, problems)


def _image(spec: TrainingSpec, problems: Problems) -> str:
    image = spec.image.value
    if image is None or not _IMAGE.fullmatch(image):
        problems.add("spec.image.value", image, IMAGE_ALLOWED)
    return image or ""


def _pull_policy(policy: str | None, problems: Problems) -> str | None:
    if policy is not None and policy not in _PULL_POLICIES:
        problems.add("spec.imagePullPolicy.value", policy, "Always, IfNotPresent or Never")
    return policy


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


def _node_type(node_type: str | None, problems: Problems) -> str | None:
    if node_type is not None and not is_label_value(node_type):
        problems.add("spec.nodeType.value", node_type, f"the value of a node's label run.ai/type: {LABEL_ALLOWED}")
    return node_type


def _node_pools(spec: TrainingSpec, problems: Problems) -> tuple[str, ...]:
    one, many = spec.node_pool.value, spec.node_pools.value
    if one is not None and many is not None:
        problems.add("spec.nodePool.value", one, "left out, because spec.nodePools names the node pools")
    field, written = ("spec.nodePool.value", one) if many is None else ("spec.nodePools.value", many)
    pools = tuple(dict.fromkeys((written or "").split()))
    most = 1 if many is None else MOST_NODE_POOLS
    if len(pools) > most or not all(map(_POOL.fullmatch, pools)):
        problems.add(field, written, POOLS_ALLOWED if many is not None else "the name of one node pool")
    return pools


def _pods(spec: TrainingSpec, problems: Problems) -> tuple[int, int]:
    completions = _count("completions", spec.completions.value, 1, problems, least=1, most=MOST_PODS)
    parallelism = _count("parallelism", spec.parallelism.value, 1, problems, least=1, most=MOST_PODS)
    if parallelism > completions:
        allowed = f"at most spec.completions, which is {completions}: there is no work for more pods at a time"
        problems.add("spec.parallelism.value", parallelism, allowed)
    return completions, parallelism


def _count(
    parameter: str, count: int | None, default: int, problems: Problems, least: int = 0, most: int = INT32_MAX
) -> int:
    if count is None:
        return default
    if not least <= count <= most:
        problems.add(f"spec.{parameter}.value", count, f"a whole number from {least} to {most}")
        return default
    return count


def _seconds(spec: TrainingSpec, problems: Problems) -> int | None:
    seconds = spec.auto_deletion_time_after_completion_seconds.value
    if seconds is None:
        return None
    return _count("autoDeletionTimeAfterCompletionSeconds", seconds, 0, problems)


def _priority_class(labels: Mapping[str, str], problems: Problems) -> str:
    written = labels.get(names.PRIORITY_CLASS_LABEL) or names.TRAIN_PRIORITY_CLASS
    name = _PRIORITY_CLASS_ALIASES.get(written, written)
    if not is_object_name(name):
        problems.add(
            f"metadata.labels[{names.PRIORITY_CLASS_LABEL}]", written, "the name of a PriorityClass, such as train"
        )
    return name


def _user(user: str | None, problems: Problems) -> str | None:
    if user is not None and ("\0" in user or len(user) > LONGEST_USER):
        problems.add("spec.username.value", user, f"a name of at most {LONGEST_USER} characters")
    return user or None
