"""What may stay although an audit finds it: said by somebody, for a reason, until a day.

What is allowed is counted and shown as allowed, never hidden. Malware that is proven is allowed by its content alone:
whoever breaks in must not find a folder where everything may stand.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from typing import Self

from pydantic import Field, model_validator

from sentry.domain.finding import AuditReport, Finding, FindingClass, Sign
from sentry.domain.model import StrictModel

PART = "allow-list"
"""What the manifest says of entries that have expired, among its parts."""


class AllowedFinding(StrictModel):
    """One entry of a site's allow-list. All that it names must fit."""

    path: str | None = Field(
        None,
        min_length=1,
        max_length=4_096,
        description="Path below the docroot, or what stands in place of one; `*` is any text, `?` any character.",
    )
    sha256: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{64}$",
        description="SHA-256 of the file. Without it, no file that is proven malware is allowed.",
    )
    rule: str | None = Field(
        None, min_length=1, max_length=200, description="Lasting name of the rule that found it."
    )
    reason: str = Field(min_length=3, max_length=2_000, description="Why it may stay.")
    author: str = Field(min_length=1, max_length=200, description="Who says so.")
    expires_on: date = Field(description="First day on which it is no longer allowed.")

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.path is None and self.sha256 is None and self.rule is None:
            raise ValueError("it would allow everything: name a path, a sha256 or a rule")
        return self

    @property
    def shown(self) -> str:
        """What it allows, in a line."""
        named = (("path", self.path), ("sha256", self.sha256 and self.sha256[:12]), ("rule", self.rule))
        return ", ".join(f"{name} {value}" for name, value in named if value)

    def covers(self, finding: Finding, sign: Sign) -> bool:
        """Whether it allows one reason for a finding."""
        if self.sha256 is None and finding.verdict is FindingClass.CONFIRMED:
            return False
        return (
            (self.path is None or fnmatchcase(finding.path, self.path))
            and (self.sha256 is None or self.sha256 == finding.sha256)
            and (self.rule is None or self.rule == sign.rule)
        )


@dataclass(frozen=True, slots=True)
class AllowListEntry:
    """An entry that was said by a command, or taken back by one; none is ever rewritten.

    Attributes:
        number: from 1, over all sites.
        withdraws: the number of the entry that this one takes back, None where it allows something.
        reason, author: of the withdrawal, where it is one.
    """

    number: int
    site_key: str
    entry: AllowedFinding | None
    withdraws: int | None = None
    reason: str = ""
    author: str = ""


def standing(entries: Sequence[AllowListEntry]) -> list[AllowListEntry]:
    """Returns the entries that were not taken back, expired ones among them."""
    withdrawn = {one.withdraws for one in entries}
    return [one for one in entries if one.entry is not None and one.number not in withdrawn]


def with_allowed(report: AuditReport, entries: Sequence[AllowedFinding], today: date) -> AuditReport:
    """Returns a report that says which of its findings are allowed, and which entries no longer allow anything.

    Args:
        report: of a site.
        entries: all that were made for the site.
        today: where the site stands.
    """
    valid = [one for one in entries if today < one.expires_on]
    expired = [one for one in entries if one not in valid]
    findings = tuple(replace(finding, allowed=_why(finding, valid)) for finding in report.findings)
    parts = dict(report.manifest.parts)
    if expired:
        parts[PART] = "no longer allowed: " + "; ".join(
            f"{one.shown} (until {one.expires_on}, {one.reason})" for one in expired
        )
    return replace(report, findings=findings, manifest=replace(report.manifest, parts=parts))


def _why(finding: Finding, entries: Sequence[AllowedFinding]) -> str:
    """Returns who allows a finding and why; empty where one of its reasons is not allowed."""
    covering = [next((one for one in entries if one.covers(finding, sign)), None) for sign in finding.signs]
    if not covering or None in covering:
        return ""
    said = dict.fromkeys(f"{one.reason} ({one.author}, until {one.expires_on})" for one in covering if one)
    return "; ".join(said)
