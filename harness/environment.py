"""The environment of every child process: an allow-list, so that nothing in the shell leads to a real account."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from harness.facts import LocalFacts

_JSII = ("JSII_NODE", "JSII_RUNTIME_PACKAGE_CACHE_ROOT")
_KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TERM", "TMPDIR", "TZ", "COLUMNS", "NO_COLOR", *_JSII)
_COVERAGE = ("COVERAGE_PROCESS_CONFIG",)
"""By this `make test` measures what its children run too; without coverage.py it means nothing."""
REFUSED_PREFIXES = ("AWS_", "BOTO_", "CDK_", "_X_AMZN")


def bare_environment(home: Path, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Returns what a child needs of the machine, and nothing else: no credentials, profiles, endpoints or proxies.

    Args:
        home: The child's home directory, a folder of the run.
        environment: Where the few things that are kept come from.
    """
    home.mkdir(parents=True, exist_ok=True)
    bare = {name: environment[name] for name in (*_KEPT, *_COVERAGE) if name in environment}
    return bare | {
        "HOME": str(home),
        "NO_PROXY": "*",
        "no_proxy": "*",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_DISABLE_CLI_TELEMETRY": "1",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
    }


def local_environment(home: Path, facts: LocalFacts) -> dict[str, str]:
    """Returns the environment of a child that talks to the local AWS, and to it alone.

    Args:
        home: The child's home directory, a folder of the run.
        facts: Where the local AWS is.

    Raises:
        ValueError: The endpoint is not on this machine.
    """
    if urlsplit(facts.endpoint).hostname != "127.0.0.1":
        raise ValueError(f"the local AWS claims to be at {facts.endpoint}; expected an address of 127.0.0.1")
    return bare_environment(home) | {
        "AWS_ENDPOINT_URL": facts.endpoint,
        "AWS_CA_BUNDLE": facts.ca_bundle,
        "NODE_EXTRA_CA_CERTS": facts.ca_bundle,
        "AWS_ACCESS_KEY_ID": facts.access_key_id,
        "AWS_SECRET_ACCESS_KEY": facts.secret_access_key,
        "AWS_REGION": facts.region,
        "AWS_DEFAULT_REGION": facts.region,
    }


def close_own_environment(home: Path, facts: LocalFacts | None = None) -> None:
    """Gives this very process the environment its children get; for processes that make AWS clients themselves."""
    closed = bare_environment(home) if facts is None else local_environment(home, facts)
    for name in list(os.environ):
        if name.startswith(REFUSED_PREFIXES) or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ.update({name: value for name, value in closed.items() if name != "HOME"})
