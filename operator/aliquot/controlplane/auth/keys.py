"""The keys that sign tokens: made here, kept in the database, replaced in time.

    published        signs                             still published
    ├── one day ─────┼── key_days ─────────────────────┼── as long as its tokens count ──┤ forgotten

The next key is published a day before it signs, so that whoever keeps keys for a while knows it by then. Of several
instances the first to notice makes it.
"""

from dataclasses import dataclass
from itertools import zip_longest
from threading import Lock
from typing import Any, Final

from joserfc.jwk import RSAKey
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from aliquot.clock import Clock
from aliquot.controlplane.database import Database
from aliquot.controlplane.database.tables import SigningKey
from aliquot.controlplane.settings import Tokens

_BITS: Final = 2048
_AHEAD_MS: Final = 86_400_000
_DAY_MS: Final = 86_400_000
_FRESH_SECONDS: Final = 60.0
_LOOKS_AGAIN_SECONDS: Final = 1.0
"""Tokens with unknown keys make us look into the database, but not more often than this."""


@dataclass(frozen=True, slots=True)
class _Known:
    key: RSAKey
    id: str
    signs_from_ms: int


class KeyRing:
    """The keys of this control plane."""

    def __init__(self, database: Database, settings: Tokens, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._lock = Lock()
        self._known: tuple[_Known, ...] = ()
        self._looked: float | None = None

    def signing(self) -> tuple[str, RSAKey]:
        """The key that signs now, and its id; the next one is made when it is time."""
        now_ms = int(self._clock.now() * 1000)
        with self._lock:
            if not self._known or self._is_stale(_FRESH_SECONDS):
                self._look()
            if not self._known or self._next_is_due(now_ms):
                self._make(now_ms)
            key = max((key for key in self._known if key.signs_from_ms <= now_ms), key=_age, default=self._known[0])
            return key.id, key.key

    def verifying(self, key_id: str) -> RSAKey | None:
        """The key with this id, if tokens that it signed may still count."""
        with self._lock:
            if self._is_stale(_FRESH_SECONDS):
                self._look()
            if not any(key.id == key_id for key in self._known) and self._is_stale(_LOOKS_AGAIN_SECONDS):
                self._look()
            return next((key.key for key in self._counting() if key.id == key_id), None)

    def published(self) -> list[dict[str, Any]]:
        """The public halves, as a JWKS has them."""
        self.signing()
        with self._lock:
            return [
                {**key.key.as_dict(private=False), "kid": key.id, "use": "sig", "alg": "RS256"}
                for key in self._counting()
            ]

    def _is_stale(self, seconds: float) -> bool:
        return self._looked is None or self._clock.monotonic() - self._looked >= seconds

    def _next_is_due(self, now_ms: int) -> bool:
        return now_ms >= self._known[-1].signs_from_ms + self._settings.key_days * _DAY_MS - _AHEAD_MS

    def _counting(self) -> list[_Known]:
        """Those that sign, will sign, or signed tokens that may still count."""
        now_ms = int(self._clock.now() * 1000)
        replaced = [key.signs_from_ms for key in self._known[1:]]
        lasts = (self._settings.refresh_seconds + self._settings.leeway_seconds) * 1000
        return [key for key, end in zip_longest(self._known, replaced) if key and (end is None or now_ms < end + lasts)]

    def _look(self) -> None:
        with self._database.reading() as session:
            self._take(session)

    def _take(self, session: Session) -> None:
        known = {key.id: key for key in self._known}
        rows = session.scalars(select(SigningKey).order_by(SigningKey.signs_from_ms, SigningKey.id))
        self._known = tuple(
            known.get(row.id) or _Known(RSAKey.import_key(row.private_pem), row.id, row.signs_from_ms) for row in rows
        )
        self._looked = self._clock.monotonic()

    def _make(self, now_ms: int) -> None:
        key = RSAKey.generate_key(_BITS, private=True)
        with self._database.writing() as session:
            self._take(session)
            if self._known and not self._next_is_due(now_ms):
                return
            period = self._settings.key_days * _DAY_MS
            begins = max(now_ms, self._known[-1].signs_from_ms + period) if self._known else now_ms
            pem = key.as_pem(private=True).decode()
            session.add(SigningKey(id=key.thumbprint(), private_pem=pem, signs_from_ms=begins))
            session.flush()
            counting = {known.id for known in self._counting()}
            session.execute(delete(SigningKey).where(SigningKey.id.not_in(counting | {key.thumbprint()})))
        self._look()


def rotate(database: Database, now_ms: int, *, forget: bool) -> None:
    """Have a new key sign tokens from now on.

    Running instances sign with it within a minute, and believe it at once.

    Args:
        database: where keys are kept.
        now_ms: the time.
        forget: whether those before are forgotten, for somebody may have got them: within a minute no token that they
            signed counts any more. Else they verify until their tokens have expired.
    """
    key = RSAKey.generate_key(_BITS, private=True)
    with database.writing() as session:
        given_up = delete(SigningKey)
        session.execute(given_up if forget else given_up.where(SigningKey.signs_from_ms > now_ms))
        pem = key.as_pem(private=True).decode()
        session.add(SigningKey(id=key.thumbprint(), private_pem=pem, signs_from_ms=now_ms))


def _age(key: _Known) -> int:
    return key.signs_from_ms
