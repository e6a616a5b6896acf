"""Start, announce and stop the local AWS."""

import asyncio
import json
import logging
import os
import signal
import socket
import ssl
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from local import environment, ministack_contract, tls

logger = logging.getLogger("local")

_POLL_SECONDS = 0.05
_START_SECONDS = 60.0
_GRACE_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line asks for.

    Attributes:
        ready_file: Written once the endpoint serves, taken away at the end.
        work_dir: Below it goes every file.
        port: TCP port on 127.0.0.1; 0 for a free one.
        follow_stdin: Stop when standard input ends.
        log_level: MiniStack's, such as `INFO`.
    """

    ready_file: Path
    work_dir: Path
    port: int = 0
    follow_stdin: bool = False
    log_level: str = "INFO"


def run(options: Options) -> None:
    """Serves until it is to stop: SIGTERM, SIGINT, or the end of standard input.

    Raises:
        OSError: The port is taken, or a package is missing.
        names.NamesGoneError: MiniStack is not the expected one.
    """
    work_dir, ready_file = options.work_dir.resolve(), options.ready_file.resolve()
    work_dir.mkdir(parents=True, exist_ok=True)
    listener = socket.create_server(("127.0.0.1", options.port))
    port: int = listener.getsockname()[1]
    material, credentials = tls.create(work_dir / "tls", environment.XRAY_HOST), environment.new_credentials()
    environment.close_environment(
        work_dir=work_dir, port=port, material=material, credentials=credentials, log_level=options.log_level
    )
    ministack_contract.check()
    _find_otlp()
    # Importable only now: MiniStack reads the environment while it is imported.
    from local.install import install

    daemon = install(work_dir)
    daemon.start()
    announcement = {
        "endpoint": f"https://127.0.0.1:{port}",
        "ca_bundle": str(material.ca_bundle),
        "account": environment.ACCOUNT,
        "access_key_id": credentials.access_key_id,
        "secret_access_key": credentials.secret_access_key,
        "region": environment.REGION,
        "daemon_address": daemon.address("the operator"),
        "pid": os.getpid(),
    }
    try:
        # No asyncio.run: it waits for MiniStack's threads, and nobody's request is worth that at the end.
        asyncio.new_event_loop().run_until_complete(
            _serve(listener, port, material, ready_file, announcement, follow_stdin=options.follow_stdin)
        )
    finally:
        ready_file.unlink(missing_ok=True)
        _stop_functions()
        daemon.close()


def _find_otlp() -> None:
    """Lets this process find OTLP's messages. Functions run in the same environment, and find no protobuf on AWS.

    Raises:
        OSError: They are not installed.
    """
    folder = Path(sys.prefix) / "otlp"
    if not folder.is_dir():
        raise OSError(f"the packages of requirements/otlp.txt are not in {folder}; run `make setup`")
    sys.path.append(str(folder))


async def _serve(
    listener: socket.socket,
    port: int,
    material: tls.Material,
    ready_file: Path,
    announcement: dict[str, object],
    *,
    follow_stdin: bool,
) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app

    from local.patches.cloudwatch import clock

    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.certfile, config.keyfile = str(material.certificate), str(material.key)
    config.keep_alive_timeout = 75
    config.graceful_timeout = _GRACE_SECONDS
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if follow_stdin:
        _watch_stdin(loop, stop)
    announcer = asyncio.create_task(_announce(port, material, ready_file, announcement))
    # An announcement that fails ends the server instead of leaving a caller to wait.
    announcer.add_done_callback(lambda task: stop.set() if task.cancelled() or task.exception() else None)
    ticking = asyncio.create_task(clock.run())
    serving = asyncio.ensure_future(serve(app, config, shutdown_trigger=stop.wait))
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    # Requests under way may end; connections that clients merely keep open would hold the server up for minutes.
    await asyncio.wait({serving}, timeout=_GRACE_SECONDS)
    ticking.cancel()
    for task in (serving, announcer):
        if task.done() and not task.cancelled():
            task.result()


async def _announce(port: int, material: tls.Material, ready_file: Path, announcement: dict[str, object]) -> None:
    context = ssl.create_default_context(cafile=str(material.ca_bundle))
    try:
        async with asyncio.timeout(_START_SECONDS):
            while not await _answers(port, context):
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        raise OSError(f"MiniStack did not answer on port {port} within {_START_SECONDS:.0f} s of its start") from None
    ready_file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = ready_file.with_name(f".{ready_file.name}.{os.getpid()}")
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(announcement, indent=2) + "\n")
    unfinished.replace(ready_file)
    logger.info("The local AWS serves on %s", announcement["endpoint"])


async def _answers(port: int, context: ssl.SSLContext) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.write(b"GET /_ministack/health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        status = await reader.readline()
        writer.close()
    except OSError:
        return False
    return b" 200 " in status


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    def wait_for_end() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait_for_end, name="stdin", daemon=True).start()


def _stop_functions() -> None:
    from ministack.core import lambda_runtime

    lambda_runtime.reset()
