"""How a site's files are reached, as it is written."""

import pytest
from pydantic import ValidationError

from sentry.domain.access import Access, SshServer, fingerprint

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"


@pytest.mark.parametrize(
    "line",
    [KEY, f"web1.example.com {KEY}", f"[web1.example.com]:2222 {KEY}", f"|1|salt=|hash= {KEY}", f"{KEY} root@web1"],
)
def test_host_key_is_taken_as_files_of_openssh_have_it(line: str) -> None:
    """Whatever stands before and behind it, it is the same key."""
    server = SshServer(host="web1.example.com", user="audit", host_keys=(line,))

    assert server.host_keys == (KEY,)
    # By `ssh-keygen -lf`.
    assert server.fingerprints == ("SHA256:bbXpuKG6zhzdmnxq256TlqzFBzRl2f6OOg722cYNbU8",)


@pytest.mark.parametrize("line", ["", KEY[:-4], KEY.replace("ed25519 ", "rsa "), KEY.partition(" ")[2], f"x y {KEY}"])
def test_text_that_is_no_host_key_is_refused(line: str) -> None:
    """A pin that can never fit would be told as an attack."""
    with pytest.raises(ValidationError, match="ssh-keyscan"):
        SshServer(host="web1.example.com", user="audit", host_keys=(line,))


def test_passphrase_without_key_file_is_refused() -> None:
    """It would open nothing."""
    with pytest.raises(ValidationError, match="of a key_file"):
        SshServer(host="web1.example.com", user="audit", passphrase="horse")


@pytest.mark.parametrize("way", [{}, {"local": True, "ssh": {"host": "web1.example.com", "user": "audit"}}])
def test_access_goes_one_way(way: dict[str, object]) -> None:
    """Over SSH or on this machine."""
    with pytest.raises(ValidationError, match="either ssh"):
        Access.model_validate({"docroot": "/var/www", **way})


def test_fingerprint_of_nothing_is_known() -> None:
    """The padding is left out, as OpenSSH does."""
    assert fingerprint(b"") == "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
