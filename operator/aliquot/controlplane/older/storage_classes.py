"""`/v1/k8s/clusters/{uuid}/storage-classes` (control-plane-api.md 1.3, 1.5); there is no newer route."""

from fastapi import APIRouter

from aliquot.contracts.administrator_api.older.storage_classes import OlderStorageClass
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.database.tables import Cluster

router = APIRouter(prefix="/v1/k8s/clusters/{uuid}/storage-classes", tags=["Older: storage classes"])


@router.get("")
def list_storage_classes(gate: GateOfRequest, uuid: str) -> list[OlderStorageClass]:
    """List the StorageClasses of a cluster, by name."""
    with gate.permit("cluster", "read") as permit:
        found = permit.told(permit.one(Cluster, uuid), "storageClass")
        return [OlderStorageClass(storage_class_name=row.name, is_default=row.document["isDefault"]) for row in found]
