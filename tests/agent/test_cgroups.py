"""Real samples of /proc/PID/cgroup, and what they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.agent.attribution import Container, container_of

UID = "4f5b1c1e-9a0b-4c3d-8e7f-0123456789ab"
UID_ = UID.replace("-", "_")
ID = "0f" * 32
POD = Container(ID, UID)
MIRROR_UID = "9b" * 16

SAMPLES = {
    "cgroup v1, cgroupfs, besteffort": (
        f"12:freezer:/kubepods/besteffort/pod{UID}/{ID}\n4:memory:/kubepods/besteffort/pod{UID}/{ID}\n0::/\n",
        POD,
    ),
    "cgroup v1, guaranteed: no folder for the class": (f"4:memory:/kubepods/pod{UID}/{ID}\n", POD),
    "cgroup v1, a hierarchy that the runtime does not use comes first": (
        f"13:misc:/\n5:cpuset:/kubepods/burstable/pod{UID}/{ID}\n0::/\n",
        POD,
    ),
    "cgroup v1, systemd, containerd": (
        f"4:memory:/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{UID_}.slice/cri-containerd-{ID}.scope\n",
        POD,
    ),
    "cgroup v2, cgroupfs": (f"0::/kubepods/burstable/pod{UID}/{ID}\n", POD),
    "cgroup v2, systemd, containerd, besteffort": (
        f"0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{UID_}.slice/cri-containerd-{ID}.scope\n",
        POD,
    ),
    "cgroup v2, systemd, guaranteed": (f"0::/kubepods.slice/kubepods-pod{UID_}.slice/cri-containerd-{ID}.scope\n", POD),
    "cgroup v2, systemd, CRI-O": (f"0::/kubepods.slice/kubepods-pod{UID_}.slice/crio-{ID}.scope\n", POD),
    "cgroup v2, CRI-O with a group inside the scope": (
        f"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{UID_}.slice/crio-{ID}.scope/container\n",
        POD,
    ),
    "CRI-O, cgroupfs": (f"0::/kubepods/burstable/pod{UID}/crio-{ID}\n", POD),
    "cri-dockerd": (
        f"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{UID_}.slice/docker-{ID}.scope\n",
        POD,
    ),
    "containerd with cgroupfs under a kubelet with systemd": (
        f"4:memory:/system.slice/containerd.service/kubepods-burstable-pod{UID_}.slice:cri-containerd:{ID}\n",
        POD,
    ),
    "seen from a cgroup namespace of one's own": (f"0::/../../pod{UID}/{ID}\n", POD),
    "seen from a sibling's, systemd": (f"0::/../../kubepods-pod{UID_}.slice/cri-containerd-{ID}.scope\n", POD),
    "a node inside another machine's group": (f"4:memory:/aliquot/n1/kubepods/besteffort/pod{UID}/{ID}\n", POD),
    "a group that the container made for itself": (f"0::/kubepods/burstable/pod{UID}/{ID}/init\n", POD),
    "a pod from a file on the node": (f"0::/kubepods/burstable/pod{MIRROR_UID}/{ID}\n", Container(ID, MIRROR_UID)),
    "a service of the host": ("0::/system.slice/nvidia-persistenced.service\n", None),
    "a container without a pod": (f"0::/system.slice/docker-{ID}.scope\n", None),
    "the pod's own group, no container": (f"0::/kubepods/burstable/pod{UID}\n", None),
    "an id that is too short": (f"0::/kubepods/burstable/pod{UID}/{ID[:-1]}\n", None),
    "an id that is too long": (f"0::/kubepods/burstable/pod{UID}/{ID}a\n", None),
    "the root": ("0::/\n", None),
    "nothing, as of a process that has ended": ("", None),
}


@pytest.mark.parametrize(("text", "container"), SAMPLES.values(), ids=SAMPLES)
def test_a_process_belongs_to_its_container(text: str, container: Container | None) -> None:
    assert container_of(text) == container


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert container_of(text) is None or "pod" in text


HEX = "0123456789abcdef"


@given(
    uid=st.uuids(),
    container=st.text(HEX, min_size=64, max_size=64),
    prefix=st.sampled_from(("", "cri-containerd-", "crio-", "docker-")),
    systemd=st.booleans(),
    above=st.sampled_from(("", "/..", "/../..", "/aliquot/n1", "/kubelet.slice")),
)
def test_what_a_runtime_writes_is_read_back(
    uid: object, container: str, prefix: str, systemd: bool, above: str
) -> None:
    name = str(uid).replace("-", "_") if systemd else str(uid)
    pod = f"kubepods-burstable-pod{name}.slice" if systemd else f"kubepods/burstable/pod{name}"
    text = f"7:pids:/\n0::{above}/{pod}/{prefix}{container}{'.scope' if systemd else ''}\n"
    assert container_of(text) == Container(container, str(uid))
