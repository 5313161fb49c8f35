"""From an interactive workload to what is carried out."""

from dataclasses import dataclass, replace
from typing import Final

from aliquot import names
from aliquot.contracts.kinds.parameters import InteractiveParameters
from aliquot.contracts.kinds.workloads import InteractiveWorkload
from aliquot.core.submission.counts import read_preemption_limit, read_seconds_to_deletion
from aliquot.core.submission.keys import NUL_FORBIDDEN
from aliquot.core.submission.pod_values import Port, ValidPod
from aliquot.core.submission.problems import Problems
from aliquot.core.submission.read_pod import read_pod
from aliquot.core.submission.spec import Defaults, Site
from aliquot.core.submission.tensorboard import with_tensorboard

JUPYTER_IMAGE: Final = "quay.io/jupyter/scipy-notebook:latest"
JUPYTER_PORT: Final = 8888
JUPYTER_START: Final = "start-notebook.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidInteractive:
    """An interactive workload as it is carried out: one pod, tried again for ever.

    Attributes:
        pod: what it is like.
        ttl_seconds: seconds from the end to the deletion of the workload; None: it stays.
        active: False: suspended, no pod.
        preemption_limit: preemptions that it bears before it ends; None: any number.
    """

    pod: ValidPod
    ttl_seconds: int | None = None
    active: bool = True
    preemption_limit: int | None = None


def effective_interactive(
    workload: InteractiveWorkload, defaults: Defaults, site: Site | None = None
) -> ValidInteractive:
    """Say what an interactive workload asks for; arguments and errors as of `effective`."""
    problems = Problems()
    valid = read_interactive(workload, defaults, site, problems)
    problems.raise_if_any()
    return valid


def read_interactive(
    workload: InteractiveWorkload, defaults: Defaults, site: Site | None, problems: Problems
) -> ValidInteractive:
    """Read an interactive workload; arguments as of `effective`, but that `problems` takes what is wrong."""
    spec = workload.spec
    jupyter = bool(spec.jupyter.value)
    default = names.INTERACTIVE_PREEMPTIBLE_CLASS if spec.preemptible.value else names.BUILD_PRIORITY_CLASS
    pod = read_pod(spec, workload.metadata, default, defaults, site, problems, image_optional=jupyter)
    if spec.notebook_token.value is not None and not jupyter:
        problems.add("spec.notebookToken.value", "…", "left out, because spec.jupyter is not true")
    pod = _with_jupyter(pod, spec, problems) if jupyter else pod
    return ValidInteractive(
        pod=with_tensorboard(pod, spec, defaults, site, problems),
        ttl_seconds=read_seconds_to_deletion(spec, problems),
        active=spec.active.value is not False,
        preemption_limit=read_preemption_limit(spec, problems),
    )


def _with_jupyter(pod: ValidPod, spec: InteractiveParameters, problems: Problems) -> ValidPod:
    """Run a notebook where the workload says nothing else, below the path that its address would have."""
    token, process = spec.notebook_token.value, pod.process
    if token is not None and "\0" in token:
        problems.add("spec.notebookToken.value", "…", NUL_FORBIDDEN)
    if not process.command and not process.arguments:
        base = f"/${{{names.ENV_PROJECT}}}/${{{names.ENV_RUNAI_JOB_NAME}}}"
        words = (JUPYTER_START, f"--ServerApp.base_url={base}")
        # A token of a dollar sign and parentheses is no variable.
        named = () if token is None else (f"--IdentityProvider.token={token.replace('$(', '$$(')}",)
        process = replace(process, arguments=(*words, *named))
    ports = pod.network.ports
    if all(port.container != JUPYTER_PORT for port in ports):
        ports = (*ports, Port(container=JUPYTER_PORT, service_type="ClusterIP"))
    return replace(
        pod,
        process=replace(process, image=process.image or JUPYTER_IMAGE),
        network=replace(pod.network, ports=ports),
    )
