"""Every test runs in a closed environment: nothing of the user's shell leads to a real account."""

import os
import tempfile
from pathlib import Path

from harness.environment import close_own_environment
from harness.local_aws import ROOT

close_own_environment(Path(tempfile.gettempdir()) / "traced-pipeline-tests-home")

_node_path = ROOT / ".setup" / "node-path"
if "JSII_NODE" not in os.environ and _node_path.exists():
    node = _node_path.read_text(encoding="utf-8")
    os.environ["JSII_NODE"] = f"{node}/node"
    os.environ["PATH"] = os.pathsep.join([str(ROOT / ".venv/bin"), node, os.environ["PATH"]])
