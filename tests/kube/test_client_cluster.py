"""The verbs, on a real API server."""

from typing import Any, cast

import pytest

from aliquot.kube.client import ApiClient
from aliquot.kube.decoding import MetadataOnly
from aliquot.kube.problems import AlreadyExists, Conflict, Forbidden, Invalid, NotFound
from aliquot.kube.resources import CONFIG_MAPS, NAMESPACES, PODS, SERVICE_ACCOUNTS, Resource
from aliquot_lab.pytest_plugin import NodeMaker

pytestmark = pytest.mark.cluster

Json = dict[str, Any]


def config_map(name: str, **data: str) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def pod(name: str, **spec: object) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "schedulerName": "nobody",
            "tolerations": [{"operator": "Exists"}],
            "containers": [{"name": "main", "image": "example.invalid/image:1"}],
            **spec,
        },
    }


async def read(client: ApiClient, resource: Resource, namespace: str, name: str) -> Json:
    return cast("Json", (await client.get(resource, namespace, name)).json())


async def test_the_version_is_read_from_any_path(lab_client: ApiClient) -> None:
    assert "gitVersion" in (await lab_client.read("/version")).json()


async def test_an_object_is_created_once(lab_client: ApiClient, lab_namespace: str) -> None:
    made = await lab_client.create(CONFIG_MAPS, config_map("a", colour="red"), namespace=lab_namespace)
    assert made.decode(MetadataOnly).metadata.uid
    with pytest.raises(AlreadyExists) as raised:
        await lab_client.create(CONFIG_MAPS, config_map("a"), namespace=lab_namespace)
    assert raised.value.request.name == "a"
    assert (await read(lab_client, CONFIG_MAPS, lab_namespace, "a"))["data"] == {"colour": "red"}


async def test_a_dry_run_changes_nothing(lab_client: ApiClient, lab_namespace: str) -> None:
    await lab_client.create(CONFIG_MAPS, config_map("a"), namespace=lab_namespace, dry_run=True)
    with pytest.raises(NotFound):
        await lab_client.get(CONFIG_MAPS, lab_namespace, "a")


async def test_an_invalid_object_is_refused_with_the_field(lab_client: ApiClient, lab_namespace: str) -> None:
    with pytest.raises(Invalid) as raised:
        await lab_client.create(PODS, pod("a", restartPolicy="Sometimes"), namespace=lab_namespace)
    assert "spec.restartPolicy" in {cause.field for cause in raised.value.causes}


async def test_a_merge_patch_changes_and_removes_fields(lab_client: ApiClient, lab_namespace: str) -> None:
    await lab_client.create(CONFIG_MAPS, config_map("a", colour="red", size="m"), namespace=lab_namespace)
    await lab_client.merge_patch(CONFIG_MAPS, lab_namespace, "a", {"data": {"colour": None, "taste": "sour"}})
    assert (await read(lab_client, CONFIG_MAPS, lab_namespace, "a"))["data"] == {"size": "m", "taste": "sour"}


async def test_a_merge_patch_of_an_older_version_is_a_conflict(lab_client: ApiClient, lab_namespace: str) -> None:
    made = await lab_client.create(CONFIG_MAPS, config_map("a"), namespace=lab_namespace)
    version = made.decode(MetadataOnly).metadata.resource_version
    patch = {"metadata": {"resourceVersion": version}, "data": {"n": "1"}}
    await lab_client.merge_patch(CONFIG_MAPS, lab_namespace, "a", patch)
    with pytest.raises(Conflict):
        await lab_client.merge_patch(CONFIG_MAPS, lab_namespace, "a", patch)


async def test_a_replacement_leaves_nothing_of_what_was_there_and_meets_a_conflict_if_that_has_changed(
    lab_client: ApiClient, lab_namespace: str
) -> None:
    made = await lab_client.create(CONFIG_MAPS, config_map("a", colour="red"), namespace=lab_namespace)
    version = made.decode(MetadataOnly).metadata.resource_version
    other = config_map("a", size="m")
    other = {**other, "metadata": {**other["metadata"], "resourceVersion": version}}
    await lab_client.replace(CONFIG_MAPS, lab_namespace, "a", other)
    assert (await read(lab_client, CONFIG_MAPS, lab_namespace, "a"))["data"] == {"size": "m"}
    with pytest.raises(Conflict):
        await lab_client.replace(CONFIG_MAPS, lab_namespace, "a", other)


async def test_a_json_patch_is_carried_out_if_its_test_holds(lab_client: ApiClient, lab_namespace: str) -> None:
    await lab_client.create(CONFIG_MAPS, config_map("a", colour="red"), namespace=lab_namespace)
    operations = [
        {"op": "test", "path": "/data/colour", "value": "red"},
        {"op": "replace", "path": "/data/colour", "value": "blue"},
    ]
    await lab_client.json_patch(CONFIG_MAPS, lab_namespace, "a", operations)
    assert (await read(lab_client, CONFIG_MAPS, lab_namespace, "a"))["data"] == {"colour": "blue"}
    with pytest.raises(Invalid):
        await lab_client.json_patch(CONFIG_MAPS, lab_namespace, "a", operations)


async def test_apply_creates_owns_and_gives_up_fields(lab_client: ApiClient, lab_namespace: str) -> None:
    await lab_client.apply(CONFIG_MAPS, lab_namespace, "a", config_map("a", x="1", y="1"), field_manager="one")
    await lab_client.apply(CONFIG_MAPS, lab_namespace, "a", config_map("a", x="1"), field_manager="one")
    assert (await read(lab_client, CONFIG_MAPS, lab_namespace, "a"))["data"] == {"x": "1"}


async def test_apply_without_force_meets_the_owner_of_a_field(lab_client: ApiClient, lab_namespace: str) -> None:
    await lab_client.apply(CONFIG_MAPS, lab_namespace, "a", config_map("a", x="1"), field_manager="one")
    theirs = config_map("a", x="2")
    with pytest.raises(Conflict) as raised:
        await lab_client.apply(CONFIG_MAPS, lab_namespace, "a", theirs, field_manager="two", force=False)
    assert raised.value.has_cause("FieldManagerConflict")
    await lab_client.apply(CONFIG_MAPS, lab_namespace, "a", theirs, field_manager="two")
    assert (await read(lab_client, CONFIG_MAPS, lab_namespace, "a"))["data"] == {"x": "2"}


async def test_apply_with_a_uid_creates_nothing(lab_client: ApiClient, lab_namespace: str) -> None:
    body = config_map("a", x="1")
    body["metadata"]["uid"] = "6f1c2a34-0000-4000-8000-000000000000"
    with pytest.raises(Conflict):
        await lab_client.apply(CONFIG_MAPS, lab_namespace, "a", body, field_manager="one")


async def test_only_the_object_that_was_meant_is_deleted(lab_client: ApiClient, lab_namespace: str) -> None:
    made = await lab_client.create(CONFIG_MAPS, config_map("a"), namespace=lab_namespace)
    identity = made.decode(MetadataOnly).metadata
    with pytest.raises(Conflict):
        await lab_client.delete(CONFIG_MAPS, lab_namespace, "a", uid="6f1c2a34-0000-4000-8000-000000000000")
    with pytest.raises(Conflict):
        await lab_client.delete(CONFIG_MAPS, lab_namespace, "a", uid=identity.uid, resource_version="1")
    await lab_client.delete(CONFIG_MAPS, lab_namespace, "a", uid=identity.uid, dry_run=True)
    version = identity.resource_version
    await lab_client.delete(CONFIG_MAPS, lab_namespace, "a", uid=identity.uid, resource_version=version)
    with pytest.raises(NotFound):
        await lab_client.delete(CONFIG_MAPS, lab_namespace, "a", uid=identity.uid)


async def test_a_binding_records_node_and_annotations_at_once_and_only_for_that_pod(
    lab_client: ApiClient, lab_namespace: str, lab_nodes: NodeMaker
) -> None:
    (node,) = lab_nodes(1)
    made = await lab_client.create(PODS, pod("a"), namespace=lab_namespace)
    uid = made.decode(MetadataOnly).metadata.uid
    with pytest.raises(Conflict):
        await lab_client.bind(lab_namespace, "a", node=node, uid="6f1c2a34-0000-4000-8000-000000000000")
    with pytest.raises(Conflict):
        await lab_client.bind(lab_namespace, "a", node=node, uid=uid, resource_version="1")
    await lab_client.bind(lab_namespace, "a", node=node, uid=uid, annotations={"aliquot.dev/gpus": "0,3"})
    bound = await read(lab_client, PODS, lab_namespace, "a")
    assert bound["spec"]["nodeName"] == node
    assert bound["metadata"]["annotations"]["aliquot.dev/gpus"] == "0,3"
    with pytest.raises(Conflict):
        await lab_client.bind(lab_namespace, "a", node=node, uid=uid)
    with pytest.raises(NotFound):
        await lab_client.bind(lab_namespace, "nobody", node=node, uid=uid)


async def test_a_status_is_written_beside_the_object(lab_client: ApiClient, lab_namespace: str) -> None:
    await lab_client.create(PODS, pod("a"), namespace=lab_namespace)
    condition = {"type": "aliquot.dev/Test", "status": "True", "reason": "Test", "message": "as a test wants it"}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "status": {"conditions": [condition]}}
    await lab_client.apply(PODS, lab_namespace, "a", body, field_manager="test", subresource="status")
    await lab_client.merge_patch(PODS, lab_namespace, "a", {"status": {"message": "no"}})
    status = (await read(lab_client, PODS, lab_namespace, "a"))["status"]
    assert ("aliquot.dev/Test", "True") in {(found["type"], found["status"]) for found in status["conditions"]}
    assert "message" not in status


async def test_a_token_is_asked_for_through_a_subresource(lab_client: ApiClient, lab_namespace: str) -> None:
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
    answer = await lab_client.create(
        SERVICE_ACCOUNTS, request, namespace=lab_namespace, name="default", subresource="token"
    )
    assert cast("Json", answer.json())["status"]["token"]


async def test_a_list_is_read_part_by_part_and_filtered(lab_client: ApiClient, lab_namespace: str) -> None:
    for number in range(7):
        body = config_map(f"map-{number}")
        body["metadata"]["labels"] = {"odd": str(number % 2)}
        await lab_client.create(CONFIG_MAPS, body, namespace=lab_namespace)
    parts = [
        [one.metadata.name for one in page.items]
        async for page in lab_client.pages(
            CONFIG_MAPS, MetadataOnly, namespace=lab_namespace, label_selector="odd", chunk_size=3
        )
    ]
    assert [len(part) for part in parts] == [3, 3, 1]
    odd = await lab_client.list(CONFIG_MAPS, MetadataOnly, namespace=lab_namespace, label_selector="odd=1")
    assert [one.metadata.name for one in odd.items] == ["map-1", "map-3", "map-5"]
    one = await lab_client.list(
        CONFIG_MAPS, MetadataOnly, namespace=lab_namespace, field_selector="metadata.name=map-4"
    )
    assert [found.metadata.name for found in one.items] == ["map-4"]
    assert int(one.resource_version) > 0


async def test_a_namespace_that_goes_away_says_so_to_new_objects(lab_client: ApiClient, lab_namespace: str) -> None:
    kept = config_map("kept")
    kept["metadata"]["finalizers"] = ["aliquot.dev/test"]
    await lab_client.create(CONFIG_MAPS, kept, namespace=lab_namespace)
    await lab_client.delete(NAMESPACES, "", lab_namespace)
    try:
        with pytest.raises(Forbidden) as raised:
            await lab_client.create(CONFIG_MAPS, config_map("a"), namespace=lab_namespace)
        assert raised.value.has_cause("NamespaceTerminating")
    finally:
        await lab_client.merge_patch(CONFIG_MAPS, lab_namespace, "kept", {"metadata": {"finalizers": None}})
