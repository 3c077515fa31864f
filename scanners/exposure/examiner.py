"""Looks at what a site lets out: candidates from inside, proof from outside (promises 002-07 and 002-08)."""

from collections.abc import Callable, Iterable, Iterator
from urllib.parse import urlsplit

from scanners.exposure import headers, people, permissions, protocols
from scanners.exposure.candidates import candidates
from scanners.exposure.telling import told
from scanners.exposure.trial import Trial, tried
from scanners.web.answer import Answer, NoAnswer, NotTried, Visitor, Web
from sentry.domain.finding import Finding, FindingClass
from sentry.domain.site import Site
from sentry.ports import Scene

NAME = "exposure"
Open = Callable[[Site], Web]
"""Opens a site over the web."""


class ExposureExaminer:
    """Fills `Examiner`.

    Args:
        opened: opens a site over the web; None where it is not to be looked at from outside.
        visitor: as whom it is asked.
    """

    rules = ""

    def __init__(self, opened: Open | None, visitor: Visitor) -> None:
        self._opened = opened
        self._visitor = visitor

    @property
    def name(self) -> str:
        """See `Examiner`."""
        return NAME

    def examine(self, scene: Scene) -> Iterable[Finding]:
        """Yields what is exposed, what could be safer, and what could not be looked at."""
        yield from permissions.judged(scene.entries)
        if scene.site is None or self._opened is None:
            why = "no site was named" if scene.site is None else "audits.visits is switched off"
            scene.manifest.parts[NAME] = f"from inside only: {why}"
            return
        web = self._opened(scene.site)
        root = _root(str(scene.site.url))
        gaps: list[str] = []
        notes: list[str] = []
        for found in self._from_outside(web, root, scene):
            if isinstance(found, NoAnswer):
                (notes if isinstance(found, NotTried) else gaps).append(str(found))
            else:
                yield found
        scene.manifest.requests += web.asked
        state = f"unknown: {'; '.join(gaps)}" if gaps else "looked at"
        scene.manifest.parts[NAME] = " · ".join((state, f"{web.asked} requests", *notes))
        if gaps:
            meaning = "not all could be looked at from outside"
            yield told(NAME, "outside_not_seen", meaning, "; ".join(gaps)[:500], FindingClass.NOT_LOOKED_AT)

    def _from_outside(self, web: Web, root: str, scene: Scene) -> Iterator[Finding | NoAnswer]:
        try:
            home = web.get(root, self._visitor)
        except NoAnswer as error:
            yield error
            return
        if home.is_good:
            yield from headers.judged(home, root)
        else:
            yield NoAnswer(f"the home page answered {home.status}")
        yield from protocols.judged(web, self._visitor, root)
        yield from self._people(web, root, home)
        trial = Trial(web, self._visitor, scene)
        try:
            is_served = trial.serves_tree(root)
        except NoAnswer as error:
            yield error
            is_served = False
        yield from tried(trial, list(candidates(root, scene.entries, scene.known, is_served=is_served)))

    def _people(self, web: Web, root: str, home: Answer) -> Iterator[Finding | NoAnswer]:
        try:
            if people.is_wordpress(home):
                yield from people.judged(web, self._visitor, root)
        except NoAnswer as error:
            yield error


def _root(url: str) -> str:
    """Returns the folder of a site's address, without a question."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rpartition('/')[0]}/"
