"""The datagrams of AWS's distribution of OpenTelemetry: taken by a daemon, and what costs no other."""

import base64
import socket

import pytest

from tests.support.account import Account
from tests.support.local_aws.otlp import encoded, new_trace_id, send, span, xray_id
from tests.support.waiting import wait_for

_CUT = encoded(span("1" * 32))


def test_a_daemon_takes_the_datagrams_of_awss_distribution(aws: Account) -> None:
    trace_id = new_trace_id()
    send(aws.facts.daemon_address, encoded(span(trace_id)))
    (document,) = wait_for(lambda: aws.documents(xray_id(trace_id)))
    assert (document["name"], "type" in document) == ("shop", False)


@pytest.mark.parametrize(
    "text",
    [
        "T1S",
        "T1U",
        "T1Snot base64",
        _CUT[:-1],
        _CUT[: len(_CUT) // 2],
        "T1S" + base64.b64encode(b"\xff\xff").decode(),
        "T1S" + base64.b64encode(b"x" * 40_000).decode(),
        b"T1S\xff\xfe",
        "T1X" + _CUT[3:],
        encoded(span("0" * 32), span("1" * 32, span_id="0" * 16)),
        encoded(span("1" * 32, ago=90 * 86400)),
        encoded(span("1" * 32, name="")),
        "M1" + base64.b64encode(b"metrics").decode(),
    ],
)
def test_a_datagram_that_is_none_costs_itself_alone(aws: Account, text: str | bytes) -> None:
    send(aws.facts.daemon_address, text)
    trace_id = new_trace_id()
    send(aws.facts.daemon_address, encoded(span(trace_id)))
    assert wait_for(lambda: aws.documents(xray_id(trace_id)))


def test_a_header_line_nested_without_end_costs_its_datagram_alone(aws: Account) -> None:
    host, port = aws.facts.daemon_address.split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"[" * 60_000 + b"\n{}", (host, int(port)))
    trace_id = new_trace_id()
    send(aws.facts.daemon_address, encoded(span(trace_id)))
    assert wait_for(lambda: aws.documents(xray_id(trace_id)), seconds=20)
