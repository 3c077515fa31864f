"""Looks at pages as a visitor, a search bot, a telephone and somebody from a search engine see them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from scanners.engine import AuditedFile
from scanners.malware import Judged
from scanners.outside.comparison import differences
from scanners.outside.page import PageView, internal_links, viewed
from scanners.outside.parties import is_helper, party
from scanners.web.answer import Answer, NoAnswer, Visitor, Web
from scanners.web.visitors import OTHERS, PERSON
from sentry.domain.errors import HostError, HostLost
from sentry.domain.finding import WORST_FIRST, Evidence, Finding, FindingClass, Place, Sign
from sentry.domain.site import Site
from sentry.ports import Clock, Host, Scene

NAME = "outside"
PAGE_BYTES = 1_000_000
SECONDS_PER_PAGE = 4.0
SEARCHED_S = 60.0
FOUND_NOTHING, FOUND_SOMETHING = 1, 0
MOST_HOSTS = 30

Judge = Callable[[AuditedFile, Callable[[], bool]], Judged]


class OutsideExaminer:
    """Fills `Examiner`.

    Args:
        opened: opens a site over the web; None where it is not to be looked at from outside.
        judge: says what it thinks of a page.
        pages: how many are compared.
    """

    rules = ""

    def __init__(self, opened: Callable[[Site], Web] | None, judge: Judge, pages: int) -> None:
        self._opened = opened
        self._judge = judge
        self._pages = pages

    @property
    def name(self) -> str:
        """See `Examiner`."""
        return NAME

    def examine(self, scene: Scene) -> Iterable[Finding]:
        """Yields what only some visitors get, and what is wrong with the pages themselves."""
        if scene.site is None or self._opened is None:
            why = "no site was named" if scene.site is None else "audits.visits is switched off"
            scene.manifest.parts[NAME] = f"not looked at: {why}"
            return
        web, url = self._opened(scene.site), str(scene.site.url)
        compared = 0
        try:
            home = web.get(url, PERSON, at_most_bytes=PAGE_BYTES)
            waiting = [url, *internal_links(home)][: self._pages]
            for compared, address in enumerate(waiting):  # told below how far it came
                yield from self._of_page(web, address, home if address == url else None, scene)
                scene.told(compared + 1, len(waiting))
            compared = len(waiting)
            view = _view(PERSON, home)
            if view.leaves_to and party(view.leaves_to).split(".")[0] != party(_host(url)).split(".")[0]:
                meaning = "everybody is sent away to another site"
                yield _finding(url, "all_sent_away", meaning, FindingClass.SUSPICIOUS, view.leaves_to)
            yield from _strangers(view, url, scene.host, scene.tree.root)
            is_seen = home.is_good or view.leaves_to
            state = "looked at" if is_seen else f"unknown: the home page answered {home.status}"
        except NoAnswer as error:
            state = f"unknown: {error}"
        scene.manifest.requests += web.asked
        scene.manifest.parts[NAME] = f"{state} · {compared} pages compared · {web.asked} requests"
        if state.startswith("unknown"):
            yield _finding(
                NAME, "pages_not_seen", "not all pages could be compared", FindingClass.NOT_LOOKED_AT, state
            )

    def _of_page(self, web: Web, url: str, seen: Answer | None, scene: Scene) -> Iterator[Finding]:
        first = seen or web.get(url, PERSON, at_most_bytes=PAGE_BYTES)
        answers = [(PERSON, first)] + [(one, web.get(url, one, at_most_bytes=PAGE_BYTES)) for one in OTHERS]
        yield from self._judged(url, answers, scene)
        ours = _view(PERSON, first)
        views = [(visitor, _view(visitor, answer)) for visitor, answer in answers[1:]]
        odd = [(one, view) for one, view in views if any(differences(one, (view, view), (ours, ours)))]
        if not odd:
            return
        again = _view(PERSON, web.get(url, PERSON, at_most_bytes=PAGE_BYTES))
        for visitor, view in odd:
            second = _view(visitor, web.get(url, visitor, at_most_bytes=PAGE_BYTES))
            for one in differences(visitor, (view, second), (ours, again)):
                yield _finding(url, f"{one.rule}_{visitor.key}", one.meaning, one.verdict, one.what)

    def _judged(self, url: str, answers: Sequence[tuple[Visitor, Answer]], scene: Scene) -> Iterator[Finding]:
        """What the engines say of the pages; what several visitors get is told once."""
        told, bodies = set[str](), set[bytes]()
        for visitor, answer in answers:
            if answer.body in bodies:
                continue
            bodies.add(answer.body)
            found = self._judge(AuditedFile("page.html", answer.body), _late_after(scene.clock)).finding
            signs = tuple(sign for sign in found.signs if sign.rule not in told) if found else ()
            told |= {sign.rule for sign in signs}
            if found and signs:
                meant = tuple(replace(sign, detail=_as_seen(visitor, sign.detail)) for sign in signs)
                verdict = min((sign.verdict for sign in signs), key=WORST_FIRST.index)
                yield replace(found, path=url, verdict=verdict, signs=meant, place=Place.OUTSIDE)


def _as_seen(visitor: Visitor, detail: str) -> str:
    return f"as {visitor.name} sees it" + (f"; {detail}" if detail else "")


def _late_after(clock: Clock) -> Callable[[], bool]:
    ends = clock.monotonic() + SECONDS_PER_PAGE
    return lambda: clock.monotonic() > ends


def _view(visitor: Visitor, answer: Answer) -> PageView:
    remarks = [value.encode() for name, value in visitor.headers.items() if name in {"User-Agent", "Referer"}]
    return viewed(answer, _host(answer.url), remarks)


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _strangers(home: PageView, url: str, host: Host | None, root: bytes) -> Iterator[Finding]:
    """Yields the foreign scripts of the home page that no file names: the database does, or whoever broke in."""
    for stranger in sorted(one for one in home.scripts if not is_helper(one))[:MOST_HOSTS]:
        named = None if host is None else _is_named(host, root, stranger)
        if not named:
            meaning = "the page brings in scripts of another site" + ("" if named is None else "; no file names it")
            yield _finding(f"//{stranger}/", "foreign_script", meaning, FindingClass.ADVICE, f"seen at {url}")


def _is_named(host: Host, root: bytes, stranger: str) -> bool | None:
    """Whether a file of the tree names a host, None where that cannot be found out."""
    words = [b"grep", b"-rlIFm1", b"-e", stranger.encode(), b"--", root]
    try:
        outcome = host.run([b"timeout", b"50", *words], within_s=SEARCHED_S)
    except HostLost:
        raise
    except HostError:
        return None
    return {FOUND_SOMETHING: True, FOUND_NOTHING: False}.get(outcome.status)


def _finding(url: str, rule: str, meaning: str, verdict: FindingClass, detail: str) -> Finding:
    sign = Sign(rule=rule, meaning=meaning, verdict=verdict, evidence=Evidence.BEHAVIOUR, detail=detail)
    return Finding(path=url, verdict=verdict, signs=(sign,), place=Place.OUTSIDE)
