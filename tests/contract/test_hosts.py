"""What every kind of `Host` keeps to."""

import contextlib
import hashlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sentry.domain.errors import HostError, HostLost, HostRefused
from tests.contract.hosts import KINDS, Ground, opened
from tests.integration.servers.process import wait_until

FORBIDDEN = b"/sys/online-sentry"
"""Where not even root may make anything."""


@pytest.fixture(params=KINDS)
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    """Each kind of host in turn."""
    with opened(request.param, request, tmp_path) as ground:
        yield ground


def test_command_reaches_the_program_word_by_word(ground: Ground) -> None:
    """No shell expands, splits or ends anything, whatever bytes a word has."""
    words = [b"a b", b"$HOME", b"`id`", b"it's", b'"', b"\\", b"line\nend", b"\xff\xfe", b"", b"*", b"-n"]

    outcome = ground.host.run(["printf", "%s\\0", *words])

    assert outcome.output == b"\0".join([*words, b""])
    assert (outcome.status, outcome.complaints) == (0, b"")


def test_command_tells_its_status_and_complaints_and_reads_its_input(ground: Ground) -> None:
    """All three streams are joined to ours."""
    outcome = ground.host.run(["sh", "-c", "cat; echo oh >&2; exit 7"], stdin=b"\0one\xff")

    assert (outcome.status, outcome.output, outcome.complaints) == (7, b"\0one\xff", b"oh\n")


def test_command_ended_by_a_signal_has_no_status(ground: Ground) -> None:
    """That is no lost link."""
    assert ground.host.run(["sh", "-c", "kill -9 $$"]).status == -1


def test_program_that_is_not_there_is_told_as_a_shell_does(ground: Ground) -> None:
    """Asking whether there is one costs no exception."""
    assert ground.host.run(["no-such-program-here"]).status == 127
    assert ground.host.run(["/etc/passwd"]).status == 126


def test_command_that_complains_a_lot_holds_nothing_up(ground: Ground) -> None:
    """Five megabytes on its standard error; the end of them is kept."""
    outcome = ground.host.run(["sh", "-c", "head -c 5000000 /dev/zero >&2; echo last words >&2; echo done"])

    assert outcome.output == b"done\n"
    assert outcome.complaints.endswith(b"last words\n")
    assert len(outcome.complaints) < 100_000


def test_command_that_writes_while_it_reads_is_served_both_ways(ground: Ground) -> None:
    """Ten megabytes through `cat` do not dead-lock."""
    block = bytes(range(256)) * 4_000

    with ground.host.stream(["cat"], stdin=(block for _ in range(10))) as output:
        digest = hashlib.sha256()
        while chunk := output.read(65_536):
            digest.update(chunk)
        outcome = output.end()

    assert digest.digest() == hashlib.sha256(block * 10).digest()
    assert (outcome.status, outcome.output) == (0, b"")


def test_command_that_does_not_read_its_input_is_not_waited_for(ground: Ground) -> None:
    """Its status says whether that is wrong."""
    assert ground.host.run(["true"], stdin=bytes(5_000_000)).status == 0


def test_input_that_breaks_is_told_to_the_reader(ground: Ground) -> None:
    """An error of ours is no end of the command."""

    def broken() -> Iterator[bytes]:
        yield b"one"
        raise ValueError("our own")

    with ground.host.stream(["cat"], stdin=broken()) as output, pytest.raises(ValueError, match="our own"):
        output.end()


def test_command_that_takes_too_long_is_left_alone(ground: Ground) -> None:
    """The message names the host and the program."""
    with pytest.raises(HostError, match=r"sleep took longer than 0\.3 s") as raised:
        ground.host.run(["sleep", "600"], within_s=0.3)

    assert ground.host.name in str(raised.value)


def test_command_that_writes_too_much_is_an_error(ground: Ground) -> None:
    """What is cut might be read as the whole."""
    with pytest.raises(HostError, match="wrote more than 1,000 bytes"):
        ground.host.run(["cat", "/dev/zero"], at_most_bytes=1_000)


def test_stream_that_is_silent_counts_as_lost(ground: Ground) -> None:
    """A host that has frozen holds nobody up for ever."""
    with (
        ground.host.stream(["sh", "-c", "echo one; sleep 600"], silent_s=0.5) as output,
        pytest.raises(HostLost, match="silent"),
    ):
        output.end()


def test_stream_that_is_left_ends_its_command(ground: Ground) -> None:
    """What nobody reads any more need not run."""
    with ground.host.stream(["sh", "-c", "while :; do echo x; done"]) as output:
        assert output.read(2)

    assert ground.host.run(["echo", "next"]).output == b"next\n"


def test_silent_command_that_is_left_is_ended(ground: Ground) -> None:
    """One that neither reads nor writes would not notice that nobody is there any more."""
    with ground.host.stream(["sh", "-c", "echo $$; exec sleep 600"]) as output:
        number = output.read(20).strip()

    wait_until(lambda: ground.host.run(["kill", "-0", number]).status != 0, "the command to end")


def test_file_written_is_there_whole_with_its_mode(ground: Ground) -> None:
    """Also over one that is there, and nothing is left beside it."""
    path = ground.put("a\nb \xff.php", b"old")

    ground.host.write(path, bytes(range(256)) * 4_000, 0o640)

    (file,) = ground.folder.iterdir()
    assert ground.host.read(path, 2_000_000) == file.read_bytes() == bytes(range(256)) * 4_000
    assert file.stat().st_mode & 0o7777 == 0o640
    assert ground.host.read(path, 10) == bytes(range(10))


def test_write_that_fails_leaves_nothing_behind(ground: Ground) -> None:
    """Here because a folder stands where the file should."""
    (ground.folder / "taken").mkdir()
    ground.put("taken/inside")

    with pytest.raises(HostError, match=r"cannot write .*taken"):
        ground.host.write(bytes(ground.folder / "taken"), b"new", 0o600)

    assert [one.name for one in ground.folder.iterdir()] == ["taken"]


def test_read_of_what_is_no_regular_file_is_an_error(ground: Ground) -> None:
    """Neither a folder, nor a link, nor a name that is not there."""
    target = ground.put("target", b"x")
    (ground.folder / "link").symlink_to(target.decode())
    ground.give()

    for name in ("link", "gone", "."):
        with pytest.raises(HostError, match="cannot read"):
            ground.host.read(bytes(ground.folder / name), 10)


def test_rename_replaces_and_remove_is_done_once(ground: Ground) -> None:
    """Removing again changes nothing; a link is removed, not what it leads to."""
    old, new = ground.put("old", b"1"), ground.put("new", b"2")
    (ground.folder / "link").symlink_to(new.decode())
    ground.give()

    ground.host.rename(old, new)
    for _ in range(2):
        ground.host.remove(bytes(ground.folder / "link"))

    assert {one.name: one.read_bytes() for one in ground.folder.iterdir()} == {"new": b"1"}


def test_folder_is_made_with_those_above_it(ground: Ground) -> None:
    """All closed to others; one that is there is left as it is."""
    ground.put("there/file", mode=0o600)
    (ground.folder / "there").chmod(0o755)

    ground.host.make_folder(bytes(ground.folder / "there" / "a" / "b"))
    ground.host.make_folder(bytes(ground.folder / "there"))

    modes = {name: (ground.folder / name).stat().st_mode & 0o777 for name in ("there", "there/a", "there/a/b")}
    assert modes == {"there": 0o755, "there/a": 0o700, "there/a/b": 0o700}
    with pytest.raises(HostError, match="make the folder"):
        ground.host.make_folder(bytes(ground.folder / "there" / "file"))


def test_what_is_not_permitted_is_refused(ground: Ground) -> None:
    """A person must mend it: no other attempt will help."""
    with pytest.raises(HostRefused, match="online-sentry"):
        ground.host.make_folder(FORBIDDEN)


def test_connect_reaches_a_port_of_the_host(ground: Ground) -> None:
    """As its database is reached; a port where nobody listens is an error."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        answering = threading.Thread(target=_echo_once, args=(server,))
        answering.start()
        tunnel = ground.host.connect("127.0.0.1", port)
        tunnel.settimeout(5)
        tunnel.sendall(b"ping")
        assert tunnel.recv(10) == b"ping"
        assert tunnel.recv(10) == b""
        tunnel.close()
        answering.join()

    with pytest.raises(HostError, match=str(port)):
        ground.host.connect("127.0.0.1", port)


def _echo_once(server: socket.socket) -> None:
    connection, _ = server.accept()
    with contextlib.closing(connection):
        connection.sendall(connection.recv(10))
