"""What looks like malware and is known to be something else, and what evidence may act without a person."""

import base64

import pytest

from scanners.engine import AuditedFile
from scanners.malware import Malware
from sentry.domain.finding import Evidence, Finding, FindingClass

MALWARE = Malware()
BLOB = base64.b64encode(bytes(range(256)) * 4)
UPLOADS = b"move_uploaded_file($_FILES['f']['tmp_name'], $d . 'import.sql');"

IONCUBE = (
    b"<?php //0046a\nif(!extension_loaded('ionCube Loader')){$__oc=strtolower(substr(php_uname(),0,3));"
    b"$__ln='ioncube_loader_'.$__oc.'_'.substr(phpversion(),0,3).(($__oc=='win')?'.dll':'.so');"
    b"if(function_exists('dl')){@dl($__ln);}if(function_exists('_il_exec')){return _il_exec();}"
    b"echo('needs a loader');exit(199);}\n?>\n" + BLOB
)
ENCODED = {
    "ionCube": IONCUBE,
    "Zend Guard": b"<?php @Zend;\n3074;\n/* This is not a text file */\n?>" + bytes(range(128, 256)) * 4,
    "SourceGuardian": (
        b"<?php if(!function_exists('sg_load')){$__v=phpversion();$__f='ixed.'.substr($__v,0,3);"
        b"if(function_exists('dl')){dl($__f);}} return sg_load('" + BLOB + b"');"
    ),
    "Swoole": b"<?php extension_loaded('swoole_loader') or die('needs swoole_loader');?>" + BLOB,
}


def found(content: bytes, path: str = "page.php") -> Finding:
    """Returns what is found in a page, which must be something."""
    finding = MALWARE.judge(AuditedFile(path, content), lambda: False).finding
    assert finding is not None
    return finding


@pytest.mark.parametrize("content", ENCODED.values(), ids=ENCODED)
def test_judge_of_vendor_encoded_code_is_encoded_and_never_acted_upon(content: bytes) -> None:
    """Licensed code that nobody can read is a class of its own."""
    finding = found(content)

    assert finding.verdict is FindingClass.ENCODED
    assert not finding.may_be_acted_upon


def test_judge_of_encoded_code_with_a_back_door_is_confirmed() -> None:
    """Whoever writes a back door before the encoded part is not hidden by it."""
    assert found(b"<?php eval($_POST['x']); ?>" + IONCUBE).verdict is FindingClass.CONFIRMED


TOOLS = {
    "a tool for databases": b"<?php\n/** Adminer - Compact database management\n* @link https://www.adminer.org/\n*/"
    b"$r = mysqli_query($c, $_POST['q']); " + UPLOADS + b" ?><form></form>",
    "a file manager": b"<?php // Tiny File Manager\nsession_start(); $auth_users = array(); unlink($f);" + UPLOADS,
    "a page of phpinfo": b"<?php phpinfo(); ?>",
}


@pytest.mark.parametrize("content", TOOLS.values(), ids=TOOLS)
def test_judge_of_known_tool_is_a_risky_tool(content: bytes) -> None:
    """It does what it is for, which somebody may want, and is still told."""
    assert found(content).verdict is FindingClass.RISKY_TOOL


def test_judge_of_tool_with_a_back_door_is_confirmed() -> None:
    """A rule that knows a tool explains no proof."""
    assert found(TOOLS["a tool for databases"] + b"<?php eval($_COOKIE['x']);").verdict is FindingClass.CONFIRMED


def test_back_door_in_plain_sight_is_one_kind_of_evidence() -> None:
    """It is proven by what it does alone, so a person decides."""
    finding = found(b"<?php eval($_POST['x']);")

    assert {sign.evidence for sign in finding.signs} == {Evidence.BEHAVIOUR}
    assert not finding.may_be_acted_upon


HIDDEN = b"<?php eval(base64_decode('" + base64.b64encode(b"system($_GET['c']);") + b"'));"


def test_back_door_that_is_hidden_is_still_one_kind_of_evidence() -> None:
    """That it was hidden is seen by whoever read what it does: if that reader errs, both are wrong."""
    finding = found(HIDDEN)

    assert {Evidence.BEHAVIOUR, Evidence.STYLE} <= {sign.evidence for sign in finding.signs}
    assert finding.evidence == {Evidence.BEHAVIOUR}
    assert not finding.may_be_acted_upon


def test_back_door_where_no_script_belongs_is_two_kinds_of_evidence() -> None:
    """What it does, and where it stands, which is seen without reading it."""
    finding = found(HIDDEN, "wp-content/uploads/2026/11/x.php")

    assert finding.evidence == {Evidence.BEHAVIOUR, Evidence.PLACE}
    assert finding.may_be_acted_upon


def test_hidden_code_that_does_nothing_bad_is_one_kind_of_evidence() -> None:
    """A free obfuscator hides; that alone must not be acted upon."""
    inner = base64.b64encode(b"eval(base64_decode('" + base64.b64encode(b"echo 'licence'; ") + b"'));")

    assert not found(b"<?php eval(base64_decode('" + inner + b"'));").may_be_acted_upon
