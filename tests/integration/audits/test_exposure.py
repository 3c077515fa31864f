"""What a real nginx serves, fetched over real sockets."""

from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from scanners.exposure.examiner import ExposureExaminer
from scanners.web.answer import NoAnswer, Visitor
from scanners.web.client import HttpWeb
from sentry.clock import SystemClock
from sentry.domain.audit_visits import AuditVisits
from sentry.domain.finding import FindingClass
from sentry.domain.site import CheckOptions, Site
from tests.fakes.scene import planted, scene_of
from tests.integration.servers.certificates import Certificates
from tests.integration.servers.docroot import DocrootServer

pytestmark = pytest.mark.integration

NOW = SystemClock().monotonic
LIMITS = AuditVisits(pause_s=0, timeout_s=5)
US = Visitor("the audit", {"User-Agent": "online-sentry"})
FILES = {
    "index.html": "<html><body>home</body></html>",
    ".git/HEAD": "ref: refs/heads/main\n",
    ".env": "APP_KEY=1\nDB_PASSWORD=x\n",
    "backup/dump.sql": "CREATE TABLE a (b int);\n",
    "uploads/picture.jpg": "x",
    "wp-config.php.bak": "<?php define('DB_PASSWORD', 'x');",
    "style.css": "body {}",
}
EXPOSED = {
    "/.git/HEAD": "git_repository_served",
    "/.env": "environment_file_served",
    "/backup/dump.sql": "database_dump_served",
    "/wp-config.php.bak": "configuration_served",
    "/backup/": "folder_listed",
    "/uploads/": "folder_listed",
}


def found_at(server: DocrootServer) -> tuple[dict[str, str], set[str]]:
    """Returns what is exposed, by path, and the rules of all advice."""
    site = Site(key="site", url=server.url(), checks=(CheckOptions(kind="http"),))
    examiner = ExposureExaminer(lambda each: HttpWeb(str(each.url), LIMITS, NOW), US)
    scene = scene_of(server.docroot, site=site)
    found = list(examiner.examine(scene))
    assert not [one for one in found if one.verdict is FindingClass.NOT_LOOKED_AT], scene.manifest.parts
    exposed = {
        one.path.removeprefix(server.url("")): one.signs[0].rule
        for one in found
        if one.verdict is FindingClass.EXPOSED
    }
    return exposed, {one.signs[0].rule for one in found if one.verdict is FindingClass.ADVICE}


@pytest.mark.promise("002-07")
def test_docroot_served_as_it_is_is_exposed(tmp_path: Path) -> None:
    """Repository, secrets, dump, copies and listings, each by its address; nothing of what is meant to be served."""
    planted(tmp_path / "www", FILES)
    with DocrootServer(tmp_path, "autoindex on;") as server:
        exposed, advice = found_at(server)

    assert exposed == EXPOSED
    assert {"no_tls", "no_content_security_policy", "version_in_server"} <= advice


def test_docroot_behind_a_careful_server_is_not(tmp_path: Path) -> None:
    """The same files; dot files, copies and dumps forbidden, no listings."""
    planted(tmp_path / "www", FILES)
    careful = r"server_tokens off; location ~ (/\.|\.(sql|bak)$) { return 403; }"
    with DocrootServer(tmp_path, careful) as server:
        exposed, advice = found_at(server)

    assert exposed == {}
    assert "version_in_server" not in advice


def test_docroot_behind_a_front_controller_is_not(tmp_path: Path) -> None:
    """Every address that is forbidden or missing gets the home page with status 200: a soft 404."""
    planted(tmp_path / "www", FILES)
    front = (
        r"location ~ (/\.|\.(sql|bak)$) { rewrite ^ /index.html last; } location / { try_files $uri /index.html; }"
    )
    with DocrootServer(tmp_path, front) as server:
        exposed, _ = found_at(server)

    assert exposed == {}


def test_tls_of_the_past_is_told(tmp_path: Path, certificates: Certificates) -> None:
    """A server that still takes 1.0 and 1.1, and one that does not."""
    planted(tmp_path / "old" / "www", FILES)
    planted(tmp_path / "new" / "www", FILES)
    settings = "ssl_protocols {}; ssl_ciphers ALL:@SECLEVEL=0; location ~ /\\. {{ return 403; }}"
    old = settings.format("TLSv1 TLSv1.1 TLSv1.2")
    new = settings.format("TLSv1.2 TLSv1.3")
    with DocrootServer(tmp_path / "old", old, certificates.valid()) as server:
        _, of_old = found_at(server)
    with DocrootServer(tmp_path / "new", new, certificates.valid()) as server:
        _, of_new = found_at(server)

    assert {"tls_1_0_taken", "tls_1_1_taken", "no_lasting_hsts"} <= of_old
    assert not {"tls_1_0_taken", "tls_1_1_taken", "no_tls"} & of_new


class _Stranger(BaseHTTPRequestHandler):
    """Answers as no honest server does."""

    def do_GET(self) -> None:
        body = b"x" * 300_000
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
        elif self.path == "/round":
            self.send_response(302)
            self.send_header("Location", "/round")
        elif self.path == "/nonsense":
            self.send_response(302)
            self.send_header("Location", "http://[::1")
        elif self.path == "/busy":
            self.send_response(429)
        else:
            self.send_response(200)
        self.end_headers()
        if self.path == "/drip":
            with suppress(OSError):  # its end is the test's
                while True:
                    self.wfile.write(b".")
            return
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name of the standard library
        pass


@pytest.fixture
def stranger() -> Iterator[str]:
    """The address of a server that means no good."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Stranger) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_redirect_to_another_host_is_noted_and_not_followed(stranger: str) -> None:
    """Least of all to the metadata of a cloud."""
    web = HttpWeb(stranger, LIMITS, NOW)

    answer = web.get(f"{stranger}/away", US)

    assert (answer.status, answer.leaves_to) == (302, "http://169.254.169.254/latest/meta-data/")
    assert web.asked == 1


@pytest.mark.parametrize("path", ["/round", "/nonsense"])
def test_redirect_without_sense_ends(stranger: str, path: str) -> None:
    """In a few requests."""
    web = HttpWeb(stranger, LIMITS, NOW)

    try:
        answer = web.get(stranger + path, US)
        assert answer.status == 302
    except NoAnswer:
        pass
    assert web.asked <= 6


def test_body_is_read_no_further_than_its_bound(stranger: str) -> None:
    """However much comes."""
    assert len(HttpWeb(stranger, LIMITS, NOW).get(f"{stranger}/", US, at_most_bytes=1_000).body) == 1_000


def test_answer_that_never_ends_is_cut(stranger: str) -> None:
    """By time, though a byte comes all the while."""
    limits = LIMITS.model_copy(update={"timeout_s": 0.5})
    web = HttpWeb(stranger, limits, NOW)

    answer = web.get(f"{stranger}/drip", US, at_most_bytes=1_000_000_000)

    assert answer.status == 200


def test_site_that_asks_to_be_left_alone_is(stranger: str) -> None:
    """After a 429 nothing is asked any more."""
    web = HttpWeb(stranger, LIMITS, NOW)
    web.get(f"{stranger}/busy", US)

    with pytest.raises(NoAnswer, match="left alone"):
        web.get(f"{stranger}/", US)
    assert web.asked == 1


def test_budget_and_pauses_are_kept(stranger: str) -> None:
    """A pause as long as the last answer took, but no longer than allowed, and nothing beyond the budget."""
    pauses: list[float] = []
    times = iter((0.0, 0.1, 5.0, 9.0, 10.0, 10.1))
    limits = LIMITS.model_copy(update={"max_requests": 3, "pause_s": 0.25})
    web = HttpWeb(stranger, limits, lambda: next(times), pauses.append)
    for _ in range(3):
        web.get(f"{stranger}/", US)

    with pytest.raises(NoAnswer, match="used up"):
        web.get(f"{stranger}/", US)
    assert pauses == [pytest.approx(0.1), 0.25]


def test_host_that_is_not_the_site_is_not_asked(stranger: str) -> None:
    """Whatever a page links to."""
    web = HttpWeb(stranger, LIMITS, NOW)

    with pytest.raises(NoAnswer, match="another host"):
        web.get("http://other.example/", US)
    assert web.asked == 0
