"""What the pods of a distributed workload are told of one another: the contracts of the Kubeflow Training Operator.

Each pod has a rank. Rank 0 is the master where there is one, and the workers follow; without a master it is worker 0.
Members find each other by host names that stay the same when a pod is made anew:

    JOB-master-0.JOB-hosts      JOB-worker-0.JOB-hosts      JOB-worker-1.JOB-hosts

    PyTorch     MASTER_ADDR, MASTER_PORT, RANK, WORLD_SIZE, and PET_… for `torchrun` without arguments
    TensorFlow  TF_CONFIG
    XGBoost     MASTER_ADDR, MASTER_PORT, RANK, WORLD_SIZE, WORKER_ADDRS, WORKER_PORT
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from aliquot import names, naming
from aliquot.core.rendering.context import Context
from aliquot.core.submission import ValidDistributed

HOSTS: Final = "-hosts"
"""Ends the name of the Service below which members have their host names."""
_WORKER: Final = "worker"
_PET: Final = names.TORCHRUN_PREFIX


@dataclass(frozen=True, slots=True)
class Framework:
    """How a framework connects its pods.

    Attributes:
        master: what the master is called.
        port: on which rank 0, or each member, listens.
        variables: what the pod of a rank is told.
    """

    master: str
    port: int
    variables: Callable[[ValidDistributed, Context, int], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Replica:
    """A member of the gang, as Kubeflow counts them.

    Attributes:
        type: such as `worker`, in small letters.
        index: among those of its type.
    """

    type: str
    index: int


def framework_of(spec: ValidDistributed) -> Framework:
    """Return how the workload's framework connects its pods; MPI has an operator of its own."""
    return _FRAMEWORKS[spec.job_type]


def replica(spec: ValidDistributed, rank: int) -> Replica:
    """Return the member of a rank."""
    if rank < spec.first_worker:
        return Replica(framework_of(spec).master, 0)
    return Replica(_WORKER, rank - spec.first_worker)


def host_name(spec: ValidDistributed, context: Context, rank: int) -> str:
    """Return the host name of the pod of a rank, a DNS label."""
    member = replica(spec, rank)
    return naming.dns_label(f"{context.job_name}-{member.type}-{member.index}")


def address(spec: ValidDistributed, context: Context, rank: int) -> str:
    """Return the name under which the pod of a rank is found from pods of its namespace."""
    return f"{host_name(spec, context, rank)}.{context.object_name(HOSTS)}"


def _pytorch(spec: ValidDistributed, context: Context, rank: int) -> dict[str, str]:
    leader, port = address(spec, context, 0), str(_PYTORCH_PORT)
    told = {
        **_ranks(spec, leader, _PYTORCH_PORT, rank),
        # "auto" is a process for each GPU; without GPUs it would be one for each CPU of the node.
        f"{_PET}NPROC_PER_NODE": "auto" if spec.pod(rank).compute.gpus.devices else "1",
    }
    if spec.elastic is None:
        return {
            **told,
            f"{_PET}MASTER_ADDR": leader,
            f"{_PET}MASTER_PORT": port,
            f"{_PET}NODE_RANK": str(rank),
            f"{_PET}NNODES": str(spec.size),
        }
    # Those who are there agree on ranks anew whenever somebody comes or goes; what they run is then started again.
    return {
        **{name: value for name, value in told.items() if name not in (names.RANK_VARIABLE, names.WORLD_SIZE_VARIABLE)},
        f"{_PET}RDZV_BACKEND": "c10d",
        f"{_PET}RDZV_ENDPOINT": f"{leader}:{port}",
        f"{_PET}RDZV_ID": context.owner.uid,
        f"{_PET}RDZV_CONF": f"is_host={'true' if rank == 0 else 'false'}",
        f"{_PET}NNODES": f"{spec.least}:{spec.size}",
        f"{_PET}MAX_RESTARTS": str(spec.backoff_limit),
    }


def _tensorflow(spec: ValidDistributed, context: Context, rank: int) -> dict[str, str]:
    cluster: dict[str, list[str]] = {}
    for each in range(spec.size):
        at = f"{address(spec, context, each)}:{_TENSORFLOW_PORT}"
        cluster.setdefault(replica(spec, each).type, []).append(at)
    member = replica(spec, rank)
    task = {"type": member.type, "index": member.index}
    config = {"cluster": cluster, "task": task, "environment": "cloud"}
    return {names.UNBUFFERED_VARIABLE: "1", names.TF_CONFIG_VARIABLE: json.dumps(config, separators=(",", ":"))}


def _xgboost(spec: ValidDistributed, context: Context, rank: int) -> dict[str, str]:
    workers = ",".join(address(spec, context, each) for each in range(spec.first_worker, spec.size))
    return {
        **_ranks(spec, address(spec, context, 0), _XGBOOST_PORT, rank),
        names.WORKER_ADDRESSES_VARIABLE: workers,
        names.WORKER_PORT_VARIABLE: str(_XGBOOST_PORT),
    }


def _ranks(spec: ValidDistributed, leader: str, port: int, rank: int) -> dict[str, str]:
    return {
        names.UNBUFFERED_VARIABLE: "1",
        names.MASTER_ADDRESS_VARIABLE: leader,
        names.MASTER_PORT_VARIABLE: str(port),
        names.WORLD_SIZE_VARIABLE: str(spec.size),
        names.RANK_VARIABLE: str(rank),
    }


_PYTORCH_PORT: Final = 23456
_TENSORFLOW_PORT: Final = 2222
_XGBOOST_PORT: Final = 9999
_FRAMEWORKS: Final[Mapping[str, Framework]] = MappingProxyType(
    {
        "PyTorchJob": Framework("master", _PYTORCH_PORT, _pytorch),
        "TFJob": Framework("chief", _TENSORFLOW_PORT, _tensorflow),
        "XGBoostJob": Framework("master", _XGBOOST_PORT, _xgboost),
    }
)
"""Frameworks whose pods the operator makes itself."""
