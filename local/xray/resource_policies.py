"""X-Ray resource policies: which services may write traces into the account.

Source: X-Ray API Reference, "PutResourcePolicy": at most 5 policies per account, 5 KB each, written over by
name. X-Ray Developer Guide, "Amazon SNS and AWS X-Ray": a topic's segments need one that admits
`sns.amazonaws.com`.
"""

import json
import re
import threading
import time
from dataclasses import dataclass

from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy

from local.xray.request import ApiError

MAX_POLICIES = 5
MAX_POLICY_BYTES = 5 * 1024

_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class ResourcePolicy:
    """One policy; `revision` counts how often it was written."""

    name: str
    document: str
    revision: int
    updated_at: float


class ResourcePolicies:
    """The account's resource policies."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._policies: dict[str, ResourcePolicy] = {}

    def put(self, *, name: str, document: str, revision: str | None = None) -> ResourcePolicy:
        """Creates a policy, or overwrites the one of that name.

        Args:
            name: 1 to 128 letters, digits or `_+=,.@-`.
            document: The policy, as JSON.
            revision: The revision to write over; `0` for "only if there is none", `None` for any.

        Raises:
            ApiError: The name, document, size, number or revision does not fit.
        """
        self._check(name, document)
        with self._lock:
            known = self._policies.get(name)
            self._check_revision(known, revision)
            if known is None and len(self._policies) >= MAX_POLICIES:
                names = ", ".join(sorted(self._policies))
                raise ApiError(
                    "Exceeded the maximum number of resource policies for a target Amazon Web Services account. "
                    f"There are {len(self._policies)} of {MAX_POLICIES}: {names}",
                    code="PolicyCountLimitExceededException",
                )
            policy = ResourcePolicy(
                name=name,
                document=document,
                revision=known.revision + 1 if known else 1,
                updated_at=time.time(),
            )
            self._policies[name] = policy
            return policy

    def delete(self, *, name: str, revision: str | None = None) -> None:
        """Deletes a policy; one that is not there is no error.

        Raises:
            ApiError: `revision` is not the present one.
        """
        with self._lock:
            self._check_revision(self._policies.get(name), revision)
            self._policies.pop(name, None)

    def all(self) -> list[ResourcePolicy]:
        """Returns every policy, by name."""
        with self._lock:
            return sorted(self._policies.values(), key=lambda policy: policy.name)

    def admits(self, *, service: str, source_arn: str, source_account: str, region: str) -> bool:
        """Tells whether `service` may write segments on behalf of `source_arn`.

        An explicit deny in any policy wins. Only `xray:PutTraceSegments` is asked for: that the two sampling
        actions of AWS's sample policy could be left out is assumed.
        """
        context = EvalContext(
            principal_arn="*",
            principal_type="Service",
            principal_account="",
            action="xray:PutTraceSegments",
            resource_arn=f"arn:aws:xray:{region}:{source_account}:*",
            region=region,
            service_context={"aws:sourcearn": source_arn, "aws:sourceaccount": source_account},
        )
        decisions = {
            evaluate_resource_policy(policy.document, context, service=service).decision for policy in self.all()
        }
        return "Allow" in decisions and "Deny" not in decisions

    @staticmethod
    def _check(name: str, document: str) -> None:
        if not _NAME.fullmatch(name):
            raise ApiError(
                f"PolicyName {name!r} is not 1 to 128 letters, digits or characters of _+=,.@-",
                code="InvalidRequestException",
            )
        size = len(document.encode())
        if size > MAX_POLICY_BYTES:
            raise ApiError(
                f"Exceeded the maximum size for a resource policy: {size} bytes, the limit is {MAX_POLICY_BYTES}",
                code="PolicySizeLimitExceededException",
            )
        try:
            parsed = json.loads(document)
        except (ValueError, RecursionError) as problem:
            raise ApiError(f"PolicyDocument is not JSON: {problem}", code="MalformedPolicyDocumentException") from None
        if not isinstance(parsed, dict) or not parsed.get("Statement"):
            raise ApiError("PolicyDocument has no Statement", code="MalformedPolicyDocumentException")

    @staticmethod
    def _check_revision(known: ResourcePolicy | None, revision: str | None) -> None:
        present = str(known.revision if known else 0)
        if revision is not None and revision != present:
            raise ApiError(
                f"PolicyRevisionId {revision!r} is not the present revision {present!r}",
                code="InvalidPolicyRevisionIdException",
            )
