"""Tokens that nobody signed who may."""

import base64
import hmac
import json
from typing import Any

from joserfc.jwk import RSAKey


def signed_with_public_key(header: dict[str, Any], claims: dict[str, Any], public: dict[str, Any]) -> str:
    """What takes in those who check a signature by whichever algorithm its header names."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    secret = RSAKey.import_key(public).as_pem(private=False)
    signature = hmac.digest(secret, b".".join(parts), "sha256")
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()
