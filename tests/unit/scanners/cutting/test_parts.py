"""Lines of server settings and elements of pages are cut where the signs say, with what belongs to them."""

from scanners.cutting.directives import cuts_of_directives
from scanners.cutting.markup import cuts_of_markup
from sentry.domain.finding import Evidence, FindingClass, Sign, SourceLine


def _sign(line: int) -> Sign:
    return Sign(
        "rule", "meaning", FindingClass.CONFIRMED, Evidence.SETTING, way=(SourceLine(line, "what stands there"),)
    )


def test_directives_of_a_section_go_with_the_section() -> None:
    """A section that holds nothing but what is cut goes with it; what stands round it stays."""
    site = b"Options -Indexes\n# own\nRewriteEngine On\n"
    infected = site + b'<FilesMatch "\\.ico$">\nSetHandler application/x-httpd-php\n</FilesMatch>\n'

    assert list(cuts_of_directives(infected, [_sign(5)])) == [site]


def test_directives_of_a_rule_go_with_its_conditions() -> None:
    """The conditions of a rewrite rule mean nothing without it."""
    site = b"RewriteEngine On\nRewriteRule ^index\\.php$ - [L]\n"
    conditions = b"RewriteCond %{HTTP_REFERER} google [NC,OR]\nRewriteCond %{HTTP_REFERER} bing [NC]\n"

    assert list(cuts_of_directives(site + conditions + b"RewriteRule .* http://bad.test/ [R]\n", [_sign(5)])) == [
        site
    ]


def test_directives_of_a_shared_section_leave_the_section() -> None:
    """A section that holds something else stays."""
    site = b"<IfModule mod_php.c>\nphp_flag display_errors off\n</IfModule>\n"
    infected = site.replace(b"</If", b"php_value auto_prepend_file /tmp/x\n</If")

    assert list(cuts_of_directives(infected, [_sign(3)])) == [site]


def test_markup_injected_script_is_cut_whole() -> None:
    """The element that a sign stands in goes, with its line."""
    page = b"<html>\n<head>\n<title>\xf1</title>\n<script src='own.js'></script>\n</head>\n</html>\n"
    infected = page.replace(b"</head>", b"<script>\nvar a='x';\nrun(a);\n</script>\n</head>")

    assert next(cuts_of_markup(infected, [_sign(7)])) == page


def test_markup_sign_outside_of_elements_cuts_nothing() -> None:
    """What stands in no such element is not cut out of a page."""
    assert list(cuts_of_markup(b"<html>\n<b>text</b>\n<script>own()</script>\n</html>\n", [_sign(2)])) == []
