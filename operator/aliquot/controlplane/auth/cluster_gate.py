"""The gate of clusters: from a request's uuid and secret to a `ClusterPermit`, in one transaction with what is done.

A cluster says who it is by HTTP Basic, each time: its uuid, and the secret of its install info. That is 256 random
bits, so whoever knows it is let in at once, however often others have guessed; only failures have to wait.
"""

import base64
import binascii
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Final, NoReturn

from fastapi import Depends, Request
from sqlalchemy.orm import Session
from typing_extensions import TypeIs

from aliquot.controlplane.auth.attempts import Attempts
from aliquot.controlplane.auth.cluster_permit import CLUSTER_MAKER, ClusterPermit
from aliquot.controlplane.database.tables import Cluster
from aliquot.controlplane.refusals import UnknownCluster, guessing
from aliquot.controlplane.services import Services, address_of, services_of

_BASIC: Final = "basic "
_LONGEST: Final = 1024


@dataclass(frozen=True, slots=True)
class ClusterGate:
    """Lets a cluster read what it is to have, and say what it is like.

    Attributes:
        services: of this process.
        cluster_id: which cluster it says it is.
        secret: what it says its secret is.
        address: where it asks from.
    """

    services: Services
    cluster_id: str
    secret: str
    address: str

    def check(self) -> None:
        """See that the cluster is who it says it is.

        Raises:
            UnknownCluster: there is no such cluster, or the secret is not its own.
            TooMany: there were too many failures.
        """
        with self.reading():
            pass

    @contextmanager
    def reading(self) -> Generator[ClusterPermit]:
        """Give a permit that only reads.

        Raises:
            UnknownCluster: there is no such cluster, or the secret is not its own.
            TooMany: there were too many failures.
        """
        with self.services.database.reading() as session:
            row = session.get(Cluster, self.cluster_id)
            if self._is_known(row):
                yield self._permit(session, row)
                return
        self._refuse()

    @contextmanager
    def reporting(self, *, is_told_once: bool = False) -> Generator[ClusterPermit]:
        """Give a permit; what is done by it is kept when this ends without an error, all or nothing.

        Others are kept from writing meanwhile, so this comes after `check` or `reading`: strangers do not get so far.

        Args:
            is_told_once: see `Database.reporting`.

        Raises:
            UnknownCluster: the cluster was deleted, or given another secret, since it was looked at.
        """
        with self.services.database.reporting(self.cluster_id, is_told_once=is_told_once) as session:
            row = session.get(Cluster, self.cluster_id)
            if not self._is_known(row):
                raise UnknownCluster
            yield self._permit(session, row)

    def _permit(self, session: Session, row: Cluster) -> ClusterPermit:
        return ClusterPermit(CLUSTER_MAKER, session, row, self._now_ms(), self.services.settings.workloads)

    def _refuse(self) -> NoReturn:
        services, who = self.services, ("cluster", self.cluster_id)
        attempts = Attempts(services.settings.sign_in, who, self.address, self._now_ms())
        with services.database.reading() as session:
            waits = attempts.seconds_to_wait(session)
        if waits:
            raise guessing(waits)
        attempts.failed(services.database)
        raise UnknownCluster

    def _is_known(self, row: Cluster | None) -> TypeIs[Cluster]:
        kept = "" if row is None else row.client_secret
        return secrets.compare_digest(kept.encode(), self.secret.encode()) and row is not None

    def _now_ms(self) -> int:
        return int(self.services.clock.now() * 1000)


def _gate(request: Request, clusterUuid: str) -> ClusterGate:  # noqa: N803 - as the other routes have it
    """The gate of a request.

    Raises:
        UnknownCluster: it has no credentials, or those of another cluster.
    """
    header = request.headers.get("authorization", "")
    if not header.lower().startswith(_BASIC):
        raise UnknownCluster(details="the header Authorization: Basic … is missing")
    try:
        text = base64.b64decode(header[len(_BASIC) :].strip()[:_LONGEST], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise UnknownCluster(details="the header Authorization is not UUID:SECRET in base64") from None
    uuid, _, secret = text.partition(":")
    if not secret or not uuid.isprintable() or uuid != clusterUuid:
        raise UnknownCluster
    return ClusterGate(services_of(request), uuid, secret, address_of(request))


ClusterGateOfRequest = Annotated[ClusterGate, Depends(_gate)]
