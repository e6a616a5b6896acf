"""A helper over MiniStack's CloudFormation handlers."""

from collections.abc import Callable
from typing import Any

Fields = dict[str, Any]


def wrap(
    handlers: Fields,
    *,
    after: Callable[[str, Fields], None],
    before: Callable[[Fields], None] = lambda _props: None,
) -> None:
    """Lets `before` see the properties ahead of a type's create and update, and `after` the outcome.

    Args:
        handlers: The type's handlers; changed in place.
        after: Gets the physical id and the properties.
        before: Gets the properties; a `ValueError` from it fails the resource with that reason.
    """
    create, update = handlers["create"], handlers["update"]

    def created(logical_id: str, props: Fields, *args: Any) -> tuple[str, Fields]:
        before(props)
        physical_id, attributes = create(logical_id, props, *args)
        after(physical_id, props)
        return physical_id, attributes

    def updated(physical_id: str, old: Fields, new: Fields, *args: Any) -> Any:
        before(new)
        answer = update(physical_id, old, new, *args)
        after(answer[0], new)
        return answer

    handlers["create"], handlers["update"] = created, updated
