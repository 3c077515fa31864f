"""Who hears of what: routes, one opening and one end per recipient, and their order."""

from datetime import timedelta

import pytest

from sentry.domain.concern import ConcernKind
from sentry.domain.events import Event, EventKind
from sentry.domain.incident import WITHDRAWN, IncidentState, TimelineEntry
from sentry.domain.notice import DeliveryState, NoticeKind, Route, Subject
from sentry.domain.severity import Severity
from tests.fakes.alert_desk import AlertDesk, lines
from tests.fakes.channel import MemoryChannel, refused
from tests.fakes.concerns import concern_incident
from tests.fakes.failure_reports import error_result, incident_of


def kinds(channel: MemoryChannel) -> list[NoticeKind]:
    return [message.kind for message, _ in channel.accepted]


async def test_incident_opened_and_resolved_gives_one_message_each() -> None:
    """A recipient hears of the opening once and of the end once."""
    desk = AlertDesk()
    incident = await desk.open()
    await desk.alerts.deliver_due()
    await desk.resolve(incident)
    await desk.alerts.deliver_due()
    assert desk.mail.keys() == [
        "1:1:opened:mail:guardia@example.com",
        "1:1:resolved:mail:guardia@example.com",
    ]
    assert set(desk.outbox.states().values()) == {DeliveryState.SENT}


async def test_event_handled_twice_sends_nothing_twice() -> None:
    """A dispatcher that repeats an event after a crash changes nothing."""
    desk = AlertDesk()
    incident = await desk.open()
    await desk.tell(EventKind.INCIDENT_OPENED, incident)
    await desk.alerts.deliver_due()
    await desk.tell(EventKind.INCIDENT_OPENED, incident)
    await desk.alerts.deliver_due()
    assert kinds(desk.mail) == [NoticeKind.OPENED]


async def test_several_recipients_of_a_channel_each_get_their_own_message() -> None:
    """One delivery per recipient, with a key of its own."""
    mail = MemoryChannel("a@example.com", "b@example.com")
    desk = AlertDesk({"mail": mail})
    await desk.open()
    await desk.alerts.deliver_due()
    assert sorted(recipient for _, recipient in mail.accepted) == ["a@example.com", "b@example.com"]
    assert len(set(mail.keys())) == 2


@pytest.mark.parametrize(
    ("route", "told"),
    [
        (Route(to=("mail",)), True),
        (Route(severities=(Severity.SEV1, Severity.SEV2), to=("mail",)), True),
        (Route(severities=(Severity.SEV3,), to=("mail",)), False),
        (Route(clients=("acme",), to=("mail",)), True),
        (Route(clients=("other",), to=("mail",)), False),
        (Route(plans=("priority",), to=("mail",)), True),
        (Route(plans=("basic",), to=("mail",)), False),
        (Route(sites=("acme-shop",), to=("mail",)), True),
        (Route(sites=("acme-blog",), to=("mail",)), False),
        (Route(severities=(Severity.SEV1,), clients=("other",), to=("mail",)), False),
    ],
)
async def test_route_with_conditions_matches_when_all_of_them_hold(route: Route, told: bool) -> None:
    """A route takes an incident when severity, client, plan and site are all among its own."""
    desk = AlertDesk(routes=[route])
    await desk.open()
    await desk.alerts.deliver_due()
    assert bool(desk.mail.accepted) is told
    assert desk.telemetry.counters["alerts_unrouted_total"] == (0 if told else 1)


@pytest.mark.parametrize(
    ("route", "told"),
    [
        (Route(to=("mail",)), {"agent", "site"}),
        (Route(about=Subject.AGENT, to=("mail",)), {"agent"}),
        (Route(about=Subject.SITE, to=("mail",)), {"site"}),
        (Route(about=Subject.AGENT, severities=(Severity.SEV1,), to=("mail",)), set()),
        (Route(clients=("acme",), to=("mail",)), {"site"}),
        (Route(plans=("priority",), to=("mail",)), {"site"}),
        (Route(sites=("acme-shop",), to=("mail",)), {"site"}),
    ],
)
async def test_fault_of_the_agent_takes_no_route_of_a_client(route: Route, told: set[str]) -> None:
    """Operators hear of the agent; whoever gets a client's incidents never does."""
    desk = AlertDesk(routes=[route])
    await desk.open(severity=Severity.SEV2)
    await desk.open_concern(ConcernKind.OWN_FAULT, severity=Severity.SEV2)
    await desk.alerts.deliver_due()
    assert {"site" if message.labels["site"] else "agent" for message, _ in desk.mail.accepted} == told


async def test_fault_of_the_agent_is_told_in_the_language_of_the_agency() -> None:
    """It has no client whose language it could be written in."""
    desk = AlertDesk()
    await desk.open_concern(ConcernKind.OWN_FAULT)
    await desk.alerts.deliver_due()
    assert desk.mail.accepted[0][0].subject == " opened [en]"


@pytest.mark.parametrize(("kind", "timed"), [(ConcernKind.CERTIFICATE, False), (ConcernKind.GROUP, True)])
async def test_only_failures_say_how_fast_they_are_told(kind: ConcernKind, timed: bool) -> None:
    """A certificate may have been short for days before the agent looked; sites that fail together are outages."""
    desk = AlertDesk()
    told = await desk.incidents.open(concern_incident(kind), [])
    await desk.incidents.open(incident_of(error_result(), parent_id=told.id), [])
    await desk.tell(EventKind.INCIDENT_OPENED, told)
    await desk.alerts.deliver_due()
    assert len(desk.mail.accepted) == 1
    assert bool(desk.telemetry.counters["alert_latency_seconds"]) is timed


async def test_two_routes_to_one_channel_give_one_message() -> None:
    """Every matching route is used, but nobody gets the same message twice."""
    desk = AlertDesk(routes=[Route(to=("mail",)), Route(clients=("acme",), to=("mail",))])
    await desk.open()
    await desk.alerts.deliver_due()
    assert len(desk.mail.accepted) == 1


async def test_site_removed_from_configuration_still_alerts_in_default_language() -> None:
    """An incident of a site that is gone goes to the routes that do not ask for a plan."""
    desk = AlertDesk(routes=[Route(to=("mail",)), Route(plans=("priority",), to=("mail",))])
    desk.audiences.clear()
    await desk.open()
    await desk.alerts.deliver_due()
    assert [message.subject for message, _ in desk.mail.accepted] == ["acme-shop opened [en]"]


async def test_message_is_written_in_the_language_of_the_site() -> None:
    """The renderer is asked for the client's language."""
    desk = AlertDesk()
    await desk.open()
    await desk.alerts.deliver_due()
    assert desk.mail.accepted[0][0].subject == "acme-shop opened [es]"


async def test_reopened_incident_gives_a_second_pair_in_the_same_thread() -> None:
    """Each opening is told and each end is told; all of it hangs on the first message."""
    desk = AlertDesk()
    incident = await desk.open()
    await desk.alerts.deliver_due()
    over = await desk.resolve(incident)
    await desk.alerts.deliver_due()
    again = await desk.reopen(over)
    await desk.alerts.deliver_due()
    await desk.resolve(again)
    await desk.alerts.deliver_due()
    assert kinds(desk.mail) == ["opened", "resolved", "reopened", "resolved"]
    assert {message.thread_key for message, _ in desk.mail.accepted} == {"1:1:opened:mail:guardia@example.com"}


async def test_severity_that_rises_tells_the_routes_that_match_now() -> None:
    """On-call staff routed for SEV1 only must hear of an incident that began as SEV3."""
    mail, pager = MemoryChannel("desk@example.com"), MemoryChannel()
    routes = [Route(to=("mail",)), Route(severities=(Severity.SEV1,), to=("pager",))]
    desk = AlertDesk({"mail": mail, "pager": pager}, routes)
    incident = await desk.open(severity=Severity.SEV3)
    await desk.alerts.deliver_due()
    assert not pager.accepted
    worse = await desk.raise_severity(incident, Severity.SEV1)
    await desk.alerts.deliver_due()
    await desk.resolve(worse)
    await desk.alerts.deliver_due()
    assert kinds(pager) == ["opened", "resolved"]
    assert kinds(mail) == ["opened", "resolved"]


async def test_update_of_a_resolved_incident_tells_nobody() -> None:
    """Late evidence of an incident that is over opens nothing."""
    desk = AlertDesk(routes=[Route(severities=(Severity.SEV1,), to=("mail",))])
    incident = await desk.open(severity=Severity.SEV3)
    over = await desk.resolve(incident)
    await desk.raise_severity(over, Severity.SEV1)
    await desk.alerts.deliver_due()
    assert not desk.mail.accepted


async def test_end_goes_only_to_those_who_were_told_of_the_opening() -> None:
    """A channel that was routed in after the opening gets no end of something it never heard of."""
    mail, late = MemoryChannel("desk@example.com"), MemoryChannel()
    desk = AlertDesk({"mail": mail})
    incident = await desk.open()
    await desk.alerts.deliver_due()
    await desk.alerts.replace(lines({"mail": mail, "late": late}), [Route(to=("mail", "late"))])
    await desk.resolve(incident)
    await desk.alerts.deliver_due()
    assert kinds(mail) == ["opened", "resolved"]
    assert not late.accepted


async def test_channel_down_for_the_whole_outage_still_gets_both_in_order() -> None:
    """Mail is away while the incident lasts; once it is back: the opening, marked late, then the end."""
    desk = AlertDesk()
    desk.mail.fails_with = refused()
    incident = await desk.open()
    await desk.pass_time(1200, step_s=5)
    await desk.resolve(incident)
    await desk.pass_time(600, step_s=5)
    assert not desk.mail.accepted
    desk.mail.fails_with = None
    await desk.pass_time(300, step_s=5)
    assert kinds(desk.mail) == ["opened", "resolved"]
    opening = desk.mail.accepted[0][0]
    assert opening.delayed_s >= 1800
    assert "sent late" in opening.subject


async def test_end_overtaken_by_a_new_opening_is_dropped() -> None:
    """For whoever heard neither of the end nor of the new opening, it never ended."""
    desk = AlertDesk()
    incident = await desk.open()
    await desk.alerts.deliver_due()
    desk.mail.fails_with = refused()
    over = await desk.resolve(incident)
    await desk.alerts.deliver_due()
    again = await desk.reopen(over)
    desk.mail.fails_with = None
    await desk.pass_time(30)
    await desk.resolve(again)
    await desk.pass_time(30)
    assert kinds(desk.mail) == ["opened", "reopened", "resolved"]
    assert desk.outbox.states()["1:1:resolved:mail:guardia@example.com"] is DeliveryState.CANCELLED


async def test_event_that_waited_marks_the_message_late() -> None:
    """An event that the agent could not handle for ten minutes counts from when it happened."""
    desk = AlertDesk(routes=[])
    incident = await desk.open()
    await desk.alerts.replace(lines({"mail": desk.mail}), [Route(to=("mail",))])
    await desk.tell(EventKind.INCIDENT_OPENED, incident, desk.clock.now() - timedelta(minutes=10))
    await desk.alerts.deliver_due()
    assert desk.mail.accepted[0][0].delayed_s == 600


async def test_event_of_another_kind_or_unknown_incident_is_ignored() -> None:
    """What names no incident that is there, or is no notice, queues nothing."""
    desk = AlertDesk()
    await desk.alerts.handle(Event(EventKind.INCIDENT_OPENED, desk.clock.now(), "99"))
    await desk.alerts.handle(Event(EventKind.OUTAGE_CONFIRMED, desk.clock.now(), "acme-shop/http"))
    assert not desk.outbox.deliveries


@pytest.mark.promise("001-31")
async def test_accepted_message_reports_time_since_the_first_failed_probe() -> None:
    """The promise of 90 seconds is measured: from the first failed probe to acceptance, by channel."""
    desk = AlertDesk()
    await desk.open()
    await desk.pass_time(4)
    assert desk.telemetry.counted("alert_latency_seconds", channel="mail") == pytest.approx(32, abs=1.1)
    assert desk.telemetry.counted("alerts_total", channel="mail") == 1


async def test_opening_that_is_not_yet_told_when_it_turns_out_to_be_our_own_fault_is_not_told() -> None:
    """The site was not down, and nobody needs to be woken to hear that."""
    desk = AlertDesk()
    withdrawn = TimelineEntry(desk.clock.now(), WITHDRAWN, "", {"check": "acme-shop/http"})
    new = incident_of(error_result(), state=IncidentState.RESOLVED, timeline=(withdrawn,))
    incident = await desk.incidents.open(new, [])

    await desk.tell(EventKind.INCIDENT_OPENED, incident)
    await desk.tell(EventKind.INCIDENT_RESOLVED, incident)
    await desk.alerts.deliver_due()

    assert desk.mail.accepted == []
