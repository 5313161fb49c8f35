"""Names that Aliquot generates: valid under RFC 1123, the same for the same question, different for different ones.

Requirements, all of them tested as properties:
- a pod's name is a DNS label, 63 characters at most, because it is the pod's host name;
- different jobs, indices or attempts never share a pod name, also when it had to be cut;
- what is valid and short enough already is left as it is, so that people find their names again.

Cutting replaces the end of a text by a dash and a hash of the whole text.
"""

import hashlib
import re
from collections.abc import Collection
from typing import Final

LONGEST: Final = 63
"""Characters of a DNS label and of a label's value."""
DEFAULT_PREFIX: Final = "job"
"""Beginning of the name of a job that gives neither a name nor a prefix (cluster-api.md S3)."""

_HASH_LENGTH: Final = 10
_SHORT_HASH_LENGTH: Final = 8
"""Where a readable name of one kind is told apart from earlier ones only."""
_DNS_LABEL: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?", re.ASCII)
_LABEL_VALUE: Final = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?", re.ASCII)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:_HASH_LENGTH]


def generated_job_name(prefix: str | None, taken: Collection[str]) -> str:
    """Choose a name for a job that has none: `<prefix>-<n>` with the smallest n from 0 that is not taken.

    Args:
        prefix: None: "job".
        taken: names of the other jobs of the same namespace.
    """
    beginning = prefix or DEFAULT_PREFIX
    others = frozenset(taken)
    # Among one candidate more than there are others, one is free.
    return next(name for n in range(len(others) + 1) if (name := f"{beginning}-{n}") not in others)


def pod_name(job_name: str, index: int, attempt: int) -> str:
    """Return `<job>-<index>-<attempt>`, or that with the job's name cut and a hash in its place."""
    end = f"-{index}-{attempt}"
    if len(job_name) + len(end) <= LONGEST and _DNS_LABEL.fullmatch(job_name):
        return job_name + end
    return _slug(job_name, LONGEST - len(end)) + end


def dns_label(text: str) -> str:
    """Return the text itself if it is a DNS label, else what is readable of it and a hash of all of it."""
    return text if len(text) <= LONGEST and _DNS_LABEL.fullmatch(text) else _slug(text, LONGEST)


def report_name(kind: str, name: str, uid: str) -> str:
    """Name the report on an object: `<kind>-<name>-<hash>`; another object of the same name has another one.

    Args:
        kind: such as `Deployment`.
        name: of the object.
        uid: of the object.
    """
    end = f"-{_hash(uid)[:_SHORT_HASH_LENGTH]}"
    readable = f"{kind.lower()}-{name}"
    if len(readable) + len(end) <= LONGEST and _DNS_LABEL.fullmatch(readable):
        return readable + end
    return _slug(readable, LONGEST - len(end)) + end


def reservation_name(gpu: str) -> str:
    """Name the pod that holds a GPU for those who have parts of it.

    Args:
        gpu: id that the scheduler has for the GPU; it has the node's name in it.
    """
    return dns_label(f"gpu-reservation-{gpu}")


def _slug(text: str, longest: int) -> str:
    """Make a DNS label of at most `longest` characters: what is readable of the text, and a hash of all of it."""
    room = longest - _HASH_LENGTH - 1
    assert room > 0, "indexes and attempts are small numbers"
    readable = re.sub(r"[^a-z0-9]+", "-", text.lower(), flags=re.ASCII).strip("-")[:room].rstrip("-")
    return f"{readable or 'x'}-{_hash(text)}"


def label_value(text: str) -> str:
    """Return the text itself if it may be a label's value, else what is readable of it and a hash of all of it."""
    if len(text) <= LONGEST and _LABEL_VALUE.fullmatch(text):
        return text
    room = LONGEST - _HASH_LENGTH - 1
    readable = re.sub(r"[^A-Za-z0-9_.-]+", "-", text, flags=re.ASCII).strip("-_.")[:room].rstrip("-_.")
    return f"{readable or 'x'}-{_hash(text)}"
