"""CloudWatch Logs: queries of Logs Insights.

MiniStack runs a few forms of queries and ignores the rest, so that a filter it does not know lets everything through.

Source: CloudWatch Logs API Reference, "StartQuery" and "GetQueryResults"; the language: `local.logs_insights`. A query
is complete at once.
"""

from collections.abc import Sequence
from typing import Any

from ministack.core.responses import error_response_json, get_account_id, json_response, new_uuid
from ministack.services import cloudwatch_logs

from local.logs_insights.events import Event, row_of
from local.logs_insights.query import MOST_ROWS, compile_query
from local.logs_insights.tokens import QueryError

Fields = dict[str, Any]
_CWLI = "CWLI"


def install() -> None:
    """Lets StartQuery run queries as the User Guide describes their language."""
    cloudwatch_logs._start_query = _start_query


def _start_query(data: Fields) -> Any:
    language = str(data.get("queryLanguage") or _CWLI)
    if language != _CWLI:
        message = f"The local AWS runs queries of the language {_CWLI} alone, not {language}"
        return error_response_json("InvalidParameterException", message, 400)
    groups = cloudwatch_logs._resolve_query_log_groups(data)
    if not groups:
        message = "One of logGroupName, logGroupNames and logGroupIdentifiers is needed"
        return error_response_json("InvalidParameterException", message, 400)
    for group in groups:
        if group not in cloudwatch_logs._log_groups:
            message = f"Log group '{group}' does not exist"
            return error_response_json("ResourceNotFoundException", message, 400)
    text = str(data.get("queryString", ""))
    try:
        query = compile_query(text)
    except QueryError as problem:
        return error_response_json("MalformedQueryException", f"{problem} in the query {text!r}", 400)
    events = _events(groups, int(data["startTime"]), int(data["endTime"]))
    results = query.run([row_of(event) for event in events])[: int(data.get("limit") or MOST_ROWS)]
    query_id = new_uuid()
    cloudwatch_logs._queries[query_id] = {
        **{key: data.get(key) for key in ("logGroupName", "logGroupNames", "logGroupIdentifiers")},
        "queryId": query_id,
        "startTime": data["startTime"],
        "endTime": data["endTime"],
        "queryString": text,
        "status": "Complete",
        "results": [[{"field": name, "value": value} for name, value in row.items()] for row in results],
        "statistics": {
            "recordsMatched": float(query.matched),
            "recordsScanned": float(len(events)),
            "bytesScanned": float(sum(len(event.message.encode()) for event in events)),
        },
    }
    return json_response({"queryId": query_id})


def _events(groups: Sequence[str], start: int, end: int) -> list[Event]:
    """Returns the events of log groups between two times, in seconds, in the order of their times."""
    records: list[Fields] = cloudwatch_logs._collect_query_records(groups, start, end)
    received: dict[str, int] = {
        event["eventId"]: int(event["ingestionTime"])
        for group in groups
        for stream in cloudwatch_logs._log_groups[group]["streams"].values()
        for event in stream["events"]
        if "eventId" in event
    }
    return [
        Event(
            pointer=record["@ptr"],
            account=get_account_id(),
            group=record["@log"],
            stream=record["@logStream"],
            time_ms=record["_timestamp_ms"],
            ingestion_ms=received[record["@ptr"]],
            message=record["@message"],
        )
        for record in records
    ]
