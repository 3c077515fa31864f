"""What a tree is made of."""

import json
from pathlib import Path

import pytest

from scanners.components.inventory import inventory
from tests.fakes.scene import planted, scene_of

PLUGIN = "<?php\n/**\n * Plugin Name: {name}\n * Version: {version}\n */\n"
TREE = {
    "wp-includes/version.php": "<?php\n$wp_version = '6.1.9';\n$wp_db_version = 53496;\n",
    "wp-content/plugins/shop/shop.php": PLUGIN.format(name="Shop", version="1.4.2"),
    "wp-content/plugins/shop/readme.txt": "=== Shop ===\nStable tag: 1.3\n",
    "wp-content/plugins/shop/includes/other.php": PLUGIN.format(name="Not me", version="9.9"),
    "wp-content/plugins/forms/class-a.php": "<?php class A {}",
    "wp-content/plugins/forms/main-file.php": "<?php /*\nPlugin Name: Forms\r\nVersion: 2.0-beta1\r\n*/",
    "wp-content/plugins/old/old.php": "<?php /* Plugin Name: Old */",
    "wp-content/plugins/old/readme.txt": "=== Old ===\nStable tag: 0.7\n",
    "wp-content/plugins/hello.php": "<?php\n# Plugin Name: Hello\n# Version: 1.7.2\n",
    "wp-content/plugins/index.php": "<?php // Silence is golden.",
    "wp-content/mu-plugins/own.php": PLUGIN.format(name="Own", version="1.0"),
    "wp-content/themes/twenty/style.css": "/*\nTheme Name: Twenty\nVersion: 3.1\n*/\nbody {}",
    "wp-content/themes/twenty/functions.php": PLUGIN.format(name="No plugin", version="1"),
    "vendor/composer/installed.json": json.dumps([{"name": "acme/mailer", "version": "2.0.0"}]),
    "wp-content/themes/twenty/package-lock.json": json.dumps(
        {"packages": {"node_modules/left": {"version": "1.2.3"}}}
    ),
    "node_modules/left/yarn.lock": 'inner@^1:\n  version "1.0.0"\n',
    "data/installed.json": json.dumps([{"name": "acme/other", "version": "1.0.0"}]),
}


def test_inventory_names_core_plugins_themes_and_packages(tmp_path: Path) -> None:
    """By header, and by readme where the header is silent; what travels in a package is none of the site's."""
    found = {one.key: one.found_in for one in inventory(scene_of(planted(tmp_path, TREE)))}

    assert found == {
        "core/wordpress@6.1.9": "wp-includes/version.php",
        "plugin/shop@1.4.2": "wp-content/plugins/shop/shop.php",
        "plugin/forms@2.0-beta1": "wp-content/plugins/forms/main-file.php",
        "plugin/old@0.7": "wp-content/plugins/old/old.php",
        "plugin/hello@1.7.2": "wp-content/plugins/hello.php",
        "plugin/own@1.0": "wp-content/mu-plugins/own.php",
        "theme/twenty@3.1": "wp-content/themes/twenty/style.css",
        "composer/acme/mailer@2.0.0": "vendor/composer/installed.json",
        "npm/left@1.2.3": "wp-content/themes/twenty/package-lock.json",
    }


@pytest.mark.parametrize("place", ["blog/", "public/site/"])
def test_inventory_finds_an_installation_below_the_root(tmp_path: Path, place: str) -> None:
    """Many sites stand in one docroot."""
    planted(tmp_path, {place + name: content for name, content in TREE.items()})

    found = {one.found_in: one.key for one in inventory(scene_of(tmp_path))}

    assert found[f"{place}wp-includes/version.php"] == "core/wordpress@6.1.9"
    assert found[f"{place}wp-content/plugins/shop/shop.php"] == "plugin/shop@1.4.2"


def test_inventory_says_which_lock_it_could_not_read(tmp_path: Path) -> None:
    """Its packages are not known, and that is said."""
    scene = scene_of(planted(tmp_path, {"composer.lock": '{"packages": ['}))

    assert inventory(scene) == ()
    (skipped,) = scene.manifest.skipped
    assert skipped.path == "composer.lock"
    assert "packages are not known" in skipped.why


def test_inventory_takes_no_nonsense_for_a_name(tmp_path: Path) -> None:
    """Names and versions come from a stranger."""
    tree = {
        "composer.lock": json.dumps(
            {"packages": [{"name": "a/\x1b[31mb", "version": "1"}, {"name": "", "version": "1"}]}
        )
    }

    assert inventory(scene_of(planted(tmp_path, tree))) == ()
