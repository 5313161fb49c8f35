"""Secrets and passwords: made at random, kept as Argon2id hashes, checked a few at a time.

The parameters are OWASP's for Argon2id (19 MiB, two passes, one lane): some 20 ms of a core. A name that does not exist
costs as much as a wrong password.
"""

import secrets
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_MEMORY_KIB: Final = 19_456
_PASSES: Final = 2
_LANES: Final = 1
_SECRET_BYTES: Final = 32
_PASSWORD_BYTES: Final = 15


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A secret that was just made.

    Attributes:
        text: it.
        kept: its hash.
    """

    text: str = field(repr=False)
    kept: str


class Passwords:
    """Makes and checks hashes.

    Args:
        at_once: so many are computed at the same time; others wait.
    """

    def __init__(self, at_once: int) -> None:
        self._hasher = PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)
        self._turn = BoundedSemaphore(at_once)
        self._nobodys = self.hashed(new_secret())

    def hashed(self, secret: str) -> str:
        """What is kept of a secret."""
        with self._turn:
            return self._hasher.hash(secret)

    def new_secret(self) -> NewSecret:
        """Make a secret for a program. It takes long: not while a transaction is open."""
        text = new_secret()
        return NewSecret(text, self.hashed(text))

    def matches(self, kept: str | None, secret: str) -> bool:
        """Whether this is the secret.

        Args:
            kept: what was kept of it; None: there is none, which takes as long to say.
            secret: what somebody says it is.
        """
        try:
            with self._turn:
                self._hasher.verify(kept or self._nobodys, secret.encode(errors="surrogatepass"))
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None


def new_secret() -> str:
    """A secret for a program: 256 random bits."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def new_password() -> str:
    """A password for a person: 120 random bits, in 20 characters."""
    return secrets.token_urlsafe(_PASSWORD_BYTES)
