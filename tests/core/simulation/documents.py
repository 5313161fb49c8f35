"""Random cluster documents: such as can exist, and such as somebody has spoilt."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any, cast

import yaml

Values = dict[str, Any]
ZONES, RACKS = ("z1", "z2"), ("r1", "r2", "r3")


class Maker:
    """Makes one document; nobody is where there is no room."""

    def __init__(self, seed: int, *, parts: bool) -> None:
        self.luck = random.Random(seed)
        self.parts = parts
        self.free: dict[str, int] = {}
        self.shared: dict[str, list[list[Any]]] = {}

    def document(self) -> Values:
        luck = self.luck
        nodes = [self.node(f"n{number}") for number in range(luck.randint(1, 4))]
        queues, leaves = self.queues()
        jobs = [self.job(f"j{number}", leaves) for number in range(luck.randint(0, 9))]
        document: Values = {"nodes": nodes, "queues": queues, "jobs": jobs}
        if luck.random() < 0.5:
            document["topologies"] = [{"name": "racks", "levels": ["zone", "rack"]}]
        else:
            for job in jobs:
                job.get("group", {}).pop("topology", None)
        if luck.random() < 0.2:
            document["settings"] = {"placement": {"gpu": "spread"}, "actions": ["allocate", "reclaim", "preempt"]}
        return document

    def node(self, name: str) -> Values:
        luck, gpus = self.luck, self.luck.randint(0, 4)
        self.free[name] = gpus
        self.shared[name] = []
        node: Values = {"name": name, "gpus": gpus, "ready": luck.random() < 0.95}
        node["labels"] = {"zone": luck.choice(ZONES), "rack": luck.choice(RACKS)}
        if luck.random() < 0.5:
            node["gpuMemoryMiB"] = 40000
        if luck.random() < 0.2:
            node["taints"] = [{"key": "special", "effect": "NoSchedule"}]
        return node | luck.choice([{}, {"cpu": "8", "memory": "64Gi"}, {"cpu": 16.5, "pods": 20}])

    def queues(self) -> tuple[list[Values], list[str]]:
        luck = self.luck
        departments = [f"d{number}" for number in range(luck.choice([0, 0, 1, 2]))]
        leaves = [f"q{number}" for number in range(luck.randint(1, 4))]
        queues = [{"name": name, "gpu": {"deserved": luck.choice([None, 1, 3, 6])}} for name in departments]
        for name in leaves:
            gpu: Values = {"deserved": luck.choice([0, 1, 2, 2.5, None]), "limit": luck.choice([None, None, 4])}
            gpu["overQuotaWeight"] = luck.choice([0, 1, 1, 2])
            queue: Values = {"name": name, "gpu": gpu, "created": luck.choice([0, 1, "2026-01-01T00:00:00Z"])}
            queues.append(queue | ({"parent": luck.choice(departments)} if departments else {}))
        return queues, leaves

    def job(self, name: str, queues: list[str]) -> Values:
        luck, count = self.luck, self.luck.choice([1, 1, 1, 2, 3])
        request = self.request()
        tasks = [self.task(f"{name}-{number}", request) for number in range(count)]
        job: Values = {"name": name, "queue": luck.choice(queues), "tasks": tasks, "created": luck.randint(0, 3)}
        job["priority"] = luck.choice([50, 50, 75, 100])
        running = [task for task in tasks if task["state"] in ("Bound", "Running")]
        minimum = luck.randint(1, max(1, len(running) or count))
        if luck.random() < 0.5 or (running and len(running) < count):
            group: Values = {"podSets": [{"name": "default", "minMember": minimum}]}
            job["group"] = group
            if luck.random() < 0.3:
                group["topology"] = {"name": "racks", "preferred": luck.choice(["zone", "rack"])}
        if running:
            job["lastStartedSecondsAgo"] = luck.choice([1, 100, 1000.5])
        return job

    def request(self) -> Values:
        luck = self.luck
        request: Values = {"cpu": luck.choice([0, "500m", 1]), "memory": luck.choice([0, "1Gi"])}
        if self.parts and luck.random() < 0.5:
            return request | luck.choice([{"gpuFraction": 0.5}, {"gpuFraction": 0.25, "gpuDevices": 2}])
        return request | {"gpu": luck.choice([0, 1, 1, 1, 2, 3])}

    def task(self, name: str, request: Values) -> Values:
        luck = self.luck
        task: Values = {"name": name, "request": request, "state": luck.choice(["Pending", "Pending", "Gated"])}
        if luck.random() < 0.1:
            task["tolerations"] = [{"key": "special", "operator": "Exists"}]
        if luck.random() < 0.05:
            task["state"] = luck.choice(["Succeeded", "Failed"])
        elif luck.random() < 0.6:
            state = luck.choice(["Running", "Running", "Running", "Bound", "Terminating"])
            for node in sorted(self.free):
                if self.has_room(node, request, task):
                    return task | {"state": state, "node": node, "lingers": luck.random() < 0.2}
        return task

    def has_room(self, node: str, request: Values, task: Values) -> bool:
        fraction = request.get("gpuFraction")
        if fraction is None:
            if self.free[node] < request["gpu"]:
                return False
            self.free[node] -= request["gpu"]
            return True
        count = request.get("gpuDevices", 1)
        held = [device for device in self.shared[node] if device[1] + fraction <= 1][:count]
        if count - len(held) > self.free[node]:
            return False
        for _ in range(count - len(held)):
            self.free[node] -= 1
            held.append([f"g{len(self.shared[node])}", 0])
            self.shared[node].append(held[-1])
        for device in held:
            device[1] += fraction
        task["devices"] = [device[0] for device in held]
        return True


def document(seed: int, *, parts: bool = False) -> Values:
    """A document that can exist."""
    return Maker(seed, parts=parts).document()


ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 1.5, 10**12, 10**400, -0.0, float("nan"), float("inf"), 1e300),
    *(
        "",
        "x",
        "-1",
        "1e99",
        "9" * 70,
        "n0",
        "q0",
        "d0",
        "j0",
        "j0-0",
        "racks",
        "rack",
        "default",
        "Running",
        "Pending",
    ),
    *([], [None], [[]], {}, {"name": "x"}, {"": 1}, "\u2028[red]\x00"),
)


def places(values: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with every key or index in it."""
    items: list[tuple[Any, Any]] = []
    if isinstance(values, dict):
        items = list(cast("Values", values).items())
    elif isinstance(values, list):
        items = list(enumerate(cast("list[Any]", values)))
    for key, value in items:
        yield values, key
        yield from places(value)


def spoilt(seed: int) -> Any:
    """A document after one to four mutations; it may still be valid."""
    luck = random.Random(seed)
    values = document(seed, parts=luck.random() < 0.5)
    for _ in range(luck.randint(1, 4)):
        found = list(places(values))
        if not found:
            return values
        container, key = luck.choice(found)
        match luck.randrange(5):
            case 0:
                container[key] = copy.deepcopy(luck.choice(ODD))
            case 1:
                del container[key]
            case 2 if isinstance(container, dict):
                container[luck.choice(["nope", "name", "parent", "gpus", "node", "group", "devices"])] = container[key]
            case 3:
                other, place = luck.choice(found)
                container[key] = copy.deepcopy(other[place])
            case _:
                if isinstance(container, list):
                    same = cast("list[Any]", container)
                    same.insert(0, copy.deepcopy(same[key]))
    return values


SNIPPETS: tuple[bytes, ...] = (
    *(
        b"&a ",
        b"*a",
        b"<<: *a",
        b"!!int ",
        b"!x ",
        b"---\n",
        b"...\n",
        b"? ",
        b"- ",
        b": ",
        b"{",
        b"}",
        b"[",
        b"]",
        b"|\n",
    ),
    *(
        b'"',
        b"'",
        b"#",
        b"\t",
        b"\n",
        b"\x00",
        b"\xff",
        b"\\u",
        b"%YAML 9.9\n",
        b"0x",
        b"1e",
        b".nan",
        b"~",
        b"@",
        b"\xe2\x80",
    ),
)


def spoilt_text(seed: int) -> bytes:
    """The text of a document, YAML or JSON, after one to four mutations of its bytes."""
    luck = random.Random(seed)
    values = document(seed)
    return spliced(json.dumps(values).encode() if luck.random() < 0.3 else yaml.safe_dump(values).encode(), luck)


def spliced(text: bytes, luck: random.Random) -> bytes:
    """A text after one to four mutations of its bytes: something is left out, comes in, or is there twice."""
    for _ in range(luck.choice([1, 1, 2, 4])):
        start = luck.randrange(len(text) + 1)
        end = min(len(text), start + luck.choice([0, 0, 1, 5, 100]))
        text = text[:start] + luck.choice([*SNIPPETS, text[start:end] * 2]) + text[end:]
    return text
