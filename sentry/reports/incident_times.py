"""How long an incident took to notice, to take up and to mend (promise 001-33), in words."""

from sentry.domain.client_report import IncidentEntry
from sentry.reports.attributions import SIDE_TEXT
from sentry.reports.inert import inert_line
from sentry.reports.wording import Wording

SIDES = {str(side): text for side, text in SIDE_TEXT.items()}


def incident_times(incident: IncidentEntry, wording: Wording) -> list[str]:
    """Returns how long it took to notice, take up and mend an incident, and whose side it was on."""
    times = [wording.text("noticed after {duration}", duration=wording.duration(incident.detect_s))]
    if incident.acknowledge_s is not None:
        times.append(wording.text("taken up after {duration}", duration=wording.duration(incident.acknowledge_s)))
    if incident.resolve_s is None:
        times.append(wording.text("not over yet"))
    else:
        times.append(wording.text("over after {duration}", duration=wording.duration(incident.resolve_s)))
    side = wording.text(SIDES[incident.side])
    if incident.side_reason:
        times.append(wording.text("side: {side} ({reason})", side=side, reason=inert_line(incident.side_reason, 500)))
    else:
        times.append(wording.text("likely side: {side}", side=side))
    return times
