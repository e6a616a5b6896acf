"""What an error of AWS or of boto3 means, and what to do about it."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    ParamValidationError,
    ReadTimeoutError,
    SSOTokenLoadError,
    UnauthorizedSSOTokenError,
)
from traced_pipeline_cli.__main__ import main
from traced_pipeline_cli.aws.error_messages import describe

from .fake_aws import FakeAws

Output = pytest.CaptureFixture[str]


def refused(code: str, message: str = "No.", *, status: int = 400, operation: str = "SendMessage") -> str:
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return describe(ClientError(answer, operation))  # type: ignore[arg-type]  # the rest of the metadata is not read


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("SignatureDoesNotMatch", "Signature expired: 20261127T100000Z is now earlier than 20261127T101000Z"),
        (
            "InvalidSignatureException",
            "Signature not yet current: 20261127T110000Z is still later than 20261127T100500Z",
        ),
        ("RequestExpired", "Request has expired."),
        ("RequestTimeTooSkewed", "The difference between the request time and the current time is too large."),
    ],
)
def test_a_clock_that_is_wrong_is_no_wrong_password(code: str, message: str) -> None:
    text = refused(code, message)
    assert "Set this machine's clock." in text
    assert "Log in" not in text


@pytest.mark.parametrize("code", ["ExpiredToken", "IncompleteSignature", "MissingAuthenticationToken", "AuthFailure"])
def test_credentials_that_are_not_accepted(code: str) -> None:
    assert refused(code).endswith("Log in again or name another --profile.")


@pytest.mark.parametrize("code", ["Throttling", "ThrottlingException", "TooManyRequestsException", "RequestThrottled"])
def test_throttling_passes(code: str) -> None:
    assert "AWS throttles SendMessage" in refused(code)
    assert "Try again later" in refused(code)


def test_an_error_of_aws_is_no_refusal() -> None:
    assert refused("InternalFailure", status=500) == "AWS failed at SendMessage (InternalFailure): No. Try again later."


def test_the_permission_is_the_one_aws_names() -> None:
    text = "User: arn:aws:iam::1:user/a is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:…"
    assert "need the permission kms:Decrypt. AWS says" in refused("KMS.AccessDeniedException", text)
    assert "need the permission kms:Decrypt. AWS says" in refused("AccessDenied", text)
    assert "need the permission sqs:SendMessage. AWS says" in refused(
        "AccessDenied", "Access to the resource is denied."
    )


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (SSOTokenLoadError(error_msg="Token for s does not exist"), "aws sso login"),
        (UnauthorizedSSOTokenError(), "aws sso login"),
        (EndpointConnectionError(endpoint_url="https://sqs.us-esat-1.amazonaws.com/"), "the region (--region)"),
        (ReadTimeoutError(endpoint_url="https://api.example.com/"), "may have been processed all the same"),
        (ParamValidationError(report="Invalid length\nfor parameter\x1b[31m"), "Invalid length for parameter?[31m"),
    ],
)
def test_what_boto3_raises_is_one_line_with_advice(error: BotoCoreError, advice: str) -> None:
    assert advice in describe(error)
    assert "\n" not in describe(error)


PROGRAMS = [f"credential_process = {program}" for program in ("/nowhere/program", "echo no JSON", "echo 1", "echo {}")]
TOKEN = "role_arn = arn:aws:iam::111111111111:role/reader\nweb_identity_token_file = /nowhere/token"


@pytest.mark.parametrize("profile", [*PROGRAMS, TOKEN], ids=[*PROGRAMS, "token file"])
def test_credentials_that_cannot_be_read_are_no_fault(
    aws: FakeAws, capsys: Output, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, profile: str
) -> None:
    (tmp_path / "config").write_text(f"[profile odd]\n{profile}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    assert main(["--profile", "odd", "send", "TracedPipeline"]) == 4
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "credential" in err


def test_what_gives_credentials_is_not_taken_for_a_program(
    aws: FakeAws, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/")
    assert main(["send", "TracedPipeline"]) == 4
    assert "The AWS credentials could not be read: Unsupported host 'example.com'" in capsys.readouterr().err


def test_an_endpoint_that_is_no_url_is_named(aws: FakeAws, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")
    assert main(["send", "TracedPipeline"]) == 4
    assert "nonsense is no URL. Set AWS_ENDPOINT_URL" in capsys.readouterr().err


def test_no_terminal_is_moved_by_what_aws_says() -> None:
    assert "no?[2J never" in refused("AccessDenied", "no\x1b[2J\nnever")
