import subprocess

import pytest

from local import names
from tests.local_aws.conftest import INTERPRETER, REPOSITORY


def test_every_private_name_is_still_there() -> None:
    run = subprocess.run(
        [INTERPRETER, "-m", "local", "--check-names"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert "ministack.services.sns._fanout" in run.stdout.splitlines()


def test_a_name_that_is_gone_is_named_with_what_to_do() -> None:
    gone = [
        names.Name(module="json", path="no_such_name"),
        names.Name(module="no_such_module", path="thing"),
        names.Name(module="json", path="dumps", parameters=("value",)),
        names.Name(module="string", path="digits", text=("abc",)),
        names.Name(module="json", path="loads", parameters=("s",)),
    ]
    with pytest.raises(names.NamesGoneError) as problem:
        names.check(gone)
    message = str(problem.value)
    assert "json.no_such_name: gone" in message
    assert "no_such_module.thing: module no_such_module cannot be imported" in message
    assert "json.dumps: parameters are obj, expected value" in message
    assert "string.digits: does not hold 'abc' any more" in message
    assert "json.loads" not in message
    assert f"Install ministack=={names.VERSION}" in message
