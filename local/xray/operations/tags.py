"""TagResource, UntagResource and ListTagsForResource, for groups and sampling rules.

Source: X-Ray API Reference, the operations of these names.
"""

from collections.abc import Callable

from local.xray.request import ApiError, Body, page
from local.xray.tags import Tags

# How many tags a page has is assumed.
_TAGS_PER_PAGE = 50


class TagOperations:
    """The three operations, over the tags of every resource.

    Args:
        tags: The tags.
        exists: Says whether an ARN is that of a group or a sampling rule.
    """

    def __init__(self, tags: Tags, *, exists: Callable[[str], bool]) -> None:
        self._tags = tags
        self._exists = exists

    def operations(self) -> dict[str, Callable[[Body], Body]]:
        """Returns the operations by their paths."""
        return {"TagResource": self._tag, "UntagResource": self._untag, "ListTagsForResource": self._list}

    def _tag(self, body: Body) -> Body:
        self._tags.put(self._existing(body), body["Tags"])
        return {}

    def _untag(self, body: Body) -> Body:
        self._tags.remove(self._existing(body), body["TagKeys"])
        return {}

    def _list(self, body: Body) -> Body:
        tags = self._tags.of(self._existing(body))
        entries = [(key, {"Key": key, "Value": value}) for key, value in sorted(tags.items())]
        tags_of_page, token = page(entries, size=_TAGS_PER_PAGE, token=body.get("NextToken"))
        return {"Tags": tags_of_page, **({"NextToken": token} if token else {})}

    def _existing(self, body: Body) -> str:
        arn = str(body["ResourceARN"])
        if not self._exists(arn):
            raise ApiError(f"There is no group or sampling rule {arn!r}", code="ResourceNotFoundException")
        return arn
