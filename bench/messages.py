"""`make bench`: what tracing adds to a message, in the bridge, in the X-Ray SDK used by hand, and at the least.

Processor time is compared, which a machine that does other work as well disturbs least: a round of 10,000 messages is
long enough for that work to fall into each. Every figure is the least of many rounds in which all the contestants take
turns, minus the bare handler measured beside them. Compare the ratios; microseconds belong to the machine.
"""

import argparse
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from bench import contestants, imports, pieces, uploads
from bench.events import Context, batch, close_environment
from bench.goals import Goal, is_met, verdict

_READER = (
    "import socket,sys\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\ns.bind(('127.0.0.1',0))\n"
    "print(s.getsockname()[1],flush=True)\nwhile s.recv(65536)!=b'end': pass\n"
)
_CASES = {
    "sampled, batch of 10": (10, True, False),
    "sampled, batch of 100": (100, True, False),
    "sampled, batch of 10,000": (10_000, True, False),
    "unsampled, batch of 1,000": (1_000, False, False),
    "one DynamoDB call, batch of 10": (10, True, True),
}
"""Messages, whether they are sampled, and whether each makes a call."""

Handler = Callable[[dict[str, Any], object], object]
Figures = dict[str, dict[str, float]]


def main() -> int:
    """Prints the tables; 0 when every goal is met."""
    parser = argparse.ArgumentParser(prog="make bench", description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=300, help="how often batches of 10 take their turn")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    with subprocess.Popen([sys.executable, "-c", _READER], stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None  # noqa: S101 - a pipe was asked for
        address = ("127.0.0.1", int(reader.stdout.readline()))
        close_environment(address)
        figures: Figures = {
            name: _added(contestants.makers(address, call=call), batch(size, sampled=sampled), size, options.rounds)
            for name, (size, sampled, call) in _CASES.items()
        }
        costs = pieces.measure(address)
        _end(reader, address)
    figures["PassThrough, batch of 10, µs of CPU a batch"] = uploads.pass_through(options.rounds)
    figures["10,000 messages, daemon stalls"] = uploads.stalled()
    figures |= {f"import {how}, ms": row for how, row in imports.measure(max(3, options.rounds // 40)).items()}
    goals = _goals(figures)
    if options.json:
        print(json.dumps({"figures": figures, "pieces": costs, "goals": goals}, indent=2))
    else:
        print(_table(figures, costs, goals))
    return 0 if all(is_met(goal) for goal in goals) else 1


def _end(reader: "subprocess.Popen[str]", address: tuple[str, int]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        while reader.poll() is None:
            end.sendto(b"end", address)
            time.sleep(0.01)


def _added(makers: dict[str, Handler], event: dict[str, Any], size: int, rounds: int) -> dict[str, float]:
    """Returns the microseconds that each contestant adds to a message."""
    least = dict.fromkeys(makers, float("inf"))
    for _ in range(max(3, min(rounds, rounds * 50 // size))):
        for name, handler in makers.items():
            began = time.process_time()
            handler(event, Context())
            least[name] = min(least[name], (time.process_time() - began) / size * 1e6)
    return {name: round(value - least["bare"], 2) for name, value in least.items() if name != "bare"}


def _goals(figures: Figures) -> list[Goal]:
    """Returns the goals: name, limit, and measurement."""
    hundred, many = figures["sampled, batch of 100"], figures["sampled, batch of 10,000"]
    unsampled, call = figures["unsampled, batch of 1,000"], figures["one DynamoDB call, batch of 10"]
    upload = figures["PassThrough, batch of 10, µs of CPU a batch"]
    stalled = figures["10,000 messages, daemon stalls"]
    wanted = [
        ("PassThrough, a batch of 10 ÷ boto3's put_trace_segments alone", 0.7, upload["bridge"] / upload["boto3"]),
        ("sampled ÷ floor", 0.8, hundred["bridge"] / hundred["floor"]),
        ("sampled ÷ SDK by hand", 0.35, hundred["bridge"] / hundred["sdk"]),
        ("unsampled ÷ floor", 2.0, unsampled["bridge"] / unsampled["floor"]),
        ("unsampled ÷ SDK by hand", 0.2, unsampled["bridge"] / unsampled["sdk"]),
        ("with a DynamoDB call ÷ SDK by hand", 0.5, call["bridge"] / call["sdk"]),
        ("sampled, 10,000 ÷ 100", 1.2, many["bridge"] / hundred["bridge"]),
        ("10,000 messages, daemon stalls: documents missing", 0, 10_000 - stalled["arrived"]),
        ("10,000 messages, daemon stalls: seconds", 5.0, stalled["seconds"]),
    ]
    for how in ("with .pyc", "without .pyc"):
        row = figures[f"import {how}, ms"]
        wanted.append((f"import {how} and decorated handler ÷ aws_xray_sdk.core", 0.5, row["bridge"] / row["sdk"]))
    own = figures["import with .pyc, ms"]["own"]
    wanted.append(("import and decorated handler, the bridge's own modules with .pyc, ms", 2.0, own))
    return [(name, limit, round(measured, 2)) for name, limit, measured in wanted]


def _table(figures: Figures, costs: dict[str, float], goals: list[Goal]) -> str:
    lines = [f"{'added per message, µs':42}{'bridge':>10}{'floor':>10}{'SDK by hand':>14}"]
    for name in _CASES:
        row = figures[name]
        lines.append(f"{name:42}{row['bridge']:10.1f}{row['floor']:10.1f}{row['sdk']:14.1f}")
    lines.append("")
    for name, row in figures.items():
        if name not in _CASES:
            lines.append(f"{name:46}{', '.join(f'{key} {value:g}' for key, value in row.items())}")
    lines += ["", "what a message costs, piece by piece, µs"]
    lines += [f"  {name:52}{cost:8.2f}" for name, cost in costs.items()]
    lines.append("")
    lines += [verdict(goal) for goal in goals]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
