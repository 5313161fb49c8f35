"""TensorBoard beside an interactive workload's container (cluster-api.md 1.4).

A container of its own, which sees of the pod's files only what is mounted: so the logs have to be in a volume. It has
an address outside the cluster where the cluster has a domain for such, else a Service inside.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final

from aliquot.contracts.kinds.parameters import InteractiveParameters
from aliquot.core.submission.network import CLUSTER_IP
from aliquot.core.submission.paths import PATH_ALLOWED, is_path, normal
from aliquot.core.submission.pod_values import Network, Port, TensorBoard, Url, ValidPod
from aliquot.core.submission.problems import Problems
from aliquot.core.submission.read_pod import HOME, SHM
from aliquot.core.submission.spec import Defaults, Site

NO_IMAGE: Final = (
    "left out: this cluster has no image of TensorBoard; an administrator sets settings.images.tensorboard"
)
LOGDIR_MISSING: Final = "the directory from which TensorBoard reads, such as /results/runs"
LOGDIR_NEEDLESS: Final = "left out, because spec.tensorboard is not true"
IN_A_VOLUME: Final = (
    "a directory of something that is mounted, such as a volume or PVC: the container's own file system is not shared"
)


def with_tensorboard(
    pod: ValidPod, spec: InteractiveParameters, defaults: Defaults, site: Site | None, problems: Problems
) -> ValidPod:
    """Return the pod with TensorBoard beside its container, if the workload wants it.

    Args:
        pod: what the workload asks for otherwise.
        spec: says whether, and from where it reads.
        defaults: with its image.
        site: whether there are addresses outside the cluster; None: not known, there is none then.
        problems: takes what is wrong.
    """
    logdir, field = spec.tensorboard_logdir.value, "spec.tensorboardLogdir.value"
    if not spec.tensorboard.value:
        if logdir is not None:
            problems.add(field, logdir, LOGDIR_NEEDLESS)
        return pod
    image = defaults.tensorboard_image
    if image is None:
        problems.add("spec.tensorboard.value", True, NO_IMAGE)
    if logdir is None:
        problems.add(field, None, LOGDIR_MISSING)
    elif not is_path(logdir):
        problems.add(field, logdir, PATH_ALLOWED)
    elif not any(is_of(normal(logdir), directory) for directory in _mounted(pod)):
        problems.add(field, logdir, IN_A_VOLUME)
    board = TensorBoard(image=image or "", logdir=normal(logdir or ""))
    has_domain = site is not None and site.domain is not None
    return replace(pod, tensorboard=board, network=_reached(pod.network, board, has_domain=has_domain))


def is_of(logdir: str, directory: str) -> bool:
    """Whether a directory has logs of TensorBoard: it is where they are, above that, or below. Both are normal."""
    there, here = PurePosixPath(logdir), PurePosixPath(directory)
    return there.is_relative_to(here) or here.is_relative_to(there)


def _mounted(pod: ValidPod) -> Iterator[str]:
    """The directories of the container that are not on its own file system."""
    storage, sources = pod.storage, pod.sources
    yield from (claim.path for claim in storage.claims if not claim.block)
    for each in (*storage.directories, *storage.config_maps, *sources.repositories, *sources.buckets):
        yield each.path
    if pod.process.home:
        yield HOME
    if pod.compute.large_shm:
        yield SHM


def _reached(network: Network, board: TensorBoard, *, has_domain: bool) -> Network:
    """How it is reached, unless the workload says that itself, by a port or address of that number."""
    exposed = (port.container for port in network.ports if port.service_type is not None)
    if board.port in {*exposed, *(url.container for url in network.urls)}:
        return network
    if has_domain:
        return replace(network, urls=(*network.urls, Url(board.port)))
    return replace(network, ports=(*network.ports, Port(container=board.port, service_type=CLUSTER_IP)))
