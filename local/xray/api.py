"""The X-Ray API: one function per operation, spoken to by unchanged AWS SDKs.

Source: X-Ray API Reference, 2016-04-12.
"""

import json
import logging
from collections.abc import Awaitable, Callable

from local.xray import documents, request_shapes
from local.xray.operations import insights
from local.xray.operations.encryption import Encryption, FindKey
from local.xray.operations.groups_and_rules import Settings
from local.xray.operations.sampling_targets import SamplingTargets
from local.xray.operations.traces import Queries
from local.xray.operations.transaction_search import Retrievals
from local.xray.request import ApiError, Body, parse, string, strings
from local.xray.resource_policies import ResourcePolicy
from local.xray.state import XRay
from local.xray.summaries import Summaries

logger = logging.getLogger("local.xray")

Response = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, list[str]]], Awaitable[Response]]


class Api:
    """The operations, over one state.

    Args:
        xray: The state.
        find_key: Looks for a key of KMS, for the encryption configuration.
    """

    def __init__(self, xray: XRay, *, find_key: FindKey = lambda _key: None) -> None:
        self._xray = xray
        summaries, settings = Summaries(xray.traces), Settings(xray)
        self._operations: dict[str, Callable[[Body], Body]] = {
            "TraceSegments": self._put_trace_segments,
            "TelemetryRecords": lambda _body: {},
            "PutResourcePolicy": self._put_resource_policy,
            "DeleteResourcePolicy": self._delete_resource_policy,
            "ListResourcePolicies": self._list_resource_policies,
            **Queries(xray, summaries).operations(),
            **Retrievals(xray, summaries).operations(),
            **SamplingTargets(xray.rules).operations(),
            **settings.operations(),
            **xray.tags.operations(),
            **Encryption(find_key).operations(),
            **insights.operations(settings.existing_group),
        }

    async def handle(
        self, _method: str, path: str, _headers: dict[str, str], body: bytes, _query: dict[str, list[str]]
    ) -> Response:
        """Answers one request; the caller has been authenticated and authorized."""
        return self.respond(path, body)

    def respond(self, path: str, body: bytes) -> Response:
        """Answers one request by its path and body."""
        try:
            answer = self._answer(path.strip("/"), body)
        except ApiError as problem:
            headers = {"Content-Type": "application/json", "x-amzn-ErrorType": problem.code}
            return problem.status, headers, json.dumps({"__type": problem.code, "Message": str(problem)}).encode()
        return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()

    def _answer(self, path: str, body: bytes) -> Body:
        operation, request = self._operations.get(path), parse(body)
        if operation is None:
            raise ApiError(f"X-Ray operation {path} is not part of the local AWS")
        request_shapes.require(request_shapes.operations()[path], request)
        return operation(request)

    def _put_trace_segments(self, body: Body) -> Body:
        unprocessed: list[Body] = []
        for text in strings(body, "TraceSegmentDocuments"):
            document = documents.parse(text)
            if isinstance(document, documents.Rejection):
                logger.warning("PutTraceSegments: document refused: %s", document.message)
                unprocessed.append(
                    {
                        **({"Id": document.entity_id} if document.entity_id else {}),
                        "ErrorCode": document.code,
                        "Message": document.message,
                    }
                )
            else:
                self._xray.traces.put(document)
        return {"UnprocessedTraceSegments": unprocessed}

    def _put_resource_policy(self, body: Body) -> Body:
        policy = self._xray.policies.put(
            name=string(body, "PolicyName"),
            document=string(body, "PolicyDocument"),
            revision=body.get("PolicyRevisionId"),
        )
        return {"ResourcePolicy": _policy(policy)}

    def _delete_resource_policy(self, body: Body) -> Body:
        self._xray.policies.delete(name=string(body, "PolicyName"), revision=body.get("PolicyRevisionId"))
        return {}

    def _list_resource_policies(self, _body: Body) -> Body:
        return {"ResourcePolicies": [_policy(policy) for policy in self._xray.policies.all()]}


def _policy(policy: ResourcePolicy) -> Body:
    return {
        "PolicyName": policy.name,
        "PolicyDocument": policy.document,
        "PolicyRevisionId": str(policy.revision),
        "LastUpdatedTime": policy.updated_at,
    }
