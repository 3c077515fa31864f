"""What an audit makes of a site whose packs are there: known, changed, strange, missing."""

from collections.abc import Callable, Mapping
from typing import Protocol

import pytest

from scanners.packs.components import Component, ComponentKind
from sentry.domain.finding import Evidence, Finding, FindingClass, Manifest, Place
from tests.fakes.packages import PLUGIN_PHP, VERSION_PHP, WORDPRESS

Audited = Callable[[Mapping[str, bytes]], dict[str, Finding]]
LOAD = "wp-includes/load.php"
INJECTED = b"<?php @eval($_POST['k']); ?>\n"
RISKY = b"<?php\nfunction run($what) {\n    return eval($_POST['what']);\n}\n"
"""What no honest package holds; here it stands for whatever an engine is mistaken about."""


class Bench(Protocol):
    """As the fixture gives it."""

    manifest: Manifest
    known: set[bytes]

    def pack(self, files: Mapping[str, bytes], component: Component | None = None) -> None: ...

    def audit(self, files: Mapping[str, bytes]) -> dict[str, Finding]: ...


def rules(finding: Finding) -> set[str]:
    """The rules that made a finding."""
    return {sign.rule for sign in finding.signs}


def test_site_as_published_has_no_finding(audited: Audited, bench: Bench) -> None:
    """Each file is known, and nothing of it is opened for a judgement."""
    assert audited({}) == {}
    assert bench.known == {name.encode() for name in WORDPRESS}
    assert bench.manifest.known == len(WORDPRESS)
    assert bench.manifest.parts["integrity"] == (
        "wordpress 6.1.9: 5 files as published; plugin contact 2.1: 2 files as published; "
        "theme simple 1.4: 2 files as published"
    )


def test_injected_core_file_is_confirmed_by_two_kinds_of_evidence(audited: Audited) -> None:
    """What it does and that nobody published it are independent, so nobody need be asked."""
    finding = audited({LOAD: INJECTED + WORDPRESS[LOAD]})[LOAD]

    assert finding.verdict is FindingClass.CONFIRMED
    assert {sign.evidence for sign in finding.signs} >= {Evidence.BEHAVIOUR, Evidence.INTEGRITY}
    assert finding.may_be_acted_upon
    (modified,) = (sign for sign in finding.signs if sign.rule == "modified_known_file")
    assert modified.detail == "1 lines added, 0 removed"
    assert [(line.number, line.text) for line in modified.way] == [(1, "+ <?php @eval($_POST['k']); ?>")]


def test_changed_file_without_malice_is_modified_only(audited: Audited) -> None:
    """The hand of a developer is shown, and called nothing worse."""
    finding = audited({LOAD: WORDPRESS[LOAD].replace(b"return $what", b"return trim($what)")})[LOAD]

    assert (finding.verdict, rules(finding)) == (FindingClass.MODIFIED, {"modified_known_file"})
    assert [line.text for line in finding.signs[0].way] == ["-     return $what;", "+     return trim($what);"]


def test_what_the_author_wrote_is_not_held_against_a_changed_file(bench: Bench) -> None:
    """Only what the change brought counts; an engine that is mistaken about the rest is not heard."""
    plugin = {"contact/contact.php": PLUGIN_PHP, "contact/run.php": RISKY}
    bench.pack(plugin)
    site = {f"wp-content/plugins/{name}": content for name, content in plugin.items()}
    run = "wp-content/plugins/contact/run.php"

    assert bench.audit({**site, run: RISKY + b"// ours\n"})[run].verdict is FindingClass.MODIFIED
    assert bench.audit({**site, run: RISKY + b"eval($_GET['x']);\n"})[run].verdict is FindingClass.CONFIRMED


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (WORDPRESS[LOAD].replace(b"\n", b"\r\n"), "line ends"),
        (WORDPRESS[LOAD].rstrip(), "line ends"),
        (WORDPRESS[LOAD].replace(b"    ", b"\t"), "blanks and empty lines"),
        (b"\xef\xbb\xbf" + WORDPRESS[LOAD], "blanks and empty lines"),
    ],
)
def test_difference_that_changes_nothing_is_said_to_be_that(audited: Audited, changed: bytes, said: str) -> None:
    """Programs that copy files make them."""
    finding = audited({LOAD: changed})[LOAD]

    assert finding.verdict is FindingClass.ADVICE
    assert f"in {said} only" in finding.signs[0].meaning


def test_build_in_a_language_is_no_changed_file(audited: Audited) -> None:
    """Only the line that says the language is more."""
    finding = audited(
        {"wp-includes/version.php": VERSION_PHP + b"\n/**\n * Locale\n */\n$wp_local_package = 'es_ES';\n"}
    )

    assert finding["wp-includes/version.php"].verdict is FindingClass.ADVICE


def test_pack_of_the_language_fits_better(bench: Bench) -> None:
    """Where there are several of one version, what is missing and what is changed is told by the best."""
    spanish = {
        **WORDPRESS,
        "wp-includes/version.php": VERSION_PHP + b"$wp_local_package = 'es_ES';\n",
        "wp-admin/es.php": b"<?php echo 'es';\n",
    }
    bench.pack(WORDPRESS)
    bench.pack(spanish)

    assert bench.audit(spanish) == {}


@pytest.mark.parametrize("path", ["wp-includes/class-cache.php", "wp-admin/css/hidden.css"])
def test_strange_file_in_a_folder_of_the_core_is_suspicious(audited: Audited, path: str) -> None:
    """Nobody puts anything there but who published it, however harmless it looks."""
    finding = audited({path: b"/* nothing */"})[path]

    assert finding.verdict is FindingClass.SUSPICIOUS
    assert rules(finding) == {"strange_file_in_core"}


@pytest.mark.parametrize(
    "path",
    ["wp-includes/error_log", "wp-content/uploads/a.txt", "own.html", "wp-content/plugins/contact/notes.txt"],
)
def test_file_that_may_stand_there_is_no_finding(audited: Audited, path: str) -> None:
    """Logs of the server in core folders, and whatever is no script elsewhere."""
    assert audited({path: b"nothing"}) == {}


def test_strange_script_of_a_plugin_is_suspicious(audited: Audited) -> None:
    """Its package came without it."""
    path = "wp-content/plugins/contact/inc.php"
    finding = audited({path: b"<?php echo 'more';"})[path]

    assert (finding.verdict, rules(finding)) == (FindingClass.SUSPICIOUS, {"strange_script"})


@pytest.mark.parametrize(
    ("folder", "rule"),
    [("wp-includes/blog/", "strange_file_in_core"), ("wp-content/plugins/contact/blog/", "strange_script")],
)
def test_system_that_claims_to_stand_within_another_hides_nothing(audited: Audited, folder: str, rule: str) -> None:
    """One more file of a version would otherwise open a folder in which nothing is strange."""
    found = audited({f"{folder}wp-includes/version.php": VERSION_PHP, f"{folder}door.php": b"<?php echo 'door';"})

    assert rule in rules(found[f"{folder}door.php"])


def test_known_content_at_a_strange_place_is_not_known(audited: Audited, bench: Bench) -> None:
    """A file of the core among uploads is judged like any other."""
    audited({"wp-content/uploads/load.php": WORDPRESS[LOAD]})

    assert b"wp-content/uploads/load.php" not in bench.known


def test_settings_of_the_site_itself_are_judged_and_never_called_changed(bench: Bench) -> None:
    """Debian ships a wp-config.php; every site has its own."""
    bench.pack({**WORDPRESS, "wp-config.php": b"<?php // yours\n"})

    assert bench.audit({**WORDPRESS, "wp-config.php": b"<?php define('DB_NAME', 'shop');\n"}) == {}
    infected = bench.audit({**WORDPRESS, "wp-config.php": INJECTED})["wp-config.php"]
    assert infected.verdict is FindingClass.CONFIRMED


def test_missing_files_are_told_once_for_a_component(bench: Bench) -> None:
    """What people remove, such as a read-me, is not missed."""
    bench.pack(WORDPRESS)
    site = {name: content for name, content in WORDPRESS.items() if name not in {LOAD, "readme.html"}}

    (finding,) = bench.audit(site).values()

    assert (finding.place, finding.path) == (Place.COMPONENT, "wordpress 6.1.9")
    assert (finding.verdict, finding.signs[0].detail) == (FindingClass.ADVICE, LOAD)


def test_file_of_another_version_tells_of_an_update_that_was_not_finished(bench: Bench) -> None:
    """It is no infection, and it is not in order."""
    newer = {**WORDPRESS, "wp-includes/version.php": b"<?php\n$wp_version = '6.2';\n", LOAD: b"<?php // new\n"}
    bench.pack(WORDPRESS)
    bench.pack(newer)

    finding = bench.audit({**newer, LOAD: WORDPRESS[LOAD]})[LOAD]

    assert (finding.verdict, rules(finding)) == (FindingClass.MODIFIED, {"file_of_another_version"})
    assert "version 6.1.9" in finding.signs[0].meaning


def test_version_without_a_pack_is_said_and_never_green(bench: Bench) -> None:
    """With what to do; a plugin without one is named as well."""
    finding = bench.audit(WORDPRESS)["wordpress 6.1.9"]

    assert finding.verdict is FindingClass.NOT_LOOKED_AT
    assert bench.manifest.parts["integrity"] == (
        "no pack for wordpress 6.1.9, plugin contact 2.1, theme simple 1.4: build one with `online-sentry pack build`"
    )


def test_version_that_was_made_unreadable_is_compared_with_what_fits_best(bench: Bench) -> None:
    """The file in which it stands is the one that was changed."""
    bench.pack(WORDPRESS)

    found = bench.audit({**WORDPRESS, "wp-includes/version.php": b"<?php\n$wp_version = '6.1' . chr(46) . '9';\n"})

    assert found.keys() == {"wp-includes/version.php"}
    assert found["wp-includes/version.php"].verdict is FindingClass.MODIFIED


def test_anything_with_a_pack_is_found_by_its_own_files(bench: Bench) -> None:
    """In whatever folder it stands, also with one of them changed."""
    shop = {"app.php": b"<?php\necho 'app';\n" * 9, "lib/a.php": b"<?php\necho 'a';\n"}
    bench.pack(shop, Component(ComponentKind.PACKAGE, "shop", "3"))

    found = bench.audit({"www/shop/app.php": shop["app.php"], "www/shop/lib/a.php": b"<?php\necho 'b';\n"})

    assert found["www/shop/lib/a.php"].verdict is FindingClass.MODIFIED
    assert bench.known == {b"www/shop/app.php"}
