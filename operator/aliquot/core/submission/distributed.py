"""From a distributed workload to what is carried out."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from aliquot import names
from aliquot.contracts.kinds.workloads import DistributedSpec, DistributedWorkload, MasterSpec
from aliquot.core.submission.counts import MOST_PODS, read_count, read_preemption_limit, read_seconds_to_deletion
from aliquot.core.submission.layers import settled
from aliquot.core.submission.master import MASTER, PARAMETERS, blame_once, over_workers
from aliquot.core.submission.pod_values import ValidPod
from aliquot.core.submission.problems import Problems
from aliquot.core.submission.read_pod import read_pod
from aliquot.core.submission.spec import Defaults, Site

JobType = Literal["MPIJob", "PyTorchJob", "TFJob", "XGBoostJob"]
CleanPodPolicy = Literal["Running", "All", "None"]

DEFAULT_BACKOFF_LIMIT: Final = 6
"""As of training workloads; the frameworks' operators have numbers of their own, or none."""
MOST_LISTED: Final = 900
"""Workers of a framework whose pods are told of each other by name: a variable has 128 KiB at most (execve), and a name
with its domain 128 characters."""
_LISTS: Final = ("TFJob", "XGBoostJob")
_NEED_MASTER: Final = {
    "MPIJob": "left out: an MPIJob needs its launcher, which starts the processes",
    "XGBoostJob": "left out: an XGBoostJob needs its master, around which the workers gather",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidDistributed:
    """A distributed workload as it is carried out.

    Its pods are numbered by rank: the master, or launcher, has rank 0 where there is one, and the workers follow. Rank
    0 leads: the others gather around it.

    Attributes:
        job_type: which framework connects the pods.
        worker: what each worker is like.
        workers: how many there are; of an elastic job, at first.
        master: what master or launcher is like; None: there is none.
        backoff_limit: failures that are borne.
        clean_pod_policy: which pods are deleted at the end.
        slots_per_worker: MPI processes on each worker.
        elastic: pods at least and at most, the master among them, of a PyTorch job; None: always all of them.
        ttl_seconds: seconds from the end to the deletion of the workload; None: it stays.
        preemption_limit: preemptions of the gang that it bears before it ends; None: any number.
    """

    job_type: JobType
    worker: ValidPod
    workers: int
    master: ValidPod | None
    backoff_limit: int = DEFAULT_BACKOFF_LIMIT
    clean_pod_policy: CleanPodPolicy = "Running"
    slots_per_worker: int = 1
    elastic: tuple[int, int] | None = None
    ttl_seconds: int | None = None
    preemption_limit: int | None = None

    @property
    def size(self) -> int:
        """How many pods there are, of an elastic job at most."""
        return self.elastic[1] if self.elastic is not None else self.workers + self.first_worker

    @property
    def least(self) -> int:
        """With how many pods it starts, or not at all."""
        return self.elastic[0] if self.elastic is not None else self.size

    @property
    def first_worker(self) -> int:
        """Rank of the first worker: 1 beside a master, else 0."""
        return 0 if self.master is None else 1

    def pod(self, rank: int) -> ValidPod:
        """What the pod of a rank is like."""
        return self.worker if self.master is None or rank else self.master

    def gpus(self, rank: int) -> Decimal:
        """GPUs of the pod of a rank."""
        return self.pod(rank).compute.gpus.together


def effective_distributed(
    workload: DistributedWorkload, defaults: Defaults, site: Site | None = None
) -> ValidDistributed:
    """Say what a distributed workload asks for; arguments and errors as of `effective`."""
    problems = Problems()
    valid = read_distributed(workload, defaults, site, problems)
    problems.raise_if_any()
    return valid


def read_distributed(
    workload: DistributedWorkload, defaults: Defaults, site: Site | None, problems: Problems
) -> ValidDistributed:
    """Read a distributed workload; arguments as of `effective`, but that `problems` takes what is wrong."""
    spec = workload.spec
    default = names.BUILD_PRIORITY_CLASS if spec.non_preemptible.value else names.TRAIN_PRIORITY_CLASS
    worker = read_pod(spec, workload.metadata, default, defaults, site, problems)
    if spec.job_type is None:
        problems.add("spec.jobType", None, "MPIJob, PyTorchJob, TFJob or XGBoostJob")
    run, mpi = spec.run_policy.values, spec.mpi_job.values
    retries = None if run is None else run.backoff_limit.value
    workers = _workers(spec, problems)
    _refuse_another_limit(workload, problems)
    masters = 0 if spec.no_master.value else 1
    return ValidDistributed(
        job_type=spec.job_type or "PyTorchJob",
        worker=worker,
        workers=workers,
        master=_master(workload, worker, default, defaults, site, problems),
        backoff_limit=read_count("runPolicy.values.backoffLimit", retries, DEFAULT_BACKOFF_LIMIT, problems),
        clean_pod_policy=_clean_pod_policy(None if run is None else run.clean_pod_policy.value, problems),
        slots_per_worker=read_count(
            "mpiJob.values.slotsPerWorker", None if mpi is None else mpi.slots_per_worker.value, 1, problems, least=1
        ),
        elastic=_elastic(spec, workers + masters, problems),
        ttl_seconds=read_seconds_to_deletion(spec, problems),
        preemption_limit=read_preemption_limit(spec, problems),
    )


def _refuse_another_limit(workload: DistributedWorkload, problems: Problems) -> None:
    """Refuse a limit of preemptions for the master alone: the gang is preempted as a whole."""
    own = workload.master_spec
    theirs = None if own is None else own.preemption_limit.value
    if theirs is not None and theirs != workload.spec.preemption_limit.value:
        problems.add(
            "masterSpec.preemptionLimit.value", theirs, "left out: spec.preemptionLimit is that of the whole gang"
        )


def _workers(spec: DistributedSpec, problems: Problems) -> int:
    newer, older = spec.workers.value, spec.replicas.value
    most = MOST_LISTED if spec.job_type in _LISTS else MOST_PODS
    if newer is not None and older is not None:
        problems.add("spec.replicas.value", older, "left out, because spec.workers says how many workers there are")
    if newer is None and older is not None:
        return read_count("replicas", older, 1, problems, least=1, most=most)
    return read_count("workers", newer, 1, problems, least=1, most=most)


def _master(
    workload: DistributedWorkload,
    worker: ValidPod,
    priority_class: str,
    defaults: Defaults,
    site: Site | None,
    problems: Problems,
) -> ValidPod | None:
    """Read the master: what its part says, and for the rest what the workers' part does."""
    spec, own = workload.spec, workload.master_spec
    launcher = spec.job_type == "MPIJob"
    if spec.no_master.value:
        if spec.job_type in _NEED_MASTER:
            problems.add("spec.noMaster.value", True, _NEED_MASTER[spec.job_type])
        elif own is not None:
            problems.add("spec.noMaster.value", True, "left out, because masterSpec says what the master is like")
        return None
    if own is None:
        if not launcher:
            return worker
        own = MasterSpec()
    below, merged = Problems(), settled(PARAMETERS, over_workers(own, spec))
    master = read_pod(merged, workload.metadata, priority_class, defaults, site, below)
    blame_once(below, problems, MASTER)
    return master


def _clean_pod_policy(written: str | None, problems: Problems) -> CleanPodPolicy:
    if written is None or written in ("Running", "All", "None"):
        return written or "Running"
    problems.add("spec.runPolicy.values.cleanPodPolicy.value", written, "Running, All or None")
    return "Running"


def _elastic(spec: DistributedSpec, pods: int, problems: Problems) -> tuple[int, int] | None:
    torch = spec.py_torch_job.values
    least, most = (None, None) if torch is None else (torch.min_replicas.value, torch.max_replicas.value)
    if least is None and most is None:
        return None
    if spec.job_type != "PyTorchJob":
        problems.add("spec.pyTorchJob", least or most, "left out, because spec.jobType is not PyTorchJob")
    found = (least or 1, most or max(least or 1, pods))
    if not 1 <= found[0] <= found[1] <= MOST_PODS:
        field = "spec.pyTorchJob.values.maxReplicas.value"
        problems.add(field, most, f"a whole number from minReplicas, which is {found[0]}, to {MOST_PODS}")
    return found
