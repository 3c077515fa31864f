"""Regular expressions of users on bodies of strangers: bounded in length and in processor time.

Python's `re` backtracks, so a pattern like `(a+)+$` can run for hours on a body made for it. Two bounds hold it: only
the first `SEARCHED_CHARS` characters of a body are searched, and a timer of the process's own processor time
interrupts the search after `SEARCH_CPU_S` (`re` looks for signals every 4,096 steps, so the end can come later by
the length of 4,096 steps; with this bound on the text that was at most 0.7 s where it was measured).
"""

import re
import signal
import threading
import warnings
from types import FrameType
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

SEARCHED_CHARS = 131_072
SEARCH_CPU_S = 0.1


class PatternTooSlowError(Exception):
    """The search met its bound of processor time; nothing is known of the body."""


def _compiles(pattern: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"'{pattern}' is no regular expression: {error}; test it with Python's re syntax") from None
    return pattern


def one_or_many(value: object) -> object:
    """Returns a single text as a list of one."""
    return [value] if isinstance(value, str) else value


OneOrMany = BeforeValidator(one_or_many, json_schema_input_type=str | list[str])

Texts = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], OneOrMany]
"""One text or a list of them."""

Patterns = Annotated[tuple[Annotated[str, Field(min_length=1), AfterValidator(_compiles)], ...], OneOrMany]
"""One regular expression or a list of them."""


class _Alarm:
    """The process-wide timer. It can interrupt the main thread only, which is where the event loop runs."""

    armed = False
    installed = False

    @classmethod
    def ring(cls, _number: int, _frame: FrameType | None) -> None:
        if cls.armed:  # a signal that was already on its way when the search ended must hit nobody else
            raise PatternTooSlowError


def search(pattern: re.Pattern[str], text: str) -> bool:
    """Whether a pattern is found in the first `SEARCHED_CHARS` characters of a text.

    Raises:
        PatternTooSlowError: the bound of processor time was met.
    """
    searched = text[:SEARCHED_CHARS]
    if threading.current_thread() is not threading.main_thread():
        return pattern.search(searched) is not None
    if not _Alarm.installed:
        signal.signal(signal.SIGVTALRM, _Alarm.ring)
        _Alarm.installed = True
    try:
        _Alarm.armed = True
        signal.setitimer(signal.ITIMER_VIRTUAL, SEARCH_CPU_S)
        return pattern.search(searched) is not None
    finally:
        _Alarm.armed = False
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
