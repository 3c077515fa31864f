"""How announced work counted, in words for a client."""

from datetime import datetime

from sentry.domain.client_report import WorkEntry
from sentry.domain.maintenance import Judgement
from sentry.reports.inert import inert_line
from sentry.reports.wording import N_, Wording

_JUDGED = {
    Judgement.EXCLUDED.value: N_("announced in time: left out of the account"),
    Judgement.ANNOUNCED_LATE.value: N_("announced late, on {moment}: it counts as it was seen"),
    Judgement.EMERGENCY.value: N_("urgent work: it counts as it was seen"),
}


def work_reason(entry: WorkEntry) -> str:
    """Returns what was done, as it was announced."""
    return inert_line(entry.reason, 300)


def work_note(entry: WorkEntry, wording: Wording) -> str:
    """Returns how it counted, in one line."""
    moment = wording.minute(datetime.fromisoformat(entry.announced_at))
    notes = [wording.facts(_JUDGED[entry.judgement], {"moment": moment})]
    if entry.judgement != Judgement.EXCLUDED and entry.down:
        notes.append(wording.plural("{count} minute down", "{count} minutes down", entry.down))
    if entry.overrun:
        notes.append(
            wording.plural(
                "down for {count} minute after its end, which counts",
                "down for {count} minutes after its end, which count",
                entry.overrun,
            )
        )
    return "; ".join(notes)
