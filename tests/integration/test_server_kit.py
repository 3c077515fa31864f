"""The kit of real servers: what every other test leans on."""

import json
import signal
import smtplib
import socket
import ssl
import subprocess
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.integration.servers.agent import AgentProcess
from tests.integration.servers.agent_config import agent_document, write_config
from tests.integration.servers.alertmanager import Alertmanager
from tests.integration.servers.certificates import Certificates, ServerCertificate
from tests.integration.servers.loopback import LOOPBACK, fetch, free_port
from tests.integration.servers.nginx import Nginx, Page, Vhost
from tests.integration.servers.process import ServerError, ServerProcess, wait_until
from tests.integration.servers.prometheus import Prometheus, promtool_problems
from tests.integration.servers.smtp_sink import SmtpSink
from tests.integration.servers.sshd import SFTP_ONLY, Sshd
from tests.integration.servers.webhook_sink import WebhookSink


def tls_error(nginx: Nginx, ca_path: Path) -> str | None:
    """Returns why the TLS port of the site `shop` is not trusted, None where it is."""
    context = ssl.create_default_context(cafile=str(ca_path))
    with socket.create_connection((LOOPBACK, nginx.tls_port("shop")), timeout=5) as raw:
        try:
            with context.wrap_socket(raw, server_hostname="localhost"):
                return None
        except ssl.SSLCertVerificationError as error:
            return error.verify_message


def mail(subject: str) -> EmailMessage:
    """Returns a message with a plain and an HTML part."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "a@example.com", "b@example.com"
    message.set_content("Página caída")
    message.add_alternative("<p>Página caída</p>", subtype="html")
    return message


@pytest.mark.integration
def test_nginx_with_pages_answers_body_status_and_redirect(tmp_path: Path) -> None:
    """Each page answers what it was given, and a changed page is served when set_page returns."""
    pages = {"/": Page("Carrito $5 'x'"), "/broken": Page("oops", status=500), "/old": Page(status=301, redirect="/")}
    with Nginx(tmp_path, [Vhost("shop", pages), Vhost("blog")]) as nginx:
        home, broken = fetch(nginx.url("shop")), fetch(nginx.url("shop", "/broken"))
        assert (home.status, home.text) == (200, "Carrito $5 'x'")
        assert (broken.status, broken.text) == (500, "oops")
        assert fetch(nginx.url("shop", "/old")).headers["location"].endswith("/")
        assert fetch(nginx.url("shop", "/absent")).status == 404
        nginx.set_page("shop", Page("down for work", status=503))
        assert (fetch(nginx.url("shop")).status, fetch(nginx.url("blog")).status) == (503, 200)


@pytest.mark.integration
def test_nginx_stopped_and_started_refuses_then_answers_on_the_same_port(tmp_path: Path) -> None:
    """A stopped server refuses connections; the same address answers again after start."""
    with Nginx(tmp_path, [Vhost("shop")]) as nginx:
        url = nginx.url("shop")
        nginx.stop()
        with pytest.raises(ConnectionRefusedError):
            fetch(url)
        nginx.start()
        assert fetch(url).status == 200


@pytest.mark.integration
def test_nginx_paused_accepts_and_never_answers(tmp_path: Path) -> None:
    """A frozen server is a site that hangs, until it is resumed."""
    with Nginx(tmp_path, [Vhost("shop")]) as nginx:
        nginx.pause()
        with pytest.raises(TimeoutError):
            fetch(nginx.url("shop"), timeout_s=0.3)
        nginx.resume()
        assert fetch(nginx.url("shop")).status == 200


@pytest.mark.integration
def test_nginx_with_each_certificate_fails_verification_as_named(tmp_path: Path) -> None:
    """Every bad certificate of the kit is refused for its own reason, and the good one is trusted."""
    made = Certificates(tmp_path / "ca")
    expected: list[tuple[ServerCertificate, str | None]] = [
        (made.valid(), None),
        (made.expired(), "certificate has expired"),
        (made.not_yet_valid(), "certificate is not yet valid"),
        (made.self_signed(), "self-signed certificate"),
        (made.missing_intermediate(), "unable to get local issuer certificate"),
        (made.wrong_host(), "Hostname mismatch, certificate is not valid for 'localhost'."),
    ]
    with Nginx(tmp_path / "nginx", [Vhost("shop", certificate=made.valid())]) as nginx:
        for certificate, error in expected:
            nginx.set_certificate("shop", certificate)
            assert tls_error(nginx, made.ca_path) == error


@pytest.mark.integration
def test_prometheus_scraping_a_real_server_knows_whether_it_is_up(tmp_path: Path) -> None:
    """A scrape of a page of metrics ends up in a query, with the labels that the page gave."""
    page = Page("# HELP sentry_x Some.\n# TYPE sentry_x gauge\nsentry_x{instance='i'} 4\n".replace("'", '"'))
    with Nginx(tmp_path / "nginx", [Vhost("agent", {"/metrics": page})]) as nginx:
        target = urlsplit(nginx.url("agent")).netloc
        with Prometheus(tmp_path / "prometheus", [target]) as prometheus:
            ((labels, value),) = prometheus.wait_for("sentry_x")
            assert (labels["instance"], value) == ("i", 4)
            assert prometheus.value("absent_metric") is None
            assert [row["health"] for row in prometheus.targets()] == ["up"]


@pytest.mark.integration
def test_promtool_with_bad_metrics_names_the_problem() -> None:
    """A metric without help text is found, a clean page is not."""
    assert promtool_problems("# HELP sentry_x Some.\n# TYPE sentry_x gauge\nsentry_x 1\n") == []
    assert "no help text" in "".join(promtool_problems("sentry_x 1\n"))


@pytest.mark.integration
def test_alertmanager_given_an_alert_lists_it_and_notifies(tmp_path: Path) -> None:
    """An alert posted to API v2 is listed, passed on to the webhook, and gone once resolved."""
    alert = b'[{"labels": {"alertname": "SiteDown", "site": "shop"}}]'
    ended = alert.replace(b"}}]", b'}, "endsAt": "2020-01-01T00:00:00Z"}]')
    headers = {"Content-Type": "application/json"}
    with WebhookSink() as sink, Alertmanager(tmp_path, sink.url()) as alertmanager:
        posted = fetch(f"{alertmanager.url}/api/v2/alerts", method="POST", headers=headers, body=alert)
        assert posted.status == 200
        (listed,) = alertmanager.wait_for_alerts(1)
        assert listed["labels"]["site"] == "shop"
        assert sink.wait_for(1)[0].json()["status"] == "firing"
        fetch(f"{alertmanager.url}/api/v2/alerts", method="POST", headers=headers, body=ended)
        assert alertmanager.wait_for_alerts(0) == []
        assert sink.wait_for(2)[1].json()["status"] == "resolved"


def test_smtp_sink_given_mail_keeps_it_parsed() -> None:
    """Envelope, subject and both parts of a mail can be read."""
    with SmtpSink() as sink, smtplib.SMTP(LOOPBACK, sink.port, timeout=5) as client:
        client.send_message(mail("[SEV1] shop caída"))
        (kept,) = sink.wait_for(1)
        assert (kept.sender, kept.recipients, kept.subject) == (
            "a@example.com",
            ("b@example.com",),
            "[SEV1] shop caída",
        )
        assert kept.text().strip() == "Página caída"
        assert "<p>" in kept.text("html")


def test_smtp_sink_refusing_answers_so_and_keeps_nothing() -> None:
    """A refusal reaches the sender with its code; later mail is taken again."""
    with SmtpSink() as sink, smtplib.SMTP(LOOPBACK, sink.port, timeout=5) as client:
        sink.refuse("550 5.7.1 Not here")
        with pytest.raises(smtplib.SMTPDataError, match="550"):
            client.send_message(mail("refused"))
        sink.refuse(None)
        client.send_message(mail("taken"))
        assert ([kept.subject for kept in sink.mails], sink.refused) == (["taken"], 1)


def test_smtp_sink_stopped_and_started_keeps_port_and_mail() -> None:
    """While stopped it refuses connections; afterwards it listens on the same port."""
    with SmtpSink() as sink:
        sink.stop()
        with pytest.raises(ConnectionRefusedError):
            smtplib.SMTP(LOOPBACK, sink.port, timeout=5)
        sink.start()
        with smtplib.SMTP(LOOPBACK, sink.port, timeout=5) as client:
            client.send_message(mail("back"))
        assert sink.wait_for(1)[0].subject == "back"


def test_smtp_sink_with_starttls_and_login_takes_mail_only_from_who_knows(tmp_path: Path) -> None:
    """STARTTLS shows the given certificate, and a wrong password is refused."""
    made = Certificates(tmp_path)
    sink = SmtpSink(certificate=made.valid(), login=("agent", "right"), folder=tmp_path)
    context = ssl.create_default_context(cafile=str(made.ca_path))
    with sink, smtplib.SMTP("localhost", sink.port, timeout=5) as client:
        client.starttls(context=context)
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("agent", "wrong")
        client.login("agent", "right")
        client.send_message(mail("private"))
        (kept,) = sink.wait_for(1)
        assert (kept.over_tls, kept.login) == (True, "agent")


def test_webhook_sink_answers_the_status_it_was_told() -> None:
    """Calls are kept whatever they are answered."""
    with WebhookSink() as sink:
        sink.status, sink.retry_after_s = 429, 7
        answer = fetch(sink.url("/hook"), method="POST", body=b'{"a": 1}')
        assert (answer.status, answer.headers["retry-after"]) == (429, "7")
        assert (sink.calls[0].path, sink.calls[0].json()) == ("/hook", {"a": 1})


class Sleeper(ServerProcess):
    """A process with a child of its own that is ready at once."""

    name = "sleeper"

    def command(self) -> list[str]:
        return ["sh", "-c", "sleep 300 & echo started $!; wait"]

    def is_ready(self) -> bool:
        return "started" in self.log


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


class Failing(Sleeper):
    """A process that ends at once."""

    def command(self) -> list[str]:
        return ["sh", "-c", "echo no such setting; exit 3"]

    def is_ready(self) -> bool:
        return False


def test_server_process_killed_takes_its_children_with_it(tmp_path: Path) -> None:
    """Nothing of the process group is left after kill."""
    with Sleeper(tmp_path) as sleeper:
        child = int(sleeper.log.split()[1])
        assert is_alive(child)
        sleeper.kill()
        assert not sleeper.is_running
        wait_until(lambda: not is_alive(child), "the child to end", within_s=2)


def test_server_process_that_ends_at_once_says_why(tmp_path: Path) -> None:
    """The error of a failed start carries the exit code and the log."""
    with pytest.raises(ServerError, match=r"exit code 3(.|\n)*no such setting"):
        Failing(tmp_path).start()


def test_fetch_of_a_foreign_address_is_refused() -> None:
    """The kit talks to this machine only."""
    with pytest.raises(ValueError, match="this machine only"):
        fetch("http://192.0.2.1/")


def test_free_port_twice_gives_two_ports() -> None:
    """A port is given out once."""
    assert free_port() != free_port()


def test_agent_process_killed_and_restarted_answers_again(tmp_path: Path) -> None:
    """The agent is started, reloaded, killed and started again as its user would, and its log is kept."""
    port = free_port()
    document = agent_document(port, {"shop": f"http://localhost:{free_port()}/"})
    with AgentProcess(write_config(tmp_path / "sentry.yaml", document), port) as agent:
        assert agent.get("/healthz").status == 200
        agent.reload()
        assert agent.kill() == -signal.SIGKILL
        agent.start()
        assert "sentry_" in agent.metrics()
        assert [row["site"] for row in json.loads(agent.cli("status", "--json").stdout)] == ["shop"]
        assert agent.stop() == 0
        assert agent.log.count("watches 1 site(s)") == 2


def test_agent_process_with_a_broken_configuration_says_why(tmp_path: Path) -> None:
    """The error of a failed start carries what the agent said of its configuration."""
    port = free_port()
    config = write_config(tmp_path / "sentry.yaml", {**agent_document(port, {}), "webb": {}})
    with pytest.raises(ServerError, match=r"exit code 3(.|\n)*webb"):
        AgentProcess(config, port).start()


def over_ssh(sshd: Sshd, *command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command by OpenSSH's own client, which trusts the server's key alone."""
    known = sshd.folder / "known_hosts"
    known.write_text(f"[{LOOPBACK}]:{sshd.port} {sshd.host_key}\n")
    options = ("-o", f"UserKnownHostsFile={known}", "-o", "BatchMode=yes", "-i", str(sshd.key_path))
    return subprocess.run(
        ["ssh", "-F", "none", *options, "-p", str(sshd.port), f"{sshd.user}@{LOOPBACK}", *command],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.mark.integration
def test_sshd_serves_its_account_and_nobody_who_expects_another_key(tmp_path: Path) -> None:
    """Commands run as the account, in its own home; after a change of the host key a client must refuse."""
    with Sshd(tmp_path) as sshd:
        assert over_ssh(sshd, 'id -un; echo "$HOME"').stdout.splitlines() == [sshd.user, str(sshd.home)]
        sshd.stop()
        old = sshd.host_key
        assert sshd.change_host_key() != old
        sshd.start()
        assert over_ssh(sshd, "true").returncode == 0
        sshd.host_key = old
        assert "host key" in over_ssh(sshd, "true").stderr.lower()


@pytest.mark.integration
def test_sshd_for_sftp_only_runs_no_command(tmp_path: Path) -> None:
    """As many hosting accounts are."""
    with Sshd(tmp_path, SFTP_ONLY) as sshd:
        assert "hello" not in over_ssh(sshd, "echo hello").stdout
