"""Who is let in, and whom we let ourselves be led to."""

import contextlib
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from sentry.domain.access import SshAccess, SshServer
from sentry.domain.errors import HostError, HostLost, HostRefused
from sentry.remote.ssh_host import RemoteHost
from tests.contract.hosts import access_to
from tests.integration.servers.loopback import LOOPBACK, free_port
from tests.integration.servers.process import require
from tests.integration.servers.sshd import SFTP_ONLY, Sshd, new_key

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """One server for those that do it no harm."""
    with Sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


def changed(access: SshAccess, **keys: object) -> SshAccess:
    """Returns an access with other settings."""
    return access.model_validate(access.model_dump() | keys)


def refusal(access: SshAccess) -> str:
    """Returns why a host does not let us."""
    host = RemoteHost(access)
    with pytest.raises(HostRefused) as refused:
        host.run(["true"])
    host.close()
    return str(refused.value)


def test_unknown_key_is_refused_with_the_line_to_write(sshd: Sshd) -> None:
    """Nothing is trusted at first sight: whoever is in between would be trusted as well."""
    message = refusal(changed(access_to(sshd), host_keys=()))

    assert f"write it into host_keys of access.ssh: {sshd.host_key}" in message
    assert "none is expected" in message


def test_changed_key_is_refused_with_both_fingerprints(sshd: Sshd, tmp_path: Path) -> None:
    """And with what to do; with the new key it is reached again."""
    old = changed(access_to(sshd), host_keys=(new_key(tmp_path / "old"),))

    message = refusal(old)

    assert all(one in message for one in (*old.fingerprints, *access_to(sshd).fingerprints, sshd.host_key))
    assert "somebody may be in between" in message


def test_key_of_another_type_is_found_where_the_server_has_several(tmp_path: Path) -> None:
    """A server shows its favourite key unless it is asked for the one that is expected."""
    rsa = tmp_path / "rsa"
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-N", "", "-f", str(rsa)], check=True)
    with Sshd(tmp_path / "sshd", [f"HostKey {rsa}"]) as server:
        host = RemoteHost(changed(access_to(server), host_keys=(rsa.with_suffix(".pub").read_text(),)))
        assert host.run(["echo", "in"]).output == b"in\n"
        host.close()


def test_account_that_does_not_know_our_key_refuses(sshd: Sshd, tmp_path: Path) -> None:
    """The message says which key was shown, and what to do with it."""
    new_key(tmp_path / "other")

    message = refusal(changed(access_to(sshd), key_file=tmp_path / "other"))

    assert "SHA256:" in message
    assert "authorized_keys" in message


def test_key_with_a_passphrase_is_opened_by_it_alone(sshd: Sshd, tmp_path: Path) -> None:
    """Neither the passphrase nor the key is in any message."""
    public = new_key(tmp_path / "locked", b"correct horse")
    keys = sshd.home / "authorized_keys"
    keys.write_text(f"{keys.read_text()}{public}\n")
    locked = changed(access_to(sshd), key_file=tmp_path / "locked")

    assert "write passphrase" in refusal(locked)
    wrong = refusal(changed(locked, passphrase=SecretStr("battery staple")))
    assert "passphrase is another one" in wrong
    assert "battery" not in wrong
    host = RemoteHost(changed(locked, passphrase=SecretStr("correct horse")))
    assert host.run(["echo", "in"]).output == b"in\n"
    host.close()


def test_key_file_that_is_none_is_refused(sshd: Sshd, tmp_path: Path) -> None:
    """Also one that is gone since the settings were read."""
    (tmp_path / "nonsense").write_text("no key")

    assert "no private key" in refusal(changed(access_to(sshd), key_file=tmp_path / "nonsense"))
    assert "No such file" in refusal(changed(access_to(sshd), key_file=tmp_path / "gone"))


def test_key_of_an_agent_lets_in(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no key file is written; without an agent the message says what is missing."""
    address = tmp_path / "agent"
    agent = subprocess.Popen(
        [require("ssh-agent", "openssh-client"), "-D", "-a", str(address)], stdout=subprocess.DEVNULL
    )
    by_agent = changed(access_to(sshd), key_file=None)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    assert "no key to sign in with" in refusal(by_agent)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(address))
    try:
        subprocess.run(["sh", "-c", 'until ssh-add -q "$0"; do sleep 0.05; done', str(sshd.key_path)], check=True)
        host = RemoteHost(by_agent)
        assert host.run(["echo", "in"]).output == b"in\n"
        host.close()
    finally:
        agent.terminate()
        agent.wait()


def test_host_behind_a_jump_host_is_reached_and_both_keys_are_checked(sshd: Sshd, tmp_path: Path) -> None:
    """The jump host sees only what is sealed for the host behind it."""
    with Sshd(tmp_path / "jump", ["AllowTcpForwarding yes", "MaxSessions 0"]) as jump:
        way = SshServer.model_validate(access_to(jump).model_dump(exclude={"jump"}))
        through = changed(access_to(sshd), jump=way.model_dump())
        host = RemoteHost(through)
        assert host.run(["sh", "-c", 'echo "$HOME"']).output.decode().strip() == str(sshd.home)
        host.close()
        unknown = changed(through, jump=way.model_copy(update={"host_keys": ()}).model_dump())
        assert "access.ssh.jump" in refusal(unknown)
        nowhere = RemoteHost(changed(through, port=free_port()))
        with pytest.raises(HostLost, match="from the jump host"):
            nowhere.run(["true"])


def test_host_where_nobody_listens_is_lost(sshd: Sshd) -> None:
    """Another attempt may help, so it is not refused."""
    with pytest.raises(HostLost, match="cannot be reached"):
        RemoteHost(changed(access_to(sshd), port=free_port())).run(["true"])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("PubkeyAuthentication no", "takes no key"),
        ("AuthenticationMethods publickey,publickey", "wants more than a key"),
    ],
)
def test_host_that_wants_something_else_than_a_key_is_refused(tmp_path: Path, option: str, message: str) -> None:
    """The message says what would let us in."""
    with Sshd(tmp_path, [option, "KbdInteractiveAuthentication yes"]) as server:
        assert message in refusal(access_to(server))


def test_server_that_speaks_no_ssh_is_lost() -> None:
    """A wrong port, or somebody in between; what it says fills no memory and no screen."""
    with socket.create_server((LOOPBACK, 0)) as server:
        answering = threading.Thread(target=_babble, args=(server,))
        answering.start()
        with pytest.raises(HostLost, match="does not speak SSH"):
            RemoteHost(SshAccess(host=LOOPBACK, port=server.getsockname()[1], user="shop")).run(["true"])
        answering.join()


def _babble(server: socket.socket) -> None:
    connection, _ = server.accept()
    with contextlib.closing(connection), contextlib.suppress(OSError):
        for _ in range(1_000):
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n" * 1_000)


def test_link_that_is_cut_is_lost_and_made_anew(tmp_path: Path) -> None:
    """The end of the output without a status is no end of the command."""
    with Sshd(tmp_path) as server:
        host = RemoteHost(access_to(server))
        with host.stream(["sh", "-c", "echo begun; sleep 600"]) as output:
            assert output.read(100) == b"begun\n"
            server.cut()
            with pytest.raises(HostLost, match="the link broke"):
                output.end()

        assert host.run(["echo", "again"]).output == b"again\n"
        host.write(bytes(server.home / "file"), b"1", 0o600)
        server.cut()
        with pytest.raises(HostLost):
            host.read(bytes(server.home / "file"), 10)
        assert host.read(bytes(server.home / "file"), 10) == b"1"
        host.close()


def test_host_that_freezes_is_lost(tmp_path: Path) -> None:
    """The kernel takes what is sent, and nobody answers."""
    with Sshd(tmp_path) as server:
        host = RemoteHost(access_to(server))
        with host.stream(["sh", "-c", "echo begun; sleep 600"], silent_s=1) as output:
            assert output.read(100) == b"begun\n"
            server.freeze()
            with pytest.raises(HostLost, match="silent"):
                output.end()
        host.close()


def test_more_commands_than_the_host_allows_are_an_error(tmp_path: Path) -> None:
    """It is the host's choice, and no broken link."""
    with Sshd(tmp_path, ["MaxSessions 1"]) as server:
        host = RemoteHost(access_to(server))
        with host.stream(["sleep", "600"]), pytest.raises(HostError, match="opens no channel"):
            host.run(["true"])
        host.close()


def test_account_for_sftp_only_reads_files_and_runs_nothing(tmp_path: Path) -> None:
    """Many hosting accounts are such."""
    with Sshd(tmp_path, SFTP_ONLY) as server:
        host = RemoteHost(access_to(server))
        host.write(bytes(server.home / "file"), b"content", 0o600)
        assert host.read(bytes(server.home / "file"), 100) == b"content"
        assert host.run(["echo", "hello"], within_s=5).status != 0
        host.close()


def test_access_speaks_of_its_server_as_people_do() -> None:
    """An IPv6 address has brackets."""
    assert SshAccess(host="::1", user="shop").address == "shop@[::1]:22"
    assert RemoteHost(SshAccess(host=LOOPBACK, user="shop")).name == f"shop@{LOOPBACK}:22"
