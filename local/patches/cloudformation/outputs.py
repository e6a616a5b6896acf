"""CloudFormation: the outputs of a stack, with API URLs that are reachable on this machine.

An API's host at AWS, `<api id>.execute-api.<region>.<suffix>`, resolves to nothing local. Whoever reads an output wants
to call it, so that an output names the place where the API is served here. The template stays as it is.
"""

import os
import re
from typing import Any

from ministack.services import apigateway_v1
from ministack.services.cloudformation import stacks

_API_AT_AWS = re.compile(r"https://([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?(?=[/:?]|$)")


def install() -> None:
    """Lets outputs and exports name APIs by where they are served."""
    resolve = stacks._resolve_stack_outputs

    def resolve_reachable(*arguments: Any) -> Any:
        outputs, exports = resolve(*arguments)
        for output in outputs:
            output["OutputValue"] = _reachable(output["OutputValue"])
        for export in exports.values():
            export["Value"] = _reachable(export["Value"])
        return outputs, exports

    stacks._resolve_stack_outputs = resolve_reachable


def _reachable(value: str) -> str:
    def served(match: re.Match[str]) -> str:
        # The host of an API of somebody else's stays.
        known = match[1] in apigateway_v1._rest_apis
        return f"{os.environ['AWS_ENDPOINT_URL']}/_aws/execute-api/{match[1]}" if known else match[0]

    return _API_AT_AWS.sub(served, value)
