"""Departments of the older surface (control-plane-api.md 1.4.2)."""

from typing import Annotated

from pydantic import Field

from aliquot.contracts.administrator_api.older.amounts import Number, OlderQuotas, OlderQuotasShown
from aliquot.contracts.administrator_api.older.projects import OlderProject
from aliquot.contracts.administrator_api.shapes import Answer, Body, Flag, Name, Text, Time, TolerantBody


class OlderDepartmentAmounts(OlderQuotas):
    """What a department may have."""

    allow_over_quota: Flag | None = None
    """Whether it may have more GPUs than it deserves."""


class OlderDepartmentUpdate(OlderDepartmentAmounts):
    """What of a department can be changed."""

    name: Text | None = None
    """How it is called; it cannot be changed."""


class OlderDepartmentCreation(OlderDepartmentAmounts):
    """A department to be."""

    name: Name
    """How it is called; unique in the cluster."""


class OlderDepartmentQuery(Body):
    """How much is told of a department."""

    exclude_permissions: bool = False
    """Whether it is left out who administers it, and who has its projects."""


class OlderDepartmentsQuery(OlderDepartmentQuery):
    """How departments are listed."""

    memory_unit_mb: bool = False
    """Whether memory is in MB, not MiB."""


class OlderDepartment(OlderQuotasShown):
    """A department."""

    id: int
    """Its id."""
    name: str
    """How it is called."""
    tenant_id: int
    """Whose it is."""
    cluster_uuid: str
    """Cluster that it belongs to."""
    created_at: Time
    """When it was created."""
    allow_over_quota: bool
    """Whether it may have more GPUs than it deserves, in any node pool."""
    projects: list[OlderProject]
    """Its projects, as far as the caller may see them."""
    projects_deserved_gpus: str
    """GPUs that all its projects can count on together, with two decimals."""
    department_admins: list[str] | None = None
    """Ids of the users who administer it, as far as the caller may see access rules; null where that was not wanted."""


class OlderAccessControl(TolerantBody):
    """Who administers a department."""

    department_id: Number | None = None
    """Its id."""
    department_admins: Annotated[list[Text], Field(max_length=500)]
    """Ids or e-mail addresses of all users who do."""


class OlderAccessControlShown(Answer):
    """Who administers a department."""

    department_id: int
    """Its id."""
    department_admins: list[str]
    """Ids of the users who do; e-mail addresses of those who are not known here."""
