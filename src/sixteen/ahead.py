"""Work done ahead: what comes next is made by threads while the last is used."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def ahead(make: Callable[[Given], Made], given: Iterable[Given], threads: int) -> Iterator[Made]:
    """What `make` makes of each of the `given`, in their order, with so many `threads` at work beside the caller.

    At most `threads` + 1 of them are ready or being made, so that memory stays bounded. Errors come where their item would.
    """
    with ThreadPoolExecutor(threads) as pool:
        coming: deque[Future[Made]] = deque()
        try:
            for one in given:
                coming.append(pool.submit(make, one))
                if len(coming) > threads:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()
        finally:
            for future in coming:
                future.cancel()
