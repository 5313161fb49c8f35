"""The files of a real node: what its programs read when they start."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from aliquot_lab.certificates import Authority
from aliquot_lab.kubeconfig import Access, write
from aliquot_lab.nodes import images
from aliquot_lab.nodes.machine import SOCKET, Machine
from aliquot_lab.nodes.network import API_ADDRESS, API_PORT


def prepare(machine: Machine) -> None:
    """Make the folder of a node and write its files."""
    folder = machine.folder
    for name in ("kubelet", "containerd", "cni", "log/pods", "log/containers"):
        (folder / name).mkdir(parents=True)
    authority = Authority.read(Path(machine.directory) / "pki", "ca")
    (folder / "ca.crt").write_bytes(authority.certificate)
    user = f"system:node:{machine.name}"
    client = authority.client(user, groups=("system:nodes",))
    access = Access(f"https://{API_ADDRESS}:{API_PORT}", authority.certificate, client)
    write(folder / "kubelet.kubeconfig", access, user=user)
    (folder / "kubelet.yaml").write_text(yaml.safe_dump(_kubelet(machine), sort_keys=False))
    (folder / "containerd.toml").write_text(_toml(_containerd(machine)))
    (folder / "cni" / "10-lab.conflist").write_text(json.dumps(_pod_network(machine)))
    # Nobody answers names there: what is refused at once is better than what is waited for.
    (folder / "resolv.conf").write_text("options timeout:1 attempts:1\n")
    images.basic(folder / "images.tar", Path(machine.programs.busybox))
    machine.write()


def _kubelet(machine: Machine) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "failCgroupV1": False,
        "cgroupDriver": "cgroupfs",
        "enforceNodeAllocatable": [],
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": "/var/lib/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "resolvConf": "/var/lib/resolv.conf",
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
        # How late `status.allocatable` follows a device plugin; 10 s by default.
        "nodeStatusUpdateFrequency": "1s",
        "nodeLeaseDurationSeconds": 4,  # renewed every second, so that a lost node may be known soon
        "registerWithTaints": [dict(taint) for taint in machine.taints],
        "failSwapOn": False,
        # The disk is the machine's: how full it is, is none of the node's business.
        "evictionHard": {},
        "imageGCHighThresholdPercent": 100,
    }


def _containerd(machine: Machine) -> dict[str, Any]:
    return {
        "version": 3,
        "root": "/var/lib/containerd",
        "state": "/run/containerd",
        # It would make a folder outside of the node's own.
        "disabled_plugins": ["io.containerd.internal.v1.opt"],
        "grpc": {"address": SOCKET},
        "plugins": {
            "io.containerd.cri.v1.images": {
                "snapshotter": "overlayfs",
                "pinned_images": {"sandbox": images.PAUSE},
            },
            "io.containerd.cri.v1.runtime": {
                # Without the right to lower such a score no container would start.
                "restrict_oom_score_adj": True,
                "cni": {
                    "bin_dirs": [machine.programs.folder],
                    "conf_dir": "/var/lib/cni",
                    "use_internal_loopback": True,
                },
                "containerd": {
                    "runtimes": {
                        "runc": {
                            "runtime_type": "io.containerd.runc.v2",
                            "options": {"BinaryName": machine.programs.runc, "SystemdCgroup": False},
                        }
                    }
                },
            },
        },
    }


def _pod_network(machine: Machine) -> dict[str, Any]:
    addresses = {
        "type": "host-local",
        "dataDir": "/run/cni",
        "ranges": [[{"subnet": machine.addresses.pods(machine.number)}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    return {
        "cniVersion": "1.0.0",
        "name": "lab",
        "plugins": [{"type": "ptp", "ipMasq": False, "ipam": addresses}],
    }


def _toml(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> str:
    """A table of scalars, lists of texts and further tables, as TOML."""
    lines = [f"[{'.'.join(json.dumps(part) for part in path)}]"] if path else []
    lines += [f"{key} = {json.dumps(value)}" for key, value in table.items() if not isinstance(value, dict)]
    inner = {key: cast("dict[str, Any]", value) for key, value in table.items() if isinstance(value, dict)}
    return "\n".join([*lines, "", *(_toml(value, (*path, key)) for key, value in inner.items())])
