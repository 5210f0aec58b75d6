"""Results that come later. Nothing runs beside the program here, so each is there when it is made or set."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

__all__ = ["Future", "collect_all", "wait_all"]

T = TypeVar("T")


class Future(Generic[T]):
    """A result that somebody will set.

    Args:
        devices: for PyTorch's sake.

    Example:
        >>> import wengert as wg
        >>> later = wg.futures.Future()
        >>> doubled = later.then(lambda f: 2 * f.value())
        >>> later.set_result(3)
        >>> doubled.wait()
        6
    """

    def __init__(self, *, devices: Any = None) -> None:
        self._done = False
        self._result: Any = None
        self._error: BaseException | None = None
        self._then: list[Callable[[Future[Any]], Any]] = []

    def done(self) -> bool:
        """Whether it is set."""
        return self._done

    def value(self) -> Any:
        """The result.

        Raises:
            RuntimeError: it is not set; or the error that was set instead.
        """
        if not self._done:
            raise RuntimeError("the Future has no result yet, and nothing runs here that could set it: set_result()")
        if self._error is not None:
            raise self._error
        return self._result

    wait = value

    def set_result(self, result: Any) -> None:
        """Set the result, and call what waits for it.

        Raises:
            RuntimeError: it is set.
        """
        if self._done:
            raise RuntimeError("Future can only be set completed once")
        self._done, self._result = True, result
        for callback in self._then:
            callback(self)

    def set_exception(self, result: BaseException) -> None:
        """Set an error, which `wait` raises."""
        self._error = result
        self.set_result(None)

    def add_done_callback(self, callback: Callable[[Future[Any]], Any]) -> None:
        """Call a function with this Future when it is set."""
        if self._done:
            callback(self)
        else:
            self._then.append(callback)

    def then(self, callback: Callable[[Future[Any]], Any]) -> Future[Any]:
        """The Future of what a function returns that is called with this one when it is set."""
        later: Future[Any] = Future()

        def call(done: Future[Any]) -> None:
            try:
                result = callback(done)
            except Exception as error:
                later.set_exception(error)
            else:
                later.set_result(result)

        self.add_done_callback(call)
        return later


def collect_all(futures: Iterable[Future[Any]]) -> Future[Any]:
    """A Future whose result is the list of some Futures, all of them set."""
    done: Future[Any] = Future()
    done.set_result(list(futures))
    return done


def wait_all(futures: Iterable[Future[Any]]) -> list[Any]:
    """The results of some Futures."""
    return [future.wait() for future in futures]
