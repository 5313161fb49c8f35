"""What paths of the older surface name: a cluster, and something in it by its number."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy.orm.interfaces import ORMOption

from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database.tables import Cluster, Department, NodePool, Project
from aliquot.controlplane.refusals import BadRequest, NotFound

OfCluster = TypeVar("OfCluster", NodePool, Department, Project)


def cluster_of_path(permit: Permit, cluster_id: str) -> Cluster:
    """The cluster in which something is to be made; whether the caller may do that there is seen when it is.

    Raises:
        NotFound: the tenant has none with this id.
    """
    found = permit.referred(Cluster, cluster_id)
    if found is None:
        raise NotFound(details=f"there is no cluster {cluster_id}")
    return found


def one_in(permit: Permit, model: type[OfCluster], cluster_id: str, written_id: str, *options: ORMOption) -> OfCluster:
    """Something of a cluster.

    Raises:
        NotFound: the cluster has none with this id.
        Forbidden: it is out of the caller's reach.
    """
    row = permit.one(model, written_id, *options)
    if row.cluster_id != cluster_id:
        raise NotFound(details=f"the cluster {cluster_id} has none with the id {written_id}")
    return row


def all_in(
    permit: Permit, model: type[OfCluster], cluster_id: str, *options: ORMOption
) -> tuple[str, Sequence[OfCluster]]:
    """The id of a cluster, and all of a table that it has and the caller may see, the oldest first.

    Raises:
        NotFound: the tenant has no such cluster.
        Forbidden: it is out of the caller's reach.
    """
    cluster = permit.one(Cluster, cluster_id)
    own = permit.select(model).where(model.cluster_id == cluster.id).options(*options)
    return cluster.id, permit.rows(own.order_by(model.id))


def check_same(field: str, given: object, value: object, what: str) -> None:
    """See that what cannot be changed is as it was, or left out.

    Raises:
        BadRequest: it is another.
    """
    if given is not None and given != value:
        raise BadRequest(f"Bad request - {field}: {given!r} is not allowed: {what} is {value!r}, and stays so")


@contextmanager
def in_older_words(fields: Mapping[str, str]) -> Generator[None]:
    """Have refusals name fields as the older surface calls them.

    Args:
        fields: older names, by newer ones.
    """
    try:
        yield
    except BadRequest as error:
        for newer, older in fields.items():
            begin = f"Bad request - {newer}:"
            if error.says.startswith(begin):
                raise BadRequest(f"Bad request - {older}:{error.says[len(begin) :]}", error.details) from error
        raise
