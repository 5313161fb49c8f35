"""The golden files: a folder for each case, with the workload that a user writes and what becomes of it.

Other tests may use them, for instance to let an API server have its say about everything.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

import yaml

from aliquot.contracts.kinds import TrainingWorkload
from aliquot.core.rendering import Context, Owner, objects_beside, pod_of
from aliquot.core.submission import Defaults, Site, UserCheck, ValidSpec, effective
from aliquot.naming import generated_job_name

GOLDEN = Path(__file__).parent / "golden"
DEFAULTS: Final = Defaults(cpu_milli_per_gpu=1000, memory_bytes_per_gpu=100 * 2**20)
PROJECT: Final = "team-a"
UID: Final = "6d1b2f8e-0000-4000-8000-000000000001"
DOMAIN: Final = "gpu.example.com"
SITE: Final = Site(PROJECT, DOMAIN, checks_users=True)
USER_CHECK: Final = UserCheck(
    url="http://oauth2-proxy.auth.svc/oauth2/auth?allowed_emails={users}",
    signin="https://auth.example.com/oauth2/start?rd=https://$host$escaped_request_uri",
    prefix="nginx.ingress.kubernetes.io",
)
BEYOND_BASELINE: Final = frozenset(
    {"capabilities", "host-ipc", "host-network", "mount-propagation", "seccomp-profile-type", "volumes"}
)
"""Cases that ask for what the Pod Security level `baseline` forbids."""
BEYOND_RESTRICTED: Final = BEYOND_BASELINE | {"everything", "nfs"}
"""Cases that ask for what the Pod Security level `restricted` forbids."""


def golden_workloads() -> list[Path]:
    """Files with a workload each, sorted; the first line says why the case exists."""
    return sorted(GOLDEN.glob("*/workload.yaml"))


def golden_pods() -> list[Path]:
    """Files with a pod each, sorted; all are in the namespace `runai-team-a`."""
    return sorted(GOLDEN.glob("*/pod.yaml"))


def golden_objects() -> list[Path]:
    """Files with the objects that a workload has beside its pods, sorted; in the same namespace."""
    return sorted(GOLDEN.glob("*/objects.yaml"))


def load(path: Path) -> dict[str, object]:
    """Read the object that a golden file holds."""
    found: object = yaml.safe_load(path.read_text())
    assert isinstance(found, dict), path
    return cast("dict[str, object]", found)


def load_all(path: Path) -> list[dict[str, Any]]:
    """Read the objects that a golden file holds."""
    return list(yaml.safe_load_all(path.read_text()))


def workload_of(path: Path) -> TrainingWorkload:
    """Read the workload of a golden file."""
    return TrainingWorkload.model_validate(load(path))


def context_of(workload: TrainingWorkload, spec: ValidSpec) -> Context:
    """Where the workload of a golden file runs."""
    metadata = workload.metadata
    owner = Owner(workload.api_version, workload.kind, metadata.namespace, metadata.name, UID, metadata.labels)
    job_name = spec.job_name or generated_job_name(spec.name_prefix, ())
    return Context(owner, PROJECT, job_name, domain=DOMAIN, user_check=USER_CHECK)


def first_pod(workload: TrainingWorkload, *, restricted: bool = False) -> dict[str, object]:
    """The first pod of a workload."""
    spec = effective(workload, DEFAULTS, SITE)
    context = replace(context_of(workload, spec), restricted=restricted)
    return pod_of(spec, context, index=0, attempt=0, failed_attempts=0)


def beside(workload: TrainingWorkload) -> list[dict[str, object]]:
    """What a workload has beside its pods."""
    spec = effective(workload, DEFAULTS, SITE)
    return objects_beside(spec.pod, context_of(workload, spec))
