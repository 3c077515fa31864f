"""Whether what an http check was given is a page of the site, or one that stands in its place."""

from dataclasses import dataclass
from functools import lru_cache

from probes.environment import ProbeFailure
from probes.http_options import HttpOptions
from probes.known_pages import KNOWN_PAGES
from probes.page_marks import REASONS, Mark, Marks, PageKind, SeenPage
from probes.shared_options import once_for_each
from sentry.domain.result import Phase, Status
from sentry.domain.weight import CountsAs

_REFUSED_FROM = 400
"""A status from which on a check that accepts it knows by itself what it gets."""


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Pages:
    """The pages that a check would not take for the site's; checks that share their options share them.

    Attributes:
        instead: looked for where the status or a demand is not met; unbidden: where all is well so far.
    """

    options: HttpOptions
    instead: Marks
    unbidden: Marks

    def of_good(self, page: SeenPage) -> ProbeFailure | None:
        """Returns the verdict of a page that comes with a good status and meets all demands, None where it stands."""
        if page.head.status >= _REFUSED_FROM:
            return None
        return self._verdict(page, self.unbidden.first(page))

    def of_bad(self, page: SeenPage, failure: ProbeFailure) -> ProbeFailure:
        """Returns what a failed answer really is: the page says more than the status or the demand."""
        mark = self.instead.first(page)
        if mark is None:
            return failure
        if mark.kind is PageKind.ERROR and failure.phase is Phase.PROCESSING:
            detail = f"{failure.detail}; {mark.what} ({page.seen(mark)})"
            return ProbeFailure(failure.reason, detail, phase=failure.phase, status=failure.status)
        return self._verdict(page, mark) or failure

    def _verdict(self, page: SeenPage, mark: Mark | None) -> ProbeFailure | None:
        if mark is None:
            return None
        degrades = mark.kind is PageKind.BLOCKED and self.options.blocked_counts_as is CountsAs.DEGRADED
        return ProbeFailure(
            REASONS[mark.kind],
            f"{mark.what} ({page.seen(mark)}), status {page.head.status}",
            phase=None if degrades else Phase.TRANSFER,
            status=Status.DEGRADED if degrades else Status.DOWN,
        )


@lru_cache(maxsize=64)
def _marks(kinds: frozenset[PageKind], allowed: tuple[str, ...], *, good: bool) -> Marks:
    """Returns the marks of these kinds; of pages with a good status those alone that come with one."""
    return Marks(
        mark
        for mark in KNOWN_PAGES
        if mark.kind in kinds
        and mark.name not in allowed
        and not (good and mark.statuses and min(mark.statuses) >= _REFUSED_FROM)
    )


@once_for_each
def pages_of(options: HttpOptions) -> Pages:
    """Chooses the marks to look for."""
    kinds = frozenset(PageKind if options.error_pages else (PageKind.BLOCKED,))
    # Who demands a text has said how the page is known: with it there, only an error beside it counts.
    proven = options.expect_text or options.expect_regex or options.expect_json
    unbidden = kinds & {PageKind.ERROR} if proven else kinds
    return Pages(
        options, _marks(kinds, options.allow_pages, good=False), _marks(unbidden, options.allow_pages, good=True)
    )
