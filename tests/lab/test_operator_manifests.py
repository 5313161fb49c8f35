"""How manifests of other people's operators are fitted to processes beside the cluster."""

from typing import Any

import pytest

from aliquot_lab import LabError
from aliquot_lab.operators.manifests import Manifest, parse, served_here, with_data


def webhooks(*services: str) -> Manifest:
    entries: list[dict[str, Any]] = [
        {"name": name, "clientConfig": {"service": {"name": name, "namespace": "n", "path": "/p"}}} for name in services
    ]
    return {"kind": "ValidatingWebhookConfiguration", "metadata": {"name": "w"}, "webhooks": entries}


def service(name: str) -> Manifest:
    return {"kind": "Service", "metadata": {"name": name}, "spec": {"selector": {"app": name}}}


def config(name: str, **data: str) -> Manifest:
    return {"kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_a_webhook_is_answered_on_this_machine_under_its_services_name() -> None:
    given = [service("hook"), service("other"), webhooks("hook", "other")]
    [hook, other, registered] = served_here(given, "hook", 4443)
    assert hook["spec"] == {"type": "ExternalName", "externalName": "localhost"}
    assert other == service("other")
    at = [entry["clientConfig"]["service"] for entry in registered["webhooks"]]
    assert at == [
        {"name": "hook", "namespace": "n", "path": "/p", "port": 4443},
        {"name": "other", "namespace": "n", "path": "/p"},
    ]
    assert given[2] == webhooks("hook", "other"), "what was given is left as it is"


def test_data_is_added_to_the_config_maps_that_are_named() -> None:
    [changed, same] = with_data([config("a", x="1", y="1"), config("b", x="1")], {"a": {"x": "2", "z": "2"}})
    assert changed["data"] == {"x": "2", "y": "1", "z": "2"}
    assert same == config("b", x="1")


def test_data_for_a_config_map_that_is_not_there_is_an_error() -> None:
    with pytest.raises(LabError, match="there is no ConfigMap c, there are: a, b"):
        with_data([config("a"), config("b")], {"c": {"x": "1"}})


def test_empty_documents_are_no_manifests() -> None:
    assert parse("---\n# a comment\n---\nkind: Service\n") == [{"kind": "Service"}]
