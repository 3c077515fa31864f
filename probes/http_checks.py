"""What a check demands of the final response; the first demand that is not met is the verdict."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from probes.environment import ProbeFailure
from probes.http_json import JsonMismatchError, check_json
from probes.http_options import HttpOptions
from probes.http_patterns import SEARCH_CPU_S, SEARCHED_CHARS, PatternTooSlowError, search
from probes.http_response import Head
from probes.http_status import accepts, ranges_text, status_range
from probes.http_text import charset_of, holds
from probes.shared_options import once_for_each
from sentry.domain.result import Phase, Reason

STATUS_REASONS = {4: Reason.HTTP_CLIENT_ERROR, 5: Reason.HTTP_SERVER_ERROR}


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Demands:
    """The demands of a check, prepared; checks that share their options share them.

    Attributes:
        status: accepted ranges.
        patterns: each with whether it must be found (True) or must not.
        names: what is looked at, for the log.
        on_headers: whether any demand is on headers; on_body: whether any is on the body.
    """

    options: HttpOptions
    status: tuple[tuple[int, int], ...]
    patterns: tuple[tuple[re.Pattern[str], bool], ...]
    names: tuple[str, ...]
    on_headers: bool
    on_body: bool

    def accepts(self, status: int) -> bool:
        """Whether a status is good."""
        return accepts(self.status, status)

    def status_failure(self, status: int) -> ProbeFailure:
        """Returns the verdict of a status that is not good."""
        reason = STATUS_REASONS.get(status // 100, Reason.HTTP_UNEXPECTED_STATUS)
        detail = f"status {status}, accepted {ranges_text(self.status)}"
        return ProbeFailure(reason, detail, phase=Phase.PROCESSING)

    def of_headers(self, head: Head) -> ProbeFailure | None:
        """Returns the first demand on headers that is not met, None where all are."""
        detail = _headers_failure(self.options, head)
        return None if detail is None else ProbeFailure(Reason.HTTP_HEADER_MISMATCH, detail, phase=Phase.PROCESSING)

    def of_body(self, body: bytes, content_type: str | None) -> ProbeFailure | None:
        """Returns the first demand on the body that is not met, None where all are."""
        charset = charset_of(content_type, body)
        failures = (check(self, body, charset) for check in BODY_CHECKS)
        return next((failure for failure in failures if failure is not None), None)


HEADER_DEMANDS = dict.fromkeys(("expect_headers", "forbid_headers")).keys()
BODY_DEMANDS = dict.fromkeys(("expect_text", "forbid_text", "expect_regex", "forbid_regex", "expect_json")).keys()
"""In the order in which they are looked at."""


@once_for_each
def demands_of(options: HttpOptions) -> Demands:
    """Compiles what can be compiled."""
    named = [name for name in (*HEADER_DEMANDS, *BODY_DEMANDS) if getattr(options, name)]
    return Demands(
        options=options,
        status=tuple(map(status_range, options.accepted_status)),
        patterns=(
            *((re.compile(pattern), True) for pattern in options.expect_regex),
            *((re.compile(pattern), False) for pattern in options.forbid_regex),
        ),
        names=("accepted_status", *named),
        on_headers=not HEADER_DEMANDS.isdisjoint(named),
        on_body=not BODY_DEMANDS.isdisjoint(named),
    )


def _headers_failure(options: HttpOptions, head: Head) -> str | None:
    for name, text in options.expect_headers.items():
        values = head.all(name)
        if not values:
            return f"header {name} is not there"
        if not any(text in value for value in values):
            return f"header {name} does not contain '{text}'"
    for name, text in options.forbid_headers.items():
        if any(text in value for value in head.all(name)):
            return f"header {name} contains '{text}'" if text else f"header {name} is there"
    return None


def _size(body: bytes) -> str:
    return f"{len(body):,} bytes"


def _missing(detail: str) -> ProbeFailure:
    return ProbeFailure(Reason.BODY_TEXT_MISSING, detail, phase=Phase.TRANSFER)


def _forbidden(detail: str) -> ProbeFailure:
    return ProbeFailure(Reason.BODY_TEXT_FORBIDDEN, detail, phase=Phase.TRANSFER)


def _expected_text(demands: Demands, body: bytes, charset: str) -> ProbeFailure | None:
    for text in demands.options.expect_text:
        if not holds(body, text, charset):
            return _missing(f"text '{text}' is not in the body ({_size(body)})")
    return None


def _forbidden_text(demands: Demands, body: bytes, charset: str) -> ProbeFailure | None:
    for text in demands.options.forbid_text:
        if holds(body, text, charset):
            return _forbidden(f"forbidden text '{text}' is in the body ({_size(body)})")
    return None


def _regexes(demands: Demands, body: bytes, charset: str) -> ProbeFailure | None:
    if not demands.patterns:
        return None
    # No character takes more than four bytes in any character set of the web.
    text = body[: 4 * SEARCHED_CHARS].decode(charset, "replace")
    for pattern, wanted in demands.patterns:
        try:
            found = search(pattern, text)
        except PatternTooSlowError:
            detail = f"the agent gave /{pattern.pattern}/ up after {SEARCH_CPU_S:g} s on this body; write it simpler"
            return ProbeFailure(Reason.AGENT_RESOURCES, detail, phase=Phase.TRANSFER)
        if found is not wanted:
            words = f"/{pattern.pattern}/ is not found in" if wanted else f"forbidden /{pattern.pattern}/ is found in"
            return (_missing if wanted else _forbidden)(f"{words} the body ({_size(body)})")
    return None


def _json(demands: Demands, body: bytes, _charset: str) -> ProbeFailure | None:
    if not demands.options.expect_json:
        return None
    try:
        check_json(body, demands.options.expect_json)
    except JsonMismatchError as error:
        return ProbeFailure(Reason.BODY_JSON_MISMATCH, str(error), phase=Phase.TRANSFER)
    return None


BODY_CHECKS: tuple[Callable[[Demands, bytes, str], ProbeFailure | None], ...] = (
    _expected_text,
    _forbidden_text,
    _regexes,
    _json,
)
