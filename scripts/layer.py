"""`make layer`: the layer with the bridge as a zip, for stacks that the CDK does not make (SAM, Terraform).

It holds what the constructs' own layer holds; with `XRAY_SDK=on` the X-Ray SDK too, and with `OTEL=on` OpenTelemetry.
Names, order and times are the same each time, so that what did not change has the same hash.
"""

import argparse
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from traced_pipeline import PipelineError
from traced_pipeline.layer_content import LayerContent, assemble

ROOT = Path(__file__).resolve().parent.parent
LAYER = ROOT / "build" / "trace-bridge-layer.zip"
_LARGEST = 50_000_000
"""Bytes that Lambda takes in a call: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16


def main(arguments: Sequence[str]) -> int:
    """Writes the zip, and says where and how it is published."""
    parser = argparse.ArgumentParser(prog="make layer")
    parser.add_argument("--xray-sdk", choices=["on", "off"], default="off", metavar="on|off")
    parser.add_argument("--otel", choices=["on", "off"], default="off", metavar="on|off")
    options = parser.parse_args(arguments)
    try:
        write(
            LAYER,
            LayerContent(xray_sdk=options.xray_sdk == "on", open_telemetry="sdk" if options.otel == "on" else "none"),
        )
    except PipelineError as error:
        print(f"make layer: {error}", file=sys.stderr)
        return 1
    size, shown = LAYER.stat().st_size, LAYER.relative_to(ROOT)
    if size > _LARGEST:
        print(f"make layer: {shown} has {size} bytes; Lambda takes {_LARGEST}", file=sys.stderr)
        return 1
    print(f"{shown}  {size / 1000:.0f} kB, for Python 3.11 and newer on arm64 and x86_64")
    print("How to use it with SAM and Terraform: docs/trace-bridge.md#sam-and-terraform")
    return 0


def write(target: Path, content: LayerContent) -> None:
    """Assembles the layer and zips it.

    Args:
        target: The zip.
        content: What it holds beside the bridge.

    Raises:
        PipelineError: A package that belongs into the layer is not installed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        assemble(folder, content)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), date_time=_EARLIEST)
                entry.external_attr = _READABLE
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes(), compresslevel=9)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
