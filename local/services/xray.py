"""X-Ray as a service of MiniStack: its routing, its IAM actions and its handler."""

from ministack import app
from ministack.core import iam_actions, router

from local.xray import XRay
from local.xray_api import Api


def install(xray: XRay) -> None:
    """Serve the X-Ray API on MiniStack's endpoint, each action authorized by IAM."""
    router.SERVICE_PATTERNS["xray"] = {"host_patterns": [r"xray\."]}
    iam_actions.SERVICE_TO_IAM_NAMESPACE["xray"] = "xray"
    iam_actions._BOTOCORE_SERVICE_MAP["xray"] = ["xray"]
    app.SERVICE_HANDLERS["xray"] = Api(xray).handle
