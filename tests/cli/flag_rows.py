"""What each flag of `submit` becomes: what is typed, and what of a spec comes of it (cluster-api.md 1.4, 7.2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SUBMIT = ("submit", "job-1", "-i", "ubuntu:24.04")
INTERACTIVE = (*SUBMIT, "--interactive")
INFERENCE = (*SUBMIT, "--inference", "--port", "8000")
TORCH = ("submit-dist", "pytorch", "--name", "job-1", "-i", "ubuntu:24.04")
MASTER = (
    *("--master-args", "lead now", "--master-gpu", "1", "--master-environment", "A=-", "--master-environment", "B=c"),
    *("--master-no-pvcs", "--master-extended-resource", "rdma/hca=2"),
)
MPI = ("submit-dist", "mpi", "--name", "job-1", "-i", "ubuntu:24.04")


@dataclass(frozen=True)
class Row:
    """A command line and what must come of it.

    Attributes:
        typed: after the name of the program.
        becomes: members of the spec.
        kind: of the workload.
        master: members of the master's spec.
        beside: further members that are there.
    """

    typed: tuple[str, ...]
    becomes: Mapping[str, Any]
    kind: str = "TrainingWorkload"
    master: Mapping[str, Any] = field(default_factory=dict[str, Any])
    beside: tuple[str, ...] = ()


def value(given: object) -> dict[str, object]:
    return {"value": given}


def items(beginning: str, *values: Mapping[str, object]) -> dict[str, object]:
    return {"items": {f"{beginning}--{number}": {"value": dict(each)} for number, each in enumerate(values)}}


def keyed(**values: str) -> dict[str, object]:
    return {"items": {key: {"value": text} for key, text in values.items()}}


ROWS = {
    "--name": Row(("submit", "--name", "n-1", "-i", "x"), {"name": value("n-1")}),
    "NAME": Row(("submit", "n-1", "-i", "x"), {"name": value("n-1")}),
    "--job-name-prefix": Row(("submit", "--job-name-prefix", "pre", "-i", "x"), {"namePrefix": value("pre")}),
    "--template": Row(("submit", "n-1", "--template", "base"), {"baseWorkload": "base", "name": value("n-1")}),
    "--annotation": Row((*SUBMIT, "-a", "k=v,w", "--annotation", "l="), {"annotations": keyed(k="v,w", l="")}),
    "--label": Row((*SUBMIT, "-l", "a=b", "--label", "c=d"), {"labels": keyed(a="b", c="d")}),
    "--image": Row(("submit", "n-1", "--image", "r.example.com/x:1"), {"image": value("r.example.com/x:1")}),
    "--image-pull-policy": Row(
        (*SUBMIT, "--image-pull-policy", "IfNotPresent"), {"imagePullPolicy": value("IfNotPresent")}
    ),
    "always, unless said": Row(SUBMIT, {"imagePullPolicy": value("Always")}),
    "--command": Row((*SUBMIT, "--command", "--", "run.sh", "1", "a b"), {"command": value("run.sh 1 'a b'")}),
    "-- alone": Row((*SUBMIT, "--", "script.py", "--gpu", "9"), {"arguments": value("script.py --gpu 9")}),
    "--environment": Row(
        (*SUBMIT, "-e", "A=b=c", "--environment", "PASSWORD=SECRET:my-secret,password"),
        {"environment": keyed(A="b=c", PASSWORD="SECRET:my-secret,password")},
    ),
    "--working-dir": Row((*SUBMIT, "--working-dir", "/work"), {"workingDir": value("/work")}),
    "--stdin": Row((*SUBMIT, "--stdin"), {"stdin": value(given=True)}),
    "--tty": Row((*SUBMIT, "--stdin", "-t"), {"stdin": value(given=True), "tty": value(given=True)}),
    "--attach": Row(
        (*INTERACTIVE, "--attach"), {"stdin": value(given=True), "tty": value(given=True)}, "InteractiveWorkload"
    ),
    "--gpu": Row((*SUBMIT, "-g", "2"), {"gpu": value("2")}),
    "--gpu, a part": Row((*SUBMIT, "--gpu", "0.5"), {"gpu": value("0.5")}),
    "--gpu-memory": Row((*SUBMIT, "--gpu-memory", "5G"), {"gpuMemory": value("5G")}),
    "--mig-profile": Row((*SUBMIT, "--mig-profile", "2g.10gb"), {"migProfile": value("2g.10gb")}),
    "--cpu": Row((*SUBMIT, "--cpu", "0.5"), {"cpu": value("0.5")}),
    "--cpu-limit": Row((*SUBMIT, "--cpu-limit", "10"), {"cpuLimit": value("10")}),
    "--memory": Row((*SUBMIT, "--memory", "1G"), {"memory": value("1G")}),
    "--memory-limit": Row((*SUBMIT, "--memory-limit", "20Gi"), {"memoryLimit": value("20Gi")}),
    "--large-shm": Row((*SUBMIT, "--large-shm"), {"largeShm": value(given=True)}),
    "--extended-resource": Row(
        (*SUBMIT, "--extended-resource", "rdma/hca=1"),
        {"extendedResources": items("extended-resource", {"name": "rdma/hca", "quantity": "1"})},
    ),
    "--volume": Row(
        (*SUBMIT, "-v", "/raid/data:/data:ro", "--volume", "/public:/root/data::nfs.example.com", "-v", "/a:/b"),
        {
            "volumes": items(
                "volume",
                {"sourcePath": "/raid/data", "targetPath": "/data", "readOnly": True},
                {"sourcePath": "/public", "targetPath": "/root/data", "nfsServer": "nfs.example.com"},
                {"sourcePath": "/a", "targetPath": "/b"},
            )
        },
    ),
    "--nfs-server": Row(
        (*SUBMIT, "--nfs-server", "nfs.example.com", "-v", "/a:/b:rw"),
        {
            "volumes": items(
                "volume",
                {"sourcePath": "/a", "targetPath": "/b", "readOnly": False, "nfsServer": "nfs.example.com"},
            )
        },
    ),
    "--pvc-exists": Row(
        (*SUBMIT, "--pvc-exists", "claimname=data,path=/data,readonly=true"),
        {"pvcs": items("pvc", {"claimName": "data", "path": "/data", "readOnly": True, "existingPvc": True})},
    ),
    "--pvc-new": Row(
        (*SUBMIT, "--pvc-new", "claimname=c,storageclass=fast,size=3Gi,path=/data,accessmode-rwm,ro,ephemeral"),
        {
            "pvcs": items(
                "pvc",
                {
                    "claimName": "c",
                    "storageClass": "fast",
                    "size": "3Gi",
                    "path": "/data",
                    "readWriteMany": True,
                    "readOnly": True,
                    "ephemeral": True,
                    "existingPvc": False,
                },
            )
        },
    ),
    "--pvc": Row(
        (*SUBMIT, "--pvc", ":3Gi:/a:ro", "--pvc", "fast:3Gi:/b", "--pvc", "mine:/c:rw"),
        {
            "pvcs": items(
                "pvc",
                {"size": "3Gi", "path": "/a", "existingPvc": False, "readOnly": True},
                {"size": "3Gi", "path": "/b", "existingPvc": False, "storageClass": "fast"},
                {"claimName": "mine", "path": "/c", "existingPvc": True, "readOnly": False},
            )
        },
    ),
    "--configmap-volume": Row(
        (*SUBMIT, "--configmap-volume", "name=settings,path=/etc/app"),
        {"configMapVolumes": items("config-map", {"name": "settings", "mountPath": "/etc/app"})},
    ),
    "--git-sync": Row(
        (
            *SUBMIT,
            "--git-sync",
            "source=https://git.example.com/a.git,branch=b,rev=r,username=u,password=p,target=/code",
        ),
        {
            "gitSync": items(
                "git-sync",
                {
                    "repository": "https://git.example.com/a.git",
                    "branch": "b",
                    "rev": "r",
                    "username": "u",
                    "password": "p",
                    "directory": "/code",
                },
            )
        },
    ),
    "--s3": Row(
        (*SUBMIT, "--s3", "bucket=data,key=k,secret=s,target=/s3,url=https://s3.example.com"),
        {
            "s3": items(
                "s3", {"bucket": "data", "key": "k", "secret": "s", "path": "/s3", "url": "https://s3.example.com"}
            )
        },
    ),
    "--mount-propagation": Row(
        (*SUBMIT, "-v", "/a:/b", "--mount-propagation"), {"mountPropagation": value(given=True)}, beside=("volumes",)
    ),
    "--port": Row(
        (*SUBMIT, "--port", "8080:80,9090", "-s", "nodeport", "--port", "30022:22"),
        {
            "serviceType": value("NodePort"),
            "ports": items(
                "port",
                {"container": 80, "external": 8080},
                {"container": 9090},
                {"container": 22, "external": 30022},
            ),
        },
    ),
    "--service-type": Row(
        (*SUBMIT, "--service-type=loadbalancer", "--port", "80"),
        {"serviceType": value("LoadBalancer")},
        beside=("ports",),
    ),
    "--service-type ingress": Row(
        (*SUBMIT, "-s", "ingress", "--port", "80"), {"serviceType": value("external-url")}, beside=("ports",)
    ),
    "--service-type portforward --address": Row(
        (*SUBMIT, "-s", "portforward", "--port", "8080:80", "--address", "localhost,10.1.2.3"),
        {"serviceType": value("ClusterIP"), "ports": items("port", {"container": 80, "external": 8080})},
    ),
    "--host-ipc": Row((*SUBMIT, "--host-ipc"), {"hostIpc": value(given=True)}),
    "--host-network": Row((*SUBMIT, "--host-network"), {"hostNetwork": value(given=True)}),
    "--allow-privilege-escalation": Row(
        (*SUBMIT, "--allow-privilege-escalation"), {"allowPrivilegeEscalation": value(given=True)}
    ),
    "--create-home-dir": Row((*SUBMIT, "--create-home-dir"), {"createHomeDir": value(given=True)}),
    "--create-home-dir=false": Row((*SUBMIT, "--create-home-dir=false"), {"createHomeDir": value(given=False)}),
    "--add-capability": Row(
        (*SUBMIT, "--add-capability", "NET_RAW,SYS_NICE"),
        {"capabilities": items("capability", {"capability": "NET_RAW"}, {"capability": "SYS_NICE"})},
    ),
    "--node-pools": Row((*SUBMIT, "--node-pools", "g10,g9"), {"nodePools": value("g10 g9")}),
    "--node-type": Row((*SUBMIT, "--node-type", "dgx-2"), {"nodeType": value("dgx-2")}),
    "--toleration": Row(
        (
            *SUBMIT,
            "--toleration",
            "operator=Equal,key=gpu,value=old,effect=NoExecute,seconds=60",
            "--toleration",
            "operator=Exists,key=spot",
        ),
        {
            "tolerations": items(
                "toleration",
                {
                    "operator": "Equal",
                    "tolerationKey": "gpu",
                    "tolerationValue": "old",
                    "effect": "NoExecute",
                    "seconds": 60,
                },
                {"operator": "Exists", "tolerationKey": "spot"},
            )
        },
    ),
    "--required-pod-topology-key": Row(
        (*SUBMIT, "--required-pod-topology-key", "rack"),
        {
            "podAffinity": value(given=True),
            "podAffinitySchedulingRule": value("hard"),
            "podAffinityTopology": value("rack"),
        },
    ),
    "--preferred-pod-topology-key": Row(
        (*SUBMIT, "--preferred-pod-topology-key", "rack"),
        {
            "podAffinity": value(given=True),
            "podAffinitySchedulingRule": value("soft"),
            "podAffinityTopology": value("rack"),
        },
    ),
    "--backoff-limit": Row((*SUBMIT, "--backoff-limit", "0"), {"backoffLimit": value(0)}),
    "--ttl-after-finish": Row((*SUBMIT, "--ttl-after-finish", "2h"), {"ttlAfterFinish": value("2h")}),
    "--completions": Row((*SUBMIT, "--completions", "12"), {"completions": value(12)}),
    "--parallelism": Row(
        (*SUBMIT, "--parallelism", "3", "--completions", "12"), {"parallelism": value(3), "completions": value(12)}
    ),
    "--interactive": Row(INTERACTIVE, {"image": value("ubuntu:24.04")}, "InteractiveWorkload"),
    "--jupyter": Row(("submit", "n-1", "--jupyter"), {"jupyter": value(given=True)}, "InteractiveWorkload"),
    "--preemptible": Row((*INTERACTIVE, "--preemptible"), {"preemptible": value(given=True)}, "InteractiveWorkload"),
    "--inference --replicas": Row(
        (*INFERENCE, "--replicas", "4", "-g", "0.25"),
        {"minScale": value(4), "maxScale": value(4), "gpu": value("0.25")},
        "InferenceWorkload",
        beside=("ports",),
    ),
    "--min-replicas --max-replicas of inference": Row(
        (*INFERENCE, "--min-replicas", "0", "--max-replicas", "3"),
        {"minScale": value(0), "maxScale": value(3)},
        "InferenceWorkload",
        beside=("ports",),
    ),
    "--metric --target": Row(
        (*INFERENCE, "--metric", "throughput", "--target", "80"),
        {"metric": value("throughput"), "target": value(80)},
        "InferenceWorkload",
        beside=("ports",),
    ),
    "--class --private-service-url": Row(
        (*INFERENCE, "--class", "kpa.autoscaling.knative.dev", "--private-service-url"),
        {"class": value("kpa.autoscaling.knative.dev"), "isPrivateServiceUrl": value(given=True)},
        "InferenceWorkload",
        beside=("ports",),
    ),
    "--loglevel": Row((*SUBMIT, "--loglevel", "error"), {}),
    "--workers": Row((*TORCH, "--workers=2"), {"jobType": "PyTorchJob", "workers": value(2)}, "DistributedWorkload"),
    "--clean-pod-policy": Row(
        (*TORCH, "--clean-pod-policy", "All"),
        {"runPolicy": {"values": {"cleanPodPolicy": value("All")}}},
        "DistributedWorkload",
    ),
    "--backoff-limit of many": Row(
        (*TORCH, "--backoff-limit", "0"), {"runPolicy": {"values": {"backoffLimit": value(0)}}}, "DistributedWorkload"
    ),
    "--ttl-after-finish of many": Row(
        (*TORCH, "--ttl-after-finish", "2h"),
        {"autoDeletionTimeAfterCompletionSeconds": value(7200)},
        "DistributedWorkload",
    ),
    "--min-replicas --max-replicas": Row(
        (*TORCH, "--workers=2", "--min-replicas", "1", "--max-replicas", "3"),
        {"pyTorchJob": {"values": {"minReplicas": value(1), "maxReplicas": value(3)}}},
        "DistributedWorkload",
        beside=("workers",),
    ),
    "--slots-per-worker": Row(
        (*MPI, "--slots-per-worker", "2"),
        {"jobType": "MPIJob", "mpiJob": {"values": {"slotsPerWorker": value(2)}}},
        "DistributedWorkload",
    ),
    "tf": Row(("submit-dist", "tf", "--name", "n-1", "-i", "x"), {"jobType": "TFJob"}, "DistributedWorkload"),
    "xgboost": Row(
        ("submit-dist", "xgboost", "--name", "n-1", "-i", "x"), {"jobType": "XGBoostJob"}, "DistributedWorkload"
    ),
    "submit-mpi": Row(
        ("submit-mpi", "n-1", "-i", "x", "--processes", "3"),
        {"jobType": "MPIJob", "workers": value(3)},
        "DistributedWorkload",
    ),
    "--master-…": Row(
        (*TORCH, "-e", "A=b", "--pvc-exists", "claimname=c,path=/c", *MASTER),
        {"environment": keyed(A="b")},
        "DistributedWorkload",
        {
            "arguments": value("lead now"),
            "gpu": value("1"),
            "environment": {"items": {"A": {"deleted": True}, "B": value("c")}},
            "extendedResources": items("extended-resource", {"name": "rdma/hca", "quantity": "2"}),
            "pvcs": {"items": {"pvc--0": {"deleted": True}}},
        },
        beside=("pvcs",),
    ),
}
"""By the flag that a row is about."""
