"""`make bench`: what a synthesis with the library costs, beside the same resources written with the CDK alone.

Each run is a process of its own, as the CDK CLI starts an app; the contestants take turns, and the median counts.
Compared is the processor time of the app and its Node, which other work on the machine disturbs least. And what the
pipeline's constructors take in a large app is compared with what they take in a small one, and a large app of the CDK's
own constructs below `TraceEverything` with the bridge and without.
"""

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.goals import Goal, is_met, verdict
from harness.environment import bare_environment

if TYPE_CHECKING:
    from aws_cdk import App

_ROOT = Path(__file__).resolve().parent.parent
_HANDLERS = _ROOT / "runtime" / "handlers"
_GOAL = 1.1
_CONTESTANTS = ("traced", "by_hand")
_OTHERS = (40, 4000)
_MOST_GROWTH = 1.2
_ADOPTIONS = ("adopted", "traced_below")
_MOST_ADOPTION = 1.2
_ADOPTION_ROUNDS = 3


def main() -> int:
    """Prints the table; 0 when the goal is met."""
    parser = argparse.ArgumentParser(prog="make bench", description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--one", nargs=2, metavar=("CONTESTANT", "FOLDER"), help="run one, in this process")
    parser.add_argument("--others", type=int, metavar="N", help="with --one: print the seconds it takes among N others")
    options = parser.parse_args()
    if options.one and options.others is not None:
        print(_seconds_among(options.others))
        return 0
    if options.one:
        _synthesize(options.one[0], Path(options.one[1]))
        return 0
    with tempfile.TemporaryDirectory(prefix="traced-pipeline-bench-") as name:
        folder = Path(name)
        _assemble_layer(folder)
        runs = [{who: _measured(who, folder, number) for who in _CONTESTANTS} for number in range(options.rounds + 1)]
        adopted = [{who: _measured(who, folder, n)[0] for who in _ADOPTIONS} for n in range(_ADOPTION_ROUNDS)]
        built = [{others: _built(others, folder) for others in _OTHERS} for _ in range(options.rounds)]
    middle = {
        who: [statistics.median(times) for times in zip(*(run[who] for run in runs[1:]), strict=True)]
        for who in _CONTESTANTS
    }
    print(f"{'default pipeline, seconds':42}{'library':>10}{'by hand':>10}{'ratio':>8}")
    for index, what in enumerate(("processor time", "time on the clock")):
        ours, theirs = middle["traced"][index], middle["by_hand"][index]
        print(f"{what:42}{ours:>10.2f}{theirs:>10.2f}{ours / theirs:>8.2f}")
    ratio = round(middle["traced"][0] / middle["by_hand"][0], 2)
    synthesis: Goal = ("synthesis ÷ by hand", _GOAL, ratio)
    print(verdict(synthesis))
    few, many = (min(run[others] for run in built) for others in _OTHERS)
    growth = round(many / few, 2)
    print(f"{f'constructors among {_OTHERS[0]} and {_OTHERS[1]} others':42}{few:>10.2f}{many:>10.2f}{growth:>8.2f}")
    large: Goal = ("large app ÷ small", _MOST_GROWTH, growth)
    print(verdict(large))
    bridge, without = (min(run[who] for run in adopted) for who in _ADOPTIONS)
    print(f"{'TraceEverything with bridge and without':42}{bridge:>10.2f}{without:>10.2f}{bridge / without:>8.2f}")
    adoption: Goal = ("with bridge ÷ without", _MOST_ADOPTION, round(bridge / without, 2))
    print(verdict(adoption))
    return 0 if all(is_met(goal) for goal in (synthesis, large, adoption)) else 1


def _assemble_layer(folder: Path) -> None:
    """Prepares what the contestant by hand is given: the layer's folder. That costs it nothing here."""
    program = (
        "import sys; from pathlib import Path; from traced_pipeline.layer import assemble; assemble(Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", program, str(folder / "layer")], check=True, env=_environment(folder))


def _measured(who: str, folder: Path, number: int) -> tuple[float, float]:
    out = folder / f"{who}-{number}"
    command = [sys.executable, "-m", "bench.synth", "--one", who, str(folder)]
    began = time.perf_counter()
    app = subprocess.Popen(command, cwd=_ROOT, env=_environment(folder) | {"CDK_OUTDIR": str(out)})
    _, status, used = os.wait4(app.pid, 0)
    took = time.perf_counter() - began
    app.returncode = os.waitstatus_to_exitcode(status)
    if app.returncode or not list(out.glob("Shop*.template.json")):
        raise RuntimeError(f"the synthesis of {who} ended with {app.returncode}; its output is above")
    return used.ru_utime + used.ru_stime, took


def _built(others: int, folder: Path) -> float:
    """Measures the constructors; their fastest run counts, since other work on the machine only adds to it."""
    command = [sys.executable, "-m", "bench.synth", "--one", "traced", str(folder), "--others", str(others)]
    done = subprocess.run(command, cwd=_ROOT, env=_environment(folder), check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout)


def _environment(folder: Path) -> dict[str, str]:
    environment = bare_environment(folder / "home") | {"CDK_CONTEXT_JSON": json.dumps(_flags())}
    # Installed packages come with their bytecode; the first, uncounted round writes that of the checkout.
    del environment["PYTHONDONTWRITEBYTECODE"]
    return environment


def _flags() -> dict[str, object]:
    flags: dict[str, object] = json.loads((_ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    return flags


def _synthesize(who: str, folder: Path) -> None:
    from aws_cdk import App, Stack

    app = App()
    if who in _ADOPTIONS:
        _trace_below(app, bridge=who == "adopted")
        return
    layer = [str(folder / "layer")] if who == "by_hand" else []
    build = importlib.import_module(f"bench.pipelines.{who}").build
    build(Stack(app, "Shop"), str(_HANDLERS / "ingest"), str(_HANDLERS / "worker"), *layer)
    app.synth()


def _trace_below(app: "App", *, bridge: bool) -> None:
    from traced_pipeline import TraceEverything

    importlib.import_module("bench.pipelines.ordinary").build(app)
    TraceEverything.below(app, bridge=bridge, trace_permission="none")  # its stacks are more than the policies allowed
    app.synth()


def _seconds_among(others: int) -> float:
    from aws_cdk import App, Stack
    from constructs import Construct

    app = App()
    large = Stack(app, "Large")
    for number in range(others):
        Construct(large, f"Other{number}")
    build = importlib.import_module("bench.pipelines.traced").build
    # The first pipeline pays for what the process loads once.
    build(Stack(app, "First"), str(_HANDLERS / "ingest"), str(_HANDLERS / "worker"))
    stack = Stack(app, "Shop")
    began = time.perf_counter()
    build(stack, str(_HANDLERS / "ingest"), str(_HANDLERS / "worker"))
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
