"""Which functions of an app a property names: by reference, by name, or by a version or alias of theirs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from aws_cdk import CfnResource, Stack, Token
from constructs import IConstruct

from .function_settings import FUNCTION_TYPES
from .intrinsics import logical_ids_in, text_of
from .resource import properties_of
from .synthesis_checks import resources_in_app

_ALIAS, _VERSION = "AWS::Lambda::Alias", "AWS::Lambda::Version"
# The construct that holds the version which the CDK publishes anew whenever the function changes.
_PUBLISHED_ANEW = "/CurrentVersion/Resource"
_LATEST = "$LATEST"
_IN_ARN = ":function:"
_UNNAMED = "*"


@dataclass(frozen=True, kw_only=True)
class NamedFunction:
    """A function that a property names.

    Attributes:
        path: The path of the function's resource.
        fixed_version: The path of the version or alias that it is named by, where that stays as it is when the
            function changes; otherwise empty.
    """

    path: str
    fixed_version: str


class FunctionReferences:
    """The functions of an app with their versions and aliases, by what they can be called; for use at synthesis.

    Args:
        scope: Any construct of the app.
    """

    def __init__(self, scope: IConstruct) -> None:
        found = {kind: resources_in_app(scope, kind) for kind in (*FUNCTION_TYPES, _VERSION, _ALIAS)}
        resources = [resource for of_kind in found.values() for resource in of_kind]
        self._stacks = StackPaths()
        self._by_id: dict[str, dict[str, NamedFunction]] = defaultdict(dict)
        self._names: dict[str, str] = {}
        ids = iter(logical_ids_of(resources))
        by_kind = {kind: [(resource, next(ids)) for resource in of_kind] for kind, of_kind in found.items()}
        functions = [pair for kind in FUNCTION_TYPES for pair in by_kind[kind]]
        for (function, logical_id), name in zip(functions, _names_of(functions), strict=True):
            path = function.node.path
            self._by_id[logical_id][self._stacks.of(function)] = NamedFunction(path=path, fixed_version="")
            self._names[path] = text_of(name) if name != _UNNAMED else self._stacks.name_of(function)
        # An alias names a version.
        for version, logical_id in by_kind[_VERSION]:
            self._add(version, logical_id, self._of_version(version))
        for alias, logical_id in by_kind[_ALIAS]:
            self._add(alias, logical_id, self._of_alias(alias))

    def named_by(self, value: object, resource: CfnResource) -> list[NamedFunction]:
        """Returns the functions that a resolved value names, by references or else as text.

        Args:
            value: The value. A text in it names a function by its name or an ARN, both with `*` and `?` for any.
            resource: The resource whose property it is.
        """
        stack = self._stacks.of(resource)
        named = {}
        for logical_id in logical_ids_in(value):
            in_stacks = self._by_id.get(logical_id, {})
            # A reference to another stack is not resolved yet, and so looks as one to its own.
            for function in [in_stacks[stack]] if stack in in_stacks else in_stacks.values():
                named[function.path] = function
        if not named:
            named = {path: NamedFunction(path=path, fixed_version="") for path in self._called(value)}
        return list(named.values())

    def _called(self, value: object) -> Iterator[str]:
        text = text_of(value)
        name = text.partition(_IN_ARN)[2].partition(":")[0] if _IN_ARN in text else text
        if ":" in name or not name.strip("*"):
            return
        matching = [path for path, its in self._names.items() if _may_match(its, name)]
        # Where a function has just this name, none that a deployment names can have it.
        yield from [path for path in matching if self._names[path] == name] or matching

    def _of_version(self, version: CfnResource) -> list[NamedFunction]:
        path = version.node.path
        fixed = "" if path.endswith(_PUBLISHED_ANEW) else path
        named = self.named_by(properties_of(version).get("functionName"), version)
        return [NamedFunction(path=function.path, fixed_version=fixed) for function in named]

    def _of_alias(self, alias: CfnResource) -> list[NamedFunction]:
        properties = properties_of(alias)
        number = properties.get("functionVersion")
        versions = [] if isinstance(number, str) else self.named_by(number, alias)
        if versions:
            return versions
        fixed = "" if number == _LATEST else alias.node.path
        named = self.named_by(properties.get("functionName"), alias)
        return [NamedFunction(path=function.path, fixed_version=fixed) for function in named]

    def _add(self, qualifier: CfnResource, logical_id: str, named: list[NamedFunction]) -> None:
        for function in named[:1]:
            self._by_id[logical_id][self._stacks.of(qualifier)] = function


class StackPaths:
    """The paths of the stacks of resources, and the names that deployments give, each asked for once."""

    def __init__(self) -> None:
        self._paths: dict[Stack, str] = {}
        self._names: dict[Stack, str] = {}

    def of(self, resource: CfnResource) -> str:
        """Returns the path of a resource's stack."""
        stack = resource.stack
        if stack not in self._paths:
            self._paths[stack] = stack.node.path
        return self._paths[stack]

    def name_of(self, resource: CfnResource) -> str:
        """Returns what is known of the name that a deployment gives a resource, with `*` for the rest.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html
        """
        stack = resource.stack
        if stack not in self._names:
            name = stack.stack_name
            self._names[stack] = _UNNAMED if Token.is_unresolved(name) else f"{name}-*"
        return self._names[stack]


def _may_match(name: str, pattern: str) -> bool:
    if "*" not in name:
        return fnmatchcase(name, pattern)
    known, wanted = name.partition("*")[0], re.split(r"[*?]", pattern, maxsplit=1)[0]
    return known.startswith(wanted) or wanted.startswith(known)


def logical_ids_of(resources: Sequence[CfnResource]) -> list[str]:
    """Returns the logical ids of resources, which are unique in each stack."""
    return [str(logical_id) for logical_id in _resolved([resource.logical_id for resource in resources], resources)]


def _names_of(functions: Sequence[tuple[CfnResource, str]]) -> list[object]:
    """Returns the names of functions; for one that the deployment names, and for a plain `CfnResource`, `*`."""
    names = [getattr(function, "function_name", None) for function, _ in functions]
    return _resolved(names, [function for function, _ in functions])


def _resolved(values: Sequence[object], resources: Sequence[CfnResource]) -> list[object]:
    """Resolves many values by one call to the CDK, which leaves out those that come to nothing."""
    numbered = {str(number): value for number, value in enumerate(values)}
    resolved: Mapping[str, object] = resources[0].stack.resolve(numbered) if resources else {}
    return [resolved.get(number, _UNNAMED) for number in numbered]
