"""What the pods of a workload ask for, whatever its kind: the one reader of the parameters that all kinds have."""

from typing import Final

from aliquot.contracts.kinds.parameters import PodParameters
from aliquot.contracts.kinds.shapes import Metadata
from aliquot.core.submission.amounts import read_compute
from aliquot.core.submission.extent import refuse_the_rest
from aliquot.core.submission.identity import read_identity, read_priority_class
from aliquot.core.submission.network import read_network
from aliquot.core.submission.paths import MountPaths
from aliquot.core.submission.placement import read_placement
from aliquot.core.submission.pod_values import ValidPod
from aliquot.core.submission.problems import Problems
from aliquot.core.submission.process import read_process
from aliquot.core.submission.security import read_security
from aliquot.core.submission.sources import read_sources
from aliquot.core.submission.spec import Defaults, Site
from aliquot.core.submission.storage import read_storage

HOME: Final = "/home/runai-home"
SHM: Final = "/dev/shm"  # noqa: S108 - a place in the container


def read_pod(
    spec: PodParameters,
    metadata: Metadata,
    priority_class: str,
    defaults: Defaults,
    site: Site | None,
    problems: Problems,
    *,
    image_optional: bool = False,
) -> ValidPod:
    """Read what each pod of a workload asks for, and refuse the parameters that are not carried out.

    Args:
        spec: of any workload kind, or of a master with what it takes from the workers.
        metadata: of the workload itself; its labels may name a PriorityClass, its annotations say how close its
            pods are to be.
        priority_class: of the pods if the labels do not name one.
        defaults: what holds in the cluster for pods that do not say.
        site: what project and cluster allow; None: not known, addresses from outside are refused then.
        problems: takes what is wrong; with any of it, the answer means nothing.
        image_optional: whether an image may be left out.
    """
    refuse_the_rest(spec, problems)
    paths = MountPaths(problems)
    process = read_process(spec, problems, as_user=bool(spec.run_as_user.value), image_optional=image_optional)
    compute = read_compute(spec, defaults, problems)
    if compute.large_shm:
        paths.take("spec.largeShm", SHM)
    if process.home:
        paths.take("spec.createHomeDir", HOME)
    of_class = read_priority_class(metadata.labels, priority_class, problems)
    return ValidPod(
        priority_class=of_class,
        process=process,
        identity=read_identity(spec, metadata.annotations, problems),
        compute=compute,
        placement=read_placement(spec, site, of_class, problems),
        storage=read_storage(spec, paths, problems),
        sources=read_sources(spec, defaults, paths, problems),
        network=read_network(spec, site, problems),
        security=read_security(spec, problems),
    )
