"""Tenants: organizations that share a control plane and see nothing of each other.

There is no API for them: `first_tenant` makes one in an empty database, `make` does so for the command line. Both give
the administrator's password, which nothing keeps.
"""

from aliquot.controlplane.tenants.issuers import claims_of, keep_issuer
from aliquot.controlplane.tenants.making import Credentials, change, first_tenant, make

__all__ = ["Credentials", "change", "claims_of", "first_tenant", "keep_issuer", "make"]
