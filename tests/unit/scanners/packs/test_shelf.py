"""Which packs are believed, and what they give back."""

import struct
from datetime import date
from pathlib import Path

import pytest

from scanners.packs import pack_file
from scanners.packs.building import Order, build
from scanners.packs.components import Component, ComponentKind
from scanners.packs.keys import make_key, public_bytes, read_key
from scanners.packs.shelf import Shelf, Trust
from sentry.domain.errors import PackRefused
from tests.fakes.packages import WORDPRESS, written

CORE = Component(ComponentKind.CORE, "wordpress", "6.1.9")


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    """A folder with the packs of a small system, signed."""
    make_key(tmp_path / "key.pem")
    site = written(tmp_path / "site", WORDPRESS)
    build(Order(site, tmp_path / "packs", date(2026, 11, 22), read_key(tmp_path / "key.pem")))
    return tmp_path / "packs"


@pytest.fixture
def trust(packs: Path) -> Trust:
    """Believes the key of `packs`."""
    return Trust([read_key(packs.parent / "key.pem").public_text])


def test_shelf_believes_a_pack_of_a_trusted_key(packs: Path, trust: Trust) -> None:
    """And gives back each file as it was published, proven."""
    with Shelf([packs], trust) as shelf:
        (pack,) = shelf.packs(CORE)
        assert {path: shelf.read(pack, path) for path in pack} == {
            name.encode(): content
            for name, content in WORDPRESS.items()
            if not name.startswith(("wp-content/plugins/", "wp-content/themes/"))
        }
        assert shelf.pristine(CORE, b"index.php") == WORDPRESS["index.php"]
        assert shelf.pristine(CORE, b"no.php") is None
    assert shelf.problems == []


@pytest.mark.parametrize(
    ("trust", "said"),
    [(Trust(), "none of the trusted keys"), (Trust(unsigned=True), "none of the trusted keys")],
    ids=["nobody", "unsigned"],
)
def test_shelf_refuses_the_pack_of_a_stranger(packs: Path, trust: Trust, said: str) -> None:
    """Whoever allows unsigned packs does not therefore believe another's signature."""
    shelf = Shelf([packs], trust)

    assert shelf.packs(CORE) == []
    assert said in shelf.problems[0]


def test_shelf_refuses_an_unsigned_pack_unless_allowed(tmp_path: Path) -> None:
    """The message says both ways out."""
    build(Order(written(tmp_path / "site", WORDPRESS), tmp_path / "packs", date(2026, 11, 22)))

    refusing, allowing = Shelf([tmp_path / "packs"], Trust()), Shelf([tmp_path / "packs"], Trust(unsigned=True))

    assert refusing.packs(CORE) == []
    assert "is not signed; build it with --key, or allow it by audits.unsigned_packs" in refusing.problems[0]
    assert len(allowing.packs(CORE)) == 1


@pytest.mark.parametrize("at", [40, -150, -97, -1], ids=["header", "body", "end of body", "signature"])
def test_pack_that_was_changed_is_refused(packs: Path, trust: Trust, at: int) -> None:
    """One bit is enough, wherever it stands."""
    (path,) = packs.glob("wordpress-*.pack")
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)

    shelf = Shelf([packs], trust)

    assert shelf.packs(CORE) == []
    assert any(str(path) in problem for problem in shelf.problems)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\3\4", "is no pack"),
        (b"ONLINE-SENTRY-PACK 2\n", "another format than 1"),
        (pack_file.BEGIN + struct.pack(">I", 0xFFFFFFFF), "not as long as it says"),
        (pack_file.BEGIN + struct.pack(">I", 2) + b"{}", "cannot be understood"),
    ],
)
def test_file_that_is_no_pack_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    """Its length is not believed either."""
    (tmp_path / "a.pack").write_bytes(content)

    with pytest.raises(PackRefused, match=said):
        pack_file.read_header(tmp_path / "a.pack")


def test_pristine_file_that_was_changed_is_not_given(packs: Path, trust: Trust) -> None:
    """The pack proves each file by its SHA-256; what lies beside it is not believed."""
    (kept,) = packs.glob("wordpress-*.zip")
    (other,) = packs.glob("contact-*.zip")
    kept.write_bytes(other.read_bytes())

    with Shelf([packs], trust) as shelf:
        assert shelf.pristine(CORE, b"index.php") is None


def test_fingerprint_changes_with_packs_and_with_trust(packs: Path, trust: Trust) -> None:
    """Files that were judged by others are to be judged anew."""
    before = Shelf([packs], trust).fingerprint
    assert Shelf([packs], trust).fingerprint == before
    assert Shelf([packs], Trust()).fingerprint != before
    next(packs.glob("*.pack")).unlink()
    assert Shelf([packs], trust).fingerprint != before


def test_key_is_written_for_its_owner_alone_and_never_over_a_file(tmp_path: Path) -> None:
    """A secret that others can read vouches for nothing."""
    make_key(tmp_path / "key.pem")

    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    with pytest.raises(PackRefused, match="name a new file"):
        make_key(tmp_path / "key.pem")


def test_public_key_that_is_none_is_said_to_be_none() -> None:
    """Its form is told."""
    with pytest.raises(ValueError, match="as `online-sentry pack key` prints it"):
        public_bytes("ed25519:short")
