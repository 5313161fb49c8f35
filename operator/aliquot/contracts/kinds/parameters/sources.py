"""Data from outside the cluster: git repositories and S3 buckets (cluster-api.md 1.5)."""

from typing import Annotated

from aliquot.contracts.kinds.rules import BoolRules, StringRules
from aliquot.contracts.kinds.shapes import Shape, text
from aliquot.contracts.kinds.texts import Address, FilePath, ImageName, Name
from aliquot.contracts.kinds.wrappers import Items

ShortName = Annotated[str, text(255)]
Password = Annotated[str, text(4096)]


class GitRepository(Shape):
    """A git repository that is cloned before the container starts."""

    repository: Address
    """Address to clone from."""
    branch: ShortName | None = None
    """Branch to check out; left out, master."""
    rev: ShortName | None = None
    """Tag or commit to check out; wins over the branch."""
    directory: FilePath | None = None
    """Directory in the container for the files; left out, /code."""
    username: ShortName | None = None
    """User name for a repository that asks for one."""
    password: Password | None = None
    """Password or token in clear text; `secretName` is the better way."""
    secret_name: Name | None = None
    """Secret in the project's namespace that holds user name and password."""
    image: ImageName | None = None
    """Image that does the cloning, if not the default one."""
    read_only: bool | None = None
    """Whether the container may not write to the directory."""


class GitRepositoryRules(Shape):
    """Rules about git repositories."""

    repository: StringRules
    """Which repositories may be cloned."""
    branch: StringRules | None = None
    """Which branches may be checked out."""
    revision: StringRules | None = None
    """Which tags or commits may be checked out: rules about `rev`."""
    directory: StringRules | None = None
    """Where the files may go."""
    username: StringRules | None = None
    """Which user names may be given."""
    password: StringRules | None = None
    """Which passwords may be given."""
    secret_name: StringRules | None = None
    """Which secrets may be used."""
    image: StringRules | None = None
    """Which images may do the cloning."""
    read_only: BoolRules | None = None
    """Whether the files may or must be read-only."""


class S3Bucket(Shape):
    """An S3 bucket whose objects appear as files."""

    bucket: ShortName
    """Name of the bucket."""
    path: FilePath
    """Directory in the container where the objects appear."""
    url: Address | None = None
    """Address of the S3 service; left out, Amazon's own."""
    key: ShortName | None = None
    """Access key in clear text; `secretName` is the better way."""
    secret: Password | None = None
    """Secret key in clear text; `secretName` is the better way."""
    secret_name: Name | None = None
    """Secret in the project's namespace that holds access key and secret key."""
    image: ImageName | None = None
    """Image that does the mounting, if not the default one."""


class S3BucketRules(Shape):
    """Rules about S3 buckets."""

    bucket: StringRules
    """Which buckets may be used."""
    path: StringRules
    """Where they may be mounted."""
    url: StringRules
    """Which S3 services may be used."""
    key: StringRules
    """Which access keys may be given."""
    secret: StringRules
    """Which secret keys may be given."""
    secret_name: StringRules
    """Which secrets may be used."""
    image: StringRules | None = None
    """Which images may do the mounting."""


GitRepositories = Items[GitRepository, GitRepositoryRules]
S3Buckets = Items[S3Bucket, S3BucketRules]


class SourceParameters(Shape):
    """Data from outside the cluster."""

    git_sync: GitRepositories = GitRepositories()
    """Git repositories to clone into the container before it starts."""
    s3: S3Buckets = S3Buckets()
    """S3 buckets to mount as directories of files."""
