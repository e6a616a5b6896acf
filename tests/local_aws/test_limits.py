"""How large a request or an answer may be, for API Gateway, Lambda and EventBridge."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.account import Account
from tests.support.local_aws.functions import archive, role
from tests.support.local_aws.tracing import SAMPLED

MEGABYTE = 1024 * 1024
SIZES = "def handler(event, context):\n    return 'x' * int(event.get('size', 0))\n"


@pytest.fixture(scope="module")
def function(aws: Account) -> str:
    """A function that answers as many characters as it is asked for."""
    aws.client("lambda").create_function(
        FunctionName="sized",
        Runtime="python3.13",
        Role=role(aws, "sized"),
        Handler="index.handler",
        Code={"ZipFile": archive(index=SIZES)},
    )
    return "sized"


@pytest.mark.parametrize(("kind", "most"), [("RequestResponse", 6 * MEGABYTE), ("Event", MEGABYTE)])
def test_lambda_refuses_a_request_that_is_too_large(aws: Account, function: str, kind: Any, most: int) -> None:
    functions = aws.client("lambda")
    frame = len(json.dumps({"size": 0, "fill": ""}))
    fitting, too_large = (json.dumps({"size": 0, "fill": "x" * (size - frame)}) for size in (most, most + 1))
    assert functions.invoke(FunctionName=function, InvocationType=kind, Payload=fitting)["StatusCode"] in (200, 202)
    with pytest.raises(ClientError, match=f"Request must be smaller than {most} bytes") as problem:
        functions.invoke(FunctionName=function, InvocationType=kind, Payload=too_large)
    assert problem.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_an_answer_that_is_too_large_is_an_error_of_the_function(aws: Account, function: str) -> None:
    functions = aws.client("lambda")
    fitting = functions.invoke(FunctionName=function, Payload=json.dumps({"size": 6 * MEGABYTE - 2}))
    assert "FunctionError" not in fitting
    refused = functions.invoke(FunctionName=function, Payload=json.dumps({"size": 6 * MEGABYTE}))
    assert refused["FunctionError"] == "Unhandled"
    assert json.loads(refused["Payload"].read())["errorType"] == "Function.ResponseSizeTooLarge"


@pytest.mark.parametrize("size", [10 * MEGABYTE + 1, 7 * MEGABYTE])
def test_api_gateway_refuses_a_body_that_is_too_large(aws: Account, stack: dict[str, str], size: int) -> None:
    status, answer, _ = aws.post(f"{stack['ApiId']}/traced/", json.dumps("x" * (size - 2)))
    assert (status, answer["message"]) == (413, "Request Too Long")


def test_put_events_refuses_an_eleventh_entry_also_where_entries_have_traces_of_their_own(aws: Account) -> None:
    entry = {"Source": "shop", "DetailType": "OrderPlaced", "Detail": "{}", "TraceHeader": SAMPLED}
    events = aws.client("events")
    assert events.put_events(Entries=[entry] * 10)["FailedEntryCount"] == 0
    with pytest.raises(ClientError, match="length less than or equal to 10"):
        events.put_events(Entries=[entry] * 11)
