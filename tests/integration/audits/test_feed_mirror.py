"""The copy of a feed that the agent keeps by itself, against a real HTTP server."""

import json
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from pydantic import SecretStr

from scanners.components.feeds import Feeds, OpenFeed
from sentry.domain.vulnerability_feed import VulnerabilityFeed
from tests.fakes.clock import ManualClock
from tests.fakes.feeds import wordfence_record

WHOLE = json.dumps({"a": wordfence_record()}).encode()


class Publisher(ThreadingHTTPServer):
    """Publishes one document, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Desk)
        self.document = WHOLE
        self.status = 200
        self.promised: int | None = None
        self.asked: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/feed.json?key=1"


class _Desk(BaseHTTPRequestHandler):
    server: Publisher

    def do_GET(self) -> None:
        publisher = self.server
        publisher.asked.append({name.lower(): value for name, value in self.headers.items()} | {"path": self.path})
        etag = f'"{hash(publisher.document)}"'
        status = 304 if self.headers.get("If-None-Match") == etag else publisher.status
        self.send_response(status)
        self.send_header("ETag", etag)
        if status != 304:
            self.send_header("Content-Length", str(publisher.promised or len(publisher.document)))
        self.end_headers()
        if status != 304:
            self.wfile.write(publisher.document)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name of the standard library
        pass


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    """Runs while a test does."""
    with Publisher() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def opened(publisher: Publisher, folder: Path, clock: ManualClock) -> OpenFeed:
    """Opens the feed as an audit does."""
    feed = VulnerabilityFeed(
        kind="wordfence",
        url=publisher.url,
        token=SecretStr("a-long-token"),
        max_age_h=48,
    )
    (found,) = Feeds([feed], folder, folder / "cache").opened(clock)
    if found.index is not None:
        found.index.close()
    return found


async def test_mirror_asks_only_for_what_is_new(publisher: Publisher, tmp_path: Path) -> None:
    """Not before it is due, then with the validators of the last answer; an unchanged copy counts as new."""
    clock = ManualClock()
    first = opened(publisher, tmp_path, clock)
    await clock.advance(3_600)
    opened(publisher, tmp_path, clock)
    await clock.advance(12 * 3_600)
    later = opened(publisher, tmp_path, clock)

    assert first.complaints == later.complaints == ()
    assert first.index is not None
    assert first.index.contents.records == 1
    assert later.dated == clock.now()
    assert [("if-none-match" in one, one["authorization"]) for one in publisher.asked] == [
        (False, "Bearer a-long-token"),
        (True, "Bearer a-long-token"),
    ]
    assert publisher.asked[0]["path"] == "/feed.json?key=1"


async def test_mirror_without_an_answer_keeps_its_copy_until_it_is_too_old(
    publisher: Publisher, tmp_path: Path
) -> None:
    """The complaint comes at once, the age by and by; what is known is still asked."""
    clock = ManualClock()
    opened(publisher, tmp_path, clock)
    publisher.status = 503
    publisher.document = b"busy"
    await clock.advance(13 * 3_600)
    soon = opened(publisher, tmp_path, clock)
    await clock.advance(40 * 3_600)
    late = opened(publisher, tmp_path, clock)

    assert soon.complaints == ("127.0.0.1 answered 503",)
    assert soon.index is not None
    assert late.dated is not None
    assert clock.now() - late.dated == timedelta(hours=53)
    assert [complaint.partition(",")[2] for complaint in late.complaints] == ["", " older than 48 h"]


async def test_mirror_of_a_broken_answer_is_not_kept(publisher: Publisher, tmp_path: Path) -> None:
    """A transfer that breaks off leaves the whole copy in place, and no half one beside."""
    clock = ManualClock()
    opened(publisher, tmp_path, clock)
    publisher.document = WHOLE[:-20]
    publisher.promised = len(WHOLE)
    await clock.advance(13 * 3_600)

    found = opened(publisher, tmp_path, clock)

    assert len(found.complaints) == 1
    assert found.index is not None
    assert sorted(file.suffix for file in (tmp_path / "cache").iterdir()) == [".index", ".json", ".json"]


async def test_mirror_that_got_nonsense_asks_for_the_whole_again(publisher: Publisher, tmp_path: Path) -> None:
    """A maintenance page with status 200 has validators too; they must not keep it alive."""
    clock = ManualClock()
    publisher.document = b"<html>back soon</html>"
    broken = opened(publisher, tmp_path, clock)
    publisher.document = WHOLE
    mended = opened(publisher, tmp_path, clock)

    assert broken.index is None
    assert "no JSON" in broken.complaints[0]
    assert mended.complaints == ()
    assert "if-none-match" not in publisher.asked[-1]
