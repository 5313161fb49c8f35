"""From a RunaiJob to what is carried out (cluster-api.md 1.7).

Its pod is a template as in a Job of Kubernetes, and nearly all of it is the API server's to check, when a pod is made.
Neither policies nor templates of ours apply: it is what other programs make of their own workloads.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, cast

from aliquot import names
from aliquot.contracts.kinds.runaijob import RunaiJob
from aliquot.core.submission.counts import MOST_PODS
from aliquot.core.submission.identity import read_priority_class
from aliquot.core.submission.problems import Problems

RESTART_POLICIES: Final = ("Never", "OnFailure")


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidJob:
    """A RunaiJob as it is carried out.

    Attributes:
        template: what each of its pods is like: metadata and spec, as written.
        priority_class: of pods whose template names none.
        completions: how many pods must succeed.
        parallelism: how many pods may exist at a time; at most `completions`.
        backoff_limit: how many failed pods are replaced.
        deadline_seconds: seconds from its start to its end at the latest; None: any number.
        ttl_seconds: seconds from the end to the deletion of the job; None: it stays.
        active: False: suspended, no pods.
        preemption_limit: it bears any number of preemptions.
        gpus: of each pod; its status does not tell them, so nobody reckons them.
    """

    template: Mapping[str, Any]
    priority_class: str
    completions: int = 1
    parallelism: int = 1
    backoff_limit: int = 6
    deadline_seconds: int | None = None
    ttl_seconds: int | None = None
    active: bool = True
    preemption_limit: None = field(default=None, init=False)
    gpus: Decimal = field(default=Decimal(0), init=False)


def effective_job(job: RunaiJob) -> ValidJob:
    """Say what a job asks for.

    Raises:
        InvalidWorkload: with everything in it that cannot be carried out.
    """
    spec, problems = job.spec, Problems()
    containers, restart_policy = _pod(spec.template)
    if not containers:
        problems.add("spec.template.spec.containers", None, "one container at least")
    if restart_policy not in (None, *RESTART_POLICIES):
        problems.add(
            "spec.template.spec.restartPolicy", restart_policy, f"{' or '.join(RESTART_POLICIES)}, or left out"
        )
    if spec.completions > MOST_PODS:
        problems.add("spec.completions", spec.completions, f"a whole number up to {MOST_PODS}")
    labels = job.metadata.labels or _labels(spec.template)
    valid = ValidJob(
        template=spec.template,
        priority_class=read_priority_class(labels, names.TRAIN_PRIORITY_CLASS, problems),
        completions=spec.completions,
        parallelism=min(spec.parallelism, spec.completions),
        backoff_limit=spec.backoff_limit,
        deadline_seconds=spec.active_deadline_seconds,
        ttl_seconds=spec.ttl_seconds_after_finished,
        active=not spec.suspend,
    )
    problems.raise_if_any()
    return valid


def _pod(template: Mapping[str, Any]) -> tuple[bool, object]:
    """Whether the template has containers, and what it says of starting them again."""
    spec: object = template.get("spec")
    if not isinstance(spec, dict):
        return False, None
    members = cast("dict[str, object]", spec)
    containers = members.get("containers")
    return isinstance(containers, list) and bool(cast("list[object]", containers)), members.get("restartPolicy")


def _labels(template: Mapping[str, Any]) -> dict[str, str]:
    """The template's labels: a job that has none has those (cluster-api.md 1.7)."""
    metadata: object = template.get("metadata")
    labels: object = cast("dict[str, object]", metadata).get("labels") if isinstance(metadata, dict) else None
    given = cast("dict[str, object]", labels) if isinstance(labels, dict) else {}
    return {key: value for key, value in given.items() if isinstance(value, str)}
