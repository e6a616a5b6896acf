"""Spans of OpenTelemetry as segment documents, by the rules of the collector's AWS X-Ray exporter.

Some rules differ, for a Lambda function to be one node of the trace map:

- A local root, a span without a parent or with one in another process, is one segment named after the function, with
  the origin `AWS::Lambda::Function`: a message's span among them. The collector writes two documents for a consumer.
- A client's, a producer's or an internal span whose parent is Lambda's own segment is a subsegment of that. The
  collector makes it, or puts between them, a second segment of the function.

https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/main/exporter/awsxrayexporter/internal/translator/segment.go
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import SpanKind, StatusCode

from .._invocation import Invocation, origin
from .._otel_message import no_parent, xray_trace_id
from ._attributes import Annotations, metadata_of, resource_fields, take_annotations, take_sql, take_user
from ._aws import is_aws_call, origin_of, service_of, take_aws
from ._cause import failure_flags, take_cause
from ._http import status_of, take_http
from ._message import take_invocation, take_message
from ._names import document_name, service_name
from ._values import plain

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

Document = dict[str, Any]

_FUNCTION = "AWS::Lambda::Function"
_CALLS = frozenset({SpanKind.CLIENT, SpanKind.PRODUCER})
_OF_THE_CALL = ("operation", "account_id", "region", "request_id", "queue_url", "table_name", "table_names")
_ANNOTATIONS_OF_THE_CALL = ("aws_remote_service", "aws_remote_operation", "remoteTarget", "K8s_RemoteNamespace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """How spans become documents.

    Attributes:
        annotations: Names of the attributes that become annotations; `all` for every one.
        log_groups: Names of the log groups, where a span's resource names none.
    """

    annotations: Annotations = ()
    log_groups: Sequence[str] = ()

    def documents_of(self, span: "ReadableSpan", invocation: Invocation) -> list[Document]:
        """Returns the documents of a span that has ended: one, or two for a call that has no parent.

        Args:
            span: The span.
            invocation: The invocation under way, which says where it ran.
        """
        if span.parent is None and span.kind in _CALLS:
            segment_id = invocation.new_id()
            call = self._call(span) | {"parent_id": segment_id}
            return [call, _without_the_call(self._segment(span, invocation)) | {"id": segment_id}]
        if span.kind is SpanKind.SERVER or (
            _is_local_root(span) and span.kind not in _CALLS and not _is_step_of(invocation, span)
        ):
            return [self._segment(span, invocation)]
        return [self._call(span)]

    def _segment(self, span: "ReadableSpan", invocation: Invocation) -> Document:
        resource = span.resource.attributes
        document = self._document(span, resource_fields(resource))
        document |= {"origin": origin_of(resource), "service": service_of(resource)}
        if _is_local_root(span):
            document["name"] = service_name(span, invocation)
            here = origin()
            if document["origin"] is None or here == _FUNCTION:
                document["origin"] = here
        return _filled(document)

    def _call(self, span: "ReadableSpan") -> Document:
        document = self._document(span, None)
        attributes = span.attributes or {}
        if is_aws_call(attributes) or "aws.service" in attributes:
            document["namespace"] = "aws"
        elif span.kind is SpanKind.CLIENT or (
            span.kind is not SpanKind.INTERNAL and "aws.remote.service" in attributes
        ):
            document["namespace"] = "remote"
        return _filled(document | {"type": "subsegment"})

    def _document(self, span: "ReadableSpan", resource: dict[str, Any] | None) -> Document:
        """Returns the fields that every document has.

        Args:
            span: The span.
            resource: The resource's attributes by their names in a document; None for a subsegment, which has none.
        """
        everything = dict(span.attributes or {})
        left = dict(everything)
        failed = span.status.status_code is StatusCode.ERROR
        document: Document = {
            "id": f"{span.context.span_id:016x}",
            "trace_id": xray_trace_id(span.context.trace_id),
            "name": document_name(span),
            "start_time": (span.start_time or 0) / 1_000_000_000,
            "end_time": max(span.start_time or 0, span.end_time or 0) / 1_000_000_000,
            "parent_id": _parent_id(span),
            "http": take_http(
                left, [event.attributes or {} for event in span.events], serves=span.kind is SpanKind.SERVER
            ),
            **failure_flags(failed=failed, status=status_of(everything)),
            "cause": take_cause(
                left,
                span.events,
                failed=failed,
                message=span.status.description or "",
                calls=span.kind in _CALLS,
                of_aws=is_aws_call(everything),
                python=span.resource.attributes.get("telemetry.sdk.language") == "python",
            ),
            "aws": take_aws(left, span.resource.attributes, self.log_groups),
            "links": _links(span),
        }
        # A segment has no query, and a subsegment no user, by the schema of segment documents.
        message: dict[str, object] = {}
        if resource is None:
            document["sql"] = take_sql(left, span.name)
        else:
            document["user"] = take_user(left)
            document["resource_arn"] = take_invocation(left, document["aws"] or {})
            message = take_message(left)
        of_resource = resource or {}
        document["annotations"] = message | take_annotations(left, of_resource, everything, self.annotations)
        document["metadata"] = metadata_of(left, of_resource)
        return document


def _parent_id(span: "ReadableSpan") -> str | None:
    if span.parent is None or span.parent.span_id == no_parent(span.context.trace_id):
        return None
    return f"{span.parent.span_id:016x}"


def _is_local_root(span: "ReadableSpan") -> bool:
    return span.parent is None or span.parent.is_remote


def _is_step_of(invocation: Invocation, span: "ReadableSpan") -> bool:
    """Returns whether a span is a step of the function's own, right below the segment that Lambda writes."""
    header, parent = invocation.header, span.parent
    return (
        span.kind is SpanKind.INTERNAL
        and header is not None
        and parent is not None
        and (xray_trace_id(parent.trace_id), f"{parent.span_id:016x}") == (header.root, header.parent)
    )


def _without_the_call(segment: Document) -> Document:
    """Returns the segment of the function that made a call, with nothing of the call itself."""
    metadata = segment.get("metadata", {}).get("default", {})
    aws = {field: value for field, value in segment.get("aws", {}).items() if field not in _OF_THE_CALL}
    own = {key: value for key, value in metadata.items() if key.startswith("otel.resource.")}
    annotations = {
        key: value for key, value in segment.get("annotations", {}).items() if key not in _ANNOTATIONS_OF_THE_CALL
    }
    kept = {field: value for field, value in segment.items() if field not in ("http", "links")}
    return _filled(kept | {"aws": aws, "annotations": annotations, "metadata": {"default": own} if own else {}})


def _links(span: "ReadableSpan") -> list[dict[str, object]]:
    links: list[dict[str, object]] = []
    for link in span.links:
        entry: dict[str, object] = {
            "trace_id": xray_trace_id(link.context.trace_id),
            "id": f"{link.context.span_id:016x}",
        }
        if link.attributes:
            entry["attributes"] = plain(link.attributes)
        links.append(entry)
    return links


def _filled(document: Document) -> Document:
    """Returns the document without what is empty."""
    return {field: value for field, value in document.items() if value is not None and value not in ("", {}, [])}
