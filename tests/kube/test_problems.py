import msgspec
import pytest

from aliquot.errors import AliquotError
from aliquot.kube.problems import (
    AlreadyExists,
    ApiProblem,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    NoAnswer,
    NotFound,
    Refused,
    Request,
    ServerError,
    Status,
    Timeout,
    TooManyRequests,
    Unauthorized,
    Unreachable,
    Unreadable,
    from_status,
    refusal,
)

PATCH = Request("patch", "pods", "team-a", "trainer-0-0", "status")


def body(**fields: object) -> bytes:
    return msgspec.json.encode({"kind": "Status", "apiVersion": "v1", **fields})


@pytest.mark.parametrize(
    ("code", "reason", "kind", "worth_retry"),
    [
        (400, "BadRequest", Invalid, False),
        (401, "Unauthorized", Unauthorized, False),
        (403, "Forbidden", Forbidden, False),
        (404, "NotFound", NotFound, False),
        (405, "MethodNotAllowed", Invalid, False),
        (406, "NotAcceptable", Invalid, False),
        (409, "Conflict", Conflict, False),
        (409, "AlreadyExists", AlreadyExists, False),
        (410, "Expired", Expired, False),
        (410, "Gone", Expired, False),
        (413, "RequestEntityTooLarge", Invalid, False),
        (415, "UnsupportedMediaType", Invalid, False),
        (418, "", Invalid, False),
        (422, "Invalid", Invalid, False),
        (429, "TooManyRequests", TooManyRequests, True),
        (500, "InternalError", ServerError, True),
        (502, "", ServerError, True),
        (503, "ServiceUnavailable", ServerError, True),
        (504, "Timeout", ServerError, True),
    ],
)
def test_each_refusal_has_its_branch(code: int, reason: str, kind: type[Refused], worth_retry: bool) -> None:
    problem = refusal(PATCH, code, body(code=code, reason=reason, message="no"))
    assert type(problem) is kind
    assert problem.worth_retry is worth_retry
    assert problem.may_be_done is (kind is ServerError)
    assert (problem.status, problem.reason, problem.message) == (code, reason, "no")
    assert isinstance(problem, ApiProblem)
    assert isinstance(problem, AliquotError)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"<html>502 Bad Gateway</html>\n", "<html>502 Bad Gateway</html>"),
        (b"", "the server gave no reason"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b'{"message": 7}', '{"message": 7}'),
        (b"[]", "[]"),
        (b'{"message": "' + b"x" * 5000 + b'"}', "x" * 2000),
    ],
)
def test_an_answer_that_is_no_status_is_told_as_it_is_up_to_a_bound(answer: bytes, message: str) -> None:
    problem = refusal(PATCH, 502, answer)
    assert type(problem) is ServerError
    assert problem.message == message


@pytest.mark.parametrize(
    ("header", "in_body", "seconds"),
    [
        ("", 0, 0),
        ("7", 0, 7),
        ("7", 30, 30),
        ("", 3, 3),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 0, 0),
        ("-1", 0, 0),
        ("²", 0, 0),
    ],
)
def test_the_longer_of_both_waits_that_a_server_asks_for_counts(header: str, in_body: int, seconds: float) -> None:
    problem = refusal(PATCH, 429, body(details={"retryAfterSeconds": in_body}), header)
    assert problem.retry_after_seconds == seconds


def test_an_eviction_that_a_disruption_budget_forbids_is_not_worth_repeating() -> None:
    causes = [{"reason": "DisruptionBudget", "message": "the budget needs 3 healthy pods"}]
    problem = refusal(PATCH, 429, body(reason="TooManyRequests", details={"causes": causes}))
    assert not problem.worth_retry
    assert problem.has_cause("DisruptionBudget")


def test_causes_name_the_fields() -> None:
    causes = [{"reason": "FieldValueInvalid", "field": "spec.nodeName", "message": "may not change"}]
    problem = refusal(PATCH, 422, body(reason="Invalid", details={"causes": causes}))
    assert [(cause.field, cause.message) for cause in problem.causes] == [("spec.nodeName", "may not change")]
    assert refusal(PATCH, 422, body(details={"causes": None})).causes == ()


def test_a_watch_error_has_the_code_of_its_status() -> None:
    assert type(from_status(PATCH, Status(code=410, reason="Expired"))) is Expired
    assert type(from_status(PATCH, Status())) is ServerError


@pytest.mark.parametrize("kind", [Unreachable, Timeout])
def test_no_answer_leaves_open_what_happened_and_is_worth_repeating(kind: type[NoAnswer]) -> None:
    problem = kind(PATCH, "connection reset")
    assert problem.worth_retry
    assert problem.sent
    assert problem.may_be_done
    assert str(problem) == "patch pods/status team-a/trainer-0-0: connection reset"


def test_a_problem_reads_as_a_sentence() -> None:
    problem = refusal(Request("delete", "nodes", name="node-1"), 403, body(reason="Forbidden", message="not yours"))
    assert str(problem) == "delete nodes node-1: 403 Forbidden: not yours"
    assert str(Unreadable(Request("list", "pods"), "no list")) == "list pods: no list"


def test_what_was_never_sent_was_not_done_and_what_cannot_be_read_may_be() -> None:
    assert not Unreachable(PATCH, "connection refused", sent=False).may_be_done
    assert Unreadable(PATCH, "no JSON").may_be_done
