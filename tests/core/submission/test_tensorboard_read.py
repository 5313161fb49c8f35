"""TensorBoard beside interactive workloads: what is read, how it is reached, and what makes no sense."""

from dataclasses import replace
from typing import Any

import pytest

from aliquot import names
from aliquot.contracts.kinds.workloads import InteractiveWorkload
from aliquot.core.submission import Defaults, InvalidWorkload, Site, ValidPod, effective_interactive
from aliquot.core.submission.pod_values import Port, TensorBoard, Url

DEFAULTS = Defaults(cpu_milli_per_gpu=1000, memory_bytes_per_gpu=0)
SITE = Site("team-a", "gpu.example.com", checks_users=True)
RUNS: dict[str, Any] = {"pvcs": {"items": {"r": {"value": {"claimName": "r", "existingPvc": True, "path": "/runs"}}}}}


def read(
    logdir: str | None = "/runs",
    wanted: bool | None = True,
    site: Site | None = SITE,
    defaults: Defaults = DEFAULTS,
    **spec: dict[str, Any],
) -> ValidPod:
    written = {"image": {"value": "ubuntu"}, "tensorboard": {"value": wanted}, "tensorboardLogdir": {"value": logdir}}
    workload = InteractiveWorkload.model_validate({"spec": {**written, **RUNS, **spec}})
    return effective_interactive(workload, defaults, site).pod


def items(value: dict[str, Any]) -> dict[str, Any]:
    return {"items": {"a": {"value": value}}}


def test_it_has_the_image_of_the_cluster() -> None:
    assert read("//runs/x/").tensorboard == TensorBoard(image=names.TENSORBOARD_IMAGE, logdir="/runs/x")


@pytest.mark.parametrize("wanted", [None, False])
def test_nobody_has_it_who_does_not_ask_for_it(wanted: bool | None) -> None:
    assert read(None, wanted) == read(None, None)
    assert read(None, wanted).tensorboard is None


CLUSTER_IP = Port(container=6006, service_type="ClusterIP")
OWN_URL = {"containerPort": 6006, "url": "https://gpu.example.com/team-a/board", "authorizedUsers": "ann"}
REACHED: dict[str, tuple[Site | None, dict[str, Any], tuple[Port, ...], tuple[Url, ...]]] = {
    "at an address of its own": (SITE, {}, (), (Url(6006),)),
    "after those of others": (SITE, {"exposedUrls": items({"containerPort": 80})}, (), (Url(80), Url(6006))),
    "inside a cluster that has no addresses": (Site("team-a"), {}, (CLUSTER_IP,), ()),
    "inside a cluster of which nothing is known": (None, {}, (CLUSTER_IP,), ()),
    "at the address that the workload gives it": (
        SITE,
        {"exposedUrls": items(OWN_URL)},
        (),
        (Url(6006, "/team-a/board", ("ann",)),),
    ),
    "by the port that the workload gives it": (
        SITE,
        {"ports": items({"container": 6006, "serviceType": "NodePort"})},
        (Port(container=6006, service_type="NodePort"),),
        (),
    ),
    "at an address, too, if its port is only named": (
        SITE,
        {"ports": items({"container": 6006})},
        (Port(container=6006),),
        (Url(6006),),
    ),
}


@pytest.mark.parametrize(("site", "spec", "ports", "urls"), REACHED.values(), ids=REACHED)
def test_how_it_is_reached(
    site: Site | None, spec: dict[str, Any], ports: tuple[Port, ...], urls: tuple[Url, ...]
) -> None:
    network = read(site=site, **spec).network
    assert (network.ports, network.urls) == (ports, urls)


VOLUME = {"sourcePath": "/mnt/x", "targetPath": "/runs"}
MOUNTED: dict[str, tuple[str, dict[str, Any]]] = {
    "a PVC": ("/runs", {}),
    "below one": ("/runs/today", {}),
    "above one": ("/", {}),
    "a directory of the node": ("/runs", {"pvcs": {"items": {}}, "volumes": items(VOLUME)}),
    "NFS": ("/runs", {"pvcs": {"items": {}}, "nfs": items({**VOLUME, "nfsServer": "nfs"})}),
    "a repository": ("/code/runs", {"gitSync": items({"repository": "https://git.example.com/code.git"})}),
    "a bucket": ("/sets", {"s3": items({"bucket": "sets", "path": "/sets"})}),
    "a ConfigMap": ("/c", {"configMapVolumes": items({"name": "c", "mountPath": "/c"})}),
    "the home directory": ("/home/runai-home/runs", {"createHomeDir": {"value": True}}),
    "shared memory": ("/dev/shm/runs", {"largeShm": {"value": True}}),
}


@pytest.mark.parametrize(("logdir", "spec"), MOUNTED.values(), ids=MOUNTED)
def test_it_reads_what_is_mounted(logdir: str, spec: dict[str, Any]) -> None:
    assert read(logdir, **spec).tensorboard is not None


FIELD = "spec.tensorboardLogdir.value"
REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "without a directory": ({"logdir": None}, FIELD, "the directory from which TensorBoard reads"),
    "a directory without it": ({"wanted": None}, FIELD, "spec.tensorboard is not true"),
    "a directory though it is not wanted": ({"wanted": False}, FIELD, "spec.tensorboard is not true"),
    "a relative directory": ({"logdir": "runs"}, FIELD, "an absolute path"),
    "nowhere": ({"logdir": ""}, FIELD, "an absolute path"),
    "a way up": ({"logdir": "/runs/../etc"}, FIELD, "an absolute path"),
    "the container's own files": ({"logdir": "/var/runs"}, FIELD, "a directory of something that is mounted"),
    "a directory that only begins so": ({"logdir": "/runs2"}, FIELD, "a directory of something that is mounted"),
    "a block device": (
        {"pvcs": items({"claimName": "r", "existingPvc": True, "path": "/runs", "volumeMode": "Block"})},
        FIELD,
        "a directory of something that is mounted",
    ),
}


@pytest.mark.parametrize(("given", "field", "allowed"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_refused(given: dict[str, Any], field: str, allowed: str) -> None:
    with pytest.raises(InvalidWorkload) as caught:
        read(**given)
    [error] = caught.value.errors
    assert error.field == field
    assert allowed in error.allowed


def test_a_cluster_without_an_image_says_who_can_help() -> None:
    with pytest.raises(InvalidWorkload) as caught:
        read(defaults=replace(DEFAULTS, tensorboard_image=None))
    [error] = caught.value.errors
    assert error.field == "spec.tensorboard.value"
    assert "settings.images.tensorboard" in error.allowed
