"""Failures of those who prove who they are, and how long they have to wait.

They are counted in the database, for all instances together, by name and address (few) and by name (many), so that
somebody who guesses is slowed down, and does not lock out everybody else of that name.
"""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from aliquot.controlplane.auth import throttle
from aliquot.controlplane.auth.throttle import Failures, Patience
from aliquot.controlplane.database import Database
from aliquot.controlplane.database.tables import SignInFailure
from aliquot.controlplane.settings import SignIn


class Attempts:
    """An attempt, and those before it.

    Args:
        settings: how patient to be.
        subject: who they say they are.
        address: where they ask from.
        now_ms: when.
    """

    def __init__(self, settings: SignIn, subject: tuple[str, ...], address: str, now_ms: int) -> None:
        def patience(attempts: int) -> Patience:
            return Patience(attempts, settings.wait_seconds, settings.longest_wait_seconds)

        self._counts = {
            throttle.key(*subject, address): patience(settings.attempts),
            throttle.key(*subject): patience(settings.attempts_of_all),
        }
        self._forgotten_ms = now_ms - int(settings.longest_wait_seconds * 1000)
        self._now_ms = now_ms

    def seconds_to_wait(self, session: Session) -> int:
        """How long until this attempt is looked at; 0: it is looked at now."""
        return max(throttle.seconds_to_wait(_failures(session, key), self._now_ms) for key in self._counts)

    def failed(self, database: Database) -> None:
        """Count one more failure."""
        with database.writing() as session:
            session.execute(delete(SignInFailure).where(SignInFailure.waits_until_ms < self._forgotten_ms))
            for key, patience in sorted(self._counts.items()):
                after = patience.after_failure(_failures(session, key), self._now_ms)
                session.merge(SignInFailure(key=key, failures=after.count, waits_until_ms=after.waits_until_ms))

    def forget(self, session: Session) -> None:
        """Forget the failures: this attempt was a success."""
        session.execute(delete(SignInFailure).where(SignInFailure.key.in_(self._counts)))


def _failures(session: Session, key: str) -> Failures:
    row = session.get(SignInFailure, key)
    return Failures() if row is None else Failures(row.failures, row.waits_until_ms)
