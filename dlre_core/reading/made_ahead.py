"""Things by number that one thread makes, before they are asked for where it is told, and some of which it keeps."""

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from types import TracebackType
from typing import Generic, Self, TypeVar

Made = TypeVar("Made")


class MadeAhead(Generic[Made]):
    """Context manager: ``make(number)`` in a thread of its own, one at a time; many threads may ask.

    Parameters
    ----------
    make : callable
        Takes the number.
    kept : int
        How many are held, however many there are.
    name : str
        Of the thread.
    """

    def __init__(self, make: Callable[[int], Made], kept: int, name: str) -> None:
        self._make, self._most = make, kept
        self._kept: OrderedDict[int, Future[Made]] = OrderedDict()
        self._lock = Lock()
        self._worker = ThreadPoolExecutor(1, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._worker.shutdown(cancel_futures=True)

    def made(self, number: int) -> Made:
        """The thing, waited for; what went wrong in making it is raised here."""
        return self.begun(number).result()

    def begun(self, number: int) -> "Future[Made]":
        """The thing under way."""
        with self._lock:
            future = self._kept.get(number)
            # What could not be made is tried again.
            if future is None or (future.done() and future.exception() is not None):
                future = self._worker.submit(self._make, number)
                self._kept[number] = future
            self._kept.move_to_end(number)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return future
