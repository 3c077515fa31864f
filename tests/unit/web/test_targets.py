"""Which check a scraper means, found again and again among many."""

from dataclasses import replace

from sentry.domain.health import Health
from sentry.services.watch import CheckView
from sentry.web.targets import FRESH_S, Targets
from tests.fakes.clock import ManualClock
from tests.fakes.results import a_check
from tests.fakes.web import House


class CountedViews:
    """The watch's views, and how often they were asked for."""

    def __init__(self, views: list[CheckView]) -> None:
        self.list, self.asked = views, 0

    def views(self) -> list[CheckView]:
        self.asked += 1
        return list(self.list)


def view(key: str, kind: str = "http") -> CheckView:
    return CheckView(replace(a_check(key, kind=kind), site_key=key.partition("/")[0]), Health(key))


def targets(*views: CheckView) -> tuple[Targets, CountedViews, ManualClock]:
    """Targets over some views, with a clock to move."""
    house, watch, clock = House(), CountedViews(list(views)), ManualClock()
    house.add_site()
    sources = replace(house.sources, watch=watch, clock=clock)
    return Targets(sources), watch, clock


async def test_find_a_thousand_times_asks_the_watch_once_a_second() -> None:
    """A list of ten thousand checks is not walked for each of ten thousand scrapes."""
    found, watch, clock = targets(view("a/http"), view("a/tls", "tls"), view("b/http"))
    for _ in range(1000):
        assert (await found.find("a", "tls")) is watch.list[1]
        assert (await found.find("b", "")) is watch.list[2]
    assert watch.asked == 1

    await clock.advance(FRESH_S)
    await found.find("a", "tls")
    assert watch.asked == 2


async def test_find_what_was_just_added_is_found_at_once() -> None:
    """Also another check of a site that was known."""
    found, watch, _ = targets(view("a/http"))
    await found.find("a", "")
    watch.list += [view("a/tls", "tls"), view("c/http")]
    assert (await found.find("a", "tls")) is watch.list[1]
    assert (await found.find("c", "")) is watch.list[2]
    assert await found.find("nobody", "") is None


async def test_find_after_a_reload_gives_the_new_view() -> None:
    """Within a second."""
    found, watch, clock = targets(view("a/http"))
    await found.find("a", "")
    watch.list[0] = view("a/http")
    await clock.advance(FRESH_S)
    assert (await found.find("a/http", "http")) is watch.list[0]
