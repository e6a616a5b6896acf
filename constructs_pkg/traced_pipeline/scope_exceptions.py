"""What is left as it is below a scope: by path, by CloudFormation type, or by the class of a construct."""

from __future__ import annotations

import re
from collections.abc import Collection
from fnmatch import translate

from aws_cdk import CfnResource
from constructs import IConstruct

from .checks import Check, PipelineError

EXCLUDED = "it is excluded"
_OUTSIDE = "it is outside of the scope"


class ScopeExceptions:
    """The resources below a scope that are not excluded.

    Args:
        paths: Construct paths to leave out, with `*` and `?` as wildcards.
        types: CloudFormation types, and classes of constructs, to leave out: a resource that is of such a class, or
            that stands anywhere in a construct of it.

    Raises:
        PipelineError: A class is an interface of the CDK, which no construct can be compared with.
    """

    def __init__(self, *, paths: Collection[str], types: Collection[str | type]) -> None:
        self._paths = re.compile("|".join(map(translate, paths))) if paths else None
        self._unused = {path: re.compile(translate(path)) for path in paths}
        self._types = frozenset(kind for kind in types if isinstance(kind, str))
        self._classes = tuple(kind for kind in types if isinstance(kind, type))
        self._scope: str | None = None
        for kind in self._classes:
            if getattr(kind, "_is_protocol", False):
                raise PipelineError(
                    Check.OPTION_VALUE,
                    f"except_types has {kind.__name__}, an interface, but must have classes of constructs, such as "
                    f"{kind.__name__.removeprefix('I')}, or CloudFormation types",
                )

    def keep_within(self, scope: IConstruct) -> None:
        """Leaves out what is outside of a scope. Before, that is nothing."""
        self._scope = scope.node.path

    @property
    def unused_paths(self) -> list[str]:
        """The paths that have left nothing out so far."""
        return list(self._unused)

    @property
    def types(self) -> Collection[str]:
        """The CloudFormation types that are left out."""
        return self._types

    def is_outside(self, path: str) -> bool:
        """Returns whether the resource at a path is outside of the scope."""
        return bool(self._scope) and path != self._scope and not path.startswith(f"{self._scope}/")

    def why(self, resource: CfnResource, path: str) -> str:
        """Returns why a resource is left as it is; an empty text where it is not.

        Args:
            resource: The resource.
            path: Its path.
        """
        if self.is_outside(path):
            return _OUTSIDE
        if self._paths is not None and self._paths.match(path):
            self._unused = {known: pattern for known, pattern in self._unused.items() if not pattern.match(path)}
            return EXCLUDED
        if self._types and resource.cfn_resource_type in self._types:
            return EXCLUDED
        if self._classes and any(isinstance(around, self._classes) for around in resource.node.scopes):
            return EXCLUDED
        return ""
