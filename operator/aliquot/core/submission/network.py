"""How a workload is reached: ports of its container, and addresses outside the cluster (cluster-api.md 1.4, 1.5).

An address of a user's own choice would otherwise be one of somebody else's: all are at the cluster's domain, below the
name of the project.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from aliquot.contracts.kinds.parameters import network as parameters
from aliquot.contracts.kinds.parameters.network import NetworkParameters
from aliquot.contracts.kinds.wrappers import given
from aliquot.core.submission.pod_values import Network, Port, Url
from aliquot.core.submission.problems import Problems
from aliquot.core.submission.spec import Site

_PORTS: Final = range(1, 65536)
_PROTOCOLS: Final = ("TCP", "UDP", "SCTP")
CLUSTER_IP: Final = "ClusterIP"
_EXTERNAL_URL: Final = "external-url"
_TYPES: Final[Mapping[str, str]] = {
    "clusterip": CLUSTER_IP,
    "nodeport": "NodePort",
    "loadbalancer": "LoadBalancer",
    "portforward": CLUSTER_IP,
    "ingress": _EXTERNAL_URL,
    "external-url": _EXTERNAL_URL,
}
"""Types as they are written, in lower case, those of the command line (`runai submit --service-type`) included."""
_USERS: Final = re.compile(r"[A-Za-z0-9][-A-Za-z0-9._+@]{0,253}(?:[, ]+[A-Za-z0-9][-A-Za-z0-9._+@]{0,253})*", re.ASCII)
_PATH: Final = re.compile(r"(/[A-Za-z0-9][-A-Za-z0-9_.]*)+/?", re.ASCII)

TYPES_ALLOWED: Final = "ClusterIP, NodePort or LoadBalancer; or portforward, or external-url"
PORT_ALLOWED: Final = f"a port: a whole number from 1 to {_PORTS[-1]}"
NO_DOMAIN: Final = "left out: this cluster has no domain for addresses from outside"
NO_USER_CHECK: Final = (
    "left out: nothing in this cluster keeps others off an address; an administrator sets settings.addresses.authUrl"
)
USERS_ALLOWED: Final = (
    "names of users, such as ann@example.com,bob@example.com: letters, digits and any of . _ - + @; left out: everyone"
)
SAME_USERS: Final = "the same users for all addresses of a port: whoever reaches it by one of them has reached it"


def read_network(spec: NetworkParameters, site: Site | None, problems: Problems) -> Network:
    """Read how the workload is reached.

    Args:
        spec: says it.
        site: with the domain of addresses; None: there are none.
        problems: takes what is wrong.
    """
    default = _service_type("spec.serviceType.value", spec.service_type.value, problems)
    ports: list[Port] = []
    urls: list[Url] = []
    taken: set[tuple[str | None, str, str, int]] = set()
    for label, item in sorted(given(spec.ports.items).items()):
        field = f"spec.ports.items[{label}].value"
        own = _service_type(f"{field}.serviceType", item.service_type, problems)
        port = _port(field, item, own or default, problems)
        if port.service_type == _EXTERNAL_URL:
            _check_site(f"{field}.serviceType", item.service_type or spec.service_type.value, site, problems)
            urls.append(Url(port.container))
        elif taken & (uses := set(_uses(port))):
            problems.add(f"{field}.container", port.container, "a port that no other item exposes in the same way")
        else:
            taken |= uses
            ports.append(port)
    users_of: dict[int, tuple[str, ...]] = {url.container: () for url in urls}
    for label, item in sorted(given(spec.exposed_urls.items).items()):
        field = f"spec.exposedUrls.items[{label}].value"
        url = _url(field, item, site, problems)
        urls.append(url)
        if users_of.setdefault(url.container, url.users) != url.users:
            problems.add(f"{field}.authorizedUsers", item.authorized_users, SAME_USERS)
    return Network(
        host_network=bool(spec.host_network.value),
        ports=tuple(ports),
        urls=tuple(dict.fromkeys(urls)),
    )


def _service_type(field: str, written: str | None, problems: Problems) -> str | None:
    if not written:
        return None
    known = _TYPES.get(written.lower())
    if known is None:
        problems.add(field, written, TYPES_ALLOWED)
    return known


def _port(field: str, item: parameters.Port, service_type: str | None, problems: Problems) -> Port:
    protocol = item.protocol or "TCP"
    if protocol not in _PROTOCOLS:
        problems.add(f"{field}.protocol", protocol, "TCP, UDP or SCTP")
    if item.container not in _PORTS:
        problems.add(f"{field}.container", item.container, PORT_ALLOWED)
    external = None if item.auto_generate else item.external
    if external is not None and external not in _PORTS:
        problems.add(f"{field}.external", external, PORT_ALLOWED)
    if external is not None and service_type is None:
        service_type = CLUSTER_IP  # whoever says which port is to be reached wants to reach it
    return Port(container=item.container, external=external, protocol=protocol, service_type=service_type)


def _uses(port: Port) -> Iterator[tuple[str | None, str, str, int]]:
    """What no two ports of a Service may share: its own number, and the number on the nodes."""
    yield port.service_type, port.protocol, "service", port.of_service
    if port.service_type == "NodePort" and port.external is not None:
        yield port.service_type, port.protocol, "node", port.external


def _url(field: str, item: parameters.ExposedUrl, site: Site | None, problems: Problems) -> Url:
    if item.container_port not in _PORTS:
        problems.add(f"{field}.containerPort", item.container_port, PORT_ALLOWED)
    if not _check_site(field, item.url or "", site, problems):
        return Url(item.container_port)
    assert site is not None
    users = _users(f"{field}.authorizedUsers", item.authorized_users, site, problems)
    if not item.url:
        return Url(item.container_port, users=users)
    beginning = f"https://{site.domain}"
    path = item.url.removeprefix(beginning)
    below = "/" if site.project is None else f"/{site.project}/"
    if not item.url.startswith(f"{beginning}/") or not path.startswith(below) or not _PATH.fullmatch(path):
        problems.add(
            f"{field}.url", item.url, f"an address that begins with {beginning}{below}, with a name after that"
        )
    return Url(item.container_port, path.rstrip("/"), users)


def _users(field: str, written: str | None, site: Site, problems: Problems) -> tuple[str, ...]:
    if written is None:
        return ()
    if not site.checks_users:
        problems.add(field, written, NO_USER_CHECK)
    elif not _USERS.fullmatch(written):
        # Of no name at all, a service that checks users would let everyone pass.
        problems.add(field, written, USERS_ALLOWED)
    return tuple(sorted(set(written.replace(",", " ").split())))


def _check_site(field: str, value: str | None, site: Site | None, problems: Problems) -> bool:
    if site is None or site.domain is None:
        problems.add(field, value or None, NO_DOMAIN)
        return False
    return True
