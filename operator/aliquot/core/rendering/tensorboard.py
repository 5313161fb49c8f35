"""The container in which TensorBoard runs beside an interactive workload's own.

It needs no rights, no GPU and nothing of the user's environment: it reads logs, and nobody who opens it can write them.
"""

from collections.abc import Iterable
from typing import Final

from aliquot import naming
from aliquot.core.rendering.addresses import paths
from aliquot.core.rendering.context import Context, Manifest
from aliquot.core.rendering.environment import literal, no_devices
from aliquot.core.rendering.security import NOBODY, fetcher_security, is_non_root
from aliquot.core.submission import ValidPod
from aliquot.core.submission.pod_values import TensorBoard
from aliquot.core.submission.tensorboard import is_of

_REQUESTS: Final = {"cpu": "100m", "memory": "256Mi"}


def tensorboard_container(board: TensorBoard, pod: ValidPod, context: Context, mounts: Iterable[Manifest]) -> Manifest:
    """Return the container.

    Args:
        board: what runs in it.
        pod: beside whose main container it runs.
        context: where it runs.
        mounts: directories of the main container; of these it has those with its logs, and cannot write to them.
    """
    base = next((path for path, url in paths(pod.network.urls, context) if url.container == board.port), None)
    # An image of TensorBoard's would run as root, which the pod as a whole may have excluded.
    other = is_non_root(pod.security, restricted=context.restricted) and pod.security.uid is None
    with_logs = (mount for mount in mounts if is_of(board.logdir, str(mount["mountPath"])))
    return {
        "name": naming.dns_label(f"{context.job_name}-tensorboard"),
        "image": board.image,
        "command": ["tensorboard"],
        "args": [
            f"--logdir={literal(board.logdir)}",
            "--bind_all",
            f"--port={board.port}",
            *([] if base is None else [f"--path_prefix={base}"]),
        ],
        "env": [no_devices()],
        "ports": [{"containerPort": board.port, "protocol": "TCP"}],
        "resources": {"requests": dict(_REQUESTS)},
        "volumeMounts": [{**mount, "readOnly": True} for mount in with_logs],
        "securityContext": {**({"runAsUser": NOBODY} if other else {}), **fetcher_security()},
    }
