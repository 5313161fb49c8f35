"""What a fault proxy is told to do: which requests are struck, how often, and by what. No sockets here."""

import random
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, unquote

import orjson

_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch"}
_REASONS: Final = {
    400: ("BadRequest", "the fault proxy calls this a bad request"),
    401: ("Unauthorized", "Unauthorized"),
    403: ("Forbidden", "the fault proxy forbids this"),
    404: ("NotFound", "the fault proxy does not find this"),
    409: ("Conflict", "the object has been modified; please apply your changes to the latest version and try again"),
    410: ("Expired", "too old resource version"),
    422: ("Invalid", "the fault proxy calls this invalid"),
    429: ("TooManyRequests", "the server has received too many requests and has asked us to try again later"),
    500: ("InternalError", "Internal error occurred: made by the fault proxy"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: ("Timeout", "Timeout: request did not complete within the allotted timeout"),
}


@dataclass(frozen=True)
class ApiRequest:
    """One request as the API server would understand it.

    Attributes:
        number: Its place among all requests, from 1.
        method: HTTP method.
        path: Decoded path, without the query.
        query: Last value of each parameter.
        verb: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete` or `deletecollection`; the method in lower
            case when the path names no resource.
        group: API group; empty for the core group.
        resource: Plural, with its subresource: `pods`, `pods/binding`; empty when the path names none.
        namespace: Empty for cluster-scoped objects.
        name: Empty where the path has none.
        user_agent: With which program.
        body: As sent; may be empty.
    """

    number: int
    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict[str, str])
    verb: str = ""
    group: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    user_agent: str = ""
    body: bytes = b""

    @property
    def writes(self) -> bool:
        """Whether it may change something."""
        return self.method not in _READS

    def __str__(self) -> str:
        what = "/".join(part for part in (self.namespace, self.resource or self.path, self.name) if part)
        return f"#{self.number} {self.verb} {what}"


def parse(number: int, method: str, target: str, *, user_agent: str = "", body: bytes = b"") -> ApiRequest:
    """Understand a request line; `target` is path and query, still encoded."""
    encoded, _, question = target.partition("?")
    path = unquote(encoded)
    query = {name: values[-1] for name, values in parse_qs(question, keep_blank_values=True).items()}
    group, namespace, resource, name, subresource = _place(path)
    if not resource:
        verb = method.lower()
    elif method in _VERBS:
        verb = _VERBS[method]
    elif method == "DELETE":
        verb = "delete" if name else "deletecollection"
    elif query.get("watch", "").lower() in {"1", "t", "true"}:
        verb = "watch"
    else:
        verb = "get" if name else "list"
    full = f"{resource}/{subresource}" if subresource else resource
    return ApiRequest(number, method, path, query, verb, group, full, namespace, name, user_agent, body)


def _place(path: str) -> tuple[str, str, str, str, str]:
    """Group, namespace, resource, name and subresource; all empty for paths like /readyz and for discovery."""
    match [part for part in path.split("/") if part]:
        case ["api", _, *rest]:
            group = ""
        case ["apis", group, _, *rest]:
            pass
        case _:
            rest, group = [], ""
    namespace = ""
    # A namespace is an object itself; its subresources must not be taken for resources inside it.
    if len(rest) >= 3 and rest[0] == "namespaces" and not (group == "" and rest[2] in {"status", "finalize"}):
        namespace, rest = rest[1], rest[2:]
    resource, name, subresource = [*rest, "", "", ""][:3]
    return group, namespace, resource, name, subresource


@dataclass(frozen=True)
class Cut:
    """Cut the connection: before the request is forwarded, or `after` it was carried out but before the answer."""

    after: bool = False


@dataclass(frozen=True)
class Answer:
    """Answer in the API server's place.

    Attributes:
        status: HTTP status; an error comes with the Status object that an API server sends.
        retry_after_seconds: `Retry-After` header; None leaves it away.
        after: Whether the request is carried out nevertheless, as when the server timed out on its own success.
    """

    status: int
    retry_after_seconds: int | None = None
    after: bool = False

    def document(self) -> bytes:
        """The body, JSON."""
        return status_document(self.status, self.retry_after_seconds)


@dataclass(frozen=True)
class Delay:
    """Wait before the request is forwarded."""

    seconds: float


@dataclass(frozen=True)
class Hold:
    """Never forward and never answer, until `FaultProxy.heal` or the end."""


@dataclass(frozen=True)
class Act:
    """Call a function of the test while everything in the proxy stands still; then go on.

    Attributes:
        do: Given the request. What it raises is raised again when the proxy is closed.
        after: Call it when the request was carried out and its client does not know yet; else before it is forwarded.
    """

    do: Callable[[ApiRequest], object]
    after: bool = False


Fault = Cut | Answer | Delay | Hold | Act


@dataclass(frozen=True)
class Rule:
    """Which requests are struck, and by what. Conditions that are given must all hold.

    A request meets all rules in the order in which they were added. Delays and acts add up; the first cut, answer or
    hold decides, `after` or not. So an `Act` and a `Cut` with the same conditions kill a client and lose its request.
    A watch has no answer that could be lost: for it, `after` makes no difference.

    Attributes:
        fault: What happens.
        verb: Regular expression for the whole verb, e.g. `create|patch`.
        resource: Regular expression for the whole resource, e.g. `pods/binding`.
        method: Regular expression for the whole HTTP method.
        path: Regular expression, searched in the path.
        when: Any other condition.
        nth: The first matching request that is struck, from 1.
        times: How many matching requests from there on are struck; None: all.
        probability: Of being struck, for each of these; drawn from the proxy's seed.
    """

    fault: Fault
    verb: str | None = None
    resource: str | None = None
    method: str | None = None
    path: str | None = None
    when: Callable[[ApiRequest], bool] | None = None
    nth: int = 1
    times: int | None = None
    probability: float = 1.0

    def matches(self, request: ApiRequest) -> bool:
        """Whether all conditions hold, counts and probability aside."""
        return (
            (self.verb is None or re.fullmatch(self.verb, request.verb) is not None)
            and (self.resource is None or re.fullmatch(self.resource, request.resource) is not None)
            and (self.method is None or re.fullmatch(self.method, request.method) is not None)
            and (self.path is None or re.search(self.path, request.path) is not None)
            and (self.when is None or self.when(request))
        )


@dataclass
class _Armed:
    """A rule in force."""

    rule: Rule
    matched: int = 0
    struck: int = 0


class Script:
    """The rules in force, and what they did. May be changed from any thread, also from within an `Act`."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._armed: list[_Armed] = []
        self._lock = threading.RLock()

    def add(self, *rules: Rule) -> None:
        """Put rules in force, behind those there are."""
        with self._lock:
            self._armed += [_Armed(rule) for rule in rules]

    def remove(self, rule: Rule) -> None:
        """Take a rule out of force."""
        with self._lock:
            self._armed = [armed for armed in self._armed if armed.rule is not rule]

    def clear(self) -> None:
        """Take all rules out of force."""
        with self._lock:
            self._armed.clear()

    def strikes(self, rule: Rule) -> int:
        """How many requests a rule in force has struck."""
        with self._lock:
            return sum(armed.struck for armed in self._armed if armed.rule is rule)

    def faults(self, request: ApiRequest) -> list[Fault]:
        """What strikes this request, in order; every rule that matches it counts it."""
        with self._lock:
            struck: list[Fault] = []
            for armed in self._armed:
                rule = armed.rule
                if not rule.matches(request):
                    continue
                armed.matched += 1
                late = rule.times is not None and armed.matched >= rule.nth + rule.times
                if armed.matched < rule.nth or late:
                    continue
                # Drawn only when it matters, so that rules without chance do not shift the others' luck.
                if rule.probability < 1 and self._random.random() >= rule.probability:
                    continue
                armed.struck += 1
                struck.append(rule.fault)
            return struck


def status_document(status: int, retry_after_seconds: int | None = None) -> bytes:
    """A Status object as an API server sends it, JSON."""
    reason, message = _REASONS.get(status, ("", f"the fault proxy answers {status}"))
    document: dict[str, object] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure" if status >= 400 else "Success",
        "message": message,
        "reason": reason,
        "code": status,
    }
    if retry_after_seconds is not None:
        document["details"] = {"retryAfterSeconds": retry_after_seconds}
    return orjson.dumps(document)
