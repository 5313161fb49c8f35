"""Data from outside the cluster: git repositories and S3 buckets, fetched before the container starts."""

import re
from typing import Final

from aliquot.contracts.kinds.parameters.sources import GitRepository, S3Bucket, SourceParameters
from aliquot.contracts.kinds.wrappers import given
from aliquot.core.submission.keys import is_object_name
from aliquot.core.submission.paths import MountPaths
from aliquot.core.submission.problems import Problems
from aliquot.core.submission.process import IMAGE_ALLOWED, is_image
from aliquot.core.submission.spec import Defaults
from aliquot.core.submission.volume_values import Bucket, Repository, Sources

DEFAULT_BRANCH: Final = "master"
DEFAULT_DIRECTORY: Final = "/code"

_ADDRESS: Final = re.compile(r"https?://[^\s\0/@]+(/[^\s\0]*)?")
_ENDPOINT: Final = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+/?", re.ASCII)
_REFERENCE: Final = re.compile(r"[A-Za-z0-9_][-A-Za-z0-9_./+@]*", re.ASCII)
_BUCKET: Final = re.compile(r"[a-z0-9][-a-z0-9.]{1,61}[a-z0-9]", re.ASCII)

ADDRESS_ALLOWED: Final = (
    "an address that begins with https:// or http://, such as https://git.example.com/team/code.git, without user name "
    "and password in it"
)
REFERENCE_ALLOWED: Final = "the name of a branch, a tag or a commit"
BUCKET_ALLOWED: Final = "the name of an S3 bucket: 3 to 63 lower-case letters, digits, '-' and '.'"
ENDPOINT_ALLOWED: Final = "the address of an S3 service, such as https://s3.example.com"
SECRET_ALLOWED: Final = "the name of a Secret of the project's namespace"  # noqa: S105 - what is allowed, no secret
TEXT_ALLOWED: Final = "a text without the character NUL"
ONE_WAY: Final = "left out, because secretName says where it is"


def read_sources(spec: SourceParameters, defaults: Defaults, paths: MountPaths, problems: Problems) -> Sources:
    """Read what is fetched; `paths` knows what else is mounted."""
    repositories = [
        _repository(f"spec.gitSync.items[{label}].value", item, defaults, paths, problems)
        for label, item in sorted(given(spec.git_sync.items).items())
    ]
    buckets = [
        _bucket(f"spec.s3.items[{label}].value", item, defaults, paths, problems)
        for label, item in sorted(given(spec.s3.items).items())
    ]
    return Sources(repositories=tuple(repositories), buckets=tuple(buckets))


def _repository(
    field: str, item: GitRepository, defaults: Defaults, paths: MountPaths, problems: Problems
) -> Repository:
    if not _ADDRESS.fullmatch(item.repository):
        problems.add(f"{field}.repository", item.repository, ADDRESS_ALLOWED)
    member, reference = ("rev", item.rev) if item.rev else ("branch", item.branch or DEFAULT_BRANCH)
    if not _REFERENCE.fullmatch(reference):
        problems.add(f"{field}.{member}", reference, REFERENCE_ALLOWED)
    secret = _credentials(field, item.secret_name, {"username": item.username, "password": item.password}, problems)
    return Repository(
        address=item.repository,
        reference=reference,
        path=paths.take(f"{field}.directory", item.directory or DEFAULT_DIRECTORY),
        image=_image(field, item.image, defaults.git_image, problems),
        username=item.username or None,
        password=item.password or None,
        secret=secret,
        read_only=bool(item.read_only),
    )


def _bucket(field: str, item: S3Bucket, defaults: Defaults, paths: MountPaths, problems: Problems) -> Bucket:
    if not _BUCKET.fullmatch(item.bucket):
        problems.add(f"{field}.bucket", item.bucket, BUCKET_ALLOWED)
    if item.url and not _ENDPOINT.fullmatch(item.url):
        problems.add(f"{field}.url", item.url, ENDPOINT_ALLOWED)
    keys = {"key": item.key, "secret": item.secret}
    secret = _credentials(field, item.secret_name, keys, problems)
    if secret is None:
        for member, other in (("key", "secret"), ("secret", "key")):
            if not keys[member] and keys[other]:
                problems.add(f"{field}.{member}", None, f"given, because {other} is: S3 wants both keys")
    return Bucket(
        bucket=item.bucket,
        path=paths.take(f"{field}.path", item.path),
        image=_image(field, item.image, defaults.s3_image, problems),
        endpoint=item.url or None,
        access_key=item.key or None,
        secret_key=item.secret or None,
        secret=secret,
    )


def _credentials(field: str, secret: str | None, clear: dict[str, str | None], problems: Problems) -> str | None:
    """Check where the credentials are; returns the Secret's name."""
    if secret and not is_object_name(secret):
        problems.add(f"{field}.secretName", secret, SECRET_ALLOWED)
    for member, text in clear.items():
        if text and secret:
            problems.add(f"{field}.{member}", "…", ONE_WAY)
        elif text and "\0" in text:
            problems.add(f"{field}.{member}", "…", TEXT_ALLOWED)
    return secret or None


def _image(field: str, image: str | None, default: str, problems: Problems) -> str:
    if image and not is_image(image):
        problems.add(f"{field}.image", image, IMAGE_ALLOWED)
    return image or default
