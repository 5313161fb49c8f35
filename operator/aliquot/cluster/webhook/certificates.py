"""Certificates of the webhook: made, read from a Secret, and when they are due for renewal.

    authority (self-signed, its key is forgotten at once) ──signs──▶ certificate for the webhook's host name

Each renewal comes with a new authority. `authorities` is the bundle of all that may still be in use, the newest first:
who trusts it trusts certificates from before and after a renewal alike. As nobody keeps an authority's key, it can
never sign anything else.
"""

import base64
import binascii
import datetime
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from aliquot.errors import AliquotError

CERTIFICATE: Final = "tls.crt"
KEY: Final = "tls.key"
AUTHORITIES: Final = "ca.crt"
"""Keys of the Secret, as cert-manager has them too."""

DAY: Final = 86_400
_SKEW: Final = datetime.timedelta(hours=1)
"""Certificates are valid from so long ago: clocks of control planes differ."""
_LONGEST_COMMON_NAME: Final = 64


class UnusableCredentials(AliquotError):  # noqa: N818 - it says what it is, like the problems of kube
    """A Secret whose certificate nobody could use. The message says why."""


@dataclass(frozen=True)
class Credentials:
    """What the webhook shows to who calls it, and how that is recognised.

    Attributes:
        certificate: PEM, the webhook's own first.
        key: PEM, of that certificate.
        authorities: PEM of all authorities to be trusted, the newest first.
    """

    certificate: bytes
    key: bytes
    authorities: bytes

    @cached_property
    def _own(self) -> x509.Certificate:
        return x509.load_pem_x509_certificates(self.certificate)[0]

    @property
    def expires(self) -> float:
        """When the certificate ends, in Unix seconds."""
        return self._own.not_valid_after_utc.timestamp()

    @property
    def host_names(self) -> tuple[str, ...]:
        """The hosts that the certificate is for."""
        names = self._own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return (
            *names.get_values_for_type(x509.DNSName),
            *(str(address) for address in names.get_values_for_type(x509.IPAddress)),
        )

    def data(self) -> dict[str, str]:
        """The `data` of the Secret."""
        parts = {CERTIFICATE: self.certificate, KEY: self.key, AUTHORITIES: self.authorities}
        return {name: base64.b64encode(part).decode() for name, part in parts.items()}


def read(data: Mapping[str, str]) -> Credentials | None:
    """Read the `data` of a Secret; None: nothing has been put into it yet.

    Raises:
        UnusableCredentials: there is something, and it does not fit together.
    """
    if not any(data.get(name) for name in (CERTIFICATE, KEY)):
        return None
    try:
        certificate, key, authorities = (
            base64.b64decode(data.get(name, ""), validate=True) for name in (CERTIFICATE, KEY, AUTHORITIES)
        )
        _check(certificate, key, authorities)
    except (binascii.Error, ValueError, TypeError, x509.ExtensionNotFound) as problem:
        raise UnusableCredentials(f"{CERTIFICATE}, {KEY} and {AUTHORITIES} do not fit together: {problem}") from problem
    return Credentials(certificate, key, authorities)


def issue(host_names: tuple[str, ...], now: float, lifetime_days: int, trusted: bytes = b"") -> Credentials:
    """Make a certificate with an authority of its own.

    Args:
        host_names: hosts that it is for; names or IP addresses.
        now: Unix seconds.
        lifetime_days: how long both are valid.
        trusted: PEM of the authorities so far; those that have ended are left out.
    """
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    moment = datetime.datetime.fromtimestamp(int(now), datetime.UTC)
    issuer = _name(f"aliquot-webhook-{moment:%Y%m%d%H%M%S}")
    authority = (
        _builder(issuer, issuer, authority_key.public_key(), moment, lifetime_days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    certificate = (
        _builder(_name(host_names[0]), issuer, key.public_key(), moment, lifetime_days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_host(name) for name in host_names]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    still_valid = [each for each in _certificates(trusted) if each.not_valid_after_utc > moment]
    return Credentials(
        certificate=_pem(certificate),
        key=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        authorities=b"".join(map(_pem, (authority, *still_valid))),
    )


def due(credentials: Credentials, host_name: str, now: float, renew_before_days: int) -> str | None:
    """Why the certificate is to be replaced; None: it is not."""
    if host_name not in credentials.host_names:
        return f"it is for {', '.join(credentials.host_names)}, not for {host_name}"
    if not credentials.authorities:
        return "nothing says who signed it"
    left = (credentials.expires - now) / DAY
    return f"it is valid for {max(left, 0):.1f} more days" if left <= renew_before_days else None


def _check(certificate: bytes, key: bytes, authorities: bytes) -> None:
    """See that the key is the certificate's and, where authorities are given, that one of them signed it.

    Raises:
        ValueError: not so, or one of them is no PEM.
    """
    own = x509.load_pem_x509_certificates(certificate)[0]
    private = serialization.load_pem_private_key(key, None)
    own.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    if private.public_key() != own.public_key():
        raise ValueError("the key is not that of the certificate")
    chain = [*x509.load_pem_x509_certificates(certificate)[1:], *_certificates(authorities)]
    if authorities and not any(_signed(own, by) for by in chain):
        raise ValueError("no authority signed the certificate")


def _signed(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _certificates(bundle: bytes) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(bundle) if bundle.strip() else []


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:_LONGEST_COMMON_NAME])])


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, moment: datetime.datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - _SKEW)
        .not_valid_after(moment + datetime.timedelta(days=days))
    )
