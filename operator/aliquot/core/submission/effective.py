"""From a training workload that is no MPI job to what is carried out.

The API server has checked most of this already (schema and CEL). It is checked again, because an object may be older
than the schema, and because some things no schema can know. What all kinds have in common, `read_pod` reads; the other
kinds are read in modules of their own.
"""

from typing import Final

from aliquot import names
from aliquot.contracts.kinds import TrainingWorkload
from aliquot.contracts.kinds.workloads import TrainingSpec
from aliquot.core.submission.counts import MOST_PODS, read_count, read_preemption_limit, read_seconds_to_deletion
from aliquot.core.submission.mpi import refuse_mpi
from aliquot.core.submission.problems import Problems
from aliquot.core.submission.read_pod import read_pod
from aliquot.core.submission.spec import Defaults, Site, ValidSpec

DEFAULT_BACKOFF_LIMIT: Final = 6


def effective(workload: TrainingWorkload, defaults: Defaults, site: Site | None = None) -> ValidSpec:
    """Say what a workload asks for, defaults filled in.

    Args:
        workload: with its effective spec; no MPI job.
        defaults: what holds in the cluster for pods that do not say.
        site: what its project and the cluster allow; None: not known, addresses from outside are refused then.

    Raises:
        InvalidWorkload: with everything in it that cannot be carried out.
    """
    problems = Problems()
    valid = read_training(workload, defaults, site, problems)
    problems.raise_if_any()
    return valid


def read_training(workload: TrainingWorkload, defaults: Defaults, site: Site | None, problems: Problems) -> ValidSpec:
    """Read a training workload; arguments as of `effective`, but that `problems` takes what is wrong."""
    spec = workload.spec
    assert not spec.mpi.value, "an MPI job is a gang: `mpi` reads it"
    refuse_mpi(spec, problems)
    pod = read_pod(spec, workload.metadata, names.TRAIN_PRIORITY_CLASS, defaults, site, problems)
    completions, parallelism = _pods(spec, problems)
    return ValidSpec(
        pod=pod,
        completions=completions,
        parallelism=parallelism,
        backoff_limit=read_count("backoffLimit", spec.backoff_limit.value, DEFAULT_BACKOFF_LIMIT, problems),
        ttl_seconds=read_seconds_to_deletion(spec, problems),
        active=spec.active.value is not False,
        preemption_limit=read_preemption_limit(spec, problems),
    )


def _pods(spec: TrainingSpec, problems: Problems) -> tuple[int, int]:
    completions = read_count("completions", spec.completions.value, 1, problems, least=1, most=MOST_PODS)
    parallelism = read_count("parallelism", spec.parallelism.value, 1, problems, least=1, most=MOST_PODS)
    if parallelism > completions:
        allowed = f"at most spec.completions, which is {completions}: there is no work for more pods at a time"
        problems.add("spec.parallelism.value", parallelism, allowed)
    return completions, parallelism
