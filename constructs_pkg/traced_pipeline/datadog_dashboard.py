"""A dashboard for Datadog that reads like the pipeline: its hops from left to right."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .datadog_tags import HOP

Json: TypeAlias = Mapping[str, object]
Consumer: TypeAlias = Literal["lambda", "ecs"]
Kind: TypeAlias = Literal["API", "ingest", "topic", "queue", "worker", "table"]

_COLUMNS = 12
_HOPS = 6
_WIDTH = _COLUMNS // _HOPS
_HEIGHT = 2
_LIST_HEIGHT = 5


@dataclass(frozen=True, kw_only=True)
class _Widget:
    """A widget, and how many hops of the pipeline it is as wide as."""

    definition: Json
    hops: int = 1


Row: TypeAlias = list[_Widget]


class DatadogDashboard:
    """The dashboard of one pipeline, whose widgets select by tags and so know no names of resources.

    Args:
        name: The pipeline's name in the tags.
        env: The environment that it shows at first; `*` for all.
    """

    def __init__(self, *, name: str, env: str) -> None:
        self._name = name
        self._env = env
        self._rows: list[Row] = []

    def add_pipeline(self, worker: str, consumer: Consumer, elsewhere: Collection[Kind]) -> None:
        """Adds the rows of all hops: what passes them, and how long that takes.

        Args:
            worker: The worker's hop.
            consumer: What works through its queue.
            elsewhere: What is made elsewhere, and so has none of the pipeline's tags.
        """
        front = [self._api(elsewhere), self._function("ingest", "ingest", elsewhere), self._topic(elsewhere)]
        hops = [*front, *self._worker(worker, consumer, elsewhere), self._table(elsewhere)]
        self._rows += [list(row) for row in zip(*hops, strict=True)]

    def add_worker(self, worker: str, consumer: Consumer, elsewhere: Collection[Kind]) -> None:
        """Adds the rows of a further worker behind the topic.

        Args:
            worker: Its hop.
            consumer: What works through its queue.
            elsewhere: What is made elsewhere, and so has none of the pipeline's tags.
        """
        before = _HOPS // 2
        texts = (_note(f"## {worker}\nA further worker behind the topic.", before), _note(f"Time of {worker}", before))
        self._rows += [list(row) for row in zip(texts, *self._worker(worker, consumer, elsewhere), strict=True)]

    def add_dead_letter_worker(self, worker: str, elsewhere: Collection[Kind]) -> None:
        """Adds the row of a worker on a dead-letter queue.

        Args:
            worker: Its hop.
            elsewhere: What is made elsewhere, and so has none of the pipeline's tags.
        """
        text = _note(f"## {worker}\nA worker on the dead-letter queue.", _HOPS // 2)
        self._rows.append([text, *self._function("worker", worker, elsewhere)])

    def json(self) -> str:
        """Returns the dashboard as Datadog exports and imports it."""
        widgets: list[Json] = []
        for number, row in enumerate(self._rows):
            column = 0
            for widget in row:
                width = _WIDTH * widget.hops
                layout = {"x": column, "y": number * _HEIGHT, "width": width, "height": _HEIGHT}
                widgets.append({"definition": widget.definition, "layout": layout})
                column += width
        bottom = len(self._rows) * _HEIGHT
        for number, definition in enumerate([self._lines(), _traces()]):
            half = _COLUMNS // 2
            layout = {"x": number * half, "y": bottom, "width": half, "height": _LIST_HEIGHT}
            widgets.append({"definition": definition, "layout": layout})
        dashboard = {
            "title": f"Pipeline {self._name}",
            "description": "Made by traced-pipeline: the pipeline's hops from left to right.",
            "layout_type": "ordered",
            "reflow_type": "fixed",
            "template_variables": [
                {"name": "env", "prefix": "env", "available_values": [], "defaults": [self._env]},
            ],
            "widgets": widgets,
        }
        return json.dumps(dashboard, indent=2)

    def _api(self, elsewhere: Collection[Kind]) -> tuple[_Widget, _Widget]:
        if "API" in elsewhere:
            return _untagged("API")
        requests = _graph(
            "API: requests",
            requests=self._sum("ingest", "aws.apigateway.count"),
            client_errors=self._sum("ingest", "aws.apigateway.4xxerror"),
            server_errors=self._sum("ingest", "aws.apigateway.5xxerror"),
        )
        times = _graph(
            "API: time",
            p50=self._of("avg", "ingest", "aws.apigateway.latency.p50"),
            p99=self._of("avg", "ingest", "aws.apigateway.latency.p99"),
        )
        return requests, times

    def _topic(self, elsewhere: Collection[Kind]) -> tuple[_Widget, _Widget]:
        if "topic" in elsewhere:
            return _untagged("topic")
        published = _graph(
            "Topic: messages",
            published=self._sum("topic", "aws.sns.number_of_messages_published"),
            delivered=self._sum("topic", "aws.sns.number_of_notifications_delivered"),
            failed=self._sum("topic", "aws.sns.number_of_notifications_failed"),
        )
        return published, _note("SNS has no metric of the time that a delivery takes; a trace shows it.")

    def _worker(
        self, hop: str, consumer: Consumer, elsewhere: Collection[Kind]
    ) -> tuple[tuple[_Widget, _Widget], tuple[_Widget, _Widget]]:
        works = self._function("worker", hop, elsewhere) if consumer == "lambda" else self._service(hop)
        return self._queue(hop, elsewhere), works

    def _queue(self, hop: str, elsewhere: Collection[Kind]) -> tuple[_Widget, _Widget]:
        if "queue" in elsewhere:
            return _untagged("queue")
        visible = "aws.sqs.approximate_number_of_messages_visible"
        waiting = _graph(
            f"{hop} queue: messages",
            waiting=self._of("max", hop, visible),
            in_flight=self._of("max", hop, "aws.sqs.approximate_number_of_messages_not_visible"),
            dead_letter_messages=self._of("max", dead_letter_queue_of(hop), visible),
        )
        oldest = self._of("max", hop, "aws.sqs.approximate_age_of_oldest_message")
        return waiting, _graph(f"{hop} queue: age of the oldest message", oldest=oldest)

    def _function(self, kind: Kind, hop: str, elsewhere: Collection[Kind]) -> tuple[_Widget, _Widget]:
        if kind in elsewhere:
            return _untagged(kind)
        counts = _graph(
            f"{hop}: invocations",
            invocations=self._sum(hop, "aws.lambda.invocations"),
            errors=self._sum(hop, "aws.lambda.errors"),
            throttles=self._sum(hop, "aws.lambda.throttles"),
        )
        times = _graph(
            f"{hop}: time",
            p50=self._of("avg", hop, "aws.lambda.duration.p50"),
            p99=self._of("avg", hop, "aws.lambda.duration.p99"),
        )
        return counts, times

    def _service(self, hop: str) -> tuple[_Widget, _Widget]:
        tasks = _graph(f"{hop}: tasks", running=self._of("max", hop, "aws.ecs.service.running"))
        load = _graph(
            f"{hop}: CPU and memory",
            cpu=self._of("avg", hop, "aws.ecs.service.cpuutilization"),
            memory=self._of("avg", hop, "aws.ecs.service.memory_utilization"),
        )
        return tasks, load

    def _table(self, elsewhere: Collection[Kind]) -> tuple[_Widget, _Widget]:
        if "table" in elsewhere:
            return _untagged("table")
        throttled = _graph(
            "Table: throttled requests",
            writes=self._sum("table", "aws.dynamodb.write_throttle_events"),
            reads=self._sum("table", "aws.dynamodb.read_throttle_events"),
        )
        return throttled, _graph(
            "Table: time", average=self._of("avg", "table", "aws.dynamodb.successful_request_latency")
        )

    def _lines(self) -> Json:
        query = {"data_source": "logs_stream", "query_string": f"$env {HOP}:{self._name}.*", "indexes": []}
        columns = ("status_line", "timestamp", "service", "content")
        return _list("Log lines", query, columns)

    def _sum(self, hop: str, metric: str) -> str:
        return f"{self._of('sum', hop, metric)}.as_count()"

    def _of(self, aggregation: str, hop: str, metric: str) -> str:
        return f"{aggregation}:{metric}{{$env,{HOP}:{self._name}.{hop}}}"


def dead_letter_queue_of(hop: str) -> str:
    """Returns the hop of a worker's dead-letter queue."""
    return f"{hop}.dead-letter-queue"


def _traces() -> Json:
    query = {"data_source": "trace_stream", "query_string": "$env"}
    return _list("Traces of the environment", query, ("timestamp", "service", "resource_name", "duration"))


def _list(title: str, query: Json, columns: tuple[str, ...]) -> Json:
    shown = [{"field": column, "width": "full" if column == "content" else "auto"} for column in columns]
    request = {"response_format": "event_list", "query": query, "columns": shown}
    return {"type": "list_stream", "title": title, "requests": [request]}


def _graph(title: str, **series: str) -> _Widget:
    request = {
        "response_format": "timeseries",
        "display_type": "line",
        "queries": [{"data_source": "metrics", "name": name, "query": query} for name, query in series.items()],
        "formulas": [{"formula": name, "alias": name.replace("_", " ")} for name in series],
    }
    return _Widget(definition={"type": "timeseries", "title": title, "show_legend": True, "requests": [request]})


def _note(text: str, hops: int = 1) -> _Widget:
    definition = {"type": "note", "content": text, "background_color": "white", "show_tick": False}
    return _Widget(definition=definition, hops=hops)


def _untagged(kind: Kind) -> tuple[_Widget, _Widget]:
    what = f"{kind} function" if kind in ("ingest", "worker") else kind
    note = _note(f"The {what} is made elsewhere, so it has none of the pipeline's tags.")
    return note, note
