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
from aliquot.core.submission.keys import is_object_name
from aliquot.core.submission.problems import Problems

RESTART_POLICIES: Final = ("Never", "OnFailure")


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidJob:
    """A RunaiJob as it is carried out.

    Attributes:
        template: what each of its pods is like: metadata and spec, as written.
        priority_class: what it is for, and for its pods, unless the template names another one.
        node_pools: where its pods go; empty: to those of its project.
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
    node_pools: tuple[str, ...] = ()
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
    pod = _member(spec.template, "spec")
    containers, restart_policy = pod.get("containers"), pod.get("restartPolicy")
    if not isinstance(containers, list) or not containers:
        problems.add("spec.template.spec.containers", None, "one container at least")
    if restart_policy not in (None, *RESTART_POLICIES):
        problems.add(
            "spec.template.spec.restartPolicy", restart_policy, f"{' or '.join(RESTART_POLICIES)}, or left out"
        )
    if spec.completions > MOST_PODS:
        problems.add("spec.completions", spec.completions, f"a whole number up to {MOST_PODS}")
    own = _texts(_member(_member(spec.template, "metadata"), "labels"))
    labels = job.metadata.labels or own
    named = pod.get("priorityClassName")
    default = named if isinstance(named, str) and is_object_name(named) else names.TRAIN_PRIORITY_CLASS
    valid = ValidJob(
        template=spec.template,
        priority_class=read_priority_class(labels, default, problems),
        node_pools=_node_pools(own.get(names.NODE_POOL_LABEL) or labels.get(names.NODE_POOL_LABEL) or ""),
        completions=spec.completions,
        parallelism=min(spec.parallelism, spec.completions),
        backoff_limit=spec.backoff_limit,
        deadline_seconds=spec.active_deadline_seconds,
        ttl_seconds=spec.ttl_seconds_after_finished,
        active=not spec.suspend,
    )
    problems.raise_if_any()
    return valid


def _member(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object that is a member of another one; empty where it is none."""
    found: object = of.get(name)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _texts(labels: Mapping[str, Any]) -> dict[str, str]:
    """Those labels that can be some. A job that has none has those of its template (cluster-api.md 1.7)."""
    return {key: value for key, value in labels.items() if isinstance(value, str)}


def _node_pools(written: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for each in written.split(",") if (name := each.strip())))
