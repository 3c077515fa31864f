"""Looks up what a site is made of in the feeds of holes that are known (promise 001-40)."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack

from scanners.components.advisory import Advisory, Affected
from scanners.components.component import Component
from scanners.components.cvss import severity_word
from scanners.components.feeds import Feeds, OpenFeed
from scanners.components.inventory import inventory
from scanners.components.versions import Ecosystem
from sentry.domain.finding import Evidence, Finding, FindingClass, Place, Sign
from sentry.ports import Scene

NAME = "components"
FILES_SHOWN = 3
NO_FEED = "no feed of known holes is configured; write one into audits.feeds"


class ComponentsExaminer:
    """Fills `Examiner`.

    Args:
        feeds: where holes are looked up.
    """

    def __init__(self, feeds: Feeds) -> None:
        self._feeds = feeds
        self._rules = ""

    @property
    def name(self) -> str:
        """See `Examiner`."""
        return NAME

    @property
    def rules(self) -> str:
        """The content of all feeds; known once they were opened."""
        return self._rules

    def examine(self, scene: Scene) -> Iterable[Finding]:
        """Yields each hole of each component, and whatever could not be looked up."""
        components = inventory(scene)
        if not components:
            scene.manifest.parts[NAME] = "no components found"
            return
        with ExitStack() as stack:
            feeds = tuple(self._feeds.opened(scene.clock))
            for feed in feeds:
                if feed.index is not None:
                    stack.callback(feed.index.close)
            self._rules = _digest(feeds)
            yield from _looked_up(components, feeds, scene)


def _looked_up(components: Sequence[Component], feeds: Sequence[OpenFeed], scene: Scene) -> Iterator[Finding]:
    gaps = {"feeds": NO_FEED} if not feeds else {feed.name: "; ".join(feed.complaints) for feed in feeds}
    gaps |= _not_covered(components, feeds)
    gaps = {name: why for name, why in gaps.items() if why}
    seen = ", ".join(feed.text for feed in feeds)
    counted = f"{len({one.key for one in components}):,} components looked up"
    state = f"unknown: {'; '.join(f'{name}: {why}' for name, why in gaps.items())}" if gaps else "known"
    scene.manifest.parts[NAME] = " · ".join(part for part in (state, counted, seen) if part)
    for name, why in gaps.items():
        yield _not_looked_at(name, "known_holes_unknown", "whether components have known holes is not known", why)
    by_key: dict[str, list[Component]] = {}
    for one in components:
        by_key.setdefault(one.key, []).append(one)
    for done, alike in enumerate(by_key.values(), 1):
        yield from _of_component(alike, feeds)
        scene.told(done, len(by_key))


def _not_covered(components: Iterable[Component], feeds: Sequence[OpenFeed]) -> Mapping[str, str]:
    """What no feed knows anything of: its silence says nothing."""
    if not any(feed.index for feed in feeds):
        return {}
    covered = {one for feed in feeds if feed.index for one in feed.index.contents.ecosystems}
    missing: dict[Ecosystem, int] = {}
    for one in components:
        if one.ecosystem not in covered:
            missing[one.ecosystem] = missing.get(one.ecosystem, 0) + 1
    return {each.value: f"no feed knows of any, and the site has {count}" for each, count in missing.items()}


def _of_component(alike: Sequence[Component], feeds: Sequence[OpenFeed]) -> Iterator[Finding]:
    """Yields a finding for each hole, once where several feeds know it."""
    one, told = alike[0], set[str]()
    undecided: list[str] = []
    for feed in feeds:
        for advisory, affected in feed.index.of(one.ecosystem, one.name) if feed.index else ():
            names = {advisory.identifier, *advisory.aliases}
            if told & names:
                continue
            is_affected = affected.holds(one.version)
            if is_affected:
                told |= names
                yield _vulnerable(alike, advisory, affected)
            elif is_affected is None:
                undecided.append(advisory.name)
    if undecided:
        why = f"its version cannot be told, and holes are known: {', '.join(undecided[:5])}"
        yield _not_looked_at(one.key, "version_unknown", "which holes it has depends on its version", why)


def _vulnerable(alike: Sequence[Component], advisory: Advisory, affected: Affected) -> Finding:
    one = alike[0]
    is_served = any(not each.for_development for each in alike)
    serious = is_served and not advisory.informational
    verdict = FindingClass.VULNERABLE if serious else FindingClass.ADVICE
    sign = Sign(
        rule=advisory.name,
        meaning=f"{advisory.title or 'a hole that is known'} ({_weight(advisory)})",
        verdict=verdict,
        evidence=Evidence.SETTING,
        detail="; ".join(_details(alike, advisory, affected, is_served=is_served)),
        author=advisory.author,
        licence=advisory.licence,
        mended_in=affected.cure(one.version) or "",
    )
    return Finding(path=one.key, verdict=verdict, signs=(sign,), place=Place.COMPONENT)


def _weight(advisory: Advisory) -> str:
    severity = advisory.severity or ("" if advisory.score is None else severity_word(advisory.score))
    score = "" if advisory.score is None else f"CVSS {advisory.score:.1f}"
    known_as = advisory.name if advisory.name == advisory.identifier else f"{advisory.name}, {advisory.identifier}"
    return ", ".join(part for part in (known_as, severity, score) if part)


def _details(alike: Sequence[Component], advisory: Advisory, affected: Affected, *, is_served: bool) -> Iterator[str]:
    cure = affected.cure(alike[0].version)
    yield f"update to {cure}" if cure else "no version mends it: deactivate it"
    yield f"affected: {affected.text}"
    if not is_served:
        yield "its lock file says that it is for development only"
    if advisory.informational:
        yield "the feed gives it for information only"
    more = f" and {len(alike) - FILES_SHOWN} more" if len(alike) > FILES_SHOWN else ""
    yield f"named by {', '.join(one.found_in for one in alike[:FILES_SHOWN])}{more}"
    if advisory.references:
        yield f"see {advisory.references[0]}"


def _not_looked_at(path: str, rule: str, meaning: str, why: str) -> Finding:
    verdict = FindingClass.NOT_LOOKED_AT
    sign = Sign(rule=rule, meaning=meaning, verdict=verdict, evidence=Evidence.SETTING, detail=why)
    return Finding(path=path, verdict=verdict, signs=(sign,), place=Place.COMPONENT)


def _digest(feeds: Sequence[OpenFeed]) -> str:
    together = "\n".join(feed.index.contents.sha256 for feed in feeds if feed.index)
    return hashlib.sha256(together.encode()).hexdigest() if together else ""
