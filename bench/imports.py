"""What a worker pays at its start, beside the X-Ray SDK: for an interpreter that has boto3 with its first client.

A start is the import and the decorated handler: settings read, hooks put. What a PassThrough worker reads ahead for its
first document, and what is left for its first message, upload included, is measured as well.
"""

import json
import os
import subprocess
import sys
from tempfile import TemporaryDirectory

from bench.events import PASS_THROUGH
from bench.uploads import x_ray

_CODE = """
import gc, importlib, json, re, sys, time
import boto3
from bench.events import Context, batch
boto3.client("dynamodb")

def milliseconds(step):
    # A collection of what is there already takes longer than an import, and falls where it may.
    gc.collect()
    gc.freeze()
    began = time.process_time()
    step()
    return (time.process_time() - began) * 1000

def sdk():
    import aws_xray_sdk.core

def bridge():
    global handler
    from trace_bridge import Message, sqs_handler

    @sqs_handler
    def handler(message: Message) -> None:
        message.json()

def own():
    return [name for name in sys.modules if name.partition(".")[0] == "trace_bridge"]

def again(names):
    for name in names:
        importlib.import_module(name)

if sys.argv[1] == "sdk":
    print(json.dumps({"sdk": milliseconds(sdk)}))
else:
    figures = {"bridge" if sys.argv[1] == "bridge" else "read ahead": milliseconds(bridge)}
    if sys.argv[1] == "worker":
        at_start = own()
        event = batch(1, sampled=True)
        figures["first message"] = milliseconds(lambda: handler(event, Context()))
        later = own()[len(at_start):]
        # A second time, when all that they need of others is there.
        for name in at_start + later:
            del sys.modules[name]
        re.purge()
        figures["own"] = milliseconds(lambda: again(at_start))
        figures["own, first message"] = milliseconds(lambda: again(later))
    print(json.dumps(figures))
"""


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """Returns processor times in ms, with compiled files, and as from a layer that ships none.

    Returns:
        For each of the two: `bridge` and `sdk`, a start with each; `own`, the part of the bridge's own modules;
        `read ahead`, the same with X-Ray's model; `first message`, what the first message of a PassThrough worker
        takes, and the modules' part of that.
    """
    figures: dict[str, dict[str, float]] = {}
    with TemporaryDirectory() as compiled, TemporaryDirectory() as empty, x_ray() as url:
        for name, cache, flags in (("with .pyc", compiled, []), ("without .pyc", empty, ["-B"])):
            environment = {
                **os.environ,
                "PYTHONPYCACHEPREFIX": cache,
                "AWS_ENDPOINT_URL_XRAY": url,
                "_X_AMZN_TRACE_ID": PASS_THROUGH,
            }
            environment.pop("PYTHONDONTWRITEBYTECODE", None)
            taken: dict[str, list[float]] = {}
            for _ in range(rounds):  # the first one fills the cache
                for contestant, emitter in (("bridge", "udp"), ("worker", "auto"), ("sdk", "auto")):
                    changed = {**environment, "TRACE_BRIDGE_EMITTER": emitter}
                    for figure, value in _milliseconds(contestant, flags, changed).items():
                        taken.setdefault(figure, []).append(value)
            figures[name] = {figure: round(min(values), 2) for figure, values in taken.items()}
    return figures


def _milliseconds(contestant: str, flags: list[str], environment: dict[str, str]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, *flags, "-c", _CODE, contestant], env=environment, capture_output=True, text=True, check=True
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures
