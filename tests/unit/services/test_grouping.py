"""Sites that fail together: one parent, one page; and what only looks like it."""

from datetime import timedelta

import pytest

from sentry.domain.incident import IncidentState
from sentry.domain.incident_policy import IncidentPolicy
from sentry.domain.notice import NoticeKind, Route
from sentry.domain.result import Reason
from tests.fakes.channel import MemoryChannel
from tests.fakes.neighbourhood import Neighbourhood

DEAD, ALIVE = "203.0.113.7", "203.0.113."
ON_SERVER = {f"on-dead-{number}": DEAD for number in range(80)}
ELSEWHERE = {f"elsewhere-{number}": f"{ALIVE}{100 + number % 12}" for number in range(120)}


async def watched(**keys: object) -> Neighbourhood:
    """Two hundred sites that have been well for two minutes."""
    house = await Neighbourhood({**ON_SERVER, **ELSEWHERE}, **keys).open()  # type: ignore[arg-type]  # by name
    await house.live(120)
    return house


def kill(house: Neighbourhood, *sites: str, reason: Reason = Reason.CONNECT_REFUSED) -> None:
    """Lets sites fail from now on."""
    house.down |= dict.fromkeys(sites, reason)


async def live_until_told(house: Neighbourhood) -> timedelta:
    """Lives until the first page; returns how long that was after the first failed probe."""
    while not house.pages:
        await house.live(1)
    return house.failed_since()


@pytest.mark.promise("001-31")
async def test_dead_server_is_one_incident_with_all_its_sites_and_one_page() -> None:
    """Eighty of two hundred sites fail within a minute: one page, in time, and each site's own incident in it."""
    house = await watched()
    kill(house, *ON_SERVER)
    assert await live_until_told(house) <= timedelta(seconds=90)
    await house.live(120)

    (parent,) = house.parents
    assert house.members(parent) == set(ON_SERVER)
    assert len(house.incidents.incidents) == 81
    assert [message.kind for message in house.told] == [NoticeKind.OPENED]
    assert house.told[0].incident_key == f"incident:{parent.id}"
    assert (parent.facts["trait"], parent.facts["value"]) == ("address", DEAD)


async def test_dead_server_while_three_others_fail_is_four_incidents_and_four_pages() -> None:
    """Whatever fails for a reason of its own is told by itself, also in the same minute."""
    house = await watched()
    kill(house, *ON_SERVER)
    kill(house, "elsewhere-3", reason=Reason.HTTP_SERVER_ERROR)
    kill(house, "elsewhere-40", reason=Reason.TLS_EXPIRED)
    kill(house, "elsewhere-77", reason=Reason.BODY_TEXT_MISSING)
    await house.live(240)

    alone = {one.site_key for one in house.incidents.incidents.values() if not one.is_silent and not one.is_group}
    assert alone == {"elsewhere-3", "elsewhere-40", "elsewhere-77"}
    assert len(house.parents) == 1
    assert len(house.pages) == 4


async def test_site_that_shares_nothing_with_a_failing_one_is_told_at_once() -> None:
    """A single site that fails is not held: its neighbours on the server answer."""
    house = await watched()
    kill(house, "on-dead-3")
    assert await live_until_told(house) <= timedelta(seconds=24)
    assert house.parents == []


async def test_group_resolves_with_its_last_member_and_says_so_once() -> None:
    """Sites come back one by one; nobody hears of each, all hear of the end."""
    house = await watched()
    kill(house, *ON_SERVER)
    await house.live(180)
    house.down = {"on-dead-5": Reason.CONNECT_REFUSED}
    await house.live(180)
    (parent,) = house.parents
    assert parent.state is IncidentState.OPEN
    assert sum(one.state is IncidentState.OPEN for one in house.incidents.incidents.values()) == 2

    house.down = {}
    await house.live(120)
    (parent,) = house.parents
    last = next(one for one in house.incidents.incidents.values() if one.site_key == "on-dead-5")
    assert (parent.state, parent.recovered_at) == (IncidentState.RESOLVED, last.recovered_at)
    assert [message.kind for message in house.told] == [NoticeKind.OPENED, NoticeKind.RESOLVED]


async def test_site_that_fails_later_joins_the_group_without_a_page() -> None:
    """A backup that holds up one more site of the dead server is no new problem."""
    house = await watched()
    kill(house, *(site for site in ON_SERVER if site != "on-dead-9"))
    house.servers["on-dead-9"] = f"{ALIVE}250"
    await house.live(120)
    await house.live(120)
    assert len(house.pages) == 1
    house.servers["on-dead-9"] = DEAD
    kill(house, "on-dead-9")
    await house.live(120)

    (parent,) = house.parents
    assert "on-dead-9" in house.members(parent)
    assert len(house.pages) == 1
    assert any(entry.text == "on-dead-9 fails too" for entry in parent.timeline)


async def test_site_that_fails_when_its_neighbours_are_back_is_told_by_itself() -> None:
    """A group that one site still holds open swallows no other problem of the same server."""
    house = await watched()
    kill(house, *ON_SERVER)
    await house.live(180)
    house.down = {"on-dead-5": Reason.CONNECT_REFUSED}
    await house.live(180)
    kill(house, "on-dead-40", reason=Reason.HTTP_SERVER_ERROR)
    await house.live(120)

    assert len(house.pages) == 2
    assert "on-dead-40" in house.pages[1].subject


@pytest.mark.parametrize("stopped_after_s", [25, 45, 70, 76])
async def test_restart_while_sites_are_held_neither_loses_nor_doubles_the_page(stopped_after_s: int) -> None:
    """What waits is in the store: the agent that comes back decides it."""
    house = await watched()
    kill(house, *ON_SERVER)
    await house.live(stopped_after_s)
    house.start()
    await house.open()
    await house.live(240)

    assert len(house.pages) == 1
    assert len(house.parents) == 1
    assert house.members(house.parents[0]) == set(ON_SERVER)


async def test_restart_while_a_site_is_held_that_stays_alone_tells_it_once() -> None:
    """Two sites of three fail: too few for a group, and both are told, whoever was stopped meanwhile."""
    house = await Neighbourhood({"a": DEAD, "b": DEAD, "far": ALIVE, "afar": ALIVE, "c": DEAD}).open()
    await house.live(120)
    kill(house, "a", "b")
    await house.live(24)
    assert any(one.held_until is not None for one in house.incidents.incidents.values())
    house.start()
    await house.open()
    await house.live(120)

    assert sorted(one.subject.split()[0] for one in house.pages) == ["a", "b"]
    assert house.parents == []


async def test_server_that_is_back_before_the_page_is_told_as_one_with_its_end() -> None:
    """A reboot of a minute: its sites are down long enough to be confirmed and well before anything was said."""
    house = await watched()
    kill(house, *ON_SERVER)
    await house.live(50)
    house.down = {}
    await house.live(180)

    assert len(house.parents) == 1
    assert [message.kind for message in house.told] == [NoticeKind.OPENED, NoticeKind.RESOLVED]


async def test_sites_that_were_told_before_become_members_too() -> None:
    """The first of a slow wave is told at once; what follows makes it part of the group, with one more page."""
    house = await Neighbourhood({f"s{number}": DEAD for number in range(8)}).open()
    await house.live(120)
    kill(house, "s0")
    await house.live(50)
    kill(house, *(f"s{number}" for number in range(8)))
    await house.live(180)

    (parent,) = house.parents
    assert house.members(parent) == {f"s{number}" for number in range(8)}
    assert len(house.pages) == 2


async def test_hold_of_nothing_tells_every_site_by_itself() -> None:
    """Who wants no grouping has none."""
    house = await Neighbourhood(
        {f"s{number}": DEAD for number in range(5)}, policy=IncidentPolicy(group_hold_s=0)
    ).open()
    await house.live(120)
    kill(house, *house.servers)
    await house.live(120)

    assert len(house.pages) == 5
    assert house.parents == []


async def test_group_that_fails_again_soon_is_the_same_incident() -> None:
    """A server that is back for some minutes has one incident, told again."""
    house = await watched()
    kill(house, *ON_SERVER)
    await house.live(180)
    house.down = {}
    await house.live(180)
    kill(house, *ON_SERVER)
    await house.live(180)

    (parent,) = house.parents
    assert (parent.opening, parent.state) == (2, IncidentState.OPEN)
    assert [message.kind for message in house.told] == [NoticeKind.OPENED, NoticeKind.RESOLVED, NoticeKind.REOPENED]


async def test_client_channel_hears_of_its_own_sites_once_and_of_their_end() -> None:
    """A route of one client gets one message for all its sites, in which no other client's stands."""
    own, every = MemoryChannel(), MemoryChannel()
    house = Neighbourhood(
        {f"s{number}": DEAD for number in range(10)},
        clients={"s0": "bogota", "s1": "bogota"},
        channels={"own": own, "mail": every},
        routes=(Route(to=("mail",)), Route(to=("own",), clients=("bogota",))),
    )
    await house.open()
    await house.live(120)
    kill(house, *house.servers)
    await house.live(180)
    assert [message.fields["members"] for message, _ in own.accepted] == [["s0", "s1"]]
    assert [len(message.fields["members"]) for message, _ in every.accepted] == [8]
    assert len(house.members(house.parents[0])) == 10

    for site in ("s0", "s1"):
        del house.down[site]
    await house.live(120)
    assert [message.kind for message, _ in own.accepted] == [NoticeKind.OPENED, NoticeKind.RESOLVED]
    assert len(every.accepted) == 1
    house.down = {}
    await house.live(120)
    assert len(own.accepted) == 2
    assert len(every.accepted) == 2
