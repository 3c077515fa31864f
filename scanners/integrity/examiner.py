"""The examiner of integrity: knows what is as it was published, and tells what is changed, strange or missing."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from scanners.engine import AuditedFile
from scanners.integrity.changed import ChangedFile, Judge, judged
from scanners.integrity.difference import difference
from scanners.integrity.expectations import SCRIPTS
from scanners.integrity.installation import Installation, Placed, Standing, Verdict
from scanners.packs.building import MAX_HEAD_BYTES
from scanners.packs.components import Component, ComponentKind, installed
from scanners.packs.shelf import Shelf
from sentry.domain.finding import Evidence, Finding, FindingClass, Place, Sign, Skipped
from sentry.domain.tree_entry import EntryKind, TreeEntry
from sentry.ports import Scene

MAX_COMPARED = 2_000
"""Changed files that are compared line by line; of more it is only said that they differ."""

SECONDS_PER_FILE = 12.0
"""Time of a changed file, which is judged as it is, as it was, and by what was added."""

NAMES_SHOWN = 10
HOW_TO_BUILD = "build one with `online-sentry pack build`"


class IntegrityExaminer:
    """Compares what is installed with its packs.

    Args:
        shelf: the packs.
        judge: looks for malware in what was changed.
    """

    name = "integrity"

    def __init__(self, shelf: Shelf, judge: Judge) -> None:
        self._shelf = shelf
        self._judge = judge

    @property
    def rules(self) -> str:
        """The SHA-256 over all packs and who is trusted."""
        return self._shelf.fingerprint

    def examine(self, scene: Scene) -> Iterable[Finding]:
        """Yields what is not as it was published; see `Examiner`."""
        installation = Installation(self._shelf, components_of(scene), scene.digests)
        remarkable, known = self._recognised(installation, scene)
        for entry, verdict in remarkable:
            yield from _remark(entry, verdict)
        changed = {entry.path: (entry, verdict) for entry, verdict in remarkable if _is_compared(verdict)}
        yield from self._compared(changed, installation, scene)
        present = {entry.path for entry in scene.entries}
        for placed in installation:
            yield from _missing(placed, installation.missing(placed, present))
        yield from self._said(installation, known, scene)

    def _recognised(
        self, installation: Installation, scene: Scene
    ) -> tuple[list[tuple[TreeEntry, Verdict]], Counter[bytes]]:
        """Returns the files of which something may be said, and how many are as published, by component's root."""
        remarkable, known = [], Counter[bytes]()
        for entry in scene.entries:
            if (digest := scene.digests.get(entry.path)) is None:
                continue
            verdict = installation.verdict(entry.path, digest)
            if verdict.standing in (Standing.KNOWN, Standing.OTHER_VERSION):
                scene.known.add(entry.path)
            if verdict.standing is not Standing.KNOWN:
                remarkable.append((entry, verdict))
            elif verdict.placed is not None:
                known[verdict.placed.component.root] += 1
        return remarkable, known

    def _compared(
        self, changed: Mapping[bytes, tuple[TreeEntry, Verdict]], installation: Installation, scene: Scene
    ) -> Iterator[Finding]:
        wanted = [entry for entry, _ in changed.values()][:MAX_COMPARED]
        for path in list(changed)[MAX_COMPARED:]:
            yield _differs(*changed[path])
        for done, (entry, content) in enumerate(scene.tree.contents(wanted, scene.manifest), 1):
            scene.told(done, len(wanted))
            original = installation.pristine(entry.path)
            if original is None:
                yield _differs(*changed[entry.path])
            elif found := self._judged(entry, content, original, changed[entry.path][1], scene):
                yield found

    def _judged(
        self, entry: TreeEntry, content: bytes, original: bytes, verdict: Verdict, scene: Scene
    ) -> Finding | None:
        assert verdict.placed is not None  # noqa: S101  # a file that is changed belongs to something
        ends = scene.clock.monotonic() + SECONDS_PER_FILE
        file = AuditedFile(entry.shown_path, content, entry)
        changed = ChangedFile(
            file,
            str(verdict.placed.component),
            original,
            difference(original, content, verdict.placed.expected.plain_lines),
        )
        told = judged(changed, self._judge, lambda: scene.clock.monotonic() > ends)
        scene.judged.add(entry.path)
        if told.left_out is not None:
            scene.manifest.skipped.append(Skipped(entry.shown_path, told.left_out, len(content)))
        return told.finding and replace(told.finding, sha256=hashlib.sha256(content).hexdigest())

    def _said(self, installation: Installation, known: Counter[bytes], scene: Scene) -> Iterator[Finding]:
        without = [one.component for one in installation if not one.packs]
        said = [
            f"{one.component}: {known[one.component.root]:,} files as published" for one in installation if one.packs
        ]
        parts = said[:NAMES_SHOWN] + ([f"{len(said) - NAMES_SHOWN} more"] if len(said) > NAMES_SHOWN else [])
        if without:
            parts.append(f"no pack for {_names([str(one) for one in without])}: {HOW_TO_BUILD}")
        scene.manifest.parts[self.name] = "; ".join(parts) or "nothing installed was recognised"
        scene.manifest.failures.extend(self._shelf.problems)
        for component in without:
            if component.kind is ComponentKind.CORE:
                yield _no_pack(component)


def components_of(scene: Scene) -> list[Component]:
    """Returns what is installed in a tree."""
    by_path = {entry.path: entry for entry in scene.entries if entry.kind is EntryKind.FILE}

    def read(paths: Sequence[bytes]) -> Mapping[bytes, bytes]:
        wanted = [by_path[path] for path in paths]
        return {
            entry.path: content[:MAX_HEAD_BYTES] for entry, content in scene.tree.contents(wanted, scene.manifest)
        }

    return installed(by_path, read)


def _is_compared(verdict: Verdict) -> bool:
    placed = verdict.placed
    return verdict.standing is Standing.CHANGED and not (placed and placed.expected.own.match(verdict.path))


def _remark(entry: TreeEntry, verdict: Verdict) -> Iterator[Finding]:
    """What can be said of a file without opening it."""
    placed = verdict.placed
    if placed is None or verdict.standing in (Standing.KNOWN, Standing.UNKNOWN, Standing.CHANGED):
        return
    component, expected = placed.component, placed.expected
    is_closed = expected.closed is not None and expected.closed.match(verdict.path) is not None
    if verdict.standing is Standing.OTHER_VERSION:
        is_replaced = placed.original(verdict.path) is not None
        verdict_class = FindingClass.MODIFIED if is_replaced else FindingClass.ADVICE
        meaning = f"is of version {verdict.version} of what stands here as {component}; an update was not finished"
        if placed.packs:
            yield _found(entry, "file_of_another_version", meaning, verdict_class)
    elif expected.strays.search(verdict.path) is None:
        is_script = SCRIPTS.search(verdict.path) is not None
        if is_closed:
            meaning = f"stands in a folder of {component}, which was published without it"
            yield _found(entry, "strange_file_in_core", meaning, FindingClass.SUSPICIOUS)
        elif is_script and component.kind in (ComponentKind.PLUGIN, ComponentKind.THEME):
            meaning = f"is a script in the folder of {component}, which was published without it"
            yield _found(entry, "strange_script", meaning, FindingClass.SUSPICIOUS)


def _differs(entry: TreeEntry, verdict: Verdict) -> Finding:
    component = verdict.placed.component if verdict.placed else ""
    meaning = f"differs from what {component} was published with; the pristine file is not at hand for comparing"
    return _found(entry, "modified_known_file", meaning, FindingClass.MODIFIED)


def _found(entry: TreeEntry, rule: str, meaning: str, verdict: FindingClass) -> Finding:
    sign = Sign(rule, meaning, verdict, Evidence.INTEGRITY)
    return Finding(entry.shown_path, verdict, (sign,), size_bytes=entry.size_bytes)


def _missing(placed: Placed, paths: Sequence[bytes]) -> Iterator[Finding]:
    if not paths:
        return
    sign = Sign(
        rule="missing_known_files",
        meaning=f"{len(paths):,} files that it was published with are not there",
        verdict=FindingClass.ADVICE,
        evidence=Evidence.INTEGRITY,
        detail=_names([path.decode("utf-8", "backslashreplace") for path in paths]),
    )
    yield Finding(str(placed.component), FindingClass.ADVICE, (sign,), place=Place.COMPONENT)


def _no_pack(component: Component) -> Finding:
    sign = Sign(
        rule="no_pack",
        meaning=f"what it was published with is not known, so nobody can say if it was changed: {HOW_TO_BUILD}",
        verdict=FindingClass.NOT_LOOKED_AT,
        evidence=Evidence.INTEGRITY,
    )
    return Finding(str(component), FindingClass.NOT_LOOKED_AT, (sign,), place=Place.COMPONENT)


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN:,} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more
