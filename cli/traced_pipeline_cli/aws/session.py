"""Reaches AWS the way boto3 is configured: profile, region, endpoint, authorities and proxies."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

import boto3
import botocore.session
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, NoCredentialsError, NoRegionError
from botocore.utils import get_environ_proxies

from ..errors import CliError
from .http import is_loopback


class CredentialsError(CliError):
    """The credentials that are configured cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Connection:
    """A session, and what requests outside boto3's clients need to know of it.

    Attributes:
        session: The session, for clients.
        region: Its region.
        verify: True, or the file of the authorities that servers' certificates are checked by.
    """

    session: boto3.Session
    region: str
    verify: bool | str

    def credentials(self) -> Credentials:
        """Whose name requests are signed in.

        Raises:
            botocore.exceptions.NoCredentialsError: None are configured.
        """
        credentials = self.session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        return credentials

    def proxies(self, url: str) -> Mapping[str, str]:
        """Returns the proxies the environment names for a URL; none for this machine itself."""
        if is_loopback(url):
            return {}
        proxies: dict[str, str] = get_environ_proxies(url)
        return proxies


def connect(*, profile: str | None = None, region: str | None = None) -> Connection:
    """Opens a session.

    Args:
        profile: The profile; by default the one boto3 chooses.
        region: The region; by default the one boto3 chooses, or else AWS_REGION's.

    Raises:
        botocore.exceptions.ProfileNotFound: There is no such profile.
        botocore.exceptions.NoRegionError: No region is configured.
        CredentialsError: What the credentials come from, such as a program or a file, gives none.
        botocore.exceptions.ClientError: AWS gives none.
    """
    core = botocore.session.Session(profile=profile)
    # boto3 does not read AWS_REGION, which every other SDK and Lambda itself do.
    chosen = region or boto3.Session(botocore_session=core).region_name or os.environ.get("AWS_REGION")
    if not chosen:
        raise NoRegionError
    session = boto3.Session(botocore_session=core, region_name=chosen)
    _read_credentials(session, f" of the profile {core.profile}" if core.profile else "")
    bundle = core.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
    return Connection(session=session, region=chosen, verify=str(bundle) if bundle else True)


def _read_credentials(session: boto3.Session, whose: str) -> None:
    """Reads the credentials once, which clients do later: whatever is raised then is not a client's fault."""
    try:
        credentials = session.get_credentials()
        if credentials is not None:
            credentials.get_frozen_credentials()
    except BotoCoreError:
        raise
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        # Of a program or a file that is not there, or holds something else, botocore raises what it comes upon.
        raise CredentialsError(
            f"The AWS credentials{whose} could not be read: {error}. Check what they come from, such as "
            "credential_process or a token file, or name another --profile."
        ) from error
