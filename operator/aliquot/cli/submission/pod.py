"""What every kind has: flags to parameters of a spec, by outside name (cluster-api.md 1.4, 7.2)."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aliquot.cli.submission.flags import (
    AccessFlags,
    ContainerFlags,
    NamingFlags,
    NetworkFlags,
    PodFlags,
    ResourceFlags,
    SchedulingFlags,
)
from aliquot.cli.submission.items import Members, Value, keyed, labelled, several
from aliquot.cli.submission.storage import storage
from aliquot.core.submission.problems import Problems

TOLERATION: Final = Members(
    {
        "operator": "operator",
        "key": "tolerationKey",
        "value": "tolerationValue",
        "effect": "effect",
        "seconds": "seconds",
    },
    ("key",),
    "operator=Equal|Exists,key=KEY[,value=VALUE][,effect=NoSchedule|NoExecute|PreferNoSchedule][,seconds=SECONDS]",
)
_CHOICES: Final = {
    "operator": ("Equal", "Exists"),
    "effect": ("NoSchedule", "NoExecute", "PreferNoSchedule"),
}
PORT_FORWARD: Final = "portforward"
"""The type of which ports are forwarded to this machine, too, until Ctrl-C."""
SERVICE_TYPES: Final = {
    PORT_FORWARD: "ClusterIP",
    "clusterip": "ClusterIP",
    "nodeport": "NodePort",
    "loadbalancer": "LoadBalancer",
    "ingress": "external-url",
    "external-url": "external-url",
}
"""Types of `--service-type` → what the parameter says."""
PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
PORT_FORM: Final = "CONTAINER, or EXTERNAL:CONTAINER: ports from 1 to 65535, such as 8080:80"


@dataclass(frozen=True, slots=True)
class User:
    """Who submits.

    Attributes:
        name: for display; None: not known here.
        uid: number of the user on this machine.
        gid: number of their first group.
        groups: numbers of the others.
    """

    name: str | None
    uid: int
    gid: int
    groups: Sequence[int] = ()


def pod(flags: PodFlags, words: Sequence[str], user: User, problems: Problems) -> dict[str, object]:
    """Return the parameters that all kinds have.

    Args:
        flags: what was typed.
        words: what stood behind `--`.
        user: who typed it.
        problems: takes what makes no sense, by flag.
    """
    return {
        **_naming(flags.naming, user, problems),
        **_container(
            flags.container,
            words,
            problems,
            based=flags.naming.template is not None,
            forwarded=forwards(flags.network),
        ),
        **_resources(flags.resources, problems),
        **storage(flags.storage, problems),
        **_network(flags.network, problems),
        **_access(flags.access, user),
        **_scheduling(flags.scheduling, problems),
    }


def wrapped(**values: object) -> dict[str, object]:
    """Wrap the values that there are: what is None, False or empty was not given."""
    return {name: {"value": value} for name, value in values.items() if value not in (None, "", False)}


def some(**items: dict[str, object]) -> dict[str, object]:
    """Wrap the items that there are."""
    return {name: {"items": each} for name, each in items.items() if each}


def _naming(flags: NamingFlags, user: User, problems: Problems) -> dict[str, object]:
    if flags.name and flags.job_name_prefix:
        problems.add("--job-name-prefix", flags.job_name_prefix, "left out, because --name says what the job is called")
    based: dict[str, object] = {"baseWorkload": flags.template} if flags.template else {}
    return {
        **based,
        **wrapped(name=flags.name, namePrefix=flags.job_name_prefix, username=user.name),
        **some(
            annotations=keyed("--annotation", flags.annotation, problems),
            labels=keyed("--label", flags.label, problems),
        ),
    }


def _container(
    flags: ContainerFlags, words: Sequence[str], problems: Problems, *, based: bool, forwarded: bool
) -> dict[str, object]:
    if flags.attach and forwarded:
        problems.add("--attach", True, f"left out, because --service-type {PORT_FORWARD} stays with the job, too")
    if flags.tty and not (flags.stdin or flags.attach):
        problems.add("--tty", True, "left out, or given together with --stdin")
    if flags.command and not words:
        problems.add("--command", True, "followed by -- and the command, such as --command -- python train.py")
    policy = flags.image_pull_policy
    if policy is not None and policy not in PULL_POLICIES:
        problems.add("--image-pull-policy", policy, "Always, IfNotPresent or Never")
    line = shlex.join(words)
    return {
        **wrapped(
            image=flags.image,
            imagePullPolicy=policy or (None if based else "Always"),
            command=line if flags.command else None,
            arguments=None if flags.command else line,
            workingDir=flags.working_dir,
            stdin=flags.stdin or flags.attach,
            tty=flags.tty or flags.attach,
        ),
        **some(environment=keyed("--environment", flags.environment, problems)),
    }


def _resources(flags: ResourceFlags, problems: Problems) -> dict[str, object]:
    ways = {"--gpu": flags.gpu, "--gpu-memory": flags.gpu_memory, "--mig-profile": flags.mig_profile}
    first, *others = [flag for flag, value in ways.items() if value is not None] or [""]
    for flag in others:
        problems.add(flag, ways[flag], f"left out, because {first} says which GPUs are wanted")
    return {
        **wrapped(
            gpu=flags.gpu,
            gpuMemory=flags.gpu_memory,
            migProfile=flags.mig_profile,
            cpu=flags.cpu,
            cpuLimit=flags.cpu_limit,
            memory=flags.memory,
            memoryLimit=flags.memory_limit,
            largeShm=flags.large_shm,
        ),
        **some(extendedResources=extended_resources("--extended-resource", flags.extended_resource, problems)),
    }


def extended_resources(flag: str, texts: Sequence[str], problems: Problems) -> dict[str, object]:
    """Read `NAME=QUANTITY` into items."""
    values: list[Value] = []
    for text in several(texts):
        name, _, quantity = text.partition("=")
        if name and quantity:
            values.append({"name": name, "quantity": quantity})
        else:
            problems.add(flag, text, "NAME=QUANTITY, such as rdma/hca=1")
    return labelled("extended-resource", values)


def forwards(flags: NetworkFlags) -> bool:
    """Whether ports are to be forwarded to this machine."""
    return (flags.service_type or "").lower() == PORT_FORWARD


def _network(flags: NetworkFlags, problems: Problems) -> dict[str, object]:
    service = None
    if flags.service_type is not None:
        service = SERVICE_TYPES.get(flags.service_type.lower())
        if service is None:
            problems.add("--service-type", flags.service_type, f"one of {', '.join(SERVICE_TYPES)}")
        elif not flags.port:
            problems.add("--service-type", flags.service_type, "given together with --port: it is about ports")
    ports = [_port(text, problems) for text in several(flags.port)]
    return {
        **wrapped(serviceType=service, hostIpc=flags.host_ipc, hostNetwork=flags.host_network),
        **some(ports=labelled("port", ports)),
    }


def _port(text: str, problems: Problems) -> Value | None:
    numbers = text.split(":")
    if len(numbers) > 2 or not all(number.isascii() and number.isdigit() and len(number) < 6 for number in numbers):
        problems.add("--port", text, PORT_FORM)
        return None
    found: Value = {"container": int(numbers[-1])}
    if len(numbers) == 2:
        found["external"] = int(numbers[0])
    return found


def _access(flags: AccessFlags, user: User) -> dict[str, object]:
    found = some(capabilities=labelled("capability", ({"capability": name} for name in several(flags.add_capability))))
    if flags.run_as_user:
        groups = ";".join(str(group) for group in user.groups if group != user.gid)
        found |= {"runAsUser": {"value": True}, "runAsUid": {"value": user.uid}, "runAsGid": {"value": user.gid}}
        found |= wrapped(supplementalGroups=groups)
    switches = {
        "createHomeDir": flags.create_home_dir,
        "allowPrivilegeEscalation": flags.allow_privilege_escalation,
    }
    return found | {name: {"value": value} for name, value in switches.items() if value is not None}


def _scheduling(flags: SchedulingFlags, problems: Problems) -> dict[str, object]:
    hard, soft = flags.required_pod_topology_key, flags.preferred_pod_topology_key
    if hard and soft:
        problems.add("--preferred-pod-topology-key", soft, "left out, because --required-pod-topology-key is given")
    found = wrapped(nodePools=" ".join(several(flags.node_pools)), nodeType=flags.node_type)
    if key := hard or soft:
        found |= wrapped(
            podAffinity=True, podAffinitySchedulingRule="hard" if hard else "soft", podAffinityTopology=key
        )
    return found | some(tolerations=labelled("toleration", (_toleration(text, problems) for text in flags.toleration)))


def _toleration(text: str, problems: Problems) -> Value | None:
    found = TOLERATION.read("--toleration", text, problems)
    if found is None:
        return None
    wrong = [name for name, allowed in _CHOICES.items() if found.get(name, allowed[0]) not in allowed]
    seconds = str(found.get("seconds", "0"))
    if wrong or not (seconds.isascii() and seconds.isdigit() and len(seconds) < 11):
        problems.add("--toleration", text, TOLERATION.form)
        return None
    return {**found, "seconds": int(seconds)} if "seconds" in found else found
