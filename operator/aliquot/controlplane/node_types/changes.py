"""Node types are made, renamed and deleted (control-plane-api.md 1.4.5)."""

from aliquot.contracts.administrator_api.older.node_types import OlderNodeTypeOfCluster
from aliquot.controlplane.auditing import document, updating
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database.revisions import NEVER_SENT
from aliquot.controlplane.database.tables import Cluster, NodeType, Project
from aliquot.controlplane.node_types.queries import names_in
from aliquot.controlplane.refusals import BadRequest


def shown(row: NodeType) -> OlderNodeTypeOfCluster:
    """A node type as the API has it."""
    return OlderNodeTypeOfCluster(id=row.id, name=row.name, tenant_id=row.tenant_id, cluster_uuid=row.cluster_id)


def create(permit: Permit, cluster: Cluster, name: str) -> NodeType:
    """Make a node type.

    Raises:
        Conflict: the cluster has one of this name.
    """
    _check_name(permit, cluster.id, name)
    row = NodeType(
        **permit.origin(),
        cluster_id=cluster.id,
        name=name,
        version=1,
        revision=NEVER_SENT,
        updated_by=permit.holder.name,
    )
    permit.add(row)
    permit.record("create", "nodetype", row, after=document(shown(row)))
    return row


def rename(permit: Permit, row: NodeType, name: str) -> None:
    """Give a node type another name: projects that name it by its id keep to other nodes then.

    Raises:
        Conflict: another one of the cluster has it.
    """
    if name != row.name:
        _check_name(permit, row.cluster_id, name)
    with updating(permit, "nodetype", row, shown):
        row.name = name


def delete(permit: Permit, row: NodeType) -> None:
    """Delete a node type.

    Raises:
        BadRequest: a project names it.
    """
    names = names_in(permit, [row.cluster_id])[row.cluster_id]
    for project in permit.rows(permit.select_whole(Project).where(Project.cluster_id == row.cluster_id)):
        if any(names.read(written)[0] == row.id for written in (*project.training_types, *project.workspace_types)):
            raise BadRequest(
                f"Bad request - the node type {row.name} cannot be deleted: the project {project.name} keeps to it"
            )
    permit.record("delete", "nodetype", row, before=document(shown(row)))
    permit.remove(row)


def _check_name(permit: Permit, cluster_id: str, name: str) -> None:
    own = permit.select_whole(NodeType).where(NodeType.cluster_id == cluster_id)
    permit.check_is_new(own.where(NodeType.name == name), f"the cluster has a node type {name}")
