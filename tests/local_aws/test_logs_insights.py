"""Queries of Logs Insights do what AWS documents of their language, and what is not understood is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.logs_insights.events import Event, row_of
from local.logs_insights.query import compile_query
from local.logs_insights.tokens import QueryError

_START_MS = 1_700_000_000_000
_LAMBDA_STREAM = "2026/11/27/[$LATEST]0f"
_REPORT = (
    "REPORT RequestId: r-1\tDuration: 12.5 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB"
)


def event(number: int, message: object, *, stream: str = "one") -> Event:
    return Event(
        pointer=f"p-{number}",
        account="123456789012",
        group="/shop/worker",
        stream=stream,
        time_ms=_START_MS + number * 1000,
        ingestion_ms=_START_MS + number * 1000 + 5,
        message=message if isinstance(message, str) else json.dumps(message),
    )


def run(query: str, *messages: object, stream: str = "one") -> list[dict[str, str]]:
    """The results of a query on events of one second each, without their pointers."""
    rows = [row_of(event(number, message, stream=stream)) for number, message in enumerate(messages)]
    return [{k: v for k, v in row.items() if k != "@ptr"} for row in compile_query(query).run(rows)]


def column(query: str, *messages: object) -> list[str]:
    """The one column of a query's results."""
    results = run(query, *messages)
    assert all(len(row) <= 1 for row in results), results
    return ["".join(row.values()) for row in results]


ORDERS = (
    {"id": "a", "amount": 5, "customer": {"name": "Ann", "tags": ["old", "kind"]}},
    {"id": "b", "amount": 30, "customer": {"name": "Bob", "tags": []}},
    {"id": "c", "amount": 7.5, "error": "Timeout: no answer"},
    "no JSON",
)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("amount > 6", "bc"),
        ("amount >= 7.5 and amount < 30", "c"),
        ("amount = 5 or amount = 30", "ab"),
        ("not (amount = 5 or amount = 30) and ispresent(amount)", "c"),
        ("id = 'a'", "a"),
        ('id != "a" and ispresent(id)', "bc"),
        ("id in ['a', \"c\"]", "ac"),
        ("ispresent(id) and id not in ['a']", "bc"),
        ("customer.name like /^A/", "a"),
        ("customer.name like /(?i)^BOB$/", "b"),
        ("customer.name =~ /n{2}/", "a"),
        ('error like "Timeout"', "c"),
        ("ispresent(id) and error not like /Time/", "ab"),
        ("customer.tags.1 = 'kind'", "a"),
        ("strcontains(customer.name, 'o')", "b"),
        ("amount * 2 + 1 > 60", "b"),
        ("amount % 5 = 0 and abs(0 - amount) > 6", "b"),
        ("strlen(customer.name) = 3", "ab"),
        ("isempty(customer.name) and ispresent(id)", "c"),
        ("`customer.name` = 'Ann' # which one?", "a"),
        ("amount > 6 | filter amount < 10", "c"),
    ],
)
def test_a_filter_lets_through_what_it_says(condition: str, expected: str) -> None:
    assert "".join(column(f"fields id | filter {condition}", *ORDERS)) == expected


def test_without_fields_the_time_and_the_message_are_shown() -> None:
    assert run("filter id = 'a'", *ORDERS) == [
        {"@timestamp": "2023-11-14 22:13:20.000", "@message": json.dumps(ORDERS[0])}
    ]


def test_system_fields_are_there_and_the_log_names_its_account() -> None:
    [row] = run("fields @log, @logStream, @ingestionTime, tomillis(@timestamp) as ms | limit 1", *ORDERS)
    assert row == {
        "@log": "123456789012:/shop/worker",
        "@logStream": "one",
        "@ingestionTime": "2023-11-14 22:13:20.005",
        "ms": str(_START_MS),
    }


def test_a_result_can_be_looked_up_by_its_pointer_unless_it_is_a_statistic() -> None:
    rows = [row_of(event(0, ORDERS[0]))]
    assert compile_query("fields id").run(rows) == [{"id": "a", "@ptr": "p-0"}]
    assert compile_query("stats count(*)").run(rows) == [{"count(*)": "1"}]


def test_fields_have_aliases_and_computed_values() -> None:
    query = "fields concat(id, '-', toupper(customer.name)) as label | fields amount / 2 as half | filter half < 3"
    assert run(query, *ORDERS) == [{"label": "a-ANN", "half": "2.5"}]


def test_display_alone_decides_what_is_shown() -> None:
    assert run("fields id, amount | display amount | limit 1", *ORDERS) == [{"amount": "5"}]


def test_sort_takes_numbers_as_numbers_and_texts_before_them() -> None:
    values = [{"v": 10}, {"v": 9}, {"v": "item10"}, {"v": "item9"}, {"v": 9.5}]
    assert column("fields v | sort v", *values) == ["item9", "item10", "9", "9.5", "10"]
    assert column("fields v | sort v desc | limit 2", *values) == ["10", "9.5"]
    pairs = [{"a": 1, "b": 1}, {"a": 2, "b": 5}, {"a": 2, "b": 3}]
    assert column("sort a desc, b asc | fields b", *pairs) == ["3", "5", "1"]


def test_statistics_are_of_each_group() -> None:
    messages = [{"t": "x", "n": 1}, {"t": "y", "n": 10}, {"t": "x", "n": 3}, {"t": "x"}, {"n": 7}]
    query = "stats count(*) as all, count(n) as having, sum(n), avg(n) as mean, min(n) as low, max(n) as high by t"
    assert run(f"{query} | filter ispresent(t) | sort t", *messages) == [
        {"t": "x", "all": "3", "having": "2", "sum(n)": "4", "mean": "2", "low": "1", "high": "3"},
        {"t": "y", "all": "1", "having": "1", "sum(n)": "10", "mean": "10", "low": "10", "high": "10"},
    ]


def test_latest_and_earliest_are_by_the_time_of_the_event() -> None:
    messages = [{"e": "A", "v": "first"}, {"e": "A", "v": "second"}, {"e": "A"}]
    assert run("stats latest(v) as l, earliest(v) as f by e", *messages) == [{"e": "A", "l": "second", "f": "first"}]


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [
        ("pct(n, 50)", "50"),
        ("pct(n, 99)", "99"),
        ("count_distinct(n)", "100"),
        ("sortsFirst(n)", "1"),
        ("sortsLast(n)", "100"),
        ("count()", "100"),
    ],
)
def test_a_statistic_of_all_events(statistic: str, expected: str) -> None:
    assert column(f"stats {statistic}", *({"n": n} for n in range(1, 101))) == [expected]


def test_no_event_is_counted_as_none() -> None:
    assert column("filter id = 'z' | stats count(*)", *ORDERS) == ["0"]
    assert run("filter id = 'z' | stats count(*) by id", *ORDERS) == []


def test_bin_groups_by_time() -> None:
    messages = [{"n": number} for number in range(130)]
    assert run("stats count(*) as c by bin(1m) | sort c desc", *messages) == [
        {"bin(1m)": "2023-11-14 22:14:00.000", "c": "60"},
        {"bin(1m)": "2023-11-14 22:13:00.000", "c": "40"},
        {"bin(1m)": "2023-11-14 22:15:00.000", "c": "30"},
    ]


def test_parse_takes_globs_and_regular_expressions() -> None:
    line = "user=Ann, method:GET, latency := 12"
    glob = 'parse @message "user=*, method:*, latency := *" as @user, @method, @latency | fields @user, @latency'
    assert run(glob, line, "other") == [{"@user": "Ann", "@latency": "12"}, {}]
    regex = "parse @message /method:(?<verb>[A-Z]+)/ | fields verb | filter ispresent(verb)"
    assert run(regex, line, "other") == [{"verb": "GET"}]


def test_dedup_keeps_the_first_event_of_each_value() -> None:
    assert column("dedup t | fields n", {"t": 1, "n": 1}, {"t": 1, "n": 2}, {"t": 2, "n": 3}) == ["1", "3"]


def test_fields_of_lambdas_own_lines_are_discovered() -> None:
    query = (
        "filter @type = 'REPORT' | fields @requestId, @duration, @billedDuration, @maxMemoryUsed / 1000 / 1000 as mb"
    )
    expected = {"@requestId": "r-1", "@duration": "12.5", "@billedDuration": "13", "mb": "64"}
    assert run(query, _REPORT, "END RequestId: r-1", stream=_LAMBDA_STREAM) == [expected]
    assert run(query, _REPORT) == []


def test_the_first_fragment_of_json_in_a_line_of_lambda_is_read() -> None:
    line = '[INFO]\t2026-11-27T02:00:00Z\tr-1\t{"order": 7} {"order": 8}'
    assert run("filter order = 7 | fields order", line, stream=_LAMBDA_STREAM) == [{"order": "7"}]
    assert run("filter order = 7 | fields order", line) == []


def test_a_field_whose_name_begins_with_an_at_sign_has_another() -> None:
    assert run("fields @@id | filter ispresent(@@id)", {"@id": "a"}) == [{"@@id": "a"}]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("", "expected a command"),
        ("filter", "found the end|unexpected symbol the end"),
        ("filter a = 1 b", "unexpected symbol b"),
        ("select a", "the command select is not known"),
        ("pattern @message", "the command pattern is not known"),
        ("filter a like /(/", "invalid regular expression"),
        ("filter a like b", 'expected "text" or /regular expression/'),
        ("stats mode(a)", "stats has no function mode"),
        ("filter unknown(a)", "the function unknown is not known"),
        ("filter ispresent()", "takes 1 to 1 arguments"),
        ("limit 0", "from 1 to 10000"),
        ("limit 10001", "from 1 to 10000"),
        ("stats count(*) by bin(5)", "expected a period"),
        ("stats count(*) by bin(5y)", "5y is no period"),
        ('parse @message "* *" as a', "2 \\*, and 1 names"),
        ("fields a ? b", "unexpected symbol \\?"),
        ("filter " + "(" * 60 + "a" + ")" * 60, "within each other"),
    ],
)
def test_what_is_not_understood_is_refused(query: str, problem: str) -> None:
    with pytest.raises(QueryError, match=problem):
        compile_query(query)


def test_arithmetic_on_what_is_no_number_gives_no_value() -> None:
    rows: list[Any] = [{"a": "text"}, {"a": 0}]
    assert run("fields 1 / a as x, a + 1 as y", *rows) == [{}, {"y": "1"}]
