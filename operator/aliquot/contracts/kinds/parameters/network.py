"""How a workload is reached (cluster-api.md 1.4, 1.5)."""

from typing import Annotated

from aliquot.contracts.kinds.rules import BoolRules, IntRules, StringRules
from aliquot.contracts.kinds.shapes import Shape, text, whole
from aliquot.contracts.kinds.texts import Address
from aliquot.contracts.kinds.wrappers import BoolValue, Items, LongText, ShortText

PortNumber = Annotated[int, whole(1, 65535)]


class Port(Shape):
    """A port of the container that others can reach."""

    container: PortNumber
    """Port that the container listens on."""
    external: PortNumber | None = None
    """Port on the outside; left out, one is chosen."""
    auto_generate: bool | None = None
    """Whether the port on the outside is chosen for you even if `external` is given."""
    protocol: Annotated[str, text(8)] | None = None
    """TCP, UDP or SCTP; left out, TCP."""
    service_type: Annotated[str, text(32)] | None = None
    """How the port is exposed: LoadBalancer, NodePort or ClusterIP; left out, as the workload's serviceType says."""


class PortRules(Shape):
    """Rules about ports."""

    container: IntRules | None = None
    """Which ports of the container may be exposed."""
    external: IntRules | None = None
    """Which ports may be used on the outside."""
    auto_generate: BoolRules | None = None
    """Whether ports on the outside may or must be chosen by the system."""
    protocol: StringRules | None = None
    """Which protocols may be used."""
    service_type: StringRules | None = None
    """How ports may be exposed."""


class ExposedUrl(Shape):
    """An address outside the cluster that leads to a port of the container."""

    container_port: PortNumber
    """Port that the container listens on."""
    url: Address | None = None
    """The address; left out, one is made from the cluster's domain, the project and the workload's name."""
    custom_url: bool | None = None
    """Whether `url` was chosen by the user rather than made."""
    authorized_users: Annotated[str, text(8192)] | None = None
    """Users who may open the address, separated by commas; left out, everybody who can reach it."""


class ExposedUrlRules(Shape):
    """Rules about exposed addresses."""

    container_port: IntRules | None = None
    """Which ports may be exposed."""
    url: StringRules | None = None
    """Which addresses may be chosen."""
    custom_url: BoolRules | None = None
    """Whether users may choose addresses."""
    authorized_users: StringRules | None = None
    """Whom the address may be opened to."""


Ports = Items[Port, PortRules]
ExposedUrls = Items[ExposedUrl, ExposedUrlRules]


class NetworkParameters(Shape):
    """How a workload is reached."""

    exposed_urls: ExposedUrls = ExposedUrls()
    """Addresses outside the cluster that lead to ports of the container."""
    host_network: BoolValue = BoolValue()
    """Whether the container uses the node's network itself. Left out, no."""
    ingress_url: LongText = LongText()
    """Address under which the workload is reached from outside; set by the system."""
    ports: Ports = Ports()
    """Ports of the container that others can reach."""
    service_type: ShortText = ShortText()
    """How ports without a type of their own are exposed: LoadBalancer, NodePort or ClusterIP."""
