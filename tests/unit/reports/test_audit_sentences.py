"""Security audits in the report of a month: sentences for somebody who is no engineer."""

from datetime import UTC, datetime

import pytest

from sentry.domain.finding import FindingClass
from sentry.domain.site import Language
from sentry.reports.html import HtmlReport
from sentry.reports.text import TextReport
from tests.fakes.audits import MemoryAuditBook, audited, found
from tests.fakes.client_reports import report, shop


@pytest.mark.promise("000-28")
@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        (
            Language.EN,
            (
                "2 security audits were made; the last one, on",
                "looked at 1,200 files.",
                "It found harmful code in 1 place.",
                "It found 1 thing that we look at more closely.",
                "2 earlier findings were mended or are no longer there.",
            ),
        ),
        (
            Language.ES,
            (
                "Se hicieron 2 auditorías de seguridad; la última, el",
                "Encontró código dañino en 1 sitio.",
                "Encontró 1 cosa que estamos revisando.",
                "2 hallazgos anteriores se corrigieron o ya no están.",
            ),
        ),
    ],
)
async def test_report_tells_of_audits_in_the_language_of_the_reader(
    language: Language, sentences: tuple[str, ...]
) -> None:
    """How many ran, what the last one found, and what was mended; on the page and as text."""
    audits = MemoryAuditBook()
    first, second = datetime(2026, 10, 2, 1, tzinfo=UTC), datetime(2026, 10, 17, 1, tzinfo=UTC)
    await audits.keep(audited(found("x.php"), found("y.php"), site_key="acme-shop", at=first))
    findings = (found("z.php"), found("a.php", FindingClass.SUSPICIOUS))
    await audits.keep(audited(*findings, site_key="acme-shop", at=second, files=1200))

    data = await report([shop()], language=language, audits=audits)

    for told in (HtmlReport().render(data), " ".join(TextReport().render(data).split())):
        assert [one for one in sentences if one not in told] == []


async def test_report_without_audits_claims_nothing_of_security() -> None:
    """It stands among what is not measured."""
    page = HtmlReport().render(await report([shop()], language=Language.EN))

    assert "<li>Security audits</li>" in page
    assert "security audit was made" not in page
