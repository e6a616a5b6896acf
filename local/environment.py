"""The environment of this process and of its functions: of the caller's shell only what is named here."""

import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from local.tls import Material

ACCOUNT = "000000000000"
REGION = "us-east-1"
XRAY_HOST = f"xray.{REGION}.amazonaws.com"
"""X-Ray's host on AWS, which leads functions to the local AWS."""

# What an interpreter needs to start; everything else could lead a client to a real account or through a proxy.
_KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Keys of the account's root user; MiniStack takes an account's number as its access key."""

    access_key_id: str
    secret_access_key: str


def new_credentials() -> Credentials:
    """Makes credentials that hold for one run."""
    return Credentials(access_key_id=ACCOUNT, secret_access_key=secrets.token_hex(20))


def close_environment(
    *, work_dir: Path, port: int, material: Material, credentials: Credentials, log_level: str
) -> None:
    """Replaces this process's environment, before anything of MiniStack is imported.

    Args:
        work_dir: Where every file goes; temporary ones as well.
        port: The endpoint's port.
        material: The endpoint's certificate, and what clients trust.
        credentials: The root user's keys.
        log_level: MiniStack's, such as `INFO`.
    """
    temporary = work_dir / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    os.environ.clear()
    os.environ.update(kept)
    os.environ.update(
        {
            "AUTH": "true",
            "USE_SSL": "1",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "MINISTACK_SSL_CERT": str(material.certificate),
            "MINISTACK_SSL_KEY": str(material.key),
            "LOG_LEVEL": log_level,
            "LAMBDA_EXECUTOR": "local",
            "PERSIST_STATE": "0",
            "S3_PERSIST": "0",
            "STATE_DIR": str(work_dir / "state"),
            "S3_DATA_DIR": str(work_dir / "s3"),
            # Listeners and loops of services nobody here uses.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "HOME": str(work_dir),
            "TMPDIR": str(temporary),
            "PYTHONDONTWRITEBYTECODE": "1",
            # Inherited by the functions' processes. On AWS a function needs neither endpoint nor certificate.
            "AWS_ENDPOINT_URL": f"https://127.0.0.1:{port}",
            "AWS_CA_BUNDLE": str(material.ca_bundle),
            "NODE_EXTRA_CA_CERTS": str(material.ca_bundle),
            "REQUESTS_CA_BUNDLE": str(material.ca_bundle),
            "SSL_CERT_FILE": str(material.ca_bundle),
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "*",
        }
    )
    tempfile.tempdir = None
