"""`make bench`: what tracing adds to a message, in the bridge, in the X-Ray SDK used by hand, and at the least.

Every figure is the median over rounds in which all the contestants take turns, minus the bare handler measured beside
them. Compare the ratios; microseconds belong to the machine.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

_READER = (
    "import socket,sys\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\ns.bind(('127.0.0.1',0))\n"
    "print(s.getsockname()[1],flush=True)\nwhile s.recv(65536)!=b'end': pass\n"
)
_INVOCATION = "Root=1-6b04d6c2-aaaaaaaaaaaaaaaaaaaaaaaa;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=061379e8:0"

Handler = Callable[[dict[str, Any], object], object]


class Context:
    """An invocation's context."""

    aws_request_id = "7f2a6f0e-0000-4000-8000-000000000000"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:worker"

    def get_remaining_time_in_millis(self) -> int:
        """Returns plenty."""
        return 30_000


def main() -> int:
    """Prints the table; 0 when every goal is met."""
    parser = argparse.ArgumentParser(prog="make bench", description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    with subprocess.Popen([sys.executable, "-c", _READER], stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None  # noqa: S101 - a pipe was asked for
        address = ("127.0.0.1", int(reader.stdout.readline()))
        _close_environment(address)
        figures = _measure(address, options.rounds)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            while reader.poll() is None:
                end.sendto(b"end", address)
                time.sleep(0.01)
    goals = _goals(figures)
    print(json.dumps({"figures": figures, "goals": goals}, indent=2) if options.json else _table(figures, goals))
    return 0 if all(met for _, _, _, met in goals) else 1


def _close_environment(address: tuple[str, int]) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(
        AWS_LAMBDA_FUNCTION_NAME="worker",
        AWS_LAMBDA_LOG_GROUP_NAME="/aws/lambda/worker",
        LAMBDA_TASK_ROOT="/var/task",
        AWS_XRAY_DAEMON_ADDRESS=f"{address[0]}:{address[1]}",
        AWS_REGION="us-east-1",
        AWS_DEFAULT_REGION="us-east-1",
        AWS_ACCESS_KEY_ID="benchmark",
        AWS_SECRET_ACCESS_KEY="benchmark",  # noqa: S106 - signs nothing that leaves the process
        AWS_EC2_METADATA_DISABLED="true",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        _X_AMZN_TRACE_ID=_INVOCATION,
    )


def _event(size: int, *, sampled: bool) -> dict[str, Any]:
    now = int(time.time())
    return {
        "Records": [
            {
                "messageId": f"{number:08d}-0000-4000-8000-000000000000",
                "body": '{"id": "1", "customer": "Ann", "amount": 12}',
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:orders-queue",
                "attributes": {
                    "AWSTraceHeader": f"Root=1-{now:08x}-{number:024x};Parent=53995c3f42cd8ad8;Sampled={int(sampled)}",
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": f"{now}000",
                    "ApproximateFirstReceiveTimestamp": f"{now}250",
                },
            }
            for number in range(1, size + 1)
        ]
    }


def _measure(address: tuple[str, int], rounds: int) -> dict[str, dict[str, float]]:
    """Microseconds a message, for each case and contestant."""
    from bench import contestants

    cases = [
        ("sampled, batch of 10", 10, True, False),
        ("sampled, batch of 100", 100, True, False),
        ("sampled, batch of 10,000", 10_000, True, False),
        ("unsampled, batch of 1,000", 1_000, False, False),
        ("unsampled, batch of 10,000", 10_000, False, False),
        ("one DynamoDB call, batch of 10", 10, True, True),
    ]
    figures: dict[str, dict[str, float]] = {}
    for name, size, sampled, call in cases:
        makers = contestants.makers(address, call=call)
        figures[name] = _interleaved(makers, _event(size, sampled=sampled), size, rounds)
    figures["PassThrough, batch of 10: CPU of a call"] = {
        "bridge": contestants.pass_through_cpu(_event(10, sampled=True))
    }
    return figures


def _interleaved(makers: dict[str, Handler], event: dict[str, Any], size: int, rounds: int) -> dict[str, float]:
    repeats = max(1, 300 // size)
    times: dict[str, list[float]] = {name: [] for name in makers}
    for _ in range(rounds + 2):
        for name, handler in makers.items():
            began = time.perf_counter()
            for _ in range(repeats):
                handler(event, Context())
            times[name].append((time.perf_counter() - began) / repeats / size * 1e6)
    middle = {name: statistics.median(taken[2:]) for name, taken in times.items()}
    return {name: round(value - middle["bare"], 2) for name, value in middle.items() if name != "bare"}


def _goals(figures: dict[str, dict[str, float]]) -> list[tuple[str, float, float, bool]]:
    """Returns the goals: name, limit, measurement, and whether it was met."""
    batch, unsampled = figures["sampled, batch of 10"], figures["unsampled, batch of 1,000"]
    call, many = figures["one DynamoDB call, batch of 10"], figures["unsampled, batch of 10,000"]
    wanted = [
        ("sampled ÷ SDK by hand", 0.5, batch["bridge"] / batch["sdk"]),
        ("sampled ÷ floor", 1.2, batch["bridge"] / batch["floor"]),
        ("unsampled, µs", 2.0, unsampled["bridge"]),
        ("unsampled ÷ SDK by hand", 0.25, unsampled["bridge"] / unsampled["sdk"]),
        ("with a DynamoDB call ÷ SDK by hand", 0.75, call["bridge"] / call["sdk"]),
        ("unsampled, 10,000 ÷ 1,000", 1.2, many["bridge"] / unsampled["bridge"]),
        ("sampled, 100 ÷ 10", 1.2, figures["sampled, batch of 100"]["bridge"] / batch["bridge"]),
        (
            "PassThrough, batch of 10, CPU in ms",
            1.0,
            figures["PassThrough, batch of 10: CPU of a call"]["bridge"] / 1000,
        ),
    ]
    return [(name, limit, round(measured, 2), measured <= limit) for name, limit, measured in wanted]


def _table(figures: dict[str, dict[str, float]], goals: list[tuple[str, float, float, bool]]) -> str:
    lines = [f"{'added per message, µs':42}{'bridge':>10}{'floor':>10}{'SDK by hand':>14}"]
    for name, row in figures.items():
        values = [f"{row[key]:.1f}" if key in row else "–" for key in ("bridge", "floor", "sdk")]
        lines.append(f"{name:42}{values[0]:>10}{values[1]:>10}{values[2]:>14}")
    lines.append("")
    lines += [
        f"{'met ' if met else 'MISSED'} {name}: {measured} (at most {limit})" for name, limit, measured, met in goals
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
