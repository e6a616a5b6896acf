"""Tags of groups and sampling rules.

Source: X-Ray API Reference, "TagResource"; X-Ray Developer Guide, "Tagging X-Ray sampling rules and groups": 50 tags a
resource at most, and no key that begins with `aws:`.
"""

import threading
from collections.abc import Iterable, Mapping

from local.xray.request import ApiError

_MAX_TAGS = 50


class Tags:
    """The tags of every resource, by its ARN."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tags: dict[str, dict[str, str]] = {}

    def check(self, tags: Iterable[Mapping[str, str]], *, arn: str = "") -> dict[str, str]:
        """Returns all the tags that a resource, new or existing, would have with these added.

        Raises:
            ApiError: A key is reserved or comes twice, or the resource would have too many tags.
        """
        added = list(tags)
        keys = [tag["Key"] for tag in added]
        if reserved := [key for key in keys if key.lower().startswith("aws:")]:
            raise ApiError(f"Tag key {reserved[0]!r} begins with aws:, which is reserved for AWS")
        if len(set(keys)) < len(keys):
            raise ApiError("A tag key comes twice")
        merged = {**self.of(arn), **{tag["Key"]: tag["Value"] for tag in added}}
        if len(merged) > _MAX_TAGS:
            raise ApiError(
                f"The resource would have {len(merged)} tags, {_MAX_TAGS} at most", code="TooManyTagsException"
            )
        return merged

    def put(self, arn: str, tags: Iterable[Mapping[str, str]]) -> None:
        """Adds tags to a resource.

        Raises:
            ApiError: As `check` does.
        """
        merged = self.check(tags, arn=arn)
        with self._lock:
            self._tags[arn] = merged

    def of(self, arn: str) -> dict[str, str]:
        """Returns a resource's tags; none for a resource without."""
        with self._lock:
            return dict(self._tags.get(arn, {}))

    def remove(self, arn: str, keys: Iterable[str]) -> None:
        """Removes tags of a resource; keys it does not have are ignored."""
        with self._lock:
            for key in keys:
                self._tags.get(arn, {}).pop(key, None)

    def forget(self, arn: str) -> None:
        """Removes all the tags of a deleted resource."""
        with self._lock:
            self._tags.pop(arn, None)
