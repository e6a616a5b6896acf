"""Lambda: X-Ray's own host leads a Python function to the local AWS, and not to the internet. See `runtime_hosts`."""

from pathlib import Path

from ministack.core import lambda_runtime

WORKER_LINE = "    code_dir = init["
"""The line of MiniStack's worker before which names are resolved here."""

_SOURCE = Path(__file__).with_name("runtime_hosts.py")
_SET_UP = "    _runtime_hosts.set_up()\n"


def install() -> None:
    """Changes the workers of Python functions."""
    module = f"""import types
_runtime_hosts = types.ModuleType("runtime_hosts")
exec({_SOURCE.read_text(encoding="utf-8")!r}, vars(_runtime_hosts))
"""
    script: str = lambda_runtime._PYTHON_WORKER_SCRIPT
    lambda_runtime._PYTHON_WORKER_SCRIPT = module + script.replace(WORKER_LINE, _SET_UP + WORKER_LINE)
