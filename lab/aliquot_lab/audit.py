"""The API server's own history: what was written, by whom, in which order."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml


def policy() -> str:
    """The audit policy, YAML: writes to pods, with their bodies, and to what else a platform makes; nothing else."""
    writes = ["create", "update", "patch", "delete", "deletecollection"]
    document = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "omitManagedFields": True,
        "rules": [
            {"level": "Request", "verbs": writes, "resources": [{"group": "", "resources": ["pods", "pods/*"]}]},
            {
                "level": "Metadata",
                "verbs": writes,
                "resources": [
                    {"group": "", "resources": ["events", "services", "persistentvolumeclaims"]},
                    {"group": "events.k8s.io", "resources": ["events"]},
                    {"group": "networking.k8s.io", "resources": ["ingresses"]},
                    {"group": "rbac.authorization.k8s.io", "resources": ["rolebindings"]},
                    {"group": "run.ai"},
                    {"group": "scheduling.run.ai"},
                ],
            },
            {"level": "None"},
        ],
    }
    return yaml.safe_dump(document, sort_keys=False)


@dataclass(frozen=True)
class Record:
    """One finished request.

    Attributes:
        verb: `create`, `patch`, …
        resource: Plural, e.g. `pods`.
        subresource: E.g. `binding`; empty for the object itself.
        namespace: Empty for cluster-scoped objects.
        name: Name in the path; empty for a create (see `object_name`).
        user: Who asked.
        user_agent: With which program.
        code: HTTP status of the answer.
        received: When the request came, RFC 3339 with microseconds, as the server wrote it.
        finished: When the answer was complete, likewise. What was written became true between the two.
        request: The body, for pods and their subresources only.
    """

    verb: str
    resource: str
    subresource: str
    namespace: str
    name: str
    user: str
    user_agent: str
    code: int
    received: str
    finished: str
    request: dict[str, Any] | None


def read(log: Path) -> Iterator[Record]:
    """The records of an audit log, oldest first; a last line that is still being written is left out."""
    with log.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                yield _record(orjson.loads(line))


def _record(event: dict[str, Any]) -> Record:
    target: dict[str, str] = event.get("objectRef") or {}
    answer: dict[str, int] = event.get("responseStatus") or {}
    return Record(
        verb=event["verb"],
        resource=target.get("resource", ""),
        subresource=target.get("subresource", ""),
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
        user=event["user"].get("username", ""),
        user_agent=event.get("userAgent", ""),
        code=answer.get("code", 0),
        received=event["requestReceivedTimestamp"],
        finished=event["stageTimestamp"],
        request=event.get("requestObject"),
    )
