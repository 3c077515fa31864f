"""A check's day as a few hundred bytes, and back.

    blob    = form (1 byte), deflate(body)
    body    = offset, number of runs, runs, number of reasons, reasons, number of others, others, steps
    run     = gap since the run before, minutes - 1, status + 4 * reason (0: none, n: the n-th of the list)
    reason  = length, UTF-8
    other   = step, count

Numbers are unsigned LEB128. The steps are one byte a probed minute to the end of the body: in form 1 as they are, in
form 2 each as its difference (modulo 256) from the one before. Steady sites deflate better as differences, noisy ones
as they are; the shorter form is kept. Equal days are equal bytes.
"""

import zlib
from collections.abc import Iterable, Iterator

from sentry.domain.day import MINUTES_PER_DAY, STATUSES, CheckDay, ProbeRun
from sentry.domain.errors import StoreError

PLAIN, DIFFERENCES = 1, 2
"""The forms."""

MAX_BODY = 256 * 1024
"""Bytes; a day of 1,440 changing reasons has far less. A damaged blob must not fill the memory."""

_LONG_HEAD = 64
"""Bytes: some fifteen runs."""

_LONGEST_NUMBER = 42
"""Bits; no number of a day has half as many."""

_STATUS_NUMBERS = {status: number for number, status in enumerate(STATUSES)}


def encode(day: CheckDay) -> bytes:
    """Returns the blob of a day."""
    head = _head(day)
    steps = day.steps
    differences = bytes([(own - before) & 255 for own, before in zip(steps, b"\0" + steps, strict=False)])
    plain, compared = _deflated(head, steps), _deflated(head, differences)
    return bytes([PLAIN]) + plain if len(plain) <= len(compared) else bytes([DIFFERENCES]) + compared


def decode(blob: bytes) -> CheckDay:
    """Returns the day of a blob.

    Raises:
        StoreError: it is damaged.
    """
    try:
        return _Body(_inflated(blob[1:])).day(form=blob[0])
    except (zlib.error, ValueError, IndexError) as error:
        raise StoreError(f"damaged row: a day cannot be read: {error}") from error


def _head(day: CheckDay) -> bytes:
    reasons = list(dict.fromkeys(run.reason for run in day.runs if run.reason is not None))
    numbers: dict[str | None, int] = {reason: place for place, reason in enumerate(reasons, 1)} | {None: 0}
    head = [*_number(day.offset_ms), *_number(len(day.runs))]
    reached = 0
    for run in day.runs:
        what = _STATUS_NUMBERS[run.status] + len(STATUSES) * numbers[run.reason]
        head += [*_number(run.start - reached), *_number(run.end - run.start - 1), *_number(what)]
        reached = run.end
    head += _number(len(reasons))
    for reason in reasons:
        text = reason.encode("utf-8", "replace")
        head += [*_number(len(text)), *text]
    head += _number(len(day.others))
    for step, count in day.others:
        head += [*_number(step), *_number(count)]
    return bytes(head)


def _number(value: int) -> Iterable[int]:
    while value > 0x7F:  # noqa: PLR2004  # seven bits of a LEB128 byte
        yield value & 0x7F | 0x80
        value >>= 7
    yield value


def _deflated(head: bytes, steps: bytes) -> bytes:
    # Steps repeat nothing that a search would find; their few values are what Huffman's code is for. Many runs do.
    strategy = zlib.Z_HUFFMAN_ONLY if len(head) < _LONG_HEAD else zlib.Z_FILTERED
    deflate = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS, 9, strategy)
    return deflate.compress(head + steps) + deflate.flush()


def _inflated(deflated: bytes) -> bytes:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    body = inflate.decompress(deflated, MAX_BODY)
    if not inflate.eof:
        raise ValueError("it is cut off or too long")
    return body


class _Body:
    """Reads a body from its beginning to its end."""

    def __init__(self, body: bytes) -> None:
        self._bytes: Iterator[int] = iter(body)

    def day(self, form: int) -> CheckDay:
        offset_ms = self._number()
        found = list(self._runs(self._number()))
        reasons = [None, *(self._text() for _ in range(self._number()))]
        others = tuple([(self._number(), self._number()) for _ in range(self._number())])
        runs = tuple([ProbeRun(start, end, STATUSES[what % 4], reasons[what // 4]) for start, end, what in found])
        return CheckDay(offset_ms, runs, self._steps(form, sum(run.end - run.start for run in runs)), others)

    def _runs(self, count: int) -> Iterator[tuple[int, int, int]]:
        reached = 0
        for _ in range(count):
            start = reached + self._number()
            reached = start + self._number() + 1
            if reached > MINUTES_PER_DAY:
                raise ValueError("it is longer than a day")
            yield start, reached, self._number()

    def _steps(self, form: int, count: int) -> bytes:
        steps = bytes(self._bytes)
        if form not in {PLAIN, DIFFERENCES} or len(steps) != count:
            raise ValueError(f"its form is {form}, and it has {len(steps)} times for {count} minutes")
        if form == PLAIN:
            return steps
        reached = 0
        return bytes([reached := (reached + difference) & 255 for difference in steps])

    def _number(self) -> int:
        value = 0
        for shift in range(0, _LONGEST_NUMBER, 7):
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte <= 0x7F:  # noqa: PLR2004  # seven bits of a LEB128 byte
                return value
        raise ValueError("a number has no end")

    def _byte(self) -> int:
        try:
            return next(self._bytes)
        except StopIteration:
            raise ValueError("it ends too soon") from None

    def _text(self) -> str:
        return bytes([self._byte() for _ in range(self._number())]).decode()
