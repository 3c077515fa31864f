"""The alert service over real servers: away for the whole outage, falling back, and several channels at once."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from alerting import KINDS
from alerting.environment import ChannelEnvironment, ChannelKind
from sentry.domain.notice import DeliveryState, Route
from tests.fakes.alert_desk import AlertDesk
from tests.integration.alerting.http_server import serving
from tests.integration.servers.alertmanager import Alertmanager
from tests.integration.servers.smtp_sink import ReceivedMail, SmtpSink


def built(kind: str, environment: ChannelEnvironment, **options: object) -> ChannelKind:
    """Builds a channel as the agent does."""
    channel = KINDS[kind]
    return channel(kind, channel.Options.model_validate({"kind": kind} | options), environment)


def subjects(mails: Sequence[ReceivedMail]) -> list[str]:
    return [mail.subject for mail in mails]


async def test_smtp_down_for_the_whole_outage_delivers_both_once_it_is_back(
    environment: ChannelEnvironment,
) -> None:
    """First the opening, marked late, then the end, in one thread, each to each recipient once."""
    sink = SmtpSink()
    to = ["guardia@example.com", "jefa@example.com"]
    desk = AlertDesk({"mail": built("email", environment, smtp=sink.url, to=to)})
    incident = await desk.open()
    await desk.alerts.deliver_due()
    await desk.pass_time(900, step_s=60)
    await desk.resolve(incident)
    await desk.pass_time(300, step_s=60)
    assert set(desk.outbox.states().values()) == {DeliveryState.PENDING}
    with sink:
        await desk.pass_time(600, step_s=60)
        mails = sink.mails
    for recipient in to:
        opening, end = (mail for mail in mails if mail.recipients == (recipient,))
        assert subjects([opening, end]) == [
            "acme-shop opened [es] (sent late)",
            "acme-shop resolved [es] (sent late)",
        ]
        assert end.message["In-Reply-To"] == opening.message["Message-ID"]
    assert len(mails) == 4
    assert set(desk.outbox.states().values()) == {DeliveryState.SENT}


async def test_mail_refused_for_good_goes_to_the_webhook_at_once(environment: ChannelEnvironment) -> None:
    """The fall-back hears within the same round, the failure is counted by its reason."""
    async with serving() as hook:
        with SmtpSink() as sink:
            sink.refuse("554 5.7.1 We do not like you")
            channels = {
                "mail": built("email", environment, smtp=sink.url, to=["guardia@example.com"]),
                "hook": built("webhook", environment, url=hook.url),
            }
            desk = AlertDesk(channels, options={"mail": {"fallback": "hook"}})
            await desk.open()
            await desk.alerts.deliver_due()
    (got,) = hook.received
    assert json.loads(got.body)["key"] == "1:1:opened:hook:"
    assert desk.telemetry.counted("alert_failures_total", channel="mail", reason="rejected") == 1


@pytest.mark.integration
@pytest.mark.promise("001-31")
async def test_outage_reaches_every_channel_of_its_routes(environment: ChannelEnvironment, tmp_path: Path) -> None:
    """Mail, webhook and Alertmanager get the opening and the end, well within 90 s of the first failed probe."""
    async with serving() as hook:
        with SmtpSink() as sink, Alertmanager(tmp_path) as alertmanager:
            desk = AlertDesk(
                {
                    "mail": built("email", environment, smtp=sink.url, to=["guardia@example.com"]),
                    "hook": built("webhook", environment, url=hook.url),
                    "am": built("alertmanager", environment, urls=[alertmanager.url]),
                },
                [Route(to=("mail", "hook", "am"))],
            )
            incident = await desk.open()
            await desk.alerts.deliver_due()
            assert len(alertmanager.alerts()) == 1
            assert await desk.alerts.repeat_standing() == 1
            await desk.resolve(incident)
            await desk.alerts.deliver_due()
            assert alertmanager.wait_for_alerts(0) == []
            assert subjects(sink.mails) == ["acme-shop opened [es]", "acme-shop resolved [es]"]
    assert [json.loads(got.body)["kind"] for got in hook.received] == ["opened", "resolved"]
    for channel in ("mail", "hook", "am"):
        assert 31 <= desk.telemetry.counted("alert_latency_seconds", channel=channel) <= 90
