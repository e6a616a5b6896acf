"""PutResourcePolicy, DeleteResourcePolicy and ListResourcePolicies.

Source: X-Ray API Reference, the operations of these names.
"""

from collections.abc import Callable

from local.xray.request import Body, string
from local.xray.resource_policies import ResourcePolicies, ResourcePolicy


class ResourcePolicyOperations:
    """The three operations, over the account's resource policies."""

    def __init__(self, policies: ResourcePolicies) -> None:
        self._policies = policies

    def operations(self) -> dict[str, Callable[[Body], Body]]:
        """Returns the operations by their paths."""
        return {
            "PutResourcePolicy": self._put,
            "DeleteResourcePolicy": self._delete,
            "ListResourcePolicies": self._list,
        }

    def _put(self, body: Body) -> Body:
        policy = self._policies.put(
            name=string(body, "PolicyName"),
            document=string(body, "PolicyDocument"),
            revision=body.get("PolicyRevisionId"),
        )
        return {"ResourcePolicy": _policy(policy)}

    def _delete(self, body: Body) -> Body:
        self._policies.delete(name=string(body, "PolicyName"), revision=body.get("PolicyRevisionId"))
        return {}

    def _list(self, _body: Body) -> Body:
        return {"ResourcePolicies": [_policy(policy) for policy in self._policies.all()]}


def _policy(policy: ResourcePolicy) -> Body:
    return {
        "PolicyName": policy.name,
        "PolicyDocument": policy.document,
        "PolicyRevisionId": str(policy.revision),
        "LastUpdatedTime": policy.updated_at,
    }
