"""Flags to the workload that they mean, whole: S4 of cluster-api.md 8.1.

The object is called after the job and the moment, because a submitted one is never used again (1.6); the job's own name
is in `spec.name`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from aliquot.cli.submission.flags import LifeFlags, PodFlags
from aliquot.cli.submission.inference import inference, refuse_inference
from aliquot.cli.submission.items import keyed
from aliquot.cli.submission.kind_flags import DistributedFlags, InferenceFlags, KindFlags, MpiFlags, PyTorchFlags
from aliquot.cli.submission.pod import User, extended_resources, pod, some, wrapped
from aliquot.core.submission.durations import parse_duration
from aliquot.core.submission.problems import Problems
from aliquot.naming import DEFAULT_PREFIX

Framework = Literal["pytorch", "tf", "mpi", "xgboost"]
JOB_TYPES: Final[Mapping[Framework, str]] = {
    "pytorch": "PyTorchJob",
    "tf": "TFJob",
    "mpi": "MPIJob",
    "xgboost": "XGBoostJob",
}
CLEAN_POD_POLICIES: Final = ("Running", "All", "None")
DURATION_ALLOWED: Final = "a length of time, such as 30s, 20m, 2h or 7d"
NEVER_FINISHES: Final = "left out: interactive work is one pod that never finishes by itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Who submits, where and when.

    Attributes:
        namespace: of the project.
        moment: now, in UTC.
        user: who.
        version: of the command line.
        line: the command line itself, for `describe`.
    """

    namespace: str
    moment: datetime
    user: User
    version: str
    line: str = ""


def single(
    flags: PodFlags, kind: KindFlags, serving: InferenceFlags, words: Sequence[str], occasion: Occasion
) -> dict[str, object]:
    """Make a training, interactive or inference workload.

    Args:
        flags: what all kinds have.
        kind: what only the first two have.
        serving: what only inference has.
        words: what stood behind `--`.
        occasion: who, where and when.

    Raises:
        InvalidWorkload: with every flag that makes no sense.
    """
    problems = Problems()
    interactive = kind.interactive or kind.jupyter
    spec = pod(flags, words, occasion.user, problems)
    if serving.inference:
        name, own = "InferenceWorkload", inference(flags.life, kind, serving, problems)
    elif interactive:
        name, own = "InteractiveWorkload", _interactive(flags.life, kind, problems)
    else:
        name, own = "TrainingWorkload", _training(flags.life, kind, problems)
    if not serving.inference:
        refuse_inference(serving, problems)
    problems.raise_if_any()
    return _workload(name, {**spec, **own}, flags, occasion)


def distributed(
    framework: Framework,
    flags: PodFlags,
    members: DistributedFlags,
    words: Sequence[str],
    occasion: Occasion,
    *,
    mpi: MpiFlags | None = None,
    torch: PyTorchFlags | None = None,
) -> dict[str, object]:
    """Make a distributed workload; arguments and errors as for `single`, and `mpi` and `torch` for their frameworks."""
    problems = Problems()
    mpi, torch = mpi or MpiFlags(), torch or PyTorchFlags()
    policy = members.clean_pod_policy
    if policy is not None and policy not in CLEAN_POD_POLICIES:
        problems.add("--clean-pod-policy", policy, "Running, All or None")
    seconds = _seconds(flags.life, problems)
    kept: dict[str, object] = {} if seconds is None else {"autoDeletionTimeAfterCompletionSeconds": {"value": seconds}}
    retries: dict[str, object] = (
        {} if flags.life.backoff_limit is None else {"backoffLimit": {"value": flags.life.backoff_limit}}
    )
    spec: dict[str, object] = {
        "jobType": JOB_TYPES[framework],
        **pod(flags, words, occasion.user, problems),
        **wrapped(workers=members.workers),
        **_group("runPolicy", {**retries, **wrapped(cleanPodPolicy=policy)}),
        **_group("mpiJob", wrapped(slotsPerWorker=mpi.slots_per_worker)),
        **_group("pyTorchJob", wrapped(minReplicas=torch.min_replicas, maxReplicas=torch.max_replicas)),
        **kept,
    }
    master = _master(members, spec, problems)
    problems.raise_if_any()
    made = _workload("DistributedWorkload", spec, flags, occasion)
    return {**made, "masterSpec": master} if master else made


def _workload(kind: str, spec: Mapping[str, object], flags: PodFlags, occasion: Occasion) -> dict[str, object]:
    job = flags.naming.name or flags.naming.job_name_prefix or DEFAULT_PREFIX
    annotations = {"runai-cli-version": occasion.version, "runai-cli-command": occasion.line}
    return {
        "apiVersion": "run.ai/v2alpha1",
        "kind": kind,
        "metadata": {
            "name": f"{job}-{occasion.moment:%Y-%m-%dt%H-%M-%S}",
            "namespace": occasion.namespace,
            "labels": {"PreviousJob": "true"},
            "annotations": {key: value for key, value in annotations.items() if value},
        },
        "spec": dict(spec),
    }


def _interactive(life: LifeFlags, kind: KindFlags, problems: Problems) -> dict[str, object]:
    never = {
        "--completions": kind.completions,
        "--parallelism": kind.parallelism,
        "--backoff-limit": life.backoff_limit,
        "--ttl-after-finish": life.ttl_after_finish,
    }
    for flag, value in never.items():
        if value is not None:
            problems.add(flag, value, NEVER_FINISHES)
    return wrapped(jupyter=kind.jupyter, preemptible=kind.preemptible)


def _training(life: LifeFlags, kind: KindFlags, problems: Problems) -> dict[str, object]:
    if kind.preemptible:
        problems.add("--preemptible", True, "left out, or given together with --interactive: training always is")
    if (kind.parallelism or 1) > (kind.completions or 1):
        allowed = "at most --completions, which must be given with it: there is no work for more pods at a time"
        problems.add("--parallelism", kind.parallelism, allowed)
    _seconds(life, problems)
    retries: dict[str, object] = {} if life.backoff_limit is None else {"backoffLimit": {"value": life.backoff_limit}}
    return retries | wrapped(
        completions=kind.completions, parallelism=kind.parallelism, ttlAfterFinish=life.ttl_after_finish
    )


def _seconds(life: LifeFlags, problems: Problems) -> int | None:
    if life.ttl_after_finish is None:
        return None
    seconds = parse_duration(life.ttl_after_finish)
    if seconds is None:
        problems.add("--ttl-after-finish", life.ttl_after_finish, DURATION_ALLOWED)
    return seconds


def _group(name: str, values: Mapping[str, object]) -> dict[str, object]:
    return {name: {"values": values}} if values else {}


def _master(members: DistributedFlags, spec: Mapping[str, object], problems: Problems) -> dict[str, object]:
    """Return what the master has otherwise; empty: nothing."""
    claims: Any = spec.get("pvcs") or {"items": ()}
    without: dict[str, object] = {}
    if members.master_no_pvcs:
        without = {str(label): {"deleted": True} for label in claims["items"]}
    return {
        **wrapped(arguments=members.master_args, gpu=members.master_gpu),
        **some(
            environment=keyed("--master-environment", members.master_environment, problems, removable=True),
            extendedResources=extended_resources(
                "--master-extended-resource", members.master_extended_resource, problems
            ),
            pvcs=without,
        ),
    }
