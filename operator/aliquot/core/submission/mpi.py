"""Training by MPI, said in the older way: `mpi`, `processes` and `slotsPerWorker` (cluster-api.md 1.4, 9, 11).

It is the same as a DistributedWorkload with jobType MPIJob, and carried out as that: `processes` workers, and a
launcher that is like them but for GPUs.
"""

from typing import Final

from aliquot import names
from aliquot.contracts.kinds import TrainingWorkload
from aliquot.contracts.kinds.workloads import TrainingSpec
from aliquot.core.submission.counts import MOST_PODS, read_count, read_preemption_limit, read_seconds_to_deletion
from aliquot.core.submission.distributed import DEFAULT_BACKOFF_LIMIT, ValidDistributed
from aliquot.core.submission.master import blame_once, without_gpus
from aliquot.core.submission.problems import Problems
from aliquot.core.submission.read_pod import read_pod
from aliquot.core.submission.spec import Defaults, Site

NO_SUSPENSION: Final = "left out or true: an MPI job cannot be suspended"
ONE_GANG: Final = "left out, because spec.mpi is true: give spec.processes, the pods start together"
NEEDS_MPI: Final = "left out, because spec.mpi is not true"


def read_mpi(workload: TrainingWorkload, defaults: Defaults, site: Site | None, problems: Problems) -> ValidDistributed:
    """Read a training workload that is an MPI job; arguments as of `effective`, but `problems` takes what is wrong."""
    spec, metadata = workload.spec, workload.metadata
    priority_class, below = names.TRAIN_PRIORITY_CLASS, Problems()
    worker = read_pod(spec, metadata, priority_class, defaults, site, problems)
    launcher = read_pod(without_gpus(spec), metadata, priority_class, defaults, site, below)
    blame_once(below, problems)
    if spec.active.value is False:
        problems.add("spec.active.value", False, NO_SUSPENSION)
    for parameter, count in (("completions", spec.completions.value), ("parallelism", spec.parallelism.value)):
        if count is not None:
            problems.add(f"spec.{parameter}.value", count, ONE_GANG)
    return ValidDistributed(
        job_type="MPIJob",
        worker=worker,
        workers=read_count("processes", spec.processes.value, 1, problems, least=1, most=MOST_PODS),
        master=launcher,
        backoff_limit=read_count("backoffLimit", spec.backoff_limit.value, DEFAULT_BACKOFF_LIMIT, problems),
        slots_per_worker=read_count("slotsPerWorker", spec.slots_per_worker.value, 1, problems, least=1),
        ttl_seconds=read_seconds_to_deletion(spec, problems),
        preemption_limit=read_preemption_limit(spec, problems),
    )


def refuse_mpi(spec: TrainingSpec, problems: Problems) -> None:
    """Note what only MPI jobs have, in a workload that is none."""
    for parameter, count in (("processes", spec.processes.value), ("slotsPerWorker", spec.slots_per_worker.value)):
        if count is not None:
            problems.add(f"spec.{parameter}.value", count, NEEDS_MPI)
