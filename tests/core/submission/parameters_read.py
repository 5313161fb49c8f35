"""What is read from each parameter of pods: cases of values that are carried out, and of values that are refused."""

from decimal import Decimal

from aliquot import names
from aliquot.core.submission import Variable
from aliquot.core.submission.pod_values import Gpus, Port, Together, Toleration, Url
from aliquot.core.submission.volume_values import Bucket, Claim, ConfigFiles, Directory, NewClaim, Repository

GIB = 2**30
CODE = {"repository": "https://git.example.com/code.git"}
READ: list[tuple[dict[str, object], str, object]] = [
    # what is given, the member of ValidPod, what it says
    ({"gpu": "0.5"}, "compute.gpus", Gpus(devices=1, fraction=Decimal("0.5"))),
    ({"gpu": ".250"}, "compute.gpus", Gpus(devices=1, fraction=Decimal("0.25"))),
    ({"gpu": "0.5", "gpuDevices": 128}, "compute.gpus", Gpus(devices=128, fraction=Decimal("0.5"))),
    ({"gpuDevices": 0}, "compute.gpus", Gpus()),
    ({"gpuDevices": 3}, "compute.gpus", Gpus(devices=3)),
    ({"gpu": "2", "gpuDevices": 2}, "compute.gpus", Gpus(devices=2)),
    ({"gpuMemory": "5G"}, "compute.gpus", Gpus(devices=1, memory_mib=5000)),
    ({"gpuMemory": "5Gi"}, "compute.gpus", Gpus(devices=1, memory_mib=5120)),
    ({"gpuMemory": "100000001"}, "compute.gpus", Gpus(devices=1, memory_mib=101)),
    ({"gpuMemory": "5e9", "gpuDevices": 2}, "compute.gpus", Gpus(devices=2, memory_mib=5000)),
    (
        {"gpu": "0.5", "gpuLimit": "0.80"},
        "compute.gpus",
        Gpus(devices=1, fraction=Decimal("0.5"), fraction_limit=Decimal("0.8")),
    ),
    ({"gpu": "0.5", "gpuLimit": "0.5"}, "compute.gpus.fraction_limit", Decimal("0.5")),
    (
        {"gpuMemory": "5G", "gpuMemoryLimit": "8Gi"},
        "compute.gpus",
        Gpus(devices=1, memory_mib=5000, memory_limit_mib=8192),
    ),
    ({"migProfile": "1g.10gb"}, "compute.gpus", Gpus(devices=1, mig_profile="1g.10gb")),
    ({"migProfile": "1g.5gb+me", "gpuDevices": 2}, "compute.gpus", Gpus(devices=2, mig_profile="1g.5gb+me")),
    ({"gpu": "0.5"}, "compute.cpu_milli", 500),
    ({"gpu": "0.25", "gpuDevices": 4}, "compute.cpu_milli", 1000),
    ({"gpu": "0.3331"}, "compute.cpu_milli", 334),
    ({"gpuMemory": "5G", "gpuDevices": 2}, "compute.cpu_milli", 2000),
    ({"migProfile": "1g.10gb"}, "compute.cpu_milli", 140),
    ({"migProfile": "1g.10gb+me"}, "compute.cpu_milli", 140),
    ({"extendedResources": {"a": {"name": "rdma/hca", "quantity": "2"}}}, "compute.extended", {"rdma/hca": 2}),
    ({"largeShm": True}, "compute.large_shm", True),
    ({"stdin": True}, "process.stdin", True),
    ({"tty": True}, "process.tty", True),
    ({"createHomeDir": True}, "process.home", True),
    ({"runAsUser": True, "runAsUid": 1}, "process.home", True),
    ({"runAsUser": True, "runAsUid": 1, "createHomeDir": False}, "process.home", False),
    ({"runAsUser": True, "runAsUid": 1000, "runAsGid": 0}, "security.uid", 1000),
    ({"runAsUser": True, "runAsUid": 1000, "runAsGid": 0}, "security.gid", 0),
    ({"runAsUser": False, "runAsUid": 1000}, "security.uid", None),
    ({"supplementalGroups": "100;2000;100"}, "security.groups", (100, 2000)),
    ({"supplementalGroups": "100, 2000"}, "security.groups", (100, 2000)),
    ({"capabilities": {"a": {"capability": "CAP_SYS_NICE"}}}, "security.capabilities", ("SYS_NICE",)),
    ({"dropAllCapabilities": True}, "security.drop_all", True),
    ({"hostIpc": True}, "security.host_ipc", True),
    ({"runAsNonRoot": False}, "security.non_root", False),
    ({"seccompProfileType": "Unconfined"}, "security.seccomp", "Unconfined"),
    ({"allowPrivilegeEscalation": True}, "security.privilege_escalation", True),
    ({"userId": "sub-1"}, "identity.user_id", "sub-1"),
    ({"podAffinity": True}, "placement.together", Together("kubernetes.io/hostname", required=False)),
    (
        {"podAffinity": True, "podAffinitySchedulingRule": "hard", "podAffinityTopology": "rack"},
        "placement.together",
        Together("rack", required=True),
    ),
    ({"podAffinity": False, "podAffinityTopology": "rack"}, "placement.together", None),
    (
        {"tolerations": {"a": {"tolerationKey": "k", "tolerationValue": "v", "effect": "NoExecute", "seconds": 5}}},
        "placement.tolerations",
        (Toleration("k", "v", "NoExecute", 5),),
    ),
    (
        {"tolerations": {"a": {"tolerationKey": "k", "operator": "Exists"}, "b": {"tolerationKey": "k"}}},
        "placement.tolerations",
        (Toleration("k"), Toleration("k", "")),
    ),
    (
        {"volumes": {"a": {"sourcePath": "/mnt//x/", "targetPath": "/data/"}}},
        "storage.directories",
        (Directory(source="/mnt/x", path="/data"),),
    ),
    (
        {"nfs": {"a": {"nfsServer": "nfs", "sourcePath": "/", "targetPath": "/data", "readOnly": True}}},
        "storage.directories",
        (Directory(source="/", path="/data", server="nfs", read_only=True),),
    ),
    (
        {"pvcs": {"a": {"claimName": "c", "existingPvc": True, "path": "/c", "size": "1Gi"}}},
        "storage.claims",
        (Claim(name="c", path="/c"),),
    ),
    (
        {"pvcs": {"a": {"path": "/c", "size": "1Gi", "readOnlyMany": True, "readWriteMany": True, "ephemeral": True}}},
        "storage.claims",
        (
            Claim(
                name=None,
                path="/c",
                new=NewClaim(size_bytes=GIB, access_modes=("ReadOnlyMany", "ReadWriteMany"), ephemeral=True),
            ),
        ),
    ),
    (
        {"pvcs": {"a": {"path": "/c", "size": "1Gi", "volumeMode": "Block", "storageClass": "fast"}}},
        "storage.claims",
        (Claim(name=None, path="/c", block=True, new=NewClaim(size_bytes=GIB, storage_class="fast")),),
    ),
    ({"configMapVolumes": {"a": {"name": "c", "mountPath": "/c"}}}, "storage.config_maps", (ConfigFiles("c", "/c"),)),
    ({"mountPropagation": True}, "storage.propagation", True),
    (
        {"gitSync": {"a": CODE}},
        "sources.repositories",
        (Repository(address=CODE["repository"], reference="master", path="/code", image=names.GIT_SYNC_IMAGE),),
    ),
    (
        {"gitSync": {"a": {**CODE, "branch": "main", "rev": "v1", "directory": "/x", "secretName": "s", "image": "i"}}},
        "sources.repositories",
        (Repository(address=CODE["repository"], reference="v1", path="/x", image="i", secret="s"),),
    ),
    (
        {"s3": {"a": {"bucket": "sets", "path": "/s3", "url": "http://s3:9000", "key": "k", "secret": "s"}}},
        "sources.buckets",
        (
            Bucket(
                bucket="sets",
                path="/s3",
                image=names.RCLONE_IMAGE,
                endpoint="http://s3:9000",
                access_key="k",
                secret_key="s",
            ),
        ),
    ),
    ({"hostNetwork": True}, "network.host_network", True),
    ({"ports": {"a": {"container": 80}}}, "network.ports", (Port(container=80),)),
    (
        {"serviceType": "nodeport", "ports": {"a": {"container": 80, "external": 30080}}},
        "network.ports",
        (Port(container=80, external=30080, service_type="NodePort"),),
    ),
    (
        {"ports": {"a": {"container": 80, "external": 8080}}},
        "network.ports",
        (Port(container=80, external=8080, service_type="ClusterIP"),),
    ),
    ({"serviceType": "ClusterIP"}, "network.ports", ()),
    ({"serviceType": "ingress", "ports": {"a": {"container": 80}}}, "network.urls", (Url(80),)),
    ({"exposedUrls": {"a": {"containerPort": 80}}}, "network.urls", (Url(80),)),
    (
        {"exposedUrls": {"a": {"containerPort": 80, "url": "https://gpu.example.com/team-a/x/"}}},
        "network.urls",
        (Url(80, "/team-a/x"),),
    ),
    ({"environment": {"HOME": "/x"}}, "process.environment", (Variable("HOME", "/x"),)),
    ({"nodeType": "dgx-2"}, "placement.node_type", "dgx-2"),
]


def item(parameter: str, **value: object) -> dict[str, object]:
    """Give one item of a parameter."""
    return {parameter: {"a": value}}


def at(parameter: str, member: str) -> str:
    return f"spec.{parameter}.items[a].value.{member}"


REFUSED: list[tuple[dict[str, object], str, str]] = [
    # what is given, the field that is named, a part of what is said about it
    ({"gpu": "1", "gpuMemory": "1G"}, "spec.gpuMemory.value", "left out, because spec.gpu"),
    ({"gpuMemory": "1G", "migProfile": "1g.5gb"}, "spec.migProfile.value", "left out, because spec.gpuMemory"),
    ({"gpuMemory": "99M"}, "spec.gpuMemory.value", "'99M' is not allowed: an amount of GPU memory from 100M to 16Ti"),
    ({"gpuMemory": "1e99"}, "spec.gpuMemory.value", "from 100M to 16Ti"),
    ({"gpuMemory": "-5G"}, "spec.gpuMemory.value", "from 100M to 16Ti"),
    ({"gpuMemory": "lots"}, "spec.gpuMemory.value", "from 100M to 16Ti"),
    (
        {"gpuLimit": "0.8"},
        "spec.gpuLimit.value",
        "left out: it is the limit of a fraction, spec.gpu, which is not given",
    ),
    ({"gpu": "1", "gpuLimit": "1"}, "spec.gpuLimit.value", "left out: spec.gpu is 1, and only a fraction has a limit"),
    ({"gpu": "0.5", "gpuLimit": "0.4"}, "spec.gpuLimit.value", "from 0.5, which spec.gpu asks for, to 1"),
    ({"gpu": "0.5", "gpuLimit": "1.1"}, "spec.gpuLimit.value", "from 0.5, which spec.gpu asks for, to 1"),
    ({"gpu": "0.5", "gpuLimit": "much"}, "spec.gpuLimit.value", "from 0.5, which spec.gpu asks for, to 1"),
    ({"gpuMemoryLimit": "8G"}, "spec.gpuMemoryLimit.value", "left out: it is the limit of spec.gpuMemory, which"),
    ({"gpuMemory": "5G", "gpuMemoryLimit": "4G"}, "spec.gpuMemoryLimit.value", "at least spec.gpuMemory, which is 5G"),
    ({"gpuMemory": "5G", "gpuMemoryLimit": "no"}, "spec.gpuMemoryLimit.value", "from 100M to 16Ti"),
    ({"migProfile": "8g.80gb"}, "spec.migProfile.value", "a MIG profile, such as 1g.10gb"),
    ({"migProfile": "1g.10gb/x"}, "spec.migProfile.value", "a MIG profile"),
    ({"gpu": "2", "gpuDevices": 3}, "spec.gpuDevices.value", "left out, or 2"),
    ({"gpu": "0.5", "gpuDevices": 129}, "spec.gpuDevices.value", "from 1 to 128"),
    ({"gpuMemory": "1G", "gpuDevices": 0}, "spec.gpuDevices.value", "from 1 to 128"),
    ({"gpuDevices": 10_001}, "spec.gpuDevices.value", "from 0 to 10000"),
    (item("extendedResources", name="nvidia.com/gpu", quantity="1"), at("extendedResources", "name"), "spec.gpu"),
    (
        item("extendedResources", name="nvidia.com/mig-1g.5gb", quantity="1"),
        at("extendedResources", "name"),
        "spec.migProfile",
    ),
    (item("extendedResources", name="cpu", quantity="1"), at("extendedResources", "name"), "with its domain"),
    (
        item("extendedResources", name="requests.kubernetes.io/x", quantity="1"),
        at("extendedResources", "name"),
        "with its domain",
    ),
    (item("extendedResources", name="a.b/c", quantity="1.5"), at("extendedResources", "quantity"), "a whole number"),
    (item("extendedResources", name="a.b/c", quantity="0"), at("extendedResources", "quantity"), "a whole number"),
    ({"runAsUser": True}, "spec.runAsUid.value", "the number of the user"),
    ({"runAsUser": True, "runAsUid": 0}, "spec.runAsUid.value", "from 1"),
    ({"runAsUid": 1000}, "spec.runAsUid.value", "left out, because spec.runAsUser is not true"),
    ({"runAsGid": 1000}, "spec.runAsGid.value", "left out, because spec.runAsUser is not true"),
    ({"supplementalGroups": "staff"}, "spec.supplementalGroups.value", "numbers of at most 64 groups"),
    ({"supplementalGroups": "9999999999"}, "spec.supplementalGroups.value", "numbers of at most 64 groups"),
    (item("capabilities", capability="SYS_ADMIN"), at("capabilities", "capability"), "to the whole node"),
    (item("capabilities", capability="CAP_MKNOD"), at("capabilities", "capability"), "to the whole node"),
    (item("capabilities", capability="ALL"), at("capabilities", "capability"), "the name of a Linux capability"),
    (item("capabilities", capability="net_raw"), at("capabilities", "capability"), "the name of a Linux capability"),
    ({"seccompProfileType": "Localhost"}, "spec.seccompProfileType.value", "RuntimeDefault or Unconfined"),
    ({"podAffinitySchedulingRule": "hard"}, "spec.podAffinitySchedulingRule.value", "spec.podAffinity is not true"),
    (
        {"podAffinity": True, "podAffinitySchedulingRule": "maybe"},
        "spec.podAffinitySchedulingRule.value",
        "hard (they must be together)",
    ),
    ({"podAffinity": True, "podAffinityTopology": "a b"}, "spec.podAffinityTopology.value", "a node's label"),
    ({"nodeType": "v100"}, "spec.nodeType.value", "one of the node types of the project team-a: dgx-1, dgx-2"),
    (item("tolerations", tolerationKey="", operator="Exists"), at("tolerations", "tolerationKey"), "a name of letters"),
    (
        item("tolerations", tolerationKey="node.kubernetes.io/unreachable", operator="Exists"),
        at("tolerations", "tolerationKey"),
        "borne for a number of seconds",
    ),
    (item("tolerations", tolerationKey="k", seconds=5), at("tolerations", "seconds"), "only a NoExecute taint"),
    (
        item("tolerations", tolerationKey="k", operator="Exists", tolerationValue="v"),
        at("tolerations", "tolerationValue"),
        "any value will do",
    ),
    *(
        (
            item("volumes", sourcePath=path, targetPath="/data"),
            at("volumes", "sourcePath"),
            "belongs to the node itself",
        )
        for path in (
            "/",
            "/var",
            "/var/lib",
            "/var/lib/kubelet",
            "/var/lib/kubelet/device-plugins/kubelet.sock",
            "/var//lib/kubelet/pod-resources",
            "/run/containerd/containerd.sock",
            "/var/run/docker.sock",
            "/dev",
            "/dev/nvidia0",
            "/proc/1/root",
            "/sys",
            "/etc",
            "/etc/kubernetes/pki",
        )
    ),
    (
        item("volumes", sourcePath="/mnt/../dev", targetPath="/data"),
        at("volumes", "sourcePath"),
        "without '.' and '..'",
    ),
    (item("volumes", sourcePath="mnt", targetPath="/data"), at("volumes", "sourcePath"), "an absolute path"),
    (item("volumes", targetPath="/data"), at("volumes", "sourcePath"), "an absolute path"),
    (item("volumes", sourcePath="/mnt", targetPath="/"), at("volumes", "targetPath"), "a directory below /"),
    (item("volumes", sourcePath="/mnt", targetPath="/dev/nvidia0"), at("volumes", "targetPath"), "container runtime"),
    (
        item("volumes", sourcePath="/mnt", targetPath="/a:b"),
        at("volumes", "targetPath"),
        "an absolute path without ':'",
    ),
    (item("volumes", sourcePath="/mnt", targetPath="/a/../b"), at("volumes", "targetPath"), "an absolute path"),
    (
        {
            **item("volumes", sourcePath="/mnt", targetPath="/a"),
            **item("nfs", nfsServer="n", sourcePath="/x", targetPath="/a/"),
        },
        at("nfs", "targetPath"),
        "another path: spec.volumes.items[a].value.targetPath has this one",
    ),
    (
        {"largeShm": True, **item("configMapVolumes", name="c", mountPath="/dev/shm")},
        at("configMapVolumes", "mountPath"),
        "another path: spec.largeShm has this one",
    ),
    (
        item("configMapVolumes", name="c", mountPath="/var/run/nvidia-container-devices/all"),
        at("configMapVolumes", "mountPath"),
        "devices are given to a pod by the scheduler",
    ),
    (
        {"configMapVolumes": {f"{n:03}": {"name": "c", "mountPath": f"/{n}"} for n in range(101)}},
        "spec.configMapVolumes.items[100].value.mountPath",
        "at most 100 directories",
    ),
    (item("nfs", nfsServer="a b", sourcePath="/x", targetPath="/a"), at("nfs", "nfsServer"), "an NFS server"),
    (item("nfs", nfsServer="n", targetPath="/a"), at("nfs", "sourcePath"), "a directory that the server exports"),
    (item("pvcs", path="/c"), at("pvcs", "size"), "how much storage the new claim asks for"),
    (item("pvcs", path="/c", size="0"), at("pvcs", "size"), "how much storage"),
    (item("pvcs", path="/c", size="1e99"), at("pvcs", "size"), "how much storage"),
    (item("pvcs", path="/c", existingPvc=True), at("pvcs", "claimName"), "that exists"),
    (item("pvcs", path="/c", claimName="C", size="1Gi"), at("pvcs", "claimName"), "PersistentVolumeClaim"),
    (item("pvcs", path="/c", size="1Gi", volumeMode="Tape"), at("pvcs", "volumeMode"), "Filesystem or Block"),
    (item("pvcs", path="/c", size="1Gi", storageClass="a b"), at("pvcs", "storageClass"), "a StorageClass"),
    (item("configMapVolumes", name="A", mountPath="/c"), at("configMapVolumes", "name"), "a ConfigMap"),
    (item("gitSync", repository="ext::sh -c id"), at("gitSync", "repository"), "https:// or http://"),
    (item("gitSync", repository="https://user:pass@git/x"), at("gitSync", "repository"), "without user name"),
    (item("gitSync", **CODE, branch="--upload-pack=x"), at("gitSync", "branch"), "a branch, a tag or a commit"),
    (item("gitSync", **CODE, secretName="s", password="p"), at("gitSync", "password"), "'…' is not allowed: left out"),
    (item("gitSync", **CODE, image="a b"), at("gitSync", "image"), "a container image"),
    (item("s3", bucket="B", path="/s3"), at("s3", "bucket"), "the name of an S3 bucket"),
    (item("s3", bucket="sets", path="/s3", key="k"), at("s3", "secret"), "S3 wants both keys"),
    (item("s3", bucket="sets", path="/s3", url="s3.example.com"), at("s3", "url"), "the address of an S3 service"),
    ({"serviceType": "Other"}, "spec.serviceType.value", "ClusterIP, NodePort or LoadBalancer"),
    (item("ports", container=0), at("ports", "container"), "a port: a whole number from 1 to 65535"),
    (item("ports", container=80, external=70_000), at("ports", "external"), "a port"),
    (item("ports", container=80, protocol="ICMP"), at("ports", "protocol"), "TCP, UDP or SCTP"),
    (
        {"ports": {"a": {"container": 80}, "b": {"container": 80}}},
        "spec.ports.items[b].value.container",
        "no other item exposes in the same way",
    ),
    (item("exposedUrls", containerPort=0), at("exposedUrls", "containerPort"), "a port"),
    (
        item("exposedUrls", containerPort=80, url="https://gpu.example.com/team-b/x"),
        at("exposedUrls", "url"),
        "begins with https://gpu.example.com/team-a/",
    ),
    (
        item("exposedUrls", containerPort=80, url="https://gpu.example.com/team-a/../team-b"),
        at("exposedUrls", "url"),
        "begins with https://gpu.example.com/team-a/",
    ),
    (
        item("exposedUrls", containerPort=80, url="https://other.example.com/team-a/x"),
        at("exposedUrls", "url"),
        "begins with https://gpu.example.com/team-a/",
    ),
    (
        item("exposedUrls", containerPort=80, authorizedUsers="ada"),
        at("exposedUrls", "authorizedUsers"),
        "an administrator sets settings.addresses.authUrl",
    ),
    ({"userId": "\0"}, "spec.userId.value", "at most 253 characters"),
    ({"ttlAfterFinish": "soon"}, "spec.ttlAfterFinish.value", "a length of time, such as 5s, 2m or 3h"),
    (
        {"ttlAfterFinish": "5s", "autoDeletionTimeAfterCompletionSeconds": 5},
        "spec.ttlAfterFinish.value",
        "left out, because spec.autoDeletionTimeAfterCompletionSeconds",
    ),
]
