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

    __slots__ = ("_aws", "_cause", "_recorded", "_status", "end_time", "id", "name", "start_time")

    type = "subsegment"
    namespace = "aws"
    sampled = True

    def __init__(self, subsegment_id: str, name: str, start_time: float, operation: str, region: str | None) -> None:
        self.id = subsegment_id
        self.name = name
        self.start_time = start_time
        self.end_time = 0.0
        self._aws: dict[str, object] = {"operation": operation}
        if region:
            self._aws["region"] = region
        self._recorded = recorded(name, operation)
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
        self._take_metadata(response.get("ResponseMetadata"))
        self._take_parameters(parameters)
        _record(self._recorded.response, response, self._aws)

    def failed(self, error: BaseException, parameters: Mapping[str, Any]) -> str:
        """Records an exception of the call.

        Returns:
            The id of the exception's entry, for the segments around it to refer to.
        """
        from ._errors import cause, exception_entry

        response = safely(getattr, error, "response", None)
        entry = exception_entry(error, remote=isinstance(response, Mapping))
        self._cause = cause(entry)
        if isinstance(response, Mapping):
            self.answered(parameters, response)
        else:
            self._take_parameters(parameters)
        return str(entry["id"])

    def text(self) -> str:
        """Returns the subsegment as a document, JSON."""
        end = f'"end_time":{self.end_time!r}' if self.end_time else '"in_progress":true'
        answer = "" if self._status is None else f',"http":{{"response":{{"status":{self._status}}}}}'
        return (
            f'{{"id":"{self.id}","name":{quote(self.name)},"start_time":{self.start_time!r},{end},"namespace":"aws",'
            f'"aws":{encode(self._aws)}{answer}{outcome_fields(self._status, self._cause)}}}'
        )

    def to_dict(self) -> dict[str, Any]:
        """Returns the subsegment as a document."""
        document: dict[str, Any] = json.loads(self.text())
        return document

    def _take_parameters(self, parameters: Mapping[str, Any]) -> None:
        if isinstance(parameters, Mapping):
            _record(self._recorded.request, parameters, self._aws)

    def _take_metadata(self, metadata: object) -> None:
        if not isinstance(metadata, Mapping):
            return
        status = metadata.get("HTTPStatusCode")
        self._status = status if isinstance(status, int) else None
        for key, name in (("RequestId", "request_id"), ("RetryAttempts", "retries")):
            value = metadata.get(key)
            if value:
                self._aws[name] = value


def _record(fields: Iterable[Field], actual: Mapping[str, Any], into: dict[str, object]) -> None:
    for parameter, name, of in fields:
        if parameter in actual:
            # Of parameters botocore refuses, anything may be anything.
            value = of(actual[parameter])
            if value is not None:
                into[name] = value
