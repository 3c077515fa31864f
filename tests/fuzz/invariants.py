"""What must hold of any bytes that a server may send."""

import random
import re
import time
import zlib
from itertools import pairwise

from probes.http_redaction import HEADER_CHARS
from sentry.domain.result import AGENT_REASONS
from tests.fuzz.response_outcome import HEAD_OPTIONS, JSON_OPTIONS, MAX_BODY_BYTES, OPTIONS, Outcome, ResponsePath

MAX_INPUT_BYTES = 60_000
"""Below the bound of headers and framing, whose exact place may depend on the reads."""

MAX_CPU_S = 1.0
"""For one input, read in four ways; a thousandfold of what it takes."""

BYTEWISE_BYTES = 1500
CUTS = 12

PAGE, HEAD = ResponsePath(OPTIONS), ResponsePath(HEAD_OPTIONS)
JSON = ResponsePath(JSON_OPTIONS, whole_evidence=False)

Signature = tuple[object, ...]
"""What tells one kind of outcome from another: inputs with a new one are worth keeping."""


class BrokenInvariantError(Exception):
    """What must hold does not."""


def check(data: bytes) -> Signature:
    """Reads a response whole, byte by byte, in random pieces and as the answer to HEAD.

    Returns:
        The kind of its outcome.

    Raises:
        BrokenInvariantError: the outcome depends on the reads, accuses the agent, or took too much.
        Exception: any other is a bug by itself.
    """
    data = data[:MAX_INPUT_BYTES]
    reads = [data] if data else []
    began = time.process_time()
    whole, json, headed = (path.outcome(reads) for path in (PAGE, JSON, HEAD))
    for pieces in _torn(data):
        again = PAGE.outcome(pieces)
        if again.fixed != whole.fixed:
            raise BrokenInvariantError(f"whole: {_shown(whole)}\ntorn into {len(pieces)}: {_shown(again)}")
    _bounded(whole, json, headed)
    took_s = time.process_time() - began
    if took_s > MAX_CPU_S:
        raise BrokenInvariantError(f"{len(data):,} bytes took {took_s:.2f} s of CPU")
    return _signature(whole, json, headed)


def torn(data: bytes, at: list[int]) -> list[bytes]:
    """Returns the data cut at these places, without empty pieces."""
    places = [0, *sorted({place for place in at if 0 < place < len(data)}), len(data)]
    return [data[a:b] for a, b in pairwise(places) if b > a]


def _torn(data: bytes) -> list[list[bytes]]:
    chance = random.Random(zlib.crc32(data))  # noqa: S311  # the same input is cut in the same way each time
    ways = [torn(data, [chance.randrange(len(data) + 1) for _ in range(CUTS)])]
    end = data.find(b"\r\n\r\n")
    ways.append(torn(data, [end + 3, end + 4, end + 5] if end >= 0 else [1]))
    if len(data) <= BYTEWISE_BYTES:
        ways.append(torn(data, list(range(len(data)))))
    return ways


def _bounded(*outcomes: Outcome) -> None:
    for outcome in outcomes:
        http = outcome.result.evidence.http
        # A good result makes its headers only now.
        if http is not None and any(len(value) > HEADER_CHARS for _, value in http.headers):
            raise BrokenInvariantError(f"a header is kept whole: {_shown(outcome)}")
        if http is not None and http.uncompressed_bytes > MAX_BODY_BYTES + 1:
            raise BrokenInvariantError(f"{http.uncompressed_bytes:,} bytes of body are kept: {_shown(outcome)}")
        if outcome.result.reason in AGENT_REASONS:
            raise BrokenInvariantError(f"the agent is accused: {_shown(outcome)}")


def _shown(outcome: Outcome) -> str:
    return f"{outcome.result.reason}, {outcome.result.detail}\n  {outcome.fixed!r:.700}"


def _signature(whole: Outcome, json: Outcome, headed: Outcome) -> Signature:
    detail = re.sub(VARYING, "#", whole.result.detail)[:120]
    http = whole.result.evidence.http
    if http is None:
        return whole.result.reason, detail, json.result.reason, headed.result.reason
    names = frozenset(name.lower() for name, _ in http.headers) & TELLING
    hops = len(http.hops)
    return whole.result.reason, detail, json.result.reason, headed.result.reason, http.status // 100, names, hops


VARYING = r"(?:; it begins|leads to|comes? back to|is no web) .*|\d[\d,.]*|'[^']*'"
TELLING = frozenset({"content-encoding", "transfer-encoding", "content-length", "location", "set-cookie"})
