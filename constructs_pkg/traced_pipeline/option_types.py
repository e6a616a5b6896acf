"""Values against the types that options and arguments are declared with, those of the CDK included."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Literal, TypeAlias, Union, get_args, get_origin

TypeHint: TypeAlias = object
"""What `typing.get_type_hints` gives for a field or an argument."""

_DYNAMIC_DELEGATES = "_delegates"


def matches(value: object, hint: TypeHint) -> bool:
    """Returns whether a value is of a type, as a type checker would.

    Beyond `isinstance` it knows unions, literals, the items of collections, and the interfaces of the CDK. An int is
    a float; a bool is neither an int nor a float.
    """
    if hint is object:
        return True
    if hint is None or hint is type(None):
        return value is None
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return any(matches(value, member) for member in get_args(hint))
    if origin is Literal:
        return any(type(value) is type(word) and value == word for word in get_args(hint))
    if origin is not None:
        return _matches_collection(value, origin, get_args(hint))
    return isinstance(hint, type) and _is_instance(value, hint)


def members(hint: TypeHint) -> tuple[TypeHint, ...]:
    """Returns the alternatives of a union; of another type that alone."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def words_of(hint: TypeHint) -> tuple[object, ...]:
    """Returns the words of the literals in a type; nothing where it has none."""
    return tuple(word for member in members(hint) if get_origin(member) is Literal for word in get_args(member))


def describe(hint: TypeHint) -> str:
    """Returns a type in words, for a message: `"'iam', 'none' or an IAuthorizer"`."""
    parts = [repr(word) for word in words_of(hint)]
    parts += [_named(member) for member in members(hint) if get_origin(member) is not Literal]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"


def _matches_collection(value: object, origin: object, items: tuple[TypeHint, ...]) -> bool:
    if not isinstance(origin, type) or not isinstance(value, origin) or isinstance(value, str | bytes):
        return False
    if isinstance(value, Mapping):
        key, item = items
        return all(matches(k, key) and matches(v, item) for k, v in value.items())
    if isinstance(value, Sequence | AbstractSet):
        return all(matches(item, items[0]) for item in value)
    return True


def _is_instance(value: object, kind: type) -> bool:
    if getattr(kind, "_is_protocol", False):
        return _implements(value, kind)
    if kind in (int, float):
        return isinstance(value, int | kind) and not isinstance(value, bool)
    return isinstance(value, kind)


def _implements(value: object, interface: type) -> bool:
    """Returns whether a value implements an interface of the CDK, which are types only: `isinstance` cannot."""
    declared = [i for kind in type(value).__mro__ for i in kind.__dict__.get("__jsii_ifaces__", ())]
    if any(interface in other.__mro__ for other in declared):
        return True
    # What the CDK hands over by interface alone is a proxy in front of one object for each interface.
    proxies = getattr(value, "__dict__", {}).get(_DYNAMIC_DELEGATES, ())
    offered = {name for proxy in proxies for name in dir(type(proxy))}
    return bool(offered) and all(name in offered for name in dir(interface) if not name.startswith("_"))


def _named(hint: TypeHint) -> str:
    if hint is type(None) or hint is None:
        return "None"
    origin = get_origin(hint)
    if origin is not None:
        return _named_collection(origin, get_args(hint))
    name = getattr(hint, "__name__", str(hint))
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _named_collection(origin: object, items: tuple[TypeHint, ...]) -> str:
    inside = " to ".join(_plain(item) for item in items)
    return f"a {getattr(origin, '__name__', str(origin)).lower()} of {inside}"


def _plain(hint: TypeHint) -> str:
    return describe(hint).removeprefix("an ").removeprefix("a ")
