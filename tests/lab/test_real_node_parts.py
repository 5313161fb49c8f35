"""What real nodes are made of, without any: what the machine must have, programs, addresses, images."""

import hashlib
import json
import os
import tarfile
from collections.abc import Generator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aliquot_lab import LabError, directories
from aliquot_lab.binaries import KUBERNETES
from aliquot_lab.cluster import RECORD, Cluster
from aliquot_lab.kubeconfig import Access, write
from aliquot_lab.main import app
from aliquot_lab.nodes import fleet, host, images, programs, python_image
from aliquot_lab.nodes.images import Image
from aliquot_lab.nodes.network import MOST_NODES, Addresses


@pytest.fixture(autouse=True)
def asked_anew() -> Generator[None]:
    host.obstacle.cache_clear()
    yield
    host.obstacle.cache_clear()  # or others would be told what was true here


def test_who_is_not_root_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "need root" in str(host.obstacle())
    with pytest.raises(LabError, match="need root"):
        host.require()
    result = CliRunner().invoke(app, ["up", "--name", "not-root", "--real-nodes", "1"])
    assert (result.exit_code, directories.named("not-root").exists()) == (1, False)
    assert "need root" in result.output


def test_programs_that_the_machine_lacks_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "the programs ip, unshare, mount" in str(host.obstacle())


def script(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_namespaces_that_are_refused_are_an_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(
        "aliquot_lab.cgroups.hierarchies", lambda: ["cpu,cpuacct", "cpuset", "devices", "memory", "pids"]
    )
    for name in ("ip", "mount"):
        script(tmp_path, name, "exit 0")
    script(tmp_path, "unshare", "echo Operation not permitted >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert str(host.obstacle()).endswith("refused here: Operation not permitted")
    script(tmp_path, "unshare", "exit 0")
    host.obstacle.cache_clear()
    assert host.obstacle() is None


def test_control_groups_that_are_missing_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("aliquot_lab.cgroups.hierarchies", lambda: ["cpu", "memory"])
    for name in ("ip", "mount", "unshare"):
        script(tmp_path, name, "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "version 1 with cpuset, devices, pids" in str(host.obstacle())


def test_a_cluster_that_is_not_the_labs_own_gets_no_real_nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aliquot_lab.nodes.host.obstacle", lambda: None)
    write(tmp_path / "kubeconfig", Access("http://127.0.0.1:9", None), user="nobody")
    record: dict[str, object] = {"server": "http://127.0.0.1:9", "created": "", "options": {}, "binaries": {}}
    (tmp_path / RECORD).write_text(json.dumps(record))
    with pytest.raises(LabError, match="is not a lab's own"):
        fleet.add(Cluster(tmp_path))


def test_packages_that_cannot_be_fetched_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match=r"need busybox-static and runc: install them.*there is no apt-get"):
        programs.unpack(["busybox-static", "runc"], tmp_path)
    script(tmp_path, "apt-get", f"echo $1 >> {tmp_path}/asked; echo Unable to locate >&2; exit 1")
    with pytest.raises(LabError, match="Unable to locate"):
        programs.unpack(["runc"], tmp_path)
    assert (tmp_path / "asked").read_text().split() == ["download", "update", "download"]


def test_a_kubelet_is_of_the_version_of_its_api_server(tmp_path: Path) -> None:
    kubelet = next(program for program in programs.PROGRAMS if program.name == "kubelet")
    assert f"gitVersion=v{KUBERNETES}" in " ".join(kubelet.arguments(tmp_path))


def test_no_two_addresses_are_the_same() -> None:
    ours = Addresses(3)
    nodes = [ours.node(number) for number in range(1, MOST_NODES + 1)]
    assert len({ours.machine, ours.gateway, *nodes}) == MOST_NODES + 2
    assert ours.machine == "10.195.0.1"
    assert ours.node(1) == "10.195.0.11"
    assert ours.pods(1) == "10.195.1.0/24"
    assert not ours.whole.overlaps(Addresses(4).whole)


def test_images_that_share_a_layer_carry_it_once(tmp_path: Path) -> None:
    layers = [tmp_path / "base.tar", tmp_path / "more.tar"]
    for layer in layers:
        with tarfile.open(layer, "w") as tar:
            tar.addfile(tarfile.TarInfo(layer.stem))
    one, two = Image("localhost/one:1", layers[:1], ["/one"], {"A": "b"}), Image("localhost/two:1", layers)
    with tarfile.open(images.write(tmp_path / "images.tar", [one, two])) as tar:
        files = {member.name: tar.extractfile(member) for member in tar.getmembers()}
        content = {name: file.read() for name, file in files.items() if file is not None}
    assert len([name for name in content if name.endswith("layer.tar")]) == 2
    first, second = json.loads(content["manifest.json"])
    assert (first["RepoTags"], second["RepoTags"]) == (["localhost/one:1"], ["localhost/two:1"])
    assert second["Layers"][:1] == first["Layers"]
    configuration = json.loads(content[first["Config"]])
    assert configuration["config"] == {"Entrypoint": ["/one"], "User": "", "Env": ["A=b"], "WorkingDir": "/"}
    [layer] = first["Layers"]
    assert configuration["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(content[layer]).hexdigest()}"]


def test_a_package_brings_what_it_requires_into_an_image() -> None:
    names = [distribution.name for distribution in python_image.closure(["aiohttp"])]
    assert {"aiohttp", "yarl", "multidict", "idna"} <= set(names)  # idna is yarl's
    assert names == sorted(names)
    assert "aiodns" not in names  # only for an extra that nobody asked for
    with pytest.raises(LabError, match="no-such-package is not installed"):
        python_image.closure(["aiohttp", "no-such-package"])
