"""Where a local AWS is, as it writes it once it serves."""

import json
from dataclasses import dataclass, fields
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class LocalFacts:
    """Where the local AWS is and how to sign for it.

    Attributes:
        endpoint: URL of every service, `https://127.0.0.1:<port>`.
        ca_bundle: File with the certificate of the endpoint.
        account: The account id.
        access_key_id: Access key of that account's administrator.
        secret_access_key: Its secret.
        region: The region.
        daemon_address: UDP address of the X-Ray daemon, `127.0.0.1:<port>`.
    """

    endpoint: str
    ca_bundle: str
    account: str
    access_key_id: str
    secret_access_key: str
    region: str
    daemon_address: str

    @classmethod
    def read(cls, ready_file: Path) -> "LocalFacts":
        """Reads the file that the local AWS writes when it serves."""
        facts = json.loads(ready_file.read_text(encoding="utf-8"))
        return cls(**{field.name: str(facts[field.name]) for field in fields(cls)})
