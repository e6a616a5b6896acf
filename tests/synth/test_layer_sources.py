"""What becomes of a source on its way into the layer."""

import textwrap

import pytest
from traced_pipeline.layer_sources import condensed

CASES = {
    "comments": (
        """
        # a line of its own
        host = "a#b"  # behind "code"
        """,
        """

        host = "a#b"
        """,
    ),
    "texts keep what is in them": (
        '''
        def f():
            return """
            # no comment
                indented
            """, 'it\\'s # none'
        ''',
        '''
        def f():
         return """
            # no comment
                indented
            """, 'it\\'s # none'
        ''',
    ),
    "docstrings": (
        '''
        class Place:
            """What
            it is."""

            name: str
            """What it is called."""
        ''',
        """
        class Place:
         ""


         name: str
         ""
        """,
    ),
    "imports for types": (
        """
        if TYPE_CHECKING:
            from a import (
                B,  # of a
            )

            @final
            class C: ...
        else:
            B = None
        """,
        """
        if TYPE_CHECKING:
         pass





        else:
         B = None
        """,
    ),
    "annotations": (
        """
        limit: int = 1

        def _f(ä: str, *args: int, key: dict[str, int] = {}) -> tuple[
            int, str
        ]:
            one: int = 1

            class Inner:
                field: int = 2

            return one

        def shown(a: str) -> int:
            try:
                b: int = 1
            except (ValueError, TypeError):
                c: int = 2
        """,
        """
        limit: int = 1

        def _f(ä, *args, key = {}) -> tuple[
         int, str
        ]:
         one = 1

         class Inner:
          field: int = 2

         return one

        def shown(a: str) -> int:
         try:
          b = 1
         except (ValueError, TypeError):
          c = 2
        """,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_is_as_short_as_it_can_be_and_does_the_same(name: str) -> None:
    source, held = (textwrap.dedent(text) for text in CASES[name])
    assert condensed(source) == held
