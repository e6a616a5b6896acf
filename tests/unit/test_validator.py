"""The validator refuses what X-Ray refuses: a check of the checks."""

import copy
from typing import Any

import pytest

from tests.support.segment_validator import InvalidDocumentError, validate, validate_all

NOW = 1_750_000_000.5
GOOD: dict[str, Any] = {
    "name": "worker",
    "id": "70de5b6f19ff9a0a",
    "trace_id": "1-581cf771-a006649127e371903a2de979",
    "parent_id": "53995c3f42cd8ad8",
    "start_time": NOW - 2.5,
    "end_time": NOW - 1.5,
    "origin": "AWS::Lambda::Function",
    "annotations": {"attempt": 1},
    "metadata": {"default": {"anything": [1]}},
    "subsegments": [
        {
            "name": "dynamodb",
            "id": "53995c3f42cd8ad9",
            "start_time": NOW - 2.4,
            "end_time": NOW - 2.1,
            "namespace": "aws",
            "aws": {"operation": "PutItem"},
        }
    ],
}


def test_a_good_document_passes() -> None:
    validate(GOOD)
    validate_all([GOOD], senders=["53995c3f42cd8ad8"])


@pytest.mark.parametrize(
    "change",
    [
        {"name": "what?"},
        {"name": ""},
        {"id": "70DE5B6F19FF9A0A"},
        {"trace_id": "1-581cf771-a006649127e371903a2de97"},
        {"start_time": "now"},
        {"start_time": NOW * 1000},
        {"start_time": 1_700_000_000},
        {"end_time": NOW - 3},
        {"in_progress": True},
        {"in_progress": False},
        {"end_time": None},
        {"parent_id": "x"},
        {"annotations": {"a b": 1}},
        {"annotations": {"a": None}},
        {"annotations": {"a": "x" * 1001}},
        {"annotations": {f"k{n}": 1 for n in range(51)}},
        {"metadata": {"key": "no group"}},
        {"metadata": {"default": {"big": "x" * 64_000}}},
        {"fault": 1},
        {"cause": {}},
        {"cause": {"working_directory": "/", "exceptions": [{"type": "KeyError"}]}},
        {"cause": "53995c3f"},
        {"http": {"response": {"status": "200"}}},
        {"aws": {"account_id": 1}},
        {"namespace": "aws"},
        {"_message": "leaked"},
        {"subsegments": [{**GOOD["subsegments"][0], "start_time": NOW - 5}]},
        {"subsegments": [{**GOOD["subsegments"][0], "end_time": NOW}]},
        {"subsegments": [{**GOOD["subsegments"][0], "id": GOOD["id"]}]},
        {"subsegments": [{**GOOD["subsegments"][0], "parent_id": "53995c3f42cd8ad8"}]},
        {"subsegments": [{**GOOD["subsegments"][0], "namespace": "local:thing"}]},
        {"subsegments": []},
        {"type": "subsegment"},
        {"origin": "AWS::Lambda"},
    ],
    ids=str,
)
def test_a_bad_document_is_refused(change: dict[str, Any]) -> None:
    bad = copy.deepcopy(GOOD) | change
    with pytest.raises(InvalidDocumentError):
        validate(bad)


def test_what_is_missing_is_refused() -> None:
    for field in ("name", "id", "trace_id", "start_time", "end_time", "origin"):
        with pytest.raises(InvalidDocumentError):
            validate({key: value for key, value in GOOD.items() if key != field})


def test_documents_have_to_be_connected() -> None:
    other = {**GOOD, "id": "70de5b6f19ff9a0b", "parent_id": GOOD["id"], "subsegments": [], "x": 0}
    del other["subsegments"], other["x"]
    with pytest.raises(InvalidDocumentError, match="nobody sent"):
        validate_all([GOOD], senders=[])
    with pytest.raises(InvalidDocumentError, match="twice"):
        validate_all([GOOD, GOOD], senders=[GOOD["parent_id"]])
    validate_all([GOOD, other], senders=[GOOD["parent_id"]])
    with pytest.raises(InvalidDocumentError, match="another trace"):
        validate_all([GOOD, {**other, "trace_id": GOOD["trace_id"][:-1] + "0"}], senders=[GOOD["parent_id"]])
    begun = {key: value for key, value in GOOD.items() if key not in ("end_time", "subsegments")} | {
        "in_progress": True
    }
    validate_all([begun, GOOD], senders=[GOOD["parent_id"]])
    with pytest.raises(InvalidDocumentError, match="after it was complete"):
        validate_all([GOOD, begun], senders=[GOOD["parent_id"]])
