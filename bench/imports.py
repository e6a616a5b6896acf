"""What importing the bridge adds to an interpreter that has boto3 with its first client, beside the X-Ray SDK."""

import json
import os
import subprocess
import sys
from tempfile import TemporaryDirectory

_CODE = """
import json, re, sys, time
import boto3
boto3.client("dynamodb", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")

def imported(module):
    began = time.process_time()
    __import__(module)
    return (time.process_time() - began) * 1000

whole = imported(sys.argv[1])
# A second time, when all it needs of others is there.
for name in [name for name in sys.modules if name.partition(".")[0] == sys.argv[1].partition(".")[0]]:
    del sys.modules[name]
re.purge()
print(json.dumps([whole, imported(sys.argv[1])]))
"""


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """Returns the processor time of importing in ms, with compiled files, and as from a layer that ships none.

    Returns:
        For each of the two: `bridge`, `sdk`, and `own`, the part of the bridge's own modules.
    """
    figures: dict[str, dict[str, float]] = {}
    with TemporaryDirectory() as compiled, TemporaryDirectory() as empty:
        for name, cache, flags in (("with .pyc", compiled, []), ("without .pyc", empty, ["-B"])):
            environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
            environment.pop("PYTHONDONTWRITEBYTECODE", None)
            taken: dict[str, list[float]] = {"bridge": [], "sdk": [], "own": []}
            for _ in range(rounds):  # the first one fills the cache
                whole, own = _milliseconds("trace_bridge", flags, environment)
                taken["bridge"].append(whole)
                taken["own"].append(own)
                taken["sdk"].append(_milliseconds("aws_xray_sdk.core", flags, environment)[0])
            figures[name] = {contestant: round(min(values), 2) for contestant, values in taken.items()}
    return figures


def _milliseconds(module: str, flags: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Returns the processor time of an import, and of the module's own package alone."""
    done = subprocess.run(
        [sys.executable, *flags, "-c", _CODE, module], env=environment, capture_output=True, text=True, check=True
    )
    whole, own = json.loads(done.stdout)
    return whole, own
