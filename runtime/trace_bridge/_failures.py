"""Failures of messages and batches that the bridge itself raises."""

from collections.abc import Mapping


class BatchFailedError(Exception):
    """Of a batch, at least one message failed and none succeeded.

    Raised so that Lambda counts the invocation as an error, and returns the messages to the queue even where the event
    source mapping does not ask for batch item failures. The first failure is its cause.

    Attributes:
        message_ids: Ids of the messages that failed.
        not_begun: Ids of the messages that were not begun.
    """

    def __init__(self, message_ids: tuple[str, ...], not_begun: tuple[str, ...] = ()) -> None:
        super().__init__(message_ids, not_begun)
        self.message_ids = message_ids
        self.not_begun = not_begun

    def __str__(self) -> str:
        count = len(self.message_ids)
        summary = f"{'the only message' if count == 1 else f'all {count} messages'} of the batch failed"
        if self.not_begun:
            summary = f"{count} of {count + len(self.not_begun)} messages failed and the others were not begun"
        text = f"{summary}: {', '.join(self.message_ids)}"
        return f"{text}; not begun: {', '.join(self.not_begun)}" if self.not_begun else text


class UnfinishedResultError(TypeError):
    """A handler returned work that nobody has done, in a form that cannot be awaited."""


class ReportedFailureError(Exception):
    """A handler of whole batches returned its message as failed."""

    def __init__(self, reported: object) -> None:
        super().__init__(reported)
        self.reported = reported

    def __str__(self) -> str:
        return f"the handler returned it in batchItemFailures: {self.reported}"


def reported_failures(answer: object) -> object:
    """Returns what a handler of whole batches put in `batchItemFailures`; None where it put nothing there."""
    return answer.get("batchItemFailures") if isinstance(answer, Mapping) else None
