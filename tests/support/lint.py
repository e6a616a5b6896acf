"""What cfn-lint finds in a template."""

from __future__ import annotations

import json
from collections.abc import Mapping


def lint_findings(template: Mapping[str, object]) -> list[str]:
    """Returns its findings, each with the rule's id.

    cfn-lint is loaded here: with what it loads itself it takes longer than all the test modules together, and every
    process that runs tests has all of those.
    """
    from cfnlint.api import lint  # type: ignore[import-untyped]
    from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

    # W3005: the CDK states dependencies that references state already.
    found = lint(json.dumps(template), config=ManualArgs(ignore_checks=["W3005"]))
    return [f"{match.rule.id} {match.message}" for match in found]
