"""TLS with a certificate from files, which somebody else renews.

Each handshake looks whether the files are others than those that are in use; so a renewed certificate is served at
once, nothing is restarted, and nothing polls. Files that cannot be used, such as half of a renewal, leave the old ones
in use.
"""

import ssl
from pathlib import Path

from aliquot import log
from aliquot.errors import AliquotError

_log = log.get(__name__)
_Stamp = tuple[tuple[int, int, int], ...]


class UnusableCertificate(AliquotError):  # noqa: N818 - it says what it is
    """A certificate and its key cannot be used; says why."""


class Renewed:
    """A certificate that is always the one in the files.

    Args:
        certificate: file with it and those of the authorities on its way, as PEM.
        key: file with its private key, as PEM.

    Raises:
        UnusableCertificate: they cannot be used.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = (certificate, key)
        self._stamp = self._look()
        self._in_use = self._read()
        self.context = self._read()
        """For the server."""
        self.context.sni_callback = self._choose

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        stamp, before = self._look(), self._stamp
        self._stamp = stamp
        try:
            if stamp != before:
                self._in_use = self._read()
                _log.info("certificate renewed", file=str(self._files[0]))
        except UnusableCertificate as error:
            _log.error("certificate cannot be used, the one before stays", reason=str(error))
        connection.context = self._in_use

    def _look(self) -> _Stamp | None:
        try:
            found = [file.stat() for file in self._files]
        except OSError:
            return None  # reading them will say why
        return tuple((each.st_mtime_ns, each.st_ino, each.st_size) for each in found)

    def _read(self) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        made.set_alpn_protocols(["http/1.1"])
        try:
            made.load_cert_chain(*self._files, password=_none)
        except (OSError, ValueError) as error:
            shown = " and ".join(map(str, self._files))
            raise UnusableCertificate(f"{shown}: {getattr(error, 'reason', None) or error}") from error
        return made


def _none() -> str:
    """Answer for a key that asks for a password: else the terminal would be asked."""
    return ""
