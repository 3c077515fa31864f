"""How much malware an audit recalls, how often it cries wolf, and what that costs, beside rules of others.

The corpora hold malicious files and the clean folders none; each file is judged in a process of its own side, by the
agent's engines and by every folder of rules that is given. Nothing is ever run.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.audit_recall_side import PHP, Verdict
from benchmarks.measure import Contestant, RunRejected, interleaved
from benchmarks.report import Owed, Report, Row, arguments, compared, finish
from sentry.domain.finding import FindingClass

ROOT = Path(__file__).resolve().parent.parent
AGENT = "online-sentry"
SIDE_WITHIN_S = 7_200.0
FOUND = "found"
ALARMS = (FindingClass.CONFIRMED, FindingClass.SUSPICIOUS)
CLASSES: tuple[str, ...] = (*ALARMS, FindingClass.MODIFIED, FindingClass.ENCODED, FindingClass.RISKY_TOOL, FOUND)
CONFIRMED_PERCENT, ALARMED_PERCENT = 80.0, 92.0
CLEAN_CONFIRMED, CLEAN_SUSPICIOUS_PERCENT = 5, 0.3
SCRIPT_MB_PER_CPU_S, PEAK_MB = 3.0, 400.0
OTHER_MB_PER_CPU_S = 40.0
NOTES = (
    "The same content counts once. A risky tool or an encoded file is no false alarm; others' rules only find.",
    "cpu_ms: of one file, on average; kinds are told by what a file holds (php) and by its name.",
)


@dataclass(frozen=True, slots=True)
class Side:
    """What one side said of one set of folders."""

    verdicts: Sequence[Verdict]
    peak_bytes: int

    def of_kind(self, kind: str) -> list[Verdict]:
        """Returns what it said of the files of a kind."""
        return [verdict for verdict in self.verdicts if verdict.kind == kind]

    @property
    def kinds(self) -> list[str]:
        """The kinds of its files, the most frequent first."""
        found = {verdict.kind for verdict in self.verdicts}
        return sorted(found, key=lambda kind: -len(self.of_kind(kind)))


def main(words: Sequence[str] | None = None) -> None:
    """Runs the benchmark as the command line says."""
    parser = arguments(__doc__.partition("\n")[0], rounds=1)
    parser.add_argument("--corpus", type=_folder, nargs="*", default=[], metavar="DIR", help="of malicious files")
    parser.add_argument(
        "--clean", type=_folder, nargs="*", default=[], metavar="DIR", help="of files without malware"
    )
    parser.add_argument(
        "--rules", type=_folder, nargs="*", default=[], metavar="DIR", help="others' YARA rules, a side"
    )
    parser.add_argument("--sample", type=int, default=1, metavar="N", help="every Nth file of the clean folders")
    parser.add_argument("--missed", type=Path, metavar="FILE", help="write what was judged wrong here, one a line")
    options = parser.parse_args(words)
    finish(lambda: run(options), options.json)


def _folder(text: str) -> Path:
    folder = Path(text)
    if not folder.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is no folder")
    return folder.resolve()


def run(options: argparse.Namespace) -> Report:
    """Lets every side judge every set of folders.

    Raises:
        RunRejected: there are no folders, or a side did not end.
    """
    sets = {"corpus": (options.corpus, 1), "clean": (options.clean, options.sample)}
    asked = {name: found for name, found in sets.items() if found[0]}
    if not asked:
        raise RunRejected("give --corpus DIR… or --clean DIR… or both")
    names = {AGENT: None, **{str(rules): rules for rules in options.rules}}
    rows: list[Row] = []
    said: dict[str, Side] = {}
    for case, (folders, sample) in asked.items():
        found: dict[str, Side] = {}
        sides = [
            Contestant(name, partial(_round, name, rules, folders, sample, found)) for name, rules in names.items()
        ]
        interleaved(sides, options.rounds, lambda line: print(line, file=sys.stderr))
        rows += rows_of(case, found)
        said[case] = found[AGENT]
    if options.missed is not None:
        options.missed.write_text("".join(f"{line}\n" for line in judged_wrong(said)), encoding="utf-8")
    return Report("audit_recall", rows, owed(said), (*NOTES, *(_slowest(case, side) for case, side in said.items())))


def _round(name: str, rules: Path | None, folders: Sequence[Path], sample: int, found: dict[str, Side]) -> float:
    chosen = [] if rules is None else ["--rules", str(rules)]
    command = [sys.executable, "-m", "benchmarks.audit_recall_side", *chosen, "--sample", str(sample)]
    done = subprocess.run(  # noqa: S603  # the benchmark's own program
        [*command, *map(str, folders)],
        stdout=subprocess.PIPE,
        text=True,
        timeout=SIDE_WITHIN_S,
        check=False,
        cwd=ROOT,
    )
    *lines, last = done.stdout.splitlines() or [""]
    if done.returncode or not lines:
        raise RunRejected(f"{name} ended with code {done.returncode} after {len(lines)} files")
    found[name] = side = Side([Verdict(**json.loads(line)) for line in lines], json.loads(last)["peak_bytes"])
    return sum(verdict.cpu_s for verdict in side.verdicts) * 1000 / len(side.verdicts)


def rows_of(case: str, found: Mapping[str, Side]) -> list[Row]:
    """Returns a table per kind of file: how many each side put into which class, and what that cost it.

    Args:
        case: `corpus` or `clean`.
        found: the sides by name.
    """
    rows: list[Row] = []
    for kind in next(iter(found.values())).kinds:
        of_kind = {name: side.of_kind(kind) for name, side in found.items()}
        costs = {name: [_cpu_ms(verdicts)] for name, verdicts in of_kind.items()}
        figures = {name: _figures(verdicts, found[name]) for name, verdicts in of_kind.items()}
        rows += compared(f"{case}, {kind}", costs, figures)
    return rows


def _figures(verdicts: Sequence[Verdict], side: Side) -> dict[str, float]:
    shown = [one for one in CLASSES if any(verdict.verdict == one for verdict in side.verdicts)]
    return {
        "files": len(verdicts),
        "mb": size_mb(verdicts),
        **{f"{one}_percent": percent(verdicts, one) for one in shown},
        "not_whole": sum(verdict.left_out for verdict in verdicts),
        "mb_per_cpu_s": speed(verdicts),
        "slowest_s": max(verdict.cpu_s for verdict in verdicts),
        "peak_mb_of_all": side.peak_bytes / 1e6,
    }


def percent(verdicts: Sequence[Verdict], *classes: str) -> float:
    """Returns how many percent of files were judged one of some classes."""
    return 100 * sum(verdict.verdict in classes for verdict in verdicts) / max(1, len(verdicts))


def size_mb(verdicts: Sequence[Verdict]) -> float:
    """Returns the size of files together."""
    return sum(verdict.size_bytes for verdict in verdicts) / 1e6


def speed(verdicts: Sequence[Verdict]) -> float:
    """Returns megabytes a second of CPU."""
    return size_mb(verdicts) / max(1e-6, sum(verdict.cpu_s for verdict in verdicts))


def _cpu_ms(verdicts: Sequence[Verdict]) -> float:
    return max(1e-6, sum(verdict.cpu_s for verdict in verdicts) * 1000 / len(verdicts))


def owed(said: Mapping[str, Side]) -> list[Owed]:
    """Returns what an audit owes, with what was measured of it."""
    corpus, clean = said.get("corpus"), said.get("clean")
    peaks = [side.peak_bytes / 1e6 for side in said.values()]
    found: list[Owed] = []
    if corpus is not None:
        php = corpus.of_kind(PHP)
        found += [
            Owed("% of malicious PHP confirmed", CONFIRMED_PERCENT, percent(php, ALARMS[0])),
            Owed("% of malicious PHP confirmed or suspicious", ALARMED_PERCENT, percent(php, *ALARMS)),
        ]
    if clean is not None:
        php, others = clean.of_kind(PHP), [verdict for verdict in clean.verdicts if verdict.kind != PHP]
        confirmed = sum(one.verdict == ALARMS[0] for one in clean.verdicts)
        suspicious = percent(php, ALARMS[1])
        found += [
            Owed("clean files confirmed, known-good not set aside", CLEAN_CONFIRMED, confirmed, at_most=True),
            Owed("% of clean PHP suspicious", CLEAN_SUSPICIOUS_PERCENT, suspicious, at_most=True),
            Owed("MB/s per CPU-second, clean PHP", SCRIPT_MB_PER_CPU_S, speed(php)),
            Owed("MB/s per CPU-second, clean files without PHP", OTHER_MB_PER_CPU_S, speed(others)),
        ]
    return [*found, Owed("MB of memory at most", PEAK_MB, max(peaks), at_most=True)]


def judged_wrong(said: Mapping[str, Side]) -> list[str]:
    """Returns a line per malicious file that was not confirmed and per clean one that raised an alarm."""
    return [
        f"{case}\t{verdict.verdict}\t{verdict.path}"
        for case, side in said.items()
        for verdict in side.verdicts
        if (verdict.verdict != ALARMS[0] if case == "corpus" else verdict.verdict in ALARMS)
    ]


def _slowest(case: str, side: Side) -> str:
    slowest = max(side.verdicts, key=lambda verdict: verdict.cpu_s)
    return (
        f"{case}: the slowest file took {slowest.cpu_s:.2f} s of CPU: {slowest.path} ({slowest.size_bytes:,} bytes)"
    )


if __name__ == "__main__":
    main()
