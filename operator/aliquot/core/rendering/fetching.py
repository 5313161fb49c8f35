"""Init containers that fetch data before the main container starts: git repositories and S3 buckets.

git-sync clones once into a volume; the files are in DIRECTORY/NAME-OF-THE-REPOSITORY, as with its older versions. A
bucket is copied by rclone rather than mounted: that would take a privileged container (docs/decisions/0009).
"""

from typing import Final

from aliquot.core.rendering.context import Manifest
from aliquot.core.rendering.environment import literal, no_devices, secret_variable
from aliquot.core.rendering.security import NOBODY, fetcher_security
from aliquot.core.rendering.volumes import bucket_volume, code_volume
from aliquot.core.submission import ValidPod
from aliquot.core.submission.volume_values import Bucket, Repository

_GIT_USER: Final = "User"
_GIT_PASSWORD: Final = "Password"  # noqa: S105 - the key of a Secret
_S3_KEY_ID: Final = "AccessKeyId"
_S3_SECRET: Final = "SecretKey"  # noqa: S105 - the key of a Secret


def fetchers(pod: ValidPod) -> list[Manifest]:
    """List the init containers of a pod."""
    as_user = pod.security.uid is not None
    return [
        *(_cloner(at, repository) for at, repository in enumerate(pod.sources.repositories)),
        *(_copier(at, bucket, as_user=as_user) for at, bucket in enumerate(pod.sources.buckets)),
    ]


def _cloner(at: int, repository: Repository) -> Manifest:
    texts = {
        "GITSYNC_REPO": repository.address,
        "GITSYNC_REF": repository.reference,
        "GITSYNC_ROOT": repository.path,
        "GITSYNC_ONE_TIME": "true",
    }
    return {
        "name": f"git-sync-{at}" if at else "git-sync",
        "image": repository.image,
        "env": [
            *_texts(texts),
            *_credentials(
                repository.secret,
                {
                    "GITSYNC_USERNAME": (repository.username, _GIT_USER),
                    "GITSYNC_PASSWORD": (repository.password, _GIT_PASSWORD),
                },
            ),
            no_devices(),
        ],
        "volumeMounts": [{"name": code_volume(at), "mountPath": repository.path}],
        "securityContext": fetcher_security(),
    }


def _copier(at: int, bucket: Bucket, *, as_user: bool) -> Manifest:
    texts = {
        "RCLONE_CONFIG_BUCKET_TYPE": "s3",
        "RCLONE_CONFIG_BUCKET_PROVIDER": "AWS" if bucket.endpoint is None else "Other",
        **({} if bucket.endpoint is None else {"RCLONE_CONFIG_BUCKET_ENDPOINT": bucket.endpoint}),
    }
    return {
        "name": f"s3-{at}",
        "image": bucket.image,
        "args": ["copy", "--config=", f"bucket:{bucket.bucket}", literal(bucket.path)],
        "env": [
            *_texts(texts),
            *_credentials(
                bucket.secret,
                {
                    "RCLONE_CONFIG_BUCKET_ACCESS_KEY_ID": (bucket.access_key, _S3_KEY_ID),
                    "RCLONE_CONFIG_BUCKET_SECRET_ACCESS_KEY": (bucket.secret_key, _S3_SECRET),
                },
            ),
            no_devices(),
        ],
        "volumeMounts": [{"name": bucket_volume(at), "mountPath": bucket.path}],
        "securityContext": {
            # The image would run as root.
            **({} if as_user else {"runAsUser": NOBODY, "runAsNonRoot": True}),
            **fetcher_security(),
        },
    }


def _texts(texts: dict[str, str]) -> list[Manifest]:
    return [{"name": name, "value": literal(value)} for name, value in texts.items()]


def _credentials(secret: str | None, variables: dict[str, tuple[str | None, str]]) -> list[Manifest]:
    """List variables with credentials; of each, the text itself and the Secret's key for it."""
    if secret is not None:
        return [secret_variable(name, secret, key) for name, (_, key) in variables.items()]
    return [{"name": name, "value": literal(text)} for name, (text, _) in variables.items() if text is not None]
