"""A server with eighty sites is taken down in announced work, and does not come back when it ends."""

from dataclasses import replace
from datetime import timedelta

from sentry.domain.maintenance import Work
from sentry.domain.month import minute_of
from sentry.domain.result import Reason
from tests.fakes.client_reports import shop
from tests.fakes.neighbourhood import START, Neighbourhood

ON_SERVER = {f"on-dead-{number}": "203.0.113.7" for number in range(80)}
ELSEWHERE = {f"elsewhere-{number}": f"203.0.113.{100 + number % 12}" for number in range(60)}


async def worked_at(seconds: int) -> Neighbourhood:
    """A server that went down so long ago, a minute after the begin of ten minutes of work."""
    house = await Neighbourhood({**ON_SERVER, **ELSEWHERE}).open()
    begin = minute_of(START) + 2
    work = (Work(begin, begin + 10, begin, "1", START - timedelta(days=3), 48, "disks"),)
    house.works.update({key: replace(shop(), key=key, work=work) for key in ON_SERVER})
    await house.live(180)
    house.down |= dict.fromkeys(ON_SERVER, Reason.CONNECT_REFUSED)
    await house.live(seconds)
    return house


async def test_server_that_stays_down_after_its_work_is_told_once_as_one_incident() -> None:
    """Nobody is woken while it is worked at; then one page, soon, with all sites as members."""
    house = await worked_at(9 * 60 - 5)
    assert len(house.incidents.incidents) == 80
    assert house.told == []
    await house.live(95)
    (parent,) = house.parents
    assert house.members(parent) == set(ON_SERVER)
    assert len(house.pages) == 1
    await house.live(240)
    assert len(house.pages) == 1


async def test_other_site_that_fails_while_the_server_is_worked_at_is_told_at_once() -> None:
    """The work of one server hides nothing of another."""
    house = await worked_at(240)
    house.down["elsewhere-3"] = Reason.HTTP_SERVER_ERROR
    await house.live(100)
    assert [message.labels["site"] for message in house.pages] == ["elsewhere-3"]
    assert house.parents == []
