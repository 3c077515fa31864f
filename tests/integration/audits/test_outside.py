"""A whole audit of a site that shows some visitors something else, over real sockets."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from scanners.exposure.examiner import ExposureExaminer
from scanners.malware import Malware
from scanners.outside.examiner import OutsideExaminer
from scanners.web.visitors import plain
from sentry.app.auditing.composition import audit
from sentry.app.auditing.order import AuditOrder
from sentry.clock import SystemClock
from sentry.domain.audit_visits import AuditVisits
from sentry.domain.finding import FindingClass
from sentry.domain.site import CheckOptions, Site
from sentry.remote.local_host import LocalHost
from tests.fakes.scene import planted, scene_of
from tests.fakes.site_over_web import SiteOverWeb

WORDS = " ".join(f"word{chr(97 + one // 26)}{chr(97 + one % 26)}" for one in range(200))
HOME = f"<!DOCTYPE html><html><body><p>{WORDS}</p></body></html>"
SPAM = "".join(f'<a href="https://pills{one}.example/">buy</a>' for one in range(5))


class Shop(ThreadingHTTPServer):
    """Shows everybody the same unless it is cloaked; keeps the names of whoever asked."""

    daemon_threads = True

    def __init__(self, *, is_cloaked: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Counter)
        self.is_cloaked = is_cloaked
        self.agents: list[str] = []

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_address[1]}/"


class _Counter(BaseHTTPRequestHandler):
    server: Shop

    def do_GET(self) -> None:
        agent, referrer = self.headers.get("User-Agent", ""), self.headers.get("Referer", "")
        self.server.agents.append(agent)
        if self.path != "/":
            self._answer(404, "<html>not found</html>")
        elif self.server.is_cloaked and "google." in referrer:
            self.send_response(302)
            self.send_header("Location", "https://casino.stranger.example/?id=1")
            self.end_headers()
        else:
            self._answer(200, HOME + (SPAM if self.server.is_cloaked and "Googlebot" in agent else ""))

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name of the standard library
        pass


@pytest.fixture(params=[True, False], ids=["cloaked", "honest"])
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """Runs while a test does."""
    with Shop(is_cloaked=request.param) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.promise("002-07")
def test_audit_tells_whom_a_site_deceives(shop: Shop, tmp_path: Path) -> None:
    """The cloaked one is found by redirect and links; the honest one is not; every request says who we are."""
    site = Site(key="shop", url=shop.url, checks=(CheckOptions(kind="http"),))
    folder = planted(tmp_path, {"index.php": "<?php echo 'home';"})
    visits = AuditVisits(pause_s=0, timeout_s=5)

    report = audit(AuditOrder(str(folder), site, visits=visits), SystemClock(), lambda _part, _done, _whole: None)

    suspected = {
        sign.rule: sign.verdict
        for one in report.findings
        for sign in one.signs
        if sign.verdict not in {FindingClass.ADVICE, FindingClass.NOT_LOOKED_AT}
    }
    assert suspected == (
        {
            "redirect_for_some_from_search": FindingClass.CONFIRMED,
            "foreign_links_for_some_search_bot": FindingClass.CONFIRMED,
        }
        if shop.is_cloaked
        else {}
    )
    assert report.manifest.requests == len(shop.agents)
    assert all("online-sentry" in agent for agent in shop.agents)
    assert report.manifest.parts["outside"].startswith("looked at")
    assert report.manifest.parts["exposure"].startswith("looked at")


@pytest.mark.parametrize("is_named", [True, False])
def test_foreign_script_that_no_file_names_is_told(tmp_path: Path, *, is_named: bool) -> None:
    """What a file of the docroot brings in was put there by whoever keeps it; all else is shown."""
    page = (
        f'<!DOCTYPE html><html><body><script src="https://cdn.stranger.example/x.js"></script>{WORDS}</body></html>'
    )
    named = {"footer.php": "<script src='https://cdn.stranger.example/x.js'></script>"} if is_named else {}
    site = Site(key="shop", url="https://shop.test/", checks=(CheckOptions(kind="http"),))
    scene = scene_of(planted(tmp_path, {"index.php": "<?php", **named}), site=site, host=LocalHost())
    web = SiteOverWeb({}, other=lambda _path, _visitor: page)

    found = list(OutsideExaminer(lambda _site: web, Malware().judge, 1).examine(scene))

    told = [(one.path, one.signs[0].meaning) for one in found]
    unnamed = ("//cdn.stranger.example/", "the page brings in scripts of another site; no file names it")
    assert told == ([] if is_named else [unnamed])


def test_large_file_is_exposed_by_the_bytes_at_its_beginning(tmp_path: Path) -> None:
    """A dump of gigabytes is not read whole to be compared."""
    content = b"\x01\x02 its very own form " * 200_000
    site = Site(key="shop", url="https://shop.test/", checks=(CheckOptions(kind="http"),))
    scene = scene_of(planted(tmp_path, {"big.dump": content}), site=site, host=LocalHost())
    web = SiteOverWeb({"/": HOME, "/big.dump": content})

    found = list(ExposureExaminer(lambda _site: web, plain("online-sentry")).examine(scene))

    assert [one.path for one in found if one.verdict is FindingClass.EXPOSED] == ["https://shop.test/big.dump"]
