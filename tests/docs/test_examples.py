"""Every custom resource on a page or in `examples/` is taken by a real API server, without a warning."""

import secrets
from collections.abc import Generator
from typing import Any

import pytest
import yaml

from aliquot_lab import Cluster
from demo import platform
from tests.docs.pages import EXAMPLES, PAGES, ROOT, custom_resources, name_of

OBJECTS = dict(custom_resources())


@pytest.fixture(scope="module")
def namespace(lab: Cluster, operator: platform.OperatorProcess) -> Generator[str]:
    """A namespace of no project in place of those that the examples name: they need not exist for a dry run, then."""
    assert operator.pid is not None
    name = f"t-examples-{secrets.token_hex(4)}"
    lab.add_namespace(name)
    yield name
    lab.remove_namespace(name)


@pytest.mark.cluster
@pytest.mark.parametrize("manifest", OBJECTS.values(), ids=OBJECTS)
def test_an_example_can_be_applied(lab: Cluster, namespace: str, manifest: dict[str, Any]) -> None:
    namespaced = "namespace" in manifest["metadata"]
    metadata = {**manifest["metadata"], **({"namespace": namespace} if namespaced else {})}
    text = yaml.safe_dump({**manifest, "metadata": metadata})
    said = lab.kubectl("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-", input=text)
    assert f"/{metadata['name']} serverside-applied (server dry run)" in said


def test_every_example_and_the_pages_for_users_have_some() -> None:
    shown = {where.partition(":")[0] for where in OBJECTS}
    assert {name_of(path) for path in EXAMPLES} <= shown
    users = {"README.md", "docs/install.md", "docs/projects.md", "docs/workloads.md"}
    assert users <= {name_of(page) for page in PAGES} & shown


def test_every_example_belongs_to_a_project_of_the_examples() -> None:
    projects = {each["metadata"]["name"] for each in OBJECTS.values() if each["kind"] == "Project"}
    workloads = [each for each in OBJECTS.values() if each["kind"].endswith("Workload")]
    assert {each["metadata"]["namespace"].removeprefix("runai-") for each in workloads} <= projects
    assert (ROOT / "examples").is_dir()
