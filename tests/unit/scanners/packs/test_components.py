"""Which systems, plugins and themes stand in a tree, by what they say of themselves."""

from collections.abc import Mapping, Sequence

import pytest

from scanners.packs.components import Component, installed
from tests.fakes.packages import WORDPRESS


def found(files: Mapping[str, bytes]) -> dict[str, str]:
    """Each component that is found, with its folder."""

    def read(paths: Sequence[bytes]) -> Mapping[bytes, bytes]:
        return {path: files[path.decode()] for path in paths}

    components: list[Component] = installed([name.encode() for name in files], read)
    return {str(one): one.root.decode() for one in components}


def test_installed_finds_a_system_with_its_plugins_and_themes() -> None:
    """Below whatever folder it stands."""
    assert found({f"blog/{name}": content for name, content in WORDPRESS.items()}) == {
        "wordpress 6.1.9": "blog/",
        "plugin contact 2.1": "blog/wp-content/plugins/contact/",
        "theme simple 1.4": "blog/wp-content/themes/simple/",
    }


@pytest.mark.parametrize(
    ("path", "content", "name"),
    [
        ("wp-includes/version.php", b"$wp_version = '6.4';\n$wp_local_package = 'es_ES';", "wordpress 6.4 (es_ES)"),
        ("includes/Defines.php", b"define( 'MW_VERSION', '1.39.17' );", "mediawiki 1.39.17"),
        ("includes/DefaultSettings.php", b"$wgVersion = '1.31.16';", "mediawiki 1.31.16"),
        ("administrator/manifests/files/joomla.xml", b"<extension><version>4.4.2</version>", "joomla 4.4.2"),
        ("core/lib/Drupal.php", b"  const VERSION = '10.2.1';", "drupal 10.2.1"),
        ("includes/bootstrap.inc", b"define('VERSION', '7.99');", "drupal 7.99"),
        ("libraries/classes/Version.php", b"    public const VERSION = '5.2.1';", "phpmyadmin 5.2.1"),
        ("program/include/iniset.php", b"define('RCMAIL_VERSION', '1.6.5');", "roundcube 1.6.5"),
    ],
)
def test_installed_finds_each_system(path: str, content: bytes, name: str) -> None:
    """By the file in which it keeps its version."""
    assert found({path: content}) == {name: ""}


@pytest.mark.parametrize(
    "header",
    [
        b"<?php /* Plugin Name: A\nVersion: 1.0 */",
        b"<?php\n/**\r\n * Version: 1.0\r\n * Plugin Name: A\r\n */",
        b"<?php\r/*\rPlugin name: A\rversion:1.0\r*/",
    ],
)
def test_installed_reads_a_header_as_wordpress_does(header: bytes) -> None:
    """In any order, with any line end."""
    assert found({"wp-content/plugins/a/main.php": header}) == {"plugin a 1.0": "wp-content/plugins/a/"}


def test_installed_prefers_the_file_that_is_called_as_its_folder() -> None:
    """Others may hold the header of something that is bundled."""
    files = {
        "wp-content/plugins/shop/bundled.php": b"<?php /* Plugin Name: Bundled\nVersion: 9 */",
        "wp-content/plugins/shop/shop.php": b"<?php /* Plugin Name: Shop\nVersion: 3 */",
    }
    assert found(files) == {"plugin shop 3": "wp-content/plugins/shop/"}


def test_installed_takes_no_version_that_is_no_version() -> None:
    """A stranger wrote it."""
    assert found({"includes/Defines.php": b"define( 'MW_VERSION', '../../x' );"}) == {}


def test_installed_knows_a_system_whose_version_was_made_unreadable() -> None:
    """Whoever hides it must not hide the system with it."""
    assert found({"wp-includes/version.php": b"$wp_version = '6.1.' . $x;"}) == {
        "wordpress of an unknown version": ""
    }
