"""Status codes that a check accepts, written as codes and ranges."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

StatusRange = tuple[int, int]

WRITTEN = re.compile(r"([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?|([1-5])xx")


def status_range(written: str | int) -> StatusRange:
    """Returns the first and last code of a range as a user writes it: 200, "200", "200-299" or "2xx".

    Raises:
        ValueError: it is none of these.
    """
    found = WRITTEN.fullmatch(str(written).strip().lower())
    if found is None:
        raise ValueError(f"'{written}' is no status; write one like 200, a range like 200-299, or a class like 2xx")
    first, last, digit = found.groups()
    if digit:
        return int(digit) * 100, int(digit) * 100 + 99
    low, high = int(first), int(last or first)
    if low > high:
        raise ValueError(f"'{written}' runs backwards; write {high}-{low}")
    return low, high


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str | int) and not isinstance(value, bool) else value


def _each_is_a_range(written: tuple[str | int, ...]) -> tuple[str | int, ...]:
    for one in written:
        status_range(one)
    return written


AcceptedStatus = Annotated[
    tuple[int | str, ...],
    BeforeValidator(_as_list, json_schema_input_type=int | str | list[int | str]),
    AfterValidator(_each_is_a_range),
    Field(min_length=1),
]


def accepts(ranges: tuple[StatusRange, ...], status: int) -> bool:
    """Whether a status lies in one of the ranges."""
    for low, high in ranges:  # noqa: SIM110  # a generator would cost four times as much, with every answer
        if low <= status <= high:
            return True
    return False


def ranges_text(ranges: tuple[StatusRange, ...]) -> str:
    """Returns the ranges for people: `200-299, 301`."""
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges)
