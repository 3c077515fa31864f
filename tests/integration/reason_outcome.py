"""Plays one case from its server to its words; as a program, in a network that the caller has made."""

import asyncio
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sentry.domain.incident import Incident
from sentry.domain.notice import NoticeKind
from sentry.domain.result import ProbeResult, Status
from sentry.domain.site import Check, Language
from tests.integration.reason_cases import ELSEWHERE, Case
from tests.integration.reason_scenes import ROOT
from tests.integration.reason_stage import Stage, messages, stage


@dataclass(frozen=True)
class Outcome:
    """What came of a case: the verdict, and the incident where there is one, as the store gave it back."""

    stage: Stage
    check: Check
    result: ProbeResult
    incident: Incident | None

    @property
    def told(self) -> Incident:
        """The incident."""
        assert self.incident is not None
        return self.incident

    def subject(self, language: Language) -> str:
        """The subject of the alert that opens it."""
        renderer = messages(self.check)
        return renderer.message(self.told, NoticeKind.OPENED, key="k", language=language, delayed_s=0).subject

    def cause(self, language: Language) -> str:
        """The cause in one line."""
        return messages(self.check).cause(self.told, language)

    def report(self, language: Language) -> str:
        """The whole failure report."""
        return messages(self.check).report_text(self.told, language)


async def play(case: Case, folder: Path) -> Outcome:
    """Sets the scene, probes once, and lets watch, collector and store do their work."""
    async with stage(folder, ROOT.write(folder / "ca.pem")) as standing, case.scene(standing) as url:
        check = await standing.prepare(case.kind, url, case.options)
        result = await standing.probe(check, pause_s=case.pause_s)
        await standing.take(result)
        incident = await standing.incident()
        if incident is None and result.status is Status.DEGRADED:
            incident = await standing.degraded_incident(check, result)
        return Outcome(standing, check, result, incident)


def main(name: str) -> None:
    """Prints what came of a case that needs a network of its own."""
    with tempfile.TemporaryDirectory() as folder:
        outcome = asyncio.run(play(ELSEWHERE[name], Path(folder)))
    words = {
        str(language): {
            "subject": outcome.subject(language),
            "cause": outcome.cause(language),
            "report": outcome.report(language),
        }
        for language in Language
    }
    result = outcome.result
    told = {"status": result.status, "reason": result.reason, "phase": result.failed_phase, "detail": result.detail}
    sys.stdout.write(json.dumps(told | words))


if __name__ == "__main__":
    main(sys.argv[1])
