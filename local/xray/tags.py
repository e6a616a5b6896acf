"""Tags of groups and sampling rules: their three operations.

Source: X-Ray API Reference, "TagResource" and its neighbours; X-Ray Developer Guide, "Tagging X-Ray sampling rules and
groups": 50 tags a resource at most, and no key that begins with `aws:`.
"""

import threading
from collections.abc import Callable, Iterable, Mapping

from local.xray.request import ApiError, Body, page

_MAX_TAGS = 50
# How many tags come at once is assumed.
_TAGS_PER_PAGE = 50


class Tags:
    """The operations, over the tags of every resource.

    Args:
        exists: Tells whether an ARN is that of a group or a sampling rule.
    """

    def __init__(self, exists: Callable[[str], bool]) -> None:
        self._exists = exists
        self._lock = threading.Lock()
        self._tags: dict[str, dict[str, str]] = {}

    def operations(self) -> dict[str, Callable[[Body], Body]]:
        """The operations by their paths."""
        return {"TagResource": self._tag, "UntagResource": self._untag, "ListTagsForResource": self._list}

    def check(self, tags: Iterable[Mapping[str, str]], *, arn: str = "") -> dict[str, str]:
        """Reads tags that are to be added to a resource, new or there already.

        Raises:
            ApiError: A key is reserved or comes twice, or the resource would have too many.
        """
        given = list(tags)
        keys = [tag["Key"] for tag in given]
        if reserved := [key for key in keys if key.lower().startswith("aws:")]:
            raise ApiError(f"Tag key {reserved[0]!r} begins with aws:, which is reserved for AWS")
        if len(set(keys)) < len(keys):
            raise ApiError("A tag key comes twice")
        with self._lock:
            merged = {**self._tags.get(arn, {}), **{tag["Key"]: tag["Value"] for tag in given}}
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

    def forget(self, arn: str) -> None:
        """Takes the tags of a resource away that is gone."""
        with self._lock:
            self._tags.pop(arn, None)

    def _tag(self, body: Body) -> Body:
        self.put(self._known(body), body["Tags"])
        return {}

    def _untag(self, body: Body) -> Body:
        arn = self._known(body)
        with self._lock:
            for key in body["TagKeys"]:
                self._tags.get(arn, {}).pop(key, None)
        return {}

    def _list(self, body: Body) -> Body:
        arn = self._known(body)
        with self._lock:
            tags = [(key, {"Key": key, "Value": value}) for key, value in sorted(self._tags.get(arn, {}).items())]
        found, token = page(tags, size=_TAGS_PER_PAGE, token=body.get("NextToken"))
        return {"Tags": found, **({"NextToken": token} if token else {})}

    def _known(self, body: Body) -> str:
        arn = str(body["ResourceARN"])
        if not self._exists(arn):
            raise ApiError(f"There is no group or sampling rule {arn!r}", code="ResourceNotFoundException")
        return arn
