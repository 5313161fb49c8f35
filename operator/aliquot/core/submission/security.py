"""As whom the container runs, and what it may do beyond that (cluster-api.md 1.4).

What a namespace allows at most, its Pod Security level says, and the API server sees to it; what users may ask for, the
policy says.
"""

from typing import Final

from aliquot.contracts.kinds.parameters.security import PrivilegeParameters, SecurityParameters
from aliquot.contracts.kinds.shapes import INT32_MAX
from aliquot.contracts.kinds.wrappers import given
from aliquot.core.submission.pod_values import Security
from aliquot.core.submission.problems import Problems

MOST_GROUPS: Final = 64
PROFILES: Final = ("RuntimeDefault", "Unconfined")
CAPABILITIES: Final = frozenset((
    "AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "BPF", "CHECKPOINT_RESTORE", "CHOWN", "DAC_OVERRIDE",
    "DAC_READ_SEARCH", "FOWNER", "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN",
    "MAC_OVERRIDE", "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_RAW", "PERFMON", "SETFCAP",
    "SETGID", "SETPCAP", "SETUID", "SYSLOG", "SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_NICE",
    "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM",
))  # fmt: skip
"""Those of Linux (capabilities(7)), without CAP_ in front."""
OWNING_THE_NODE: Final = frozenset((
    "BPF", "DAC_READ_SEARCH", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD", "SYSLOG", "SYS_ADMIN", "SYS_BOOT", "SYS_MODULE",
    "SYS_RAWIO", "SYS_TIME",
))  # fmt: skip
"""Those that reach beyond the container: with them a pod takes GPUs that others were given, or their data."""

UID_ALLOWED: Final = f"a whole number from 1 to {INT32_MAX}; a container runs as root only if its image says so"
UID_MISSING: Final = "the number of the user, because spec.runAsUser is true"
NEEDS_RUN_AS_USER: Final = "left out, because spec.runAsUser is not true"
GROUPS_ALLOWED: Final = f"numbers of at most {MOST_GROUPS} groups with ';' between them, such as 100;2000"
CAPABILITY_ALLOWED: Final = "the name of a Linux capability, such as NET_RAW or SYS_NICE"
CAPABILITY_FORBIDDEN: Final = "another capability: with this one a container reaches beyond itself, to the whole node"
PROFILE_ALLOWED: Final = "RuntimeDefault or Unconfined; for Localhost, nothing gives the name of the profile"


def read_security(spec: SecurityParameters, problems: Problems) -> Security:
    """Read as whom the container runs."""
    uid, gid = _user(spec, problems)
    profile = spec.seccomp_profile_type.value
    if profile is not None and profile not in PROFILES:
        problems.add("spec.seccompProfileType.value", profile, PROFILE_ALLOWED)
    escalation = spec.allow_privilege_escalation.value if isinstance(spec, PrivilegeParameters) else None
    return Security(
        uid=uid,
        gid=gid,
        groups=_groups(spec.supplemental_groups.value, problems),
        capabilities=_capabilities(spec, problems),
        drop_all=spec.drop_all_capabilities.value,
        host_ipc=bool(spec.host_ipc.value),
        non_root=spec.run_as_non_root.value,
        seccomp=profile,
        privilege_escalation=escalation,
    )


def _user(spec: SecurityParameters, problems: Problems) -> tuple[int | None, int | None]:
    as_user, uid, gid = spec.run_as_user.value, spec.run_as_uid.value, spec.run_as_gid.value
    if as_user:
        if uid is None:
            problems.add("spec.runAsUid.value", None, UID_MISSING)
        elif not 1 <= uid <= INT32_MAX:
            problems.add("spec.runAsUid.value", uid, UID_ALLOWED)
        if gid is not None and not 0 <= gid <= INT32_MAX:
            problems.add("spec.runAsGid.value", gid, f"a whole number from 0 to {INT32_MAX}")
        return uid, gid
    for name, value in (("runAsUid", uid), ("runAsGid", gid)):
        # Whoever says false means it, whatever a template gives for the numbers.
        if value is not None and as_user is None:
            problems.add(f"spec.{name}.value", value, NEEDS_RUN_AS_USER)
    return None, None


def _groups(written: str | None, problems: Problems) -> tuple[int, ...]:
    """Commas are taken too: later versions of the field have them (cluster-api.md 0.3)."""
    if written is None:
        return ()
    numbers = [number.strip() for number in written.replace(",", ";").split(";")]
    plain = all(number.isascii() and number.isdigit() and len(number) <= 10 for number in numbers)
    if not plain or len(numbers) > MOST_GROUPS or any(int(number) > INT32_MAX for number in numbers):
        problems.add("spec.supplementalGroups.value", written, GROUPS_ALLOWED)
        return ()
    return tuple(dict.fromkeys(map(int, numbers)))


def _capabilities(spec: SecurityParameters, problems: Problems) -> tuple[str, ...]:
    found: set[str] = set()
    for label, item in sorted(given(spec.capabilities.items).items()):
        name = item.capability.removeprefix("CAP_")
        if name not in CAPABILITIES or name in OWNING_THE_NODE:
            allowed = CAPABILITY_FORBIDDEN if name in CAPABILITIES else CAPABILITY_ALLOWED
            problems.add(f"spec.capabilities.items[{label}].value.capability", item.capability, allowed)
        else:
            found.add(name)
    return tuple(sorted(found))
