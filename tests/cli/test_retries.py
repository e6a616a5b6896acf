"""What is said of messages that are neither processed nor dead-letter messages yet."""

from __future__ import annotations

import pytest
from traced_pipeline_cli.dead_letters.retries import hidden_text, retry_text

from .deployments import queue


@pytest.mark.parametrize(
    ("waiting", "in_flight", "text"),
    [
        (0, 0, ""),
        (0, 2, "work: 2 in flight, next attempt within 180 s unless the one under way succeeds."),
        (3, 0, "work: 3 waiting."),
        (3, 2, "work: 2 in flight, next attempt within 180 s unless the one under way succeeds; 3 waiting."),
    ],
)
def test_a_source_queue(waiting: int, in_flight: int, text: str) -> None:
    assert retry_text(queue(waiting=waiting, in_flight=in_flight)) == text


def test_a_dead_letter_queue_that_another_reader_reads() -> None:
    assert hidden_text(queue(waiting=2)) == ""
    assert "2 dead-letter messages of work cannot be read now: another reader received them" in hidden_text(
        queue(in_flight=2)
    )
