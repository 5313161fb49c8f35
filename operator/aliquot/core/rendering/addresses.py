"""Where workloads are reached from outside the cluster: paths below the project's name, at the cluster's domain."""

from collections.abc import Iterable

from aliquot import naming
from aliquot.core.rendering.context import Context
from aliquot.core.submission import ValidPod
from aliquot.core.submission.pod_values import Url


def paths(urls: Iterable[Url], context: Context) -> list[tuple[str, Url]]:
    """Return the path of each address, and what it leads to; the first that is made has no number."""
    own = f"/{context.project}/{naming.dns_label(context.job_name)}"
    found: dict[str, Url] = {}
    for url in urls:
        path = url.path or (own if own not in found else f"{own}/{url.container}")
        found.setdefault(path, url)
    return list(found.items())


def external_urls(pod: ValidPod, context: Context) -> tuple[str, ...]:
    """Return the addresses outside the cluster under which the workload is reached, for its status."""
    return tuple(f"https://{context.domain}{path}" for path, _ in paths(pod.network.urls, context))
