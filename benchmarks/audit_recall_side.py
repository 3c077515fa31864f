"""One side of `audit_recall`: judges every file of some folders, and says how each was judged as lines of JSON."""

import argparse
import hashlib
import json
import os
import re
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import yara  # type: ignore[import-not-found]  # a module in C, of which mypy sees nothing

from scanners.engine import AuditedFile
from scanners.malware import Malware
from scanners.php.reader import PHP_BEGINS
from sentry.domain.finding import Manifest
from sentry.domain.tree_entry import EntryKind
from sentry.remote.local_tree import LocalTree

SECONDS_PER_FILE = 4.0
RULE_FILES = ("*.yar", "*.yara")
EXTERNALS = dict.fromkeys(("filename", "filepath", "extension", "filetype", "owner"), "")
"""What rules of others ask of a file beside its content."""

PHP, ASP, OTHER = "php", "asp or jsp", "other"
BEGINNING_BYTES = 2_000
ASP_BEGINS = re.compile(rb"<%[@=!\s]")

KINDS = (
    ("settings", re.compile(r"(?:^|/)(?:\.htaccess|\.user\.ini|php\.ini|web\.config|nginx\.conf)[^/]*$")),
    ("js or html", re.compile(r"\.(?:m?js|html?|svg|xhtml)$")),
    (ASP, re.compile(r"\.(?:asp|aspx|ashx|asmx|asa|cer|cfm|jsp|jspx|jspf)$")),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one file was judged.

    Attributes:
        verdict: a class of findings, or "found" by rules that have no classes; None for nothing.
        left_out: whether it was not judged whole.
    """

    path: str
    kind: str
    size_bytes: int
    verdict: str | None
    cpu_s: float
    left_out: bool = False


Judge = Callable[[AuditedFile], tuple[str | None, bool]]


def main(words: Sequence[str] | None = None) -> None:
    """Judges, and prints a line per file and one with the peak of memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", type=Path, help="judge by these rules alone, not by the agent's engines")
    parser.add_argument("--sample", type=int, default=1)
    parser.add_argument("folders", nargs="+", type=Path)
    options = parser.parse_args(words)
    judge = by_agent() if options.rules is None else by_rules(options.rules)
    for verdict in verdicts(options.folders, judge, options.sample):
        print(json.dumps(asdict(verdict)))
    print(json.dumps({"peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


def verdicts(folders: Sequence[Path], judge: Judge, sample: int) -> Iterator[Verdict]:
    """Yields how every `sample`th distinct file was judged; the same content counts once.

    Args:
        folders: whose files.
        judge: the side.
        sample: 1 for all.
    """
    seen: set[bytes] = set()
    for folder in folders:
        for number, file in enumerate(_files(folder)):
            digest = hashlib.sha256(file.content).digest()
            if number % sample or not file.content or digest in seen:
                continue
            seen.add(digest)
            began = time.process_time()
            verdict, left_out = judge(file)
            cpu_s = time.process_time() - began
            yield Verdict(
                f"{folder}/{file.path}", kind_of(file), len(file.content), verdict, round(cpu_s, 6), left_out
            )


def _files(folder: Path) -> Iterator[AuditedFile]:
    tree, manifest = LocalTree(folder), Manifest()
    entries = [entry for entry in tree.entries(manifest) if entry.kind is EntryKind.FILE]
    for entry, content in tree.contents(sorted(entries, key=lambda entry: entry.path), manifest):
        yield AuditedFile(entry.shown_path, content, entry)


def kind_of(file: AuditedFile) -> str:
    """Returns what kind of file it is: PHP by what it holds, whatever else by its name, or else by how it begins."""
    if PHP_BEGINS.search(file.content):
        return PHP
    by_name = next((kind for kind, names in KINDS if names.search(file.path.lower())), None)
    return by_name or (ASP if ASP_BEGINS.search(file.content[:BEGINNING_BYTES]) else OTHER)


def by_agent() -> Judge:
    """Returns the agent's judgement, by all of its engines and rules."""
    malware = Malware()

    def judge(file: AuditedFile) -> tuple[str | None, bool]:
        ends = time.process_time() + SECONDS_PER_FILE
        judged = malware.judge(file, lambda: time.process_time() > ends)
        verdict = None if judged.finding is None else judged.finding.verdict.value
        return verdict, judged.left_out is not None

    return judge


def by_rules(folder: Path) -> Judge:
    """Returns the judgement of a folder of others' rules, one that cannot be compiled left out."""
    compiled = [rules for path in _rule_files(folder) for rules in _compiled(path)]

    def judge(file: AuditedFile) -> tuple[str | None, bool]:
        try:
            found = any(rules.match(data=file.content, timeout=10) for rules in compiled)
        except yara.Error:
            return None, True
        return "found" if found else None, False

    return judge


def _rule_files(folder: Path) -> list[Path]:
    return sorted(path for pattern in RULE_FILES for path in folder.rglob(pattern))


def _compiled(path: Path) -> Iterator[yara.Rules]:
    inside = Path.cwd()
    os.chdir(path.parent)  # what it includes is named from there
    try:
        yield yara.compile(filepath=path.name, externals=EXTERNALS)
    except yara.Error as error:
        print(f"left out: {path}: {error}", file=sys.stderr)
    finally:
        os.chdir(inside)


if __name__ == "__main__":
    main()
