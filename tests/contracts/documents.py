"""Specs of custom resources, written shortly."""

from typing import Any, Final

Spec = dict[str, Any]

IMAGE: Final = {"image": {"value": "ubuntu:24.04"}}
PORTS: Final = {"ports": {"items": {"http": {"value": {"container": 8000}}}}}
QUEUES: Final = {"queues": [{"name": "q", "nodepool": "default"}]}


def values(**parameters: object) -> Spec:
    """Parameters with one value each, beside an image; those in dicts are as they are, None is left out."""
    spec: Spec = {name: value if isinstance(value, dict) else {"value": value} for name, value in parameters.items()}
    return {**IMAGE, **{name: value for name, value in spec.items() if value != {"value": None}}}


def items(**parameters: Spec) -> Spec:
    """Parameters with an item each, which is called `one`, beside an image."""
    return values(**{name: {"items": {"one": {"value": value}}} for name, value in parameters.items()})


def quota(**resources: Spec) -> Spec:
    return {"queues": [{"name": "q", "nodepool": "default", "resources": resources}]}
