"""The fault proxy's script: how requests are understood, and which rules strike them. No sockets."""

import json
import threading

import pytest

from aliquot_lab import Act, Answer, ApiRequest, Cut, Delay, Fault, Rule
from aliquot_lab.faults import Script, parse


@pytest.mark.parametrize(
    ("method", "target", "verb", "resource", "namespace", "name"),
    [
        ("GET", "/api/v1/pods", "list", "pods", "", ""),
        ("GET", "/api/v1/pods?watch=true&resourceVersion=5", "watch", "pods", "", ""),
        ("GET", "/api/v1/pods?watch=1", "watch", "pods", "", ""),
        ("GET", "/api/v1/pods?watch=false", "list", "pods", "", ""),
        ("POST", "/api/v1/namespaces/a/pods", "create", "pods", "a", ""),
        ("POST", "/api/v1/namespaces/a/pods/p/binding", "create", "pods/binding", "a", "p"),
        ("GET", "/api/v1/namespaces/a/pods/p", "get", "pods", "a", "p"),
        ("DELETE", "/api/v1/namespaces/a/pods/p", "delete", "pods", "a", "p"),
        ("DELETE", "/api/v1/namespaces/a/pods", "deletecollection", "pods", "a", ""),
        ("GET", "/api/v1/namespaces", "list", "namespaces", "", ""),
        ("GET", "/api/v1/namespaces/a", "get", "namespaces", "", "a"),
        ("PUT", "/api/v1/namespaces/a/finalize", "update", "namespaces/finalize", "", "a"),
        ("PATCH", "/apis/run.ai/v2alpha1/namespaces/a/trainingworkloads/w/status?fieldManager=x", "patch",
         "trainingworkloads/status", "a", "w"),
        ("GET", "/apis/scheduling.run.ai/v2/queues/q", "get", "queues", "", "q"),
        ("GET", "/apis/run.ai/v2alpha1", "get", "", "", ""),
        ("GET", "/apis", "get", "", "", ""),
        ("GET", "/readyz?verbose", "get", "", "", ""),
        ("GET", "/api/v1/nodes/n%2D1", "get", "nodes", "", "n-1"),
    ],
)  # fmt: skip
def test_a_request_is_understood_as_the_api_server_would(
    method: str, target: str, verb: str, resource: str, namespace: str, name: str
) -> None:
    request = parse(1, method, target)
    assert (request.verb, request.resource, request.namespace, request.name) == (verb, resource, namespace, name)


def test_a_request_keeps_its_group_query_and_body() -> None:
    request = parse(7, "POST", "/apis/run.ai/v2/namespaces/a/trainingworkloads?dryRun=All&x=", body=b"{}")
    assert request.group == "run.ai"
    assert request.query == {"dryRun": "All", "x": ""}
    assert request.body == b"{}"
    assert request.number == 7


@pytest.mark.parametrize(
    ("method", "writes"), [("GET", False), ("HEAD", False), ("POST", True), ("PATCH", True), ("DELETE", True)]
)
def test_everything_but_reading_writes(method: str, writes: bool) -> None:
    assert parse(1, method, "/api/v1/pods").writes is writes


CREATE = parse(1, "POST", "/api/v1/namespaces/a/pods")
BIND = parse(2, "POST", "/api/v1/namespaces/a/pods/p/binding")
LIST = parse(3, "GET", "/api/v1/pods")


@pytest.mark.parametrize(
    ("rule", "struck"),
    [
        (Rule(Cut()), [CREATE, BIND, LIST]),
        (Rule(Cut(), verb="create"), [CREATE, BIND]),
        (Rule(Cut(), verb="create|list"), [CREATE, BIND, LIST]),
        (Rule(Cut(), resource="pods"), [CREATE, LIST]),
        (Rule(Cut(), resource="pods/.*"), [BIND]),
        (Rule(Cut(), method="GET"), [LIST]),
        (Rule(Cut(), path="namespaces/a/"), [CREATE, BIND]),
        (Rule(Cut(), when=lambda request: request.name == "p"), [BIND]),
        (Rule(Cut(), verb="create", resource="pods", path="/namespaces/b/"), []),
    ],
)
def test_a_rule_strikes_what_meets_all_its_conditions(rule: Rule, struck: list[ApiRequest]) -> None:
    script = Script()
    script.add(rule)
    assert [request for request in (CREATE, BIND, LIST) if script.faults(request)] == struck


@pytest.mark.parametrize(
    ("nth", "times", "struck"),
    [(1, None, [1, 2, 3, 4, 5]), (3, None, [3, 4, 5]), (1, 1, [1]), (2, 2, [2, 3]), (6, None, [])],
)
def test_a_rule_strikes_from_the_nth_match_on_so_many_times(nth: int, times: int | None, struck: list[int]) -> None:
    script = Script()
    rule = Rule(Cut(), resource="pods", nth=nth, times=times)
    script.add(rule)
    assert [turn for turn in range(1, 6) if script.faults(CREATE) or script.faults(BIND)] == struck
    assert script.strikes(rule) == len(struck)


def test_every_rule_that_matches_strikes_and_in_the_order_of_adding() -> None:
    script = Script()
    faults: list[Fault] = [Delay(1), Act(str), Cut(), Answer(500)]
    script.add(*(Rule(fault) for fault in faults))
    assert script.faults(CREATE) == faults


def test_chance_is_drawn_from_the_seed() -> None:
    def drawn(seed: int, *others: Rule) -> list[bool]:
        script = Script(seed)
        script.add(*others, Rule(Answer(409), probability=0.3))
        return [Answer(409) in script.faults(CREATE) for _ in range(200)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert 30 < sum(drawn(1)) < 90
    assert drawn(1, Rule(Delay(0))) == drawn(1)  # a rule without chance does not shift the others' luck


def test_rules_can_be_taken_out_of_force() -> None:
    script = Script()
    first, second = Rule(Cut()), Rule(Cut())  # equal, and yet two rules
    script.add(first, second)
    script.remove(first)
    assert len(script.faults(CREATE)) == 1
    assert (script.strikes(first), script.strikes(second)) == (0, 1)
    script.clear()
    assert script.faults(CREATE) == []


def test_a_script_counts_each_request_once_however_many_threads_ask() -> None:
    script = Script()
    rule = Rule(Cut(), nth=101)
    script.add(rule)

    def ask() -> None:
        for _ in range(50):
            script.faults(CREATE)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert script.strikes(rule) == 100


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(Answer(409), "Conflict"), (Answer(410), "Expired"), (Answer(500), "InternalError"), (Answer(418), "")],
)
def test_an_answer_is_a_status_object(answer: Answer, reason: str) -> None:
    document = json.loads(answer.document())
    assert (document["kind"], document["status"]) == ("Status", "Failure")
    assert (document["code"], document["reason"]) == (answer.status, reason)


def test_a_wait_that_is_asked_for_is_in_the_status_object_too() -> None:
    document = json.loads(Answer(429, retry_after_seconds=3).document())
    assert document["reason"] == "TooManyRequests"
    assert document["details"] == {"retryAfterSeconds": 3}
