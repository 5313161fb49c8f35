"""Rules of access rules (control-plane-api.md 1.4.8, 2.2)."""

from collections.abc import Iterable

from aliquot.contracts.administrator_api.permissions import ROLES, Role
from aliquot.controlplane.auth.reach import Grant, Place, reach
from aliquot.controlplane.refusals import Forbidden, NotFound


def role_with(role_id: int) -> Role:
    """The role with this id.

    Raises:
        NotFound: there is none.
    """
    if role_id not in ROLES:
        raise NotFound(details=f"roleId: {role_id} is not allowed: there is no such role")
    return ROLES[role_id]


def check_may_give(grants: Iterable[Grant], role: Role, place: Place) -> None:
    """See that somebody who gives a role may administer, in that place, all that it lets others administer.

    Else whoever may write access rules in a department could make themselves its System administrator.

    Args:
        grants: of the giver.
        role: to be given.
        place: its scope.

    Raises:
        Forbidden: they may not.
    """
    # Every role may read the tenant, so this is where somebody has it.
    own = frozenset(grant.role for grant in grants if reach([grant], "tenant", "read").covers(place))
    if not role.administers_no_more_than(own):
        raise Forbidden(details=f"the role {role.name} may administer more in this scope than you may yourself")
