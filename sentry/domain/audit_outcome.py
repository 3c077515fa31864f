"""What all examiners of an audit found, put together into what a person can read."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from sentry.domain.finding import WORST_FIRST, Evidence, Finding, FindingClass, Manifest, Sign, Skipped

MOST_FINDINGS = 5_000
MOST_SKIPPED = 5_000
"""Bounds of what is kept of one audit: a hostile site may have a million infected files. The worst are kept."""

NAMES_SHOWN = 5
FOLDER_LEVELS = 2
"""What was not looked at is told by folders of this depth, where there is much of it for one reason."""


def put_together(findings: Iterable[Finding], manifest: Manifest) -> tuple[Finding, ...]:
    """Returns one finding for each thing, the worst first; what was not looked at is one too.

    Args:
        findings: of all examiners.
        manifest: what was skipped is read from it; what is left out here is written to it.
    """
    whole = sorted((*_merged(findings), *_not_looked_at(manifest.skipped)), key=_worst_first)
    if len(whole) > MOST_FINDINGS:
        manifest.failures.append(f"{len(whole) - MOST_FINDINGS:,} more findings are not listed, none of them worse")
    if len(manifest.skipped) > MOST_SKIPPED:
        more = len(manifest.skipped) - MOST_SKIPPED
        manifest.failures.append(f"{more:,} more things were not looked at and are counted, but not listed")
        del manifest.skipped[MOST_SKIPPED:]
    return tuple(whole[:MOST_FINDINGS])


def _worst_first(finding: Finding) -> tuple[int, str, str]:
    return WORST_FIRST.index(finding.verdict), finding.place, finding.path


def _merged(findings: Iterable[Finding]) -> Iterable[Finding]:
    """Two examiners may see the same file; together they know more of it than each by itself."""
    by_place: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        key = finding.place, finding.path
        other = by_place.get(key)
        by_place[key] = finding if other is None else _joined(other, finding)
    return by_place.values()


def _joined(one: Finding, other: Finding) -> Finding:
    signs = dict.fromkeys((*one.signs, *other.signs))
    return replace(
        one,
        verdict=min(one.verdict, other.verdict, key=WORST_FIRST.index),
        signs=tuple(sorted(signs, key=lambda sign: WORST_FIRST.index(sign.verdict))),
        layers=tuple(dict.fromkeys((*one.layers, *other.layers))),
        sha256=one.sha256 or other.sha256,
        size_bytes=max(one.size_bytes, other.size_bytes),
    )


def _not_looked_at(skipped: Sequence[Skipped]) -> Iterable[Finding]:
    groups: dict[tuple[str, str], list[Skipped]] = defaultdict(list)
    for one in skipped:
        groups[_folder(one.path), one.why].append(one)
    for (folder, why), members in groups.items():
        names = ", ".join(one.path for one in members[:NAMES_SHOWN])
        more = f" and {len(members) - NAMES_SHOWN:,} more" if len(members) > NAMES_SHOWN else ""
        alone = len(members) == 1
        yield Finding(
            path=members[0].path if alone else folder,
            verdict=FindingClass.NOT_LOOKED_AT,
            signs=(
                Sign(
                    rule="not-looked-at",
                    meaning=why if alone else f"{len(members):,} times: {why}",
                    verdict=FindingClass.NOT_LOOKED_AT,
                    evidence=Evidence.SETTING,
                    detail="" if alone else names + more,
                ),
            ),
            size_bytes=sum(one.size_bytes for one in members),
        )


def _folder(path: str) -> str:
    folders = path.split("/")[:-1]
    return "/".join(folders[:FOLDER_LEVELS]) + "/"
