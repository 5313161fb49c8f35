"""As whom pods and containers run, and what they may do.

Without a word from the user a pod passes the Pod Security level `baseline`. Its seccomp profile is the container
runtime's default, which is also what `docker run` has, so that images that were tried there run here. The level
`restricted` would in addition refuse root and `sudo`, which many training images use. So only in a namespace that
enforces that level, pods are made to pass it wherever the user says nothing else (docs/decisions/0009).
"""

from typing import Final

from aliquot.core.rendering.context import Manifest
from aliquot.core.submission.pod_values import Security

NOBODY: Final = 65534
"""Number of a user that every image bears."""


def pod_security(security: Security, *, restricted: bool) -> Manifest:
    """Return the security context of a pod."""
    found: Manifest = {}
    if security.uid is not None:
        found["runAsUser"] = security.uid
    if security.gid is not None:
        found["runAsGroup"] = security.gid
    if security.groups:
        found["supplementalGroups"] = list(security.groups)
    non_root = is_non_root(security, restricted=restricted)
    if non_root or security.non_root is not None:
        found["runAsNonRoot"] = non_root
    found["seccompProfile"] = {"type": security.seccomp or "RuntimeDefault"}
    return found


def is_non_root(security: Security, *, restricted: bool) -> bool:
    """Whether no container of the pod may run as root."""
    return restricted if security.non_root is None else security.non_root


def container_security(security: Security, *, restricted: bool) -> Manifest:
    """Return the security context of the main container; empty: there is nothing to say."""
    found: Manifest = {}
    escalation = False if security.privilege_escalation is None and restricted else security.privilege_escalation
    if escalation is not None:
        found["allowPrivilegeEscalation"] = escalation
    drop = restricted if security.drop_all is None else security.drop_all
    capabilities = {
        **({"add": list(security.capabilities)} if security.capabilities else {}),
        **({"drop": ["ALL"]} if drop else {}),
    }
    if capabilities:
        found["capabilities"] = capabilities
    return found


def fetcher_security() -> Manifest:
    """Return the security context of containers that only read or fetch data: they need no rights at all."""
    return {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
