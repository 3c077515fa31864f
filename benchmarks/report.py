"""What a benchmark says: a table of ratios on the screen, and the same as JSON."""

import argparse
import json
import os
import platform
import signal
import ssl
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from benchmarks.measure import MIN_ROUNDS, RunRejected, medians

RATIO_MEANS = "the peer's cpu_ms divided by this row's: above 1, this row is so many times cheaper than the peer"


@dataclass(frozen=True, slots=True)
class Row:
    """One contestant in one case.

    Attributes:
        name: of the contestant.
        case: what was done.
        cpu_ms: milliseconds of CPU per piece of work, the median of the rounds.
        ratio_to: peer → `RATIO_MEANS`.
        figures: whatever else was measured, by a name with its unit.
    """

    name: str
    case: str
    cpu_ms: float
    ratio_to: Mapping[str, float] = field(default_factory=dict)
    figures: Mapping[str, float | Sequence[float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Owed:
    """A figure that the product owes.

    Attributes:
        figure: in words.
        bound: what it must reach, or stay below where `at_most`.
        measured: None where it was not measured in this run.
    """

    figure: str
    bound: float
    measured: float | None
    at_most: bool = False

    @property
    def met(self) -> bool | None:
        """Whether it is reached; None where it was not measured."""
        if self.measured is None:
            return None
        return self.measured <= self.bound if self.at_most else self.measured >= self.bound


@dataclass(frozen=True, slots=True)
class Report:
    """All that a benchmark found.

    Attributes:
        notes: what a reader must know to believe the figures.
    """

    benchmark: str
    rows: Sequence[Row]
    owed: Sequence[Owed] = ()
    notes: Sequence[str] = ()


def compared(
    case: str,
    costs: Mapping[str, Sequence[float]],
    figures: Mapping[str, Mapping[str, float | Sequence[float]]] | None = None,
) -> list[Row]:
    """Makes the rows of one case.

    Args:
        case: their case.
        costs: of each contestant, a cost (milliseconds of CPU) per round.
        figures: further figures by contestant.

    Returns:
        A row per contestant, with its ratio to every other.
    """
    middle = medians(costs)
    return [
        Row(
            name,
            case,
            cost,
            {peer: other / cost for peer, other in middle.items() if peer != name},
            {"cpu_ms_of_rounds": list(costs[name])} | dict((figures or {}).get(name, {})),
        )
        for name, cost in middle.items()
    ]


def print_report(report: Report) -> None:
    """Prints a table per case, what is owed, and the notes."""
    for case in dict.fromkeys(row.case for row in report.rows):
        rows = [row for row in report.rows if row.case == case]
        print(f"\n{report.benchmark}: {case} (how many times cheaper than whom)")
        _print_columns(_lines(rows))
    if report.owed:
        print("\nowed")
        _print_columns([("figure", "bound", "measured", "")] + [_owed_line(owed) for owed in report.owed])
    for note in report.notes:
        print(f"\n{note}")


def _lines(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    names = [row.name for row in rows]
    extra = list(dict.fromkeys(key for row in rows for key, value in row.figures.items() if not _is_list(value)))
    lines: list[tuple[str, ...]] = [("", "cpu_ms", *(f"than {name}" for name in names), *extra)]
    for row in rows:
        ratios = (f"{row.ratio_to[name]:.2f}x" if name in row.ratio_to else "" for name in names)
        others = (f"{row.figures[key]:.4g}" if key in row.figures else "" for key in extra)
        lines.append((row.name, f"{row.cpu_ms:.4g}", *ratios, *others))
    return lines


def _is_list(value: float | Sequence[float]) -> bool:
    return not isinstance(value, int | float)


def _owed_line(owed: Owed) -> tuple[str, ...]:
    measured = "not measured" if owed.measured is None else f"{owed.measured:.3g}"
    verdict = {True: "met", False: "NOT met", None: ""}[owed.met]
    return owed.figure, f"{'<=' if owed.at_most else '>='} {owed.bound:g}", measured, verdict


def _print_columns(lines: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        first, *others = (text.rjust(width) for text, width in zip(line, widths, strict=True))
        print("  ".join((line[0].ljust(len(first)), *others)).rstrip())


def write_json(report: Report, file: Path) -> None:
    """Writes the rows, what is owed and on what machine it was measured."""
    document = {
        "benchmark": report.benchmark,
        "machine": machine(),
        "ratio_to_means": RATIO_MEANS,
        "rows": [
            {"name": row.name, "case": row.case, "cpu_ms": row.cpu_ms, "ratio_to": dict(row.ratio_to)}
            | dict(row.figures)
            for row in report.rows
        ],
        "owed": [
            {
                "figure": owed.figure,
                "at_most" if owed.at_most else "at_least": owed.bound,
                "measured": owed.measured,
                "met": owed.met,
            }
            for owed in report.owed
        ],
        "notes": list(report.notes),
    }
    file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def machine() -> dict[str, str | int | float]:
    """Returns what a figure depends on besides the code."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "architecture": platform.machine(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION,
        "load_1m": round(os.getloadavg()[0], 2),
    }


# ── the command line ─────────────────────────────────────────────────────────────────────────────────────────────


def arguments(description: str, rounds: int = MIN_ROUNDS) -> argparse.ArgumentParser:
    """Returns the parser of a benchmark, with what all of them have: `--rounds` and `--json FILE`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--rounds", type=_positive, default=rounds, help="interleaved rounds; the median counts")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write rows, ratios and what is owed here too")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def finish(run: Callable[[], Report], json_file: Path | None) -> NoReturn:
    """Runs a benchmark, prints what it found and exits; a rejected run prints no figure and ends with 1."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by the way out: servers are ended, folders removed
    try:
        report = run()
    except RunRejected as rejected:
        print(f"no figure: {rejected}", file=sys.stderr)
        sys.exit(1)
    print_report(report)
    if json_file is not None:
        write_json(report, json_file)
    sys.exit(0)
