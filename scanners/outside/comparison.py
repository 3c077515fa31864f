"""In what a page differs between visitors, and what that makes of it. Only what holds twice counts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from scanners.outside.page import PageView
from scanners.outside.parties import is_helper
from scanners.web.answer import Visitor
from scanners.web.visitors import TELEPHONE
from sentry.domain.finding import FindingClass

LEAST_WORDS = 60
"""Fewer different words say nothing of a text."""

LEAST_ALIKE = 0.35
"""Below this share of common words two texts are different pages; the same page with other parts stays far above."""

MANY_HOSTS = 3
"""Foreign hosts linked to for one kind of visitor only; one or two may be an advertisement."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that only one kind of visitor gets.

    Attributes:
        rule: its lasting name.
        meaning: what it says.
        what: hosts, to be shown.
    """

    rule: str
    meaning: str
    verdict: FindingClass
    what: str = ""


def differences(
    visitor: Visitor, theirs: tuple[PageView, PageView], ours: tuple[PageView, PageView]
) -> Iterator[Difference]:
    """Yields what one kind of visitor gets, twice, and a plain visitor never.

    Args:
        visitor: who is shown something else.
        theirs: its two views of a page.
        ours: those of a plain visitor.
    """
    who = visitor.name
    if any(view.status >= 400 for view in ours):  # noqa: PLR2004  # nothing to compare with
        return
    away = _twice((view.leaves_to for view in theirs if view.leaves_to), ())
    if away and not any(view.leaves_to for view in ours):
        meaning = f"only {who} is sent away to another site"
        yield Difference("redirect_for_some", meaning, FindingClass.CONFIRMED, away)
        return
    if all(view.status >= 400 for view in theirs):  # noqa: PLR2004  # as above
        meaning = f"{who} is turned away with an error; others are let in"
        yield Difference("some_turned_away", meaning, FindingClass.ADVICE, f"answered {theirs[0].status}")
        return
    yield from _brought_in(visitor, theirs, ours)
    yield from _linked(visitor, theirs, ours)
    if (theirs[0].active & theirs[1].active) - ours[0].active - ours[1].active:
        meaning = f"only {who} gets a script within the page that leads away or brings in more"
        yield Difference("script_in_page_for_some", meaning, FindingClass.SUSPICIOUS)
    if visitor is not TELEPHONE and _is_other_text(theirs, ours):
        meaning = f"{who} is shown another text"
        yield Difference("text_for_some", meaning, FindingClass.SUSPICIOUS)


def _twice(hosts: Iterable[str], ours: Iterable[str]) -> str:
    """Returns the one host that was met both times, where it is nobody's known helper."""
    met = list(hosts)
    alike = len(met) > 1 and met[0] == met[1] and met[0] not in ours and not is_helper(met[0])
    return met[0] if alike else ""


def _brought_in(
    visitor: Visitor, theirs: tuple[PageView, PageView], ours: tuple[PageView, PageView]
) -> Iterator[Difference]:
    only = (theirs[0].scripts & theirs[1].scripts) - ours[0].scripts - ours[1].scripts
    strangers = sorted(host for host in only if not is_helper(host))
    if strangers:
        # Advertisers keep hosts of their own for telephones.
        verdict = FindingClass.SUSPICIOUS if visitor is TELEPHONE else FindingClass.CONFIRMED
        meaning = f"only {visitor.name} gets a script or a frame of another site"
        yield Difference("foreign_script_for_some", meaning, verdict, ", ".join(strangers[:5]))


def _linked(
    visitor: Visitor, theirs: tuple[PageView, PageView], ours: tuple[PageView, PageView]
) -> Iterator[Difference]:
    only = (theirs[0].links & theirs[1].links) - ours[0].links - ours[1].links
    strangers = sorted(host for host in only if not is_helper(host))
    if not strangers:
        return
    is_proof = len(strangers) >= MANY_HOSTS and visitor is not TELEPHONE
    verdict = FindingClass.CONFIRMED if is_proof else FindingClass.SUSPICIOUS
    meaning = f"only {visitor.name} is shown links to other sites"
    shown = ", ".join(strangers[:5]) + (f" and {len(strangers) - 5} more" if len(strangers) > 5 else "")  # noqa: PLR2004  # shown
    yield Difference("foreign_links_for_some", meaning, verdict, shown)


def _is_other_text(theirs: tuple[PageView, PageView], ours: tuple[PageView, PageView]) -> bool:
    """Whether the texts differ far more between visitors than between two looks of one."""
    if any(len(view.words) < LEAST_WORDS for view in (*theirs, *ours)):
        return False
    across = max(_alike(one, other) for one in theirs for other in ours)
    return across < LEAST_ALIKE <= min(_alike(*theirs), _alike(*ours))


def _alike(one: PageView, other: PageView) -> float:
    return len(one.words & other.words) / len(one.words | other.words)
