"""One AWS call inside a message: the fields the X-Ray SDK records of it, without the SDK's weight."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ._aws_parameters import recorded
from ._document import outcome_fields
from ._json import encode, quote
from ._safely import safely

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ._aws_parameters import Field


class AwsSubsegment:
    """A subsegment of `namespace: aws`.

    Attributes:
        id: Its id, 16 hex digits.
        name: The service's endpoint prefix, `dynamodb`, `sns`, …, as the X-Ray SDK names it.
        start_time: Seconds since the epoch.
        end_time: Seconds since the epoch; 0.0 while the call is under way.
    """

    __slots__ = ("_aws", "_cause", "_operation", "_region", "_status", "end_time", "id", "name", "start_time")

    type = "subsegment"
    namespace = "aws"
    sampled = True

    def __init__(self, subsegment_id: str, name: str, start_time: float, operation: str, region: str | None) -> None:
        self.id = subsegment_id
        self.name = name
        self.start_time = start_time
        self.end_time = 0.0
        self._operation = operation
        self._region = region
        self._aws: dict[str, object] = {}
        self._status: int | None = None
        self._cause: dict[str, object] | None = None

    @property
    def in_progress(self) -> bool:
        """Whether the call is still under way."""
        return not self.end_time

    def close(self, end_time: float) -> None:
        """Marks the call as over."""
        self.end_time = max(self.start_time, end_time)

    def answered(self, parameters: Mapping[str, Any], response: Mapping[str, Any]) -> None:
        """Records what the service answered and the parameters worth showing (table, queue, topic, …)."""
        aws, described = self._aws, recorded(self.name, self._operation)
        metadata = response.get("ResponseMetadata")
        if type(metadata) is dict or isinstance(metadata, Mapping):
            status = metadata.get("HTTPStatusCode")
            self._status = status if isinstance(status, int) else None
            if request_id := metadata.get("RequestId"):
                aws["request_id"] = request_id
            if retries := metadata.get("RetryAttempts"):
                aws["retries"] = retries
        if type(parameters) is dict or isinstance(parameters, Mapping):
            _record(described.request, parameters, aws)
        _record(described.response, response, aws)

    def failed(self, error: BaseException, parameters: Mapping[str, Any]) -> str:
        """Records an exception of the call.

        Returns:
            The id of the exception's entry, for the segments around it to refer to.
        """
        from ._errors import cause, exception_entry

        response = safely(getattr, error, "response", None)
        answer = response if isinstance(response, Mapping) else None
        entry = exception_entry(error, remote=answer is not None)
        self._cause = cause(entry)
        self.answered(parameters, {} if answer is None else answer)
        return str(entry["id"])

    def text(self) -> str:
        """Returns the subsegment as a document, JSON."""
        end = f'"end_time":{self.end_time!r}' if self.end_time else '"in_progress":true'
        region = f',"region":{quote(self._region)}' if self._region else ""
        aws = "".join(
            [f',"{name}":{quote(value) if type(value) is str else encode(value)}' for name, value in self._aws.items()]
        )
        status = self._status
        answer = "" if status is None else f',"http":{{"response":{{"status":{status}}}}}'
        outcome = outcome_fields(status, self._cause) if self._cause is not None or (status or 0) >= 400 else ""
        return (
            f'{{"id":"{self.id}","name":{quote(self.name)},"start_time":{self.start_time!r},{end},"namespace":"aws",'
            f'"aws":{{"operation":{quote(self._operation)}{region}{aws}}}{answer}{outcome}}}'
        )

    def to_dict(self) -> dict[str, Any]:
        """Returns the subsegment as a document."""
        document: dict[str, Any] = json.loads(self.text())
        return document


def _record(fields: Iterable[Field], actual: Mapping[str, Any], into: dict[str, object]) -> None:
    for parameter, name, of in fields:
        if parameter in actual:
            # Of parameters botocore refuses, anything may be anything.
            value = of(actual[parameter])
            if value is not None:
                into[name] = value
