"""Whether an endpoint is AWS's own, and the names of a Region's partition, both as botocore's data have them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import botocore.session


def is_of_aws(url: str) -> bool:
    """Returns whether an endpoint is one of AWS, not of a local AWS."""
    domains = [outputs[key] for outputs in _partitions().values() for key in ("dnsSuffix", "dualStackDnsSuffix")]
    return f".{urlsplit(url).hostname}".endswith(tuple(f".{domain}" for domain in domains))


def partition_of(region: str) -> str:
    """Returns the partition of a Region, such as `aws`, `aws-cn` or `aws-us-gov`."""
    return str(_session().get_partition_for_region(region))


def dns_suffix(region: str) -> str:
    """Returns what the host names of a Region's services end in, such as `amazonaws.com`."""
    return _partitions()[partition_of(region)]["dnsSuffix"]


@lru_cache(maxsize=1)
def _partitions() -> dict[str, Mapping[str, str]]:
    """What endpoints are made of, by the partition's id."""
    data: Any = _session().get_data("partitions")
    return {partition["id"]: partition["outputs"] for partition in data["partitions"]}


@lru_cache(maxsize=1)
def _session() -> botocore.session.Session:
    return botocore.session.Session()
