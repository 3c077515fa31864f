"""Packages of every form, and those that a stranger made to do harm."""

import io
import lzma
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from scanners.packs.archive import members
from scanners.packs.gathering import gathered
from scanners.packs.member import Member, bounded
from sentry.domain.errors import PackRefused
from tests.fakes.packages import deb_of, tar_of, written, zip_of

FILES = {"a/one.php": b"<?php 1;", "a/" + "long/" * 40 + "two.php": b"2" * 700_000, "empty": b""}


def held(source: Path) -> dict[bytes, bytes]:
    """Every file of a package by its path."""
    return {one.path: b"".join(one.content) for one in members(source) if one.target is None}


@pytest.mark.parametrize(
    "package",
    [zip_of(FILES), deb_of(FILES), tar_of(FILES), *(tar_of(FILES, mode=f"w:{kind}") for kind in ("gz", "bz2", "xz"))],
    ids=["zip", "deb", "tar", "tar.gz", "tar.bz2", "tar.xz"],
)
def test_members_of_every_form_are_the_same(package: bytes, tmp_path: Path) -> None:
    """The form is told by the content, whatever the name says."""
    source = tmp_path / "package"
    source.write_bytes(package)

    assert held(source) == {name.encode(): content for name, content in FILES.items()}


def test_members_of_a_folder_are_its_files(tmp_path: Path) -> None:
    """Links are listed, and nobody follows them."""
    folder = written(tmp_path / "folder", FILES)
    (folder / "out").symlink_to("/etc/passwd")
    (folder / "round").symlink_to(".")

    listed = {one.path: one.target for one in members(folder)}

    assert listed == {**{name.encode(): None for name in FILES}, b"out": b"/etc/passwd", b"round": b"."}


@pytest.mark.parametrize("name", ["../evil.php", "a/../../evil.php", "/etc/cron.d/evil", "a\\..\\..\\evil.php"])
@pytest.mark.parametrize("form", [zip_of, tar_of], ids=["zip", "tar"])
def test_name_that_leads_out_is_refused(
    form: Callable[[Mapping[str, bytes]], bytes], name: str, tmp_path: Path
) -> None:
    """No honest package holds one; the whole of it is refused."""
    (tmp_path / "package").write_bytes(form({name: b"x"}))

    with pytest.raises(PackRefused, match="leads out of the archive"):
        held(tmp_path / "package")


def test_zip_with_a_file_beyond_bounds_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    """Its list of contents says enough."""
    whole = bytearray(zip_of({"a": b"x"}))
    struct.pack_into("<I", whole, whole.index(b"PK\1\2") + 24, 600_000_000)
    (tmp_path / "a.zip").write_bytes(whole)

    with pytest.raises(PackRefused, match="at most 500,000,000"):
        held(tmp_path / "a.zip")


@pytest.mark.parametrize(("files", "pieces"), [(1, 60), (12, 40)], ids=["one file", "many files"])
def test_bomb_is_refused_where_it_bursts(files: int, pieces: int) -> None:
    """The bounds are on what comes out, for each file and for all, whatever headers say."""
    piece = bytes(10_000_000)
    bomb = (Member(b"%d" % number, [piece] * pieces) for number in range(files))

    with pytest.raises(PackRefused, match="larger than a package may be"):
        sum(len(one) for member in bounded(bomb) for one in member.content)


def test_archive_of_countless_members_is_refused() -> None:
    """However small they are."""
    with pytest.raises(PackRefused, match="more than 250,000 members"):
        sum(1 for _ in bounded(Member(b"a") for _ in range(250_001)))


def test_zip_with_a_list_of_contents_beyond_bounds_is_refused(tmp_path: Path) -> None:
    """A list as long as the memory would be read as one; its length is looked at before."""
    whole = bytearray(zip_of({"a": b"x"}))
    struct.pack_into("<I", whole, len(whole) - 22 + 12, 0x7FFFFFFF)
    (tmp_path / "a.zip").write_bytes(whole)

    with pytest.raises(PackRefused, match="list of contents"):
        held(tmp_path / "a.zip")


def test_link_in_a_zip_is_a_link(tmp_path: Path) -> None:
    """Its content is where it leads, and no file."""
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")

    (link,) = members(tmp_path / "a.zip")

    assert (link.path, link.target) == (b"link", b"/etc/passwd")


@pytest.mark.parametrize("size", [70_000, 8_000_000_000])
def test_tar_with_a_name_longer_than_memory_is_refused(size: int, tmp_path: Path) -> None:
    """What a header says of itself is not believed."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, size
    (tmp_path / "a.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + b"a" * 1_024)

    with pytest.raises(PackRefused, match="none needs so many"):
        held(tmp_path / "a.tar")


def test_tar_with_names_in_attributes_is_read(tmp_path: Path) -> None:
    """Names that are no ASCII stand in headers of pax."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("ñ" * 120)
        info.size = 1
        archive.addfile(info, io.BytesIO(b"1"))
    (tmp_path / "a.tar").write_bytes(whole.getvalue())

    assert held(tmp_path / "a.tar") == {("ñ" * 120).encode(): b"1"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"hello" * 300, "it is no zip, no deb, no tar and no folder"),
        (lzma.compress(tar_of(FILES))[:300], "end too early"),
        (deb_of(FILES)[:150], "no data.tar"),
        (zip_of(FILES)[:-30], "it has no end"),
        (tar_of(FILES)[:2_000], "ends too early"),
    ],
    ids=["text", "xz", "deb", "zip", "tar"],
)
def test_damaged_package_is_refused_with_what_is_wrong(content: bytes, said: str, tmp_path: Path) -> None:
    """The message names the file, what is wrong with it and what to do."""
    (tmp_path / "package").write_bytes(content)

    with pytest.raises(PackRefused, match=said) as refused, gathered([tmp_path / "package"]):
        pass
    assert str(tmp_path / "package") in str(refused.value)
