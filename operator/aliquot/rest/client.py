"""Asks a control plane what a cluster is to have, and tells it what the cluster has.

Redirects are not followed: they would take the secret, or the word of somebody else, across hosts. Answers are read up
to a bound. The environment's proxies do not count: a proxy is what the settings say.
"""

import ssl
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final, NamedTuple, Self, TypeVar

import aiohttp
from pydantic import BaseModel, ValidationError
from yarl import URL

from aliquot.backoff import Backoff
from aliquot.clock import Clock
from aliquot.contracts.cluster_sync import PREFIX, Desired, Received
from aliquot.errors import AliquotError
from aliquot.rest.problems import ControlPlaneProblem, NoAnswer, NoSecret, Refused, SessionOver, Unreadable

ModelT = TypeVar("ModelT", bound=BaseModel)

_CONNECT_SECONDS: Final = 10.0
_REPORT_SECONDS: Final = 30.0
_BEYOND_WAIT_SECONDS: Final = 15.0
"""So much longer than it was asked to wait a control plane may take to answer."""
_MOST_BYTES: Final = 64 * 2**20
"""Of an answer: some 50,000 projects."""
_LONGEST_SAID: Final = 300
"""Characters of an error's answer that are repeated."""
_LONGEST_RETRY_AFTER_SECONDS: Final = 300.0
_PATIENCE: Final = Backoff(base_seconds=0.5, cap_seconds=30, spread=0.5)
"""How long to wait after a problem; a control plane that comes back hears of all its clusters within half a minute."""


class AddressError(AliquotError):
    """A control plane cannot be spoken to, as something in its address is wrong: names the setting."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a control plane is, and who we are there.

    Attributes:
        url: such as `https://aliquot.example.com`; slashes at its end do not matter.
        cluster: the cluster's uuid.
        secret: gives the cluster's secret; read anew for each request, so that it can be replaced.
        ca_file: certificates of authorities that are trusted beside the system's; None: none.
        proxy: URL of an HTTP proxy; None: none.
        user_agent: how the control plane's log shall call us.
    """

    url: str
    cluster: str
    secret: Callable[[], str]
    ca_file: str | None = None
    proxy: str | None = None
    user_agent: str = "aliquot"


class Wanted(NamedTuple):
    """What a cluster is to have.

    Attributes:
        desired: all of it.
        tag: tells it apart from what was wanted before and after.
    """

    desired: Desired
    tag: str


def wait_seconds(problem: ControlPlaneProblem, failures: int, chance: Random) -> float:
    """How long to wait after a problem.

    Args:
        problem: it.
        failures: how many there were in a row, at least 1.
        chance: spreads it, so that not all clusters come back at once.
    """
    asked = problem.retry_after_seconds if isinstance(problem, Refused) else 0.0
    return max(_PATIENCE.seconds(failures, chance), min(asked, _LONGEST_RETRY_AFTER_SECONDS))


class ControlPlane:
    """Speaks to one control plane; use it as an async context manager.

    Args:
        address: where, and who we are.
        clock: for durations.
        answered: told of each request's end: what was asked (`desired`, `report`), the outcome (the status, or the name
            of the problem), and how many seconds it took.

    Raises:
        AddressError: the file with certificates cannot be used.
    """

    def __init__(self, address: Address, clock: Clock, answered: Callable[[str, str, float], None]) -> None:
        self._address = address
        self._clock = clock
        self._answered = answered
        self._base = f"{address.url.rstrip('/')}{PREFIX}/{address.cluster}"
        self._tls = _tls(address.ca_file)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        assert self._session is None, "a client is opened once"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._tls, keepalive_timeout=60),
            headers={"User-Agent": self._address.user_agent, "Accept": "application/json"},
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def desired(self, tag: str, wait: int) -> Wanted | None:
        """Ask what the cluster is to have; wait for that to differ from what is known.

        Args:
            tag: of what is known; empty: nothing is.
            wait: seconds that the control plane may wait for a change.

        Returns:
            What is wanted; None: the same as before.

        Raises:
            ControlPlaneProblem: see `aliquot.rest.problems`.
        """
        headers = {"If-None-Match": tag} if tag else {}
        answer = await self._send(
            "desired", "GET", f"/desired?waitSeconds={wait}", headers, None, wait + _BEYOND_WAIT_SECONDS
        )
        if answer.status == 304:
            return None
        return Wanted(_read(answer, Desired), answer.tag)

    async def report(self, body: bytes) -> Received:
        """Tell what is new.

        Args:
            body: a `Report` as JSON.

        Raises:
            SessionOver: begin a new session.
            ControlPlaneProblem: see `aliquot.rest.problems`; the very same may be sent again.
        """
        headers = {"Content-Type": "application/json"}
        return _read(await self._send("report", "POST", "/reports", headers, body, _REPORT_SECONDS), Received)

    async def _send(
        self, what: str, method: str, path: str, headers: dict[str, str], body: bytes | None, seconds: float
    ) -> "_Answer":
        started, outcome = self._clock.monotonic(), "cancelled"
        try:
            answer = await self._once(method, path, headers, body, seconds)
            outcome = str(answer.status)
            _check(answer)
            return answer
        except ControlPlaneProblem as problem:
            outcome = str(problem.status) if isinstance(problem, Refused) else type(problem).__name__
            raise
        finally:
            self._answered(what, outcome, self._clock.monotonic() - started)

    async def _once(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None, seconds: float
    ) -> "_Answer":
        assert self._session is not None, "the client is not open: use `async with`"
        who = b64encode(f"{self._address.cluster}:{self._secret()}".encode()).decode()
        try:
            async with self._session.request(
                method,
                URL(f"{self._base}{path}", encoded=True),
                data=body,
                headers={**headers, "Authorization": f"Basic {who}"},
                proxy=self._address.proxy,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT_SECONDS),
            ) as response:
                read = bytearray()
                async for chunk in response.content.iter_chunked(2**16):
                    read += chunk
                    if len(read) > _MOST_BYTES:
                        raise Unreadable(f"the answer has more than {_MOST_BYTES // 2**20} MiB")
                said = response.headers
                return _Answer(
                    response.status,
                    bytes(read),
                    said.get("ETag", ""),
                    said.get("Retry-After", ""),
                    said.get("Location", ""),
                )
        except (aiohttp.ClientError, OSError) as error:  # a TimeoutError is an OSError
            raise NoAnswer(str(error) or type(error).__name__) from error

    def _secret(self) -> str:
        try:
            return self._address.secret().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise NoSecret(f"the secret cannot be read: {error}") from error


class _Answer(NamedTuple):
    status: int
    body: bytes
    tag: str
    retry_after: str
    location: str


def _check(answer: _Answer) -> None:
    """See whether an answer is one.

    Raises:
        Refused: it is an error.
    """
    if answer.status in (200, 304):
        return
    said = " ".join(answer.body[: 4 * _LONGEST_SAID].decode(errors="replace").split())[:_LONGEST_SAID]
    retry_after = float(answer.retry_after) if answer.retry_after.isdecimal() and len(answer.retry_after) < 9 else 0.0
    if answer.status == 409:
        raise SessionOver(f"409: {said}", 409, retry_after)
    if 300 <= answer.status < 400:
        said = f"redirects are not followed; give the address to which it leads: {answer.location[:_LONGEST_SAID]}"
    raise Refused(f"{answer.status}: {said}", answer.status, retry_after)


def _read(answer: _Answer, model: type[ModelT]) -> ModelT:
    """Read an answer.

    Raises:
        Unreadable: it has another shape.
    """
    try:
        return model.model_validate_json(answer.body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise Unreadable(f"the answer is no {model.__name__}: {where}: {first['msg']}") from error


def _tls(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            raise AddressError(f"control_plane.ca_file: {ca_file!r} cannot be used: {error}") from error
    return context
