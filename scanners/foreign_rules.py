"""Rules of YARA that the user adds: pinned, shown with their author and licence, and never stronger than he says."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import yara  # type: ignore[import-not-found]  # a module in C, of which mypy sees nothing

from scanners.engine import SHOWN_BYTES, AuditedFile, Opinion, line_of, shown
from sentry.domain.finding import Evidence, FindingClass, Sign, SourceLine
from sentry.domain.rule_folder import RuleSource

MATCH_WITHIN_S = 10
MAX_RULES_BYTES = 20_000_000
MOST_HITS = 20
EXTERNALS = ("filename", "filepath", "extension", "filetype", "owner")
"""What public rules ask of a file beside its content."""


class ForeignRules:
    """Fills `Engine` by the rules of other people.

    Attributes:
        problems: files that are not used, and why.
        sha256: over all that are used, with what their hits say; empty where there are none.
    """

    name = "foreign rules"

    def __init__(self, sources: Sequence[RuleSource]) -> None:
        """Reads and compiles what may be used; what may not is named, and the others are used without it."""
        self.problems: list[str] = []
        self._sets: list[tuple[yara.Rules, FindingClass]] = []
        whole = hashlib.sha256()
        for source in sources:
            texts = dict(self._usable(source))
            for path, text in texts.items():
                whole.update(f"{path}\0{source.verdict}\0{hashlib.sha256(text.encode()).hexdigest()}\n".encode())
            if texts:
                self._sets.append((_compiled(texts), source.verdict))
        self.sha256 = whole.hexdigest() if self._sets else ""

    def judge(self, file: AuditedFile, is_late: Callable[[], bool]) -> Opinion:
        """Judges a file; see `Engine`."""
        signs: list[Sign] = []
        for rules, verdict in self._sets:
            if is_late():
                return Opinion(tuple(signs), left_out="not all rules of others were applied: too slow")
            try:
                found = rules.match(data=file.content, externals=_externals(file), timeout=MATCH_WITHIN_S)
            except yara.Error as error:
                return Opinion(tuple(signs), left_out=f"the rules of others failed: {error}")
            signs += [_sign(match, file.content, verdict) for match in found[:MOST_HITS]]
        return Opinion(tuple(signs))

    def _usable(self, source: RuleSource) -> Iterator[tuple[str, str]]:
        folder, pins = Path(source.folder), dict(source.pins)
        files = sorted(path for path in folder.glob("*") if path.suffix in {".yar", ".yara"})
        if not files:
            self.problems.append(f"no rules in {folder}: there is no file *.yar or *.yara")
        for missing in sorted(pins.keys() - {path.name for path in files}):
            self.problems.append(f"the rules {folder / missing} are pinned and not there")
        for path in files:
            try:
                content = path.read_bytes()[:MAX_RULES_BYTES]
                problem = _unpinned(path.name, content, pins)
                text = content.decode()
                _compiled({path.name: text})
            except (OSError, UnicodeError, yara.Error) as error:
                problem = f"cannot be used: {error}"
            if problem:
                self.problems.append(f"the rules {path} {problem}")
            else:
                yield str(path), text


def _unpinned(name: str, content: bytes, pins: Mapping[str, str]) -> str:
    """Returns why a file is refused; empty where it may be used."""
    digest = hashlib.sha256(content).hexdigest()
    if not pins or pins.get(name) == digest:
        return ""
    if name not in pins:
        return f"are refused: they have no pin; theirs is {digest}"
    return f"are refused: they were changed; pinned is {pins[name]}, they have {digest}"


def _compiled(texts: Mapping[str, str]) -> "yara.Rules":
    externals = dict.fromkeys(EXTERNALS, "")
    return yara.compile(sources=dict(texts), includes=False, externals=externals)


def _externals(file: AuditedFile) -> dict[str, str]:
    name = file.path.rpartition("/")[2]
    extension = f".{name.rpartition('.')[2]}" if "." in name else ""
    return {
        "filename": name,
        "filepath": file.path,
        "extension": extension,
        "filetype": "",
        "owner": file.entry.owner if file.entry is not None else "",
    }


def _sign(match: "yara.Match", content: bytes, verdict: FindingClass) -> Sign:
    """Returns a hit; what a rule says of itself is text of a stranger, too."""
    told = {str(key).lower(): shown(str(value).encode())[:SHOWN_BYTES] for key, value in match.meta.items()}
    said = told.get("class", "")
    instances = [instance for string in match.strings for instance in string.instances]
    first = min(instances, key=lambda instance: instance.offset, default=None)
    way = (
        ()
        if first is None
        else (SourceLine(line_of(content, first.offset), shown(first.matched_data[:SHOWN_BYTES])),)
    )
    return Sign(
        rule=match.rule,
        meaning=told.get("meaning") or told.get("description") or f"a rule of others fits: {match.rule}",
        verdict=FindingClass(said) if said in set(FindingClass) else verdict,
        evidence=Evidence.SIGNATURE,
        detail=told.get("reference") or told.get("url") or told.get("link", ""),
        way=way,
        author=told.get("author", ""),
        licence=told.get("license") or told.get("licence", ""),
    )
