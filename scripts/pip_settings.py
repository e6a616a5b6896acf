"""pip's settings of this machine as uv reads them: where packages come from, and how to get there."""

import ast
import subprocess
from collections.abc import Mapping

_SINGLE = {
    "index-url": "UV_DEFAULT_INDEX",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "no-index": "UV_NO_INDEX",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "proxy": "ALL_PROXY",
}
_LISTS = {
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
}
_RANK = {"global": 0, "install": 1, ":env:": 2}


def read_pip_settings(python: str) -> dict[str, str]:
    """Returns what pip's configuration files and environment variables set for `pip install`."""
    listed = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    return parse_pip_settings(listed.stdout)


def parse_pip_settings(listed: str) -> dict[str, str]:
    """Returns the settings in an output of `pip config list`; a more specific section wins, as in pip."""
    ranked_values: dict[str, tuple[int, str]] = {}
    for line in listed.splitlines():
        name, _, text = line.partition("=")
        section, _, option = name.rpartition(".")
        if section in _RANK and text[:1] in ("'", '"'):
            ranked = (_RANK[section], ast.literal_eval(text))
            ranked_values[option] = max(ranked_values.get(option, ranked), ranked)
    return {option: value for option, (_, value) in ranked_values.items()}


def uv_environment(settings: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Returns the variables that give uv the same settings; what `environment` sets for uv itself stays.

    Args:
        settings: pip's settings, by the long name of the option without its dashes.
        environment: The environment uv will run in.
    """
    variables = {_SINGLE[option]: value for option, value in settings.items() if option in _SINGLE}
    for option, (variable, separator) in _LISTS.items():
        if settings.get(option, "").strip():
            variables[variable] = separator.join(settings[option].split())
    # pip takes the best version of all indexes; the locked hashes say which file is meant.
    variables["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return {name: value for name, value in variables.items() if name not in environment}
