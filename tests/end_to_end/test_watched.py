"""A watched pipeline as its operator sees it: requests that fail, the saved queries, the alarms, and what those say."""

import json
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.end_to_end.copies import command
from tests.support.end_to_end.deployed import Deployed
from tests.support.end_to_end.following import start
from tests.support.waiting import wait_for

Fields = dict[str, Any]
STACK = "Watched"
ATTEMPTS = 2
FAILING_SECONDS, WORKING_SECONDS = 4, 180
DENIED = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": "dynamodb:PutItem", "Resource": "*"}],
}
MESSAGES = "trace_bridge.messages"
NUMBERS = ("message_id", "attempt", "queue_ms")
_EXAMPLE = re.compile(r"1-0{8}-0{24}")


@dataclass(frozen=True, kw_only=True)
class Operated:
    """The stack and the requests that failed in it: trace ids by the items' ids."""

    deployed: Deployed
    traces: Mapping[str, str]

    @property
    def outputs(self) -> Mapping[str, str]:
        return self.deployed.pipeline.outputs

    def waiting(self, queue: str) -> int:
        """How many messages of a queue are visible."""
        asked = self.deployed.client("sqs").get_queue_attributes(
            QueueUrl=self.outputs[queue], AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(asked["Attributes"]["ApproximateNumberOfMessages"])

    def set_attempts(self, *, seconds: int) -> None:
        """Sets how often the worker gets a message, and how long it has it."""
        sqs, url = self.deployed.client("sqs"), self.outputs["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]
        redrive = {**json.loads(attributes["RedrivePolicy"]), "maxReceiveCount": ATTEMPTS}
        sqs.set_queue_attributes(
            QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds), "RedrivePolicy": json.dumps(redrive)}
        )

    def poll(self, *, enabled: bool) -> None:
        """Starts or stops the worker's event source mapping."""
        functions = self.deployed.client("lambda")
        [worker] = [name for name in self.deployed.pipeline.functions if "Worker" in name]
        [mapping] = functions.list_event_source_mappings(FunctionName=worker)["EventSourceMappings"]
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)

    def saved(self, name: str) -> Fields:
        """A saved query, as CloudWatch Logs has it."""
        definitions = self.deployed.client("logs").describe_query_definitions(queryDefinitionNamePrefix=STACK)
        [found] = [q for q in definitions["queryDefinitions"] if q["name"].endswith(f"/{name}")]
        return dict(found)

    def run(self, name: str, *, trace_id: str = "") -> list[dict[str, str]]:
        """The results of a saved query, with a trace's id put in."""
        saved, logs, now = self.saved(name), self.deployed.client("logs"), int(time.time())
        started = logs.start_query(
            logGroupNames=saved["logGroupNames"],
            startTime=now - 3600,
            endTime=now + 3600,
            queryString=_EXAMPLE.sub(trace_id, saved["queryString"]),
        )
        results = logs.get_query_results(queryId=started["queryId"])["results"]
        return [{field["field"]: field["value"] for field in row} for row in results]

    def lines(self) -> list[Fields]:
        """All that the functions logged, read without a query."""
        logs = self.deployed.client("logs")
        pages = [
            page
            for group in self.saved("lines of a trace")["logGroupNames"]
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        ]
        return [json.loads(event["message"]) for page in pages for event in page["events"]]

    def lines_of(self, trace_id: str) -> list[Fields]:
        """Those that say they are of a trace."""
        return [line for line in self.lines() if line.get("xray_trace_id") == trace_id]

    def alarm(self, metric: str) -> Fields:
        """The alarm on a metric."""
        alarms = self.deployed.client("cloudwatch").describe_alarms(AlarmNamePrefix=STACK)["MetricAlarms"]
        [found] = [alarm for alarm in alarms if alarm["MetricName"] == metric]
        return dict(found)


@pytest.fixture(scope="module")
def operated(watched: Deployed) -> Iterator[Operated]:
    """Ten requests through the API that the worker, which may not write, gets in one batch and fails to the end."""
    operated = Operated(deployed=watched, traces={})
    iam, role = watched.client("iam"), operated.outputs["WorkerRole"]
    iam.put_role_policy(RoleName=role, PolicyName="Denied", PolicyDocument=json.dumps(DENIED))
    operated.set_attempts(seconds=FAILING_SECONDS)
    operated.poll(enabled=False)
    ids = [f"failed-{uuid.uuid4().hex}" for _ in range(10)]
    traces = {item_id: start(watched, {"id": item_id, "customer": "Ann", "amount": 1}) for item_id in ids}
    operated = Operated(deployed=watched, traces=traces)
    wait_for(lambda: operated.waiting("QueueUrl") == 10, what="the ten messages")
    operated.poll(enabled=True)
    wait_for(lambda: operated.waiting("DeadLetterQueueUrl") == 10, what="the ten dead-letter messages")
    logged = 1 + 2 * ATTEMPTS  # each failure, and each message
    wait_for(
        lambda: all(len(operated.lines_of(t)) >= logged for t in traces.values()), what="the lines of all attempts"
    )
    yield operated


class TestQueries:
    def test_the_lines_of_a_trace_are_those_of_both_functions_and_of_each_attempt(self, operated: Operated) -> None:
        for item_id, trace_id in operated.traces.items():
            found = [json.loads(row["@message"]) for row in operated.run("lines of a trace", trace_id=trace_id)]
            expected = operated.lines_of(trace_id)
            assert sorted(map(str, found)) == sorted(map(str, expected))
            said = [line["message"] for line in found if "errorType" not in line and line["logger"] != MESSAGES]
            assert said == [f"item '{item_id}' is published"]
            errors = [line["errorType"] for line in found if "errorType" in line]
            assert errors == ["ClientError"] * ATTEMPTS
            assert found[0]["message"].endswith("is published"), "the first line is that of the first function"

    def test_the_slowest_messages_come_first_each_attempt_with_its_trace(self, operated: Operated) -> None:
        rows = [row for row in operated.run("slowest messages") if row["xray_trace_id"] in operated.traces.values()]
        times = [float(row["ms"]) for row in rows]
        assert times == sorted(times, reverse=True)
        assert all(milliseconds > 0 for milliseconds in times)
        tried = {(row["xray_trace_id"], row["attempt"]) for row in rows}
        assert tried == {(t, str(1 + n)) for t in operated.traces.values() for n in range(ATTEMPTS)}
        assert len(rows) == len(tried)
        assert {row["outcome"] for row in rows} == {"failed"}
        assert all(int(row["queue_ms"]) >= 0 and "Worker" in row["@log"] for row in rows)

    def test_the_line_of_a_message_names_its_segment_and_has_the_numbers_of_that(self, operated: Operated) -> None:
        for trace_id in operated.traces.values():
            documents = operated.deployed.documents(trace_id)
            segments = {d["id"]: d["annotations"] for d in documents if "attempt" in d.get("annotations", {})}
            lines = [line for line in operated.lines_of(trace_id) if line.get("logger") == MESSAGES]
            named = {line["segment_id"]: {name: line[name] for name in NUMBERS} for line in lines}
            assert (named, len(lines)) == (segments, ATTEMPTS)
            assert {(line["level"], line["error_type"]) for line in lines} == {("INFO", "ClientError")}

    def test_the_metrics_of_the_messages_are_made_of_their_lines(self, operated: Operated) -> None:
        lines = [line for line in operated.lines() if line.get("logger") == MESSAGES]
        first = [line for line in lines if line["attempt"] == 1]
        expected = {
            "MessageDuration": (len(lines), max(line["duration_ms"] for line in lines)),
            "MessageQueueTime": (10, max(line["queue_ms"] for line in first)),
        }
        cloudwatch, now = operated.deployed.client("cloudwatch"), time.time()
        for metric, (count, highest) in expected.items():
            [listed] = cloudwatch.list_metrics(MetricName=metric)["Metrics"]
            points = cloudwatch.get_metric_statistics(
                Namespace=listed["Namespace"],
                MetricName=metric,
                StartTime=now - 3600,
                EndTime=now + 60,
                Period=60,
                Statistics=["SampleCount", "Maximum"],
            )["Datapoints"]
            assert sum(point["SampleCount"] for point in points) == count
            assert max(point["Maximum"] for point in points) == pytest.approx(highest)

    def test_the_ten_messages_were_one_batch(self, operated: Operated) -> None:
        failures = [line for line in operated.lines() if line.get("errorType") == "ClientError"]
        traces = {request: set[str]() for request in (line["requestId"] for line in failures)}
        for line in failures:
            traces[line["requestId"]].add(line["xray_trace_id"])
        assert set(operated.traces.values()) in traces.values()

    def test_the_failures_are_named_by_their_cause_with_count_and_trace(self, operated: Operated) -> None:
        rows = {row["errorType"]: row for row in operated.run("failures by cause")}
        denied = rows["ClientError"]
        assert int(denied["failures"]) == 10 * ATTEMPTS
        assert "AccessDeniedException" in denied["example"]
        assert denied["trace"] in operated.traces.values()
        counts = [int(row["failures"]) for row in operated.run("failures by cause")]
        assert counts == sorted(counts, reverse=True)

    def test_the_slowest_invocations_are_those_that_lambda_reports(self, operated: Operated) -> None:
        reported = {
            line["record"]["requestId"]: line["record"]["metrics"]["durationMs"]
            for line in operated.lines()
            if line.get("type") == "platform.report"
        }
        rows = operated.run("slowest invocations")
        assert {row["record.requestId"]: float(row["ms"]) for row in rows} == reported
        times = [float(row["ms"]) for row in rows]
        assert times == sorted(times, reverse=True)
        assert {row["@log"].partition(":")[2] for row in rows} == set(
            operated.saved("lines of a trace")["logGroupNames"]
        )


CASES: dict[str, tuple[float, float]] = {
    "ApproximateAgeOfOldestMessage": (901, 900),
    "Errors": (1, 0),
    "Throttles": (1, 0),
    "5XXError": (0.02, 0.01),
    "Latency": (5001, 5000),
    "ApproximateNumberOfMessagesVisible": (1, 0),
}
"""By its metric, for each alarm: a value that is too high, and the highest that is not."""


class TestAlarms:
    def test_there_are_no_others(self, operated: Operated) -> None:
        alarms = operated.deployed.client("cloudwatch").describe_alarms(AlarmNamePrefix=STACK)["MetricAlarms"]
        assert sorted(alarm["MetricName"] for alarm in alarms) == sorted(CASES)

    @pytest.mark.parametrize("metric", CASES)
    def test_goes_off_above_its_threshold_and_ends_below_it(self, operated: Operated, metric: str) -> None:
        bad, good = CASES[metric]
        alarm = _Alone(operated, metric)
        assert wait_for(alarm.settled) == "OK", "no data is no alarm"
        lasting = alarm.definition["EvaluationPeriods"] == 5
        alarm.publish({5: bad, 4: good, 3: bad, 2: good, 1: good} if lasting else {1: good})
        assert alarm.state() == "OK"
        alarm = _Alone(operated, metric)
        alarm.publish({6: bad, 5: bad, 4: bad} if lasting else {2: bad})
        assert wait_for(alarm.settled) == "ALARM"
        alarm.publish({3: good, 2: good, 1: good} if lasting else {1: good})
        wait_for(lambda: alarm.state() == "OK", what="the end of the alarm")

    @pytest.mark.waits
    def test_a_dead_letter_message_pages_the_operator_whom_the_description_leads_on(self, operated: Operated) -> None:
        watched, metric = operated.deployed, "ApproximateNumberOfMessagesVisible"
        wait_for(lambda: operated.alarm(metric)["StateValue"] == "ALARM", what="the alarm")
        notification = wait_for(lambda: self._notified(operated), what="the notification")
        assert notification["NewStateValue"] == "ALARM"
        queue = operated.outputs["DeadLetterQueueUrl"].rsplit("/", 1)[-1]
        assert queue in notification["AlarmDescription"]
        failed, redrive = re.findall(r"`traced-pipeline ([^`]+)`", notification["AlarmDescription"])
        listed = command(watched, *failed.split())
        assert listed.status == 0, listed
        assert all(trace_id in listed.out for trace_id in operated.traces.values())
        assert "AccessDeniedException" in listed.out

        operated.set_attempts(seconds=WORKING_SECONDS)
        watched.client("iam").delete_role_policy(RoleName=operated.outputs["WorkerRole"], PolicyName="Denied")
        moved = command(watched, *redrive.split(), "--yes")
        assert moved.status == 0, moved
        for item_id in operated.traces:
            wait_for(lambda item_id=item_id: watched.item(item_id), what=f"the item {item_id}")  # type: ignore[misc]
        checked = command(watched, "verify", STACK)
        assert checked.status == 0, checked
        assert "Also noticed" not in checked.out, "the topic that alarms notify is on no request's way"
        wait_for(lambda: operated.alarm(metric)["StateValue"] == "OK", what="the end of the alarm", seconds=240)

    @staticmethod
    def _notified(operated: Operated) -> Fields | None:
        """The next notification of the alarm on dead-letter messages, if there is one."""
        sqs, url = operated.deployed.client("sqs"), operated.outputs["NotifiedUrl"]
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            notification: Fields = json.loads(message["Body"])
            if "DeadLetterAlarm" in notification["AlarmName"]:
                return notification
        return None


class _Alone:
    """An alarm as it is deployed, on a metric of its own, which nobody but the test publishes.

    The local AWS takes metrics in the namespaces of services, as PutMetricData of AWS does not.
    """

    _KEPT = (
        *("Namespace", "MetricName", "Statistic", "ExtendedStatistic", "Period", "EvaluationPeriods"),
        *("DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData", "AlarmDescription"),
    )

    def __init__(self, operated: Operated, metric: str) -> None:
        self.definition = operated.alarm(metric)
        self._cloudwatch = operated.deployed.client("cloudwatch")
        self._name = f"alone-{uuid.uuid4().hex}"
        self._dimensions = [{**dimension, "Value": self._name} for dimension in self.definition["Dimensions"]]
        kept = {key: self.definition[key] for key in self._KEPT if key in self.definition}
        self._cloudwatch.put_metric_alarm(AlarmName=self._name, Dimensions=self._dimensions, **kept)

    def publish(self, values: Mapping[int, float]) -> None:
        """Publishes the values of so many minutes ago."""
        now = datetime.now(tz=UTC)
        data = [
            {
                "MetricName": self.definition["MetricName"],
                "Dimensions": self._dimensions,
                "Timestamp": now - timedelta(minutes=minutes),
                "Value": value,
            }
            for minutes, value in values.items()
        ]
        self._cloudwatch.put_metric_data(Namespace=self.definition["Namespace"], MetricData=data)

    def state(self) -> str:
        [alarm] = self._cloudwatch.describe_alarms(AlarmNames=[self._name])["MetricAlarms"]
        return str(alarm["StateValue"])

    def settled(self) -> str | None:
        """Its state, once it was evaluated."""
        return None if (state := self.state()) == "INSUFFICIENT_DATA" else state
