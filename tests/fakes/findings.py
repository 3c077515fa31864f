"""Findings in memory."""

import json
from collections.abc import Mapping

from sentry.ports import Finding


class MemoryFindings:
    """Fills the `FindingBook` port."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Finding] = {}

    async def all(self, kind: str) -> Mapping[str, Finding]:
        return {subject: finding for (of, subject), finding in self.kept.items() if of == kind}

    async def keep(self, kind: str, subject: str, finding: Finding) -> None:
        facts = json.loads(json.dumps(finding.facts))  # as a store does: JSON goes in, JSON comes out
        self.kept[kind, subject] = Finding(finding.at, facts)

    async def keep_all(self, kind: str, findings: Mapping[str, Finding]) -> None:
        for subject, finding in findings.items():
            await self.keep(kind, subject, finding)

    async def forget(self, kind: str, subject: str) -> None:
        self.kept.pop((kind, subject), None)
