"""Loading modules without the search for garbage: there is none, and looking for it takes a quarter of a start."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """What is loaded inside lives as long as the process; the collector neither looks at it now nor later.

    Not to be nested, nor entered by two threads at once.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
