"""Asks for what should not be served, and believes only what an answer shows."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from scanners.engine import shown
from scanners.exposure.candidates import Candidate, witnesses
from scanners.web.answer import Answer, NoAnswer, Visitor, Web
from sentry.domain.errors import HostError, HostLost
from sentry.domain.finding import Evidence, Finding, Manifest, Place, Sign, SourceLine
from sentry.domain.tree_entry import TreeEntry
from sentry.ports import Scene

COMPARED_BYTES = 4_096
MIN_SAME_BYTES = 16
"""Fewer bytes may be alike by chance."""

SMALL_BYTES = 1_000_000
LINE_BYTES = 80
ASK_AT_MOST = {"Range": "bytes=0-65535"}


@dataclass(frozen=True, slots=True)
class Trial:
    """Tries candidates against one site."""

    web: Web
    visitor: Visitor
    scene: Scene

    def exposed(self, candidate: Candidate) -> Finding | None:
        """Returns a finding where an address really shows what it should not.

        Raises:
            NoAnswer: nothing may be asked any more, or the site does not answer.
        """
        answer = self.web.get(candidate.url, self._asking)
        if not self._proves(candidate, answer):
            return None
        # A catch-all page, or a trap, has the same for whatever is asked.
        if self._proves(candidate, self.web.get(_stranger(candidate.url), self._asking)):
            return None
        return _finding(candidate, answer)

    def serves_tree(self, root: str) -> bool:
        """Whether the listed tree is what the site serves, shown by a file that comes as it lies on disk.

        Raises:
            NoAnswer: nothing may be asked any more, or the site does not answer.
        """
        for entry in witnesses(self.scene.entries):
            answer = self.web.get(root + quote(entry.path, safe="/"), self._asking)
            if answer.is_good and self._is_as_on_disk(entry, answer.body):
                return True
        return False

    @property
    def _asking(self) -> Visitor:
        return Visitor(self.visitor.name, {**self.visitor.headers, **ASK_AT_MOST})

    def _proves(self, candidate: Candidate, answer: Answer) -> bool:
        suspect = candidate.suspect
        if answer.status not in suspect.statuses or not answer.body:
            return False
        if answer.is_page and not suspect.in_pages:
            return False
        return suspect.proof.search(answer.body) is not None or (
            suspect.same_bytes and answer.is_good and self._is_as_on_disk(candidate.entry, answer.body)
        )

    def _is_as_on_disk(self, entry: TreeEntry | None, body: bytes) -> bool:
        beginning = b"" if entry is None else self._beginning(entry)
        return len(beginning) >= MIN_SAME_BYTES and body[:COMPARED_BYTES] == beginning

    def _beginning(self, entry: TreeEntry) -> bytes:
        """The first bytes of the file, empty where it cannot be read: then it is no proof."""
        scene = self.scene
        if entry.size_bytes <= SMALL_BYTES:
            return next((content[:COMPARED_BYTES] for _, content in scene.tree.contents([entry], Manifest())), b"")
        if scene.host is None:
            return b""
        try:
            return scene.host.read(scene.tree.root + b"/" + entry.path, COMPARED_BYTES)
        except HostLost:
            raise
        except HostError:
            return b""


def tried(trial: Trial, candidates: list[Candidate]) -> Iterator[Finding | NoAnswer]:
    """Yields what is exposed; at its end the reason why not all were asked for, if there is one."""
    silent = 0
    for done, candidate in enumerate(candidates):
        try:
            found = trial.exposed(candidate)
            silent = 0
        except NoAnswer as error:
            silent += 1
            # One address may hang or be cut off by a firewall; a site that is silent thrice is left alone.
            if silent >= 3:  # noqa: PLR2004  # said above
                yield NoAnswer(f"{error}; {len(candidates) - done} of {len(candidates)} addresses were not asked for")
                return
            continue
        if found is not None:
            yield found
        trial.scene.told(done + 1, len(candidates))


def _stranger(url: str) -> str:
    """Returns an address of the same kind that nothing can stand at."""
    folder, _, name = url.rpartition("/")
    word = "s" + hashlib.sha256(url.encode()).hexdigest()[:20]
    if not name:
        return f"{folder}/{word}/"
    dot, ending = ("." if "." in name.strip(".") else ""), name.strip(".").rpartition(".")[2]
    return f"{folder}/{word}{dot}{ending if dot else ''}"


def _finding(candidate: Candidate, answer: Answer) -> Finding:
    suspect = candidate.suspect
    sign = Sign(
        rule=suspect.rule,
        meaning=suspect.meaning,
        verdict=suspect.verdict,
        evidence=Evidence.SETTING,
        detail=f"answered {answer.status}" + (f", {candidate.entry.shown_path}" if candidate.entry else ""),
        way=() if _is_secret(candidate) else (SourceLine(1, shown(answer.body.split(b"\n")[0][:LINE_BYTES])),),
    )
    return Finding(path=candidate.url, verdict=suspect.verdict, signs=(sign,), place=Place.OUTSIDE)


def _is_secret(candidate: Candidate) -> bool:
    """Whether what was seen must not stand in a report as well."""
    return candidate.suspect.rule in {
        "environment_file_served",
        "configuration_served",
        "private_key_served",
        "database_dump_served",
        "database_dump_served_within",
        "source_copy_served",
        "log_served",
    }
