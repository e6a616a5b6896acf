"""The X-Ray API, for unchanged AWS SDKs: reads a request, checks its shape and routes it to its operation.

Source: X-Ray API Reference, 2016-04-12.
"""

import json
from collections.abc import Awaitable, Callable

from local.xray import request_shapes
from local.xray.operations import insights
from local.xray.operations.encryption import Encryption, FindKey
from local.xray.operations.groups_and_rules import Settings
from local.xray.operations.otlp import PATH as OTLP_PATH
from local.xray.operations.otlp import OtlpEndpoint
from local.xray.operations.resource_policies import ResourcePolicyOperations
from local.xray.operations.sampling_targets import SamplingTargets
from local.xray.operations.segments import Segments
from local.xray.operations.tags import TagOperations
from local.xray.operations.traces import Queries
from local.xray.operations.transaction_search import Retrievals
from local.xray.request import ApiError, Body, parse
from local.xray.span_intake import SpanIntake
from local.xray.state import XRay
from local.xray.summaries import Summaries

Response = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, list[str]]], Awaitable[Response]]


class Api:
    """The routes to the operations, over one state.

    Args:
        xray: The state.
        intake: Where spans go.
        find_key: Returns the ARN of a KMS key, for the encryption configuration.
    """

    def __init__(self, xray: XRay, intake: SpanIntake, *, find_key: FindKey = lambda _key: None) -> None:
        summaries, settings = Summaries(xray.traces), Settings(xray)
        self._otlp = OtlpEndpoint(xray.search, intake)
        self._operations: dict[str, Callable[[Body], Body]] = {
            **Segments(xray.traces).operations(),
            **ResourcePolicyOperations(xray.policies).operations(),
            **Queries(xray, summaries).operations(),
            **Retrievals(xray, summaries).operations(),
            **SamplingTargets(xray.rules).operations(),
            **settings.operations(),
            **TagOperations(xray.tags, exists=xray.is_taggable).operations(),
            **Encryption(find_key).operations(),
            **insights.operations(settings.existing_group),
        }

    async def handle(
        self, _method: str, path: str, headers: dict[str, str], body: bytes, _query: dict[str, list[str]]
    ) -> Response:
        """Answers one request; the caller has been authenticated and authorized."""
        if path.strip("/") == OTLP_PATH:
            return self._otlp.respond(headers, body)
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
