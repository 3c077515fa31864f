"""From a package to packs: what is in it, what belongs to what, and what the links lead to."""

from datetime import date
from pathlib import Path

import pytest

from scanners.packs import pack_file
from scanners.packs.building import Order, build
from scanners.packs.components import Component, ComponentKind
from scanners.packs.pack import Pack
from sentry.domain.errors import PackRefused
from tests.fakes.packages import PLUGIN_PHP, STYLE_CSS, WORDPRESS, deb_of, written, zip_of

DAY = date(2026, 11, 22)


def built(package: bytes, folder: Path, **order: object) -> dict[str, Pack]:
    """The packs of a package by what they are of."""
    source = folder / "package"
    source.write_bytes(package)
    paths = build(Order(source=source, folder=folder / "packs", built_on=DAY, **order))  # type: ignore[arg-type]  # a few
    return {str(pack.header.component): pack for pack in map(pack_file.read, paths)}


def test_build_of_a_whole_system_gives_each_component_its_own_pack(tmp_path: Path) -> None:
    """Plugins and themes are updated by themselves, so each has its own; none holds another's files."""
    packs = built(zip_of({f"wordpress/{name}": content for name, content in WORDPRESS.items()}), tmp_path)

    assert packs.keys() == {"wordpress 6.1.9", "plugin contact 2.1", "theme simple 1.4"}
    assert packs["plugin contact 2.1"].files.keys() == {b"contact.php", b"form.js"}
    assert b"wp-content/themes/simple/style.css" not in packs["wordpress 6.1.9"].files
    assert len(packs["wordpress 6.1.9"].files) == 5


def test_build_of_a_plugin_or_theme_alone_recognises_it(tmp_path: Path) -> None:
    """As it is published, it does not say where it will stand."""
    packs = built(zip_of({"contact/contact.php": PLUGIN_PHP}), tmp_path) | built(
        zip_of({"simple/style.css": STYLE_CSS}), tmp_path
    )

    assert {name: set(pack.files) for name, pack in packs.items()} == {
        "plugin contact 2.1": {b"contact.php"},
        "theme simple 1.4": {b"style.css"},
    }


def test_build_of_a_plugins_own_folder_takes_its_name(tmp_path: Path) -> None:
    """A folder as it stands at a client's is good enough."""
    folder = written(tmp_path / "contact", {"contact.php": PLUGIN_PHP, "inc/a.php": b"<?php"})

    (path,) = build(Order(source=folder, folder=tmp_path / "packs", built_on=DAY))

    assert str(pack_file.read_header(path).component) == "plugin contact 2.1"
    assert pack_file.read(path).files.keys() == {b"contact.php", b"inc/a.php"}


def test_build_of_a_deb_resolves_links_and_names_those_of_other_packages(tmp_path: Path) -> None:
    """What a link within the package leads to is known at both places; the rest is neither known nor strange."""
    files = {f"usr/share/wordpress/{name}": content for name, content in WORDPRESS.items()}
    links = {
        "./usr/share/wordpress/wp-includes/same.php": "load.php",
        "./usr/share/wordpress/wp-includes/more": "/usr/share/more",
        "./usr/share/wordpress/wp-includes/id3.php": "../../php/id3.php",
        "./usr/share/wordpress/wp-includes/round": ".",
        "./usr/share/more/again": "../wordpress/wp-includes/more",
    }
    packs = built(deb_of({**files, "usr/share/more/a.php": b"<?php 'a';"}, links), tmp_path)

    core = packs["wordpress 6.1.9"]
    assert core.files[b"wp-includes/same.php"] == core.files[b"wp-includes/load.php"]
    assert b"wp-includes/more/a.php" in core.files
    assert {b"wp-includes/id3.php", b"wp-includes/round"} <= core.links


def test_build_with_the_package_that_links_lead_into_knows_it_all(tmp_path: Path) -> None:
    """A copy that follows links holds the other package's files as well."""
    other = tmp_path / "libphp-id3.deb"
    other.write_bytes(deb_of({"usr/share/php/id3.php": b"<?php 'id3';"}))
    links = {"./usr/share/wordpress/wp-includes/id3.php": "../../php/id3.php"}
    files = {f"usr/share/wordpress/{name}": content for name, content in WORDPRESS.items()}

    core = built(deb_of(files, links), tmp_path, beside=(other,))["wordpress 6.1.9"]

    assert b"wp-includes/id3.php" in core.files
    assert [source.name for source in core.header.sources] == ["package", "libphp-id3.deb"]


def test_links_that_multiply_are_refused(tmp_path: Path) -> None:
    """Two links in each of forty folders would be more files than there are atoms."""
    links = {f"./f{level}/{side}": f"../f{level + 1}" for level in range(40) for side in "ab"}

    with pytest.raises(PackRefused, match="multiply"):
        built(deb_of({"f40/a.php": b"<?php"}, links), tmp_path)


def test_build_of_something_unknown_asks_for_its_name(tmp_path: Path) -> None:
    """With a name and a version anything can have a pack, which then is found by its own files."""
    with pytest.raises(PackRefused, match="give --name and --version"):
        built(zip_of({"app.php": b"<?php echo 1;"}), tmp_path)

    component = Component(ComponentKind.PACKAGE, "shop", "3")
    (pack,) = built(zip_of({"app.php": b"<?php echo 1;", "a.css": b""}), tmp_path, component=component).values()
    assert pack.header.marks.keys() == {"app.php"}


def test_build_of_a_folder_of_a_package_leaves_the_rest_out(tmp_path: Path) -> None:
    """A distribution puts a system below /usr/share, with its papers beside."""
    package = deb_of({"usr/share/wiki/doku.php": b"<?php 1;", "usr/share/doc/wiki/README": b""})

    (pack,) = built(
        package, tmp_path, component=Component(ComponentKind.PACKAGE, "w", "1", b"usr/share/wiki/")
    ).values()
    assert pack.files.keys() == {b"doku.php"}

    with pytest.raises(PackRefused, match="no such folder"):
        built(package, tmp_path, component=Component(ComponentKind.PACKAGE, "w", "1", b"usr/share/gone/"))


def test_equal_packages_give_equal_lists(tmp_path: Path) -> None:
    """Whoever builds it again gets the same pack under the same name."""
    first = built(zip_of(WORDPRESS), tmp_path)
    second = built(zip_of(dict(sorted(WORDPRESS.items(), reverse=True))), tmp_path)

    assert {pack.header.body_sha256 for pack in first.values()} == {
        pack.header.body_sha256 for pack in second.values()
    }
    assert len(list((tmp_path / "packs").glob("*.pack"))) == 3
