"""Meeting libraries where the application loads them, and only there."""

import sys
from collections.abc import Callable


def when_imported(module: str, meet: Callable[[], object]) -> None:
    """Calls a function once a module is imported: now if it is, or else right after anything imports it."""
    if module in sys.modules:
        meet()
        return
    from wrapt.importer import register_post_import_hook

    register_post_import_hook(lambda _module: meet(), module)
