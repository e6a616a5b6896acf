"""Which tests run in one process when pytest-xdist spreads them over several."""

from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

_SHARE_AN_ACCOUNT = "tests/end_to_end/"
_SHARE_THE_EXAMPLES = ("test_examples.py", "test_fan_in.py", "test_front_doors.py")
_HAVE_THEIR_OWN = ("test_adot.py",)


def scope_of(nodeid: str) -> str:
    """Returns what the tests have in common that run in one process.

    That is their file, or the local AWS with the reference pipeline or with the examples, which takes long to make.

    Args:
        nodeid: The id of a test, with its file's path from the project's root.
    """
    file = nodeid.partition("::")[0]
    if not file.startswith(_SHARE_AN_ACCOUNT) or file.endswith(_HAVE_THEIR_OWN):
        return file
    return f"{_SHARE_AN_ACCOUNT}examples" if file.endswith(_SHARE_THE_EXAMPLES) else _SHARE_AN_ACCOUNT


class Scheduling(LoadFileScheduling):  # type: ignore[misc]
    """Gives each process tests that have something in common."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)
