"""Hollow nodes: Node objects without a machine, kept alive by kwok; their pods do what their annotations say."""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from aliquot_lab.api import Api
from aliquot_lab.binaries import KUBERNETES, Binaries
from aliquot_lab.processes import ProcessSpec

NAME = "kwok"
ANNOTATIONS = "lab.aliquot.dev/"
LOST = f"{ANNOTATIONS}lost"
FROZEN = f"{ANNOTATIONS}frozen"
GPU_MEMORY_MIB = 81559
GPU_PRODUCT = "NVIDIA-H100-80GB-HBM3"
PODS = "10.16.0.1/12"
# A kubelet's own, renewed every 10 s; the controller manager waits for 50 s.
_LEASE_SECONDS = 40
_ADDRESSES = ipaddress.ip_network("10.128.0.0/12")


@dataclass(frozen=True)
class NodeSpec:
    """What one hollow node offers.

    Attributes:
        name: Its name.
        gpus: Number of `nvidia.com/gpu` devices.
        cpu: Quantity, e.g. `64`.
        memory: Quantity, e.g. `512Gi`.
        labels: Added to the usual ones, or in their place.
        taints: As in `spec.taints`.
        capacity: Further extended resources, or in place of those above, as quantities.
    """

    name: str
    gpus: int = 8
    cpu: str = "64"
    memory: str = "512Gi"
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    taints: Iterable[Mapping[str, str]] = ()
    capacity: Mapping[str, str] = field(default_factory=dict[str, str])

    def manifest(self, *, address: str) -> dict[str, Any]:
        """The Node object, with its capacity, as a kubelet would register it."""
        amounts = {"cpu": self.cpu, "memory": self.memory, "pods": "110", "ephemeral-storage": "1Ti"}
        labels = {
            "type": "hollow",
            "kubernetes.io/hostname": self.name,
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/os": "linux",
        }
        if self.gpus:
            amounts["nvidia.com/gpu"] = str(self.gpus)
            labels |= {
                "nvidia.com/gpu.present": "true",
                "nvidia.com/gpu.count": str(self.gpus),
                "nvidia.com/gpu.memory": str(GPU_MEMORY_MIB),
                "nvidia.com/gpu.product": GPU_PRODUCT,
            }
        amounts |= self.capacity
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self.name, "labels": {**labels, **self.labels}},
            "spec": {"taints": [dict(taint) for taint in self.taints]},
            "status": {
                "capacity": amounts,
                "allocatable": amounts,
                "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": self.name}],
                "nodeInfo": {
                    "architecture": "amd64",
                    "bootID": "",
                    "containerRuntimeVersion": "hollow://0",
                    "kernelVersion": "",
                    "kubeProxyVersion": "",
                    "kubeletVersion": f"v{KUBERNETES}",
                    "machineID": "",
                    "operatingSystem": "linux",
                    "osImage": "hollow",
                    "systemUUID": "",
                },
            },
        }


def address(number: int) -> str:
    """The internal address of the hollow node with this number, from 0."""
    return str(_ADDRESSES[number + 1])


def prepare(directory: Path, binaries: Binaries, *, fast: bool, node_grace: int | None = None) -> ProcessSpec:
    """Write kwok's configuration into a lab directory; it expects `kwok.kubeconfig` there.

    Args:
        directory: The lab's directory.
        binaries: Where `kwok` is.
        fast: Renew the leases of nodes rarely, so that thousands of nodes do not keep the API server busy.
        node_grace: Seconds after which a node without a sign of life is lost; None is Kubernetes' own, 50.
    """
    configuration = directory / "kwok.yaml"
    stages = Path(__file__).parent / "stages"
    lease = 600 if fast else _LEASE_SECONDS if node_grace is None else node_grace // 2
    parts = [_options(lease), *(file.read_text() for file in sorted(stages.glob("*.yaml")))]
    configuration.write_text("\n---\n".join(parts))
    arguments = [
        str(binaries.path(NAME)),
        f"--kubeconfig={directory / 'kwok.kubeconfig'}",
        f"--config={configuration}",
        "--v=WARN",
    ]
    return ProcessSpec(NAME, arguments, log=str(directory / "logs" / f"{NAME}.log"), grace=2.0)


_ADMISSION = "/apis/admissionregistration.k8s.io/v1"


def keep_to_own_pods(api: Api, user: str) -> None:
    """Refuse kwok the deletion of pods that nobody has asked to go.

    It deletes by name, and sometimes twice; by then another pod may have the name, such as that of a StatefulSet.

    Args:
        api: Of the lab.
        user: As whom kwok comes.
    """
    name = "lab-hollow-kubelets"
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {
                "resourceRules": [
                    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["DELETE"], "resources": ["pods"]}
                ]
            },
            "matchConditions": [{"name": "hollow-kubelets", "expression": f"request.userInfo.username == '{user}'"}],
            "validations": [
                {
                    "expression": "has(oldObject.metadata.deletionTimestamp)",
                    "message": "this pod is another one: nobody has asked it to go",
                }
            ],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    api.call("POST", f"{_ADMISSION}/validatingadmissionpolicies", policy)
    api.call("POST", f"{_ADMISSION}/validatingadmissionpolicybindings", binding)


def _options(lease: int) -> str:
    document = {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokConfiguration",
        "options": {
            "cidr": PODS,
            "manageAllNodes": False,
            "manageNodesWithLabelSelector": f"type=hollow,{LOST}!=true",
            "nodeLeaseDurationSeconds": lease,
            "nodeLeaseParallelism": 4,
            "podPlayStageParallelism": 16,
            "nodePlayStageParallelism": 16,
            "podsOnNodeSyncParallelism": 4,
        },
    }
    return yaml.safe_dump(document, sort_keys=False)
