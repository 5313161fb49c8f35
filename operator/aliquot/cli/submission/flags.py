"""The flags that all kinds of jobs have, by theme: cluster-api.md 7.2.

Each group is a plain value, so that what becomes of flags is a function of values. How a flag is written stands beside
its member; `cli.signature` makes command lines of them.
"""

from dataclasses import dataclass, field
from typing import Annotated, Final

import typer

NAMING: Final = "Naming"
KIND: Final = "Kind and life"
CONTAINER: Final = "Container"
RESOURCES: Final = "Resources"
STORAGE: Final = "Storage"
NETWORK: Final = "Network"
ACCESS: Final = "Access"
SCHEDULING: Final = "Scheduling"


def none() -> list[str]:
    """No values, of a flag that may be repeated."""
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class NamingFlags:
    """What the workload is called, and what it is based on."""

    name: Annotated[str | None, typer.Option("--name", help="Name of the job.", rich_help_panel=NAMING)] = None
    job_name_prefix: Annotated[
        str | None,
        typer.Option("--job-name-prefix", help="Beginning of a name; a number follows.", rich_help_panel=NAMING),
    ] = None
    template: Annotated[
        str | None,
        typer.Option("--template", help="Workload whose values hold where no flag says.", rich_help_panel=NAMING),
    ] = None
    annotation: Annotated[
        list[str], typer.Option("--annotation", "-a", help="KEY=VALUE on the pods.", rich_help_panel=NAMING)
    ] = field(default_factory=none)
    label: Annotated[
        list[str], typer.Option("--label", "-l", help="KEY=VALUE on the pods.", rich_help_panel=NAMING)
    ] = field(default_factory=none)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerFlags:
    """What runs."""

    image: Annotated[str | None, typer.Option("--image", "-i", help="Container image.", rich_help_panel=CONTAINER)] = (
        None
    )
    image_pull_policy: Annotated[
        str | None,
        typer.Option("--image-pull-policy", help="Always (default), IfNotPresent or Never.", rich_help_panel=CONTAINER),
    ] = None
    command: Annotated[
        bool,
        typer.Option("--command", help="What follows -- replaces the image's entry point.", rich_help_panel=CONTAINER),
    ] = False
    environment: Annotated[
        list[str],
        typer.Option("--environment", "-e", help="NAME=VALUE, or NAME=SECRET:NAME,KEY.", rich_help_panel=CONTAINER),
    ] = field(default_factory=none)
    working_dir: Annotated[
        str | None, typer.Option("--working-dir", help="Directory to start in.", rich_help_panel=CONTAINER)
    ] = None
    stdin: Annotated[bool, typer.Option("--stdin", help="Keep the input open.", rich_help_panel=CONTAINER)] = False
    tty: Annotated[
        bool, typer.Option("--tty", "-t", help="Give it a terminal; needs --stdin.", rich_help_panel=CONTAINER)
    ] = False
    attach: Annotated[
        bool,
        typer.Option("--attach", help="Attach once it runs; --stdin and --tty with it.", rich_help_panel=CONTAINER),
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceFlags:
    """What each pod has to compute with."""

    gpu: Annotated[str | None, typer.Option("--gpu", "-g", help="GPUs: 1, 2 or 0.5.", rich_help_panel=RESOURCES)] = None
    gpu_memory: Annotated[
        str | None, typer.Option("--gpu-memory", help="Memory on one GPU: 5G.", rich_help_panel=RESOURCES)
    ] = None
    mig_profile: Annotated[
        str | None, typer.Option("--mig-profile", help="Slice of a GPU: 1g.10gb.", rich_help_panel=RESOURCES)
    ] = None
    cpu: Annotated[
        str | None, typer.Option("--cpu", help="Cores that are guaranteed: 0.5.", rich_help_panel=RESOURCES)
    ] = None
    cpu_limit: Annotated[str | None, typer.Option("--cpu-limit", help="Cores at most.", rich_help_panel=RESOURCES)] = (
        None
    )
    memory: Annotated[
        str | None, typer.Option("--memory", help="Memory that is guaranteed: 4G.", rich_help_panel=RESOURCES)
    ] = None
    memory_limit: Annotated[
        str | None, typer.Option("--memory-limit", help="Memory at most.", rich_help_panel=RESOURCES)
    ] = None
    large_shm: Annotated[
        bool, typer.Option("--large-shm", help="A /dev/shm as large as the memory.", rich_help_panel=RESOURCES)
    ] = False
    extended_resource: Annotated[
        list[str], typer.Option("--extended-resource", help="NAME=QUANTITY.", rich_help_panel=RESOURCES)
    ] = field(default_factory=none)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageFlags:
    """What is mounted."""

    volume: Annotated[
        list[str],
        typer.Option("--volume", "-v", help="SOURCE:TARGET[:ro|rw][:NFS-HOST].", rich_help_panel=STORAGE),
    ] = field(default_factory=none)
    nfs_server: Annotated[
        str | None, typer.Option("--nfs-server", help="NFS host of volumes without one.", rich_help_panel=STORAGE)
    ] = None
    pvc_exists: Annotated[
        list[str], typer.Option("--pvc-exists", help="claimname=NAME,path=PATH[,ro].", rich_help_panel=STORAGE)
    ] = field(default_factory=none)
    pvc_new: Annotated[
        list[str],
        typer.Option(
            "--pvc-new",
            help="path=PATH,size=SIZE and, with commas, claimname=NAME, storageclass=CLASS, accessmode-rwo, "
            "accessmode-rom, accessmode-rwm, ro, ephemeral.",
            rich_help_panel=STORAGE,
        ),
    ] = field(default_factory=none)
    pvc: Annotated[
        list[str],
        typer.Option("--pvc", help="[CLASS]:SIZE:PATH[:ro], or NAME:PATH[:ro].", rich_help_panel=STORAGE, hidden=True),
    ] = field(default_factory=none)
    configmap_volume: Annotated[
        list[str], typer.Option("--configmap-volume", help="name=NAME,path=PATH.", rich_help_panel=STORAGE)
    ] = field(default_factory=none)
    git_sync: Annotated[
        list[str],
        typer.Option(
            "--git-sync",
            help="source=URL and, with commas, branch=B, rev=R, username=U, password=P, target=PATH.",
            rich_help_panel=STORAGE,
        ),
    ] = field(default_factory=none)
    s3: Annotated[
        list[str],
        typer.Option(
            "--s3", help="bucket=B,key=K,secret=S, target=PATH and url=URL, with commas.", rich_help_panel=STORAGE
        ),
    ] = field(default_factory=none)
    mount_propagation: Annotated[
        bool,
        typer.Option("--mount-propagation", help="What nodes mount later appears, too.", rich_help_panel=STORAGE),
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFlags:
    """How it is reached."""

    port: Annotated[
        list[str], typer.Option("--port", help="EXTERNAL:CONTAINER, or CONTAINER.", rich_help_panel=NETWORK)
    ] = field(default_factory=none)
    service_type: Annotated[
        str | None,
        typer.Option(
            "--service-type", "-s", help="nodeport, loadbalancer, ingress or portforward.", rich_help_panel=NETWORK
        ),
    ] = None
    address: Annotated[
        list[str],
        typer.Option("--address", help="Where forwarded ports listen; else localhost.", rich_help_panel=NETWORK),
    ] = field(default_factory=none)
    host_ipc: Annotated[bool, typer.Option("--host-ipc", help="IPC of the node.", rich_help_panel=NETWORK)] = False
    host_network: Annotated[
        bool, typer.Option("--host-network", help="Network of the node.", rich_help_panel=NETWORK)
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessFlags:
    """As whom it runs."""

    run_as_user: Annotated[
        bool, typer.Option("--run-as-user", help="Run with your uid, gid and groups.", rich_help_panel=ACCESS)
    ] = False
    create_home_dir: Annotated[
        bool | None,
        typer.Option(
            "--create-home-dir/--no-create-home-dir",
            help="A home directory that is lost at the end.",
            rich_help_panel=ACCESS,
        ),
    ] = None
    allow_privilege_escalation: Annotated[
        bool | None,
        typer.Option(
            "--allow-privilege-escalation/--no-allow-privilege-escalation",
            help="Processes may gain privileges.",
            rich_help_panel=ACCESS,
        ),
    ] = None
    add_capability: Annotated[
        list[str], typer.Option("--add-capability", help="A Linux capability: NET_RAW.", rich_help_panel=ACCESS)
    ] = field(default_factory=none)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulingFlags:
    """Where it runs."""

    node_pools: Annotated[
        list[str], typer.Option("--node-pools", help="Most wanted first.", rich_help_panel=SCHEDULING)
    ] = field(default_factory=none)
    node_type: Annotated[
        str | None, typer.Option("--node-type", help="Group of nodes (run.ai/type).", rich_help_panel=SCHEDULING)
    ] = None
    toleration: Annotated[
        list[str],
        typer.Option(
            "--toleration",
            help="key=KEY and, with commas, operator=Equal or Exists, value=V, effect=E, seconds=S.",
            rich_help_panel=SCHEDULING,
        ),
    ] = field(default_factory=none)
    required_pod_topology_key: Annotated[
        str | None,
        typer.Option(
            "--required-pod-topology-key", help="All pods on nodes equal in this label.", rich_help_panel=SCHEDULING
        ),
    ] = None
    preferred_pod_topology_key: Annotated[
        str | None,
        typer.Option("--preferred-pod-topology-key", help="The same, if possible.", rich_help_panel=SCHEDULING),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeFlags:
    """How often it is tried, and when it goes."""

    backoff_limit: Annotated[
        int | None, typer.Option("--backoff-limit", min=0, help="Failures that are borne.", rich_help_panel=KIND)
    ] = None
    ttl_after_finish: Annotated[
        str | None,
        typer.Option("--ttl-after-finish", help="Delete it so long after its end: 2h.", rich_help_panel=KIND),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PodFlags:
    """Everything that all kinds have."""

    naming: NamingFlags = NamingFlags()
    container: ContainerFlags = ContainerFlags()
    resources: ResourceFlags = ResourceFlags()
    storage: StorageFlags = StorageFlags()
    network: NetworkFlags = NetworkFlags()
    access: AccessFlags = AccessFlags()
    scheduling: SchedulingFlags = SchedulingFlags()
    life: LifeFlags = LifeFlags()
