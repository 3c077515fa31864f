import csv
import hashlib
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from sentry.domain.client_report import ReportData
from sentry.domain.failure_report import Attribution
from sentry.domain.month import Month
from sentry.domain.responsibility import AGENT, AttributionEntry, said_by_person
from sentry.domain.site import Language
from sentry.reports import KINDS
from sentry.reports.csv import cell
from tests.fakes.client_reports import blog, report, shop

NASTY = "</title><script>alert(1)</script>\r\n=HYPERLINK(1)\x1b[31m\u202e{{7*7}}"


class Page(HTMLParser):
    """Collects what a page holds."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(attrs)


def drawn(data: ReportData, kind: str) -> str:
    """The report in one form."""
    return KINDS[kind]().render(data)


async def hostile() -> ReportData:
    """A report in which every name is hostile."""
    data = await report([shop(name=NASTY, url=f"https://x.example/{NASTY}", client_name=NASTY)])
    site = data.sites[0]
    incidents = tuple(replace(each, cause=NASTY, actions=(NASTY,)) for each in site.incidents)
    return replace(data, agency=NASTY, sites=(replace(site, incidents=incidents),))


@pytest.mark.promise("001-23")
async def test_json_report_october_holds_figures_verdict_and_every_down_minute() -> None:
    """The contract's figure with its interval, its verdict, and the minutes it rests on."""
    value = json.loads(drawn(await report(), "json"))
    figures = value["sites"][0]["figures"]
    assert {name: figures[name] for name in ("measured", "worst", "best", "verdict", "allowed", "spent", "left")} == {
        "measured": "99.867",
        "worst": "99.812",
        "best": "99.868",
        "verdict": "met",
        "allowed": "134.100",
        "spent": 59,
        "left": "75.100",
    }
    assert figures["span_minutes"] == 44_700 == sum(figures["minutes"].values())
    assert value["sites"][0]["down"] == [
        {
            "start": "2026-10-14T02:14+02:00",
            "end": "2026-10-14T03:01+02:00",
            "minutes": 47,
            "checks": ["acme-shop/http"],
        },
        {
            "start": "2026-10-25T04:00+01:00",
            "end": "2026-10-25T04:12+01:00",
            "minutes": 12,
            "checks": ["acme-shop/http"],
        },
    ]
    assert sum(day["minutes"]["down"] for day in value["sites"][0]["days"]) == 59
    assert sum(sum(day["minutes"].values()) for day in value["sites"][0]["days"]) == 44_700


async def test_json_report_hash_is_recomputed_by_the_documented_recipe() -> None:
    """Anyone with Python can check it; one changed minute is noticed."""
    value = json.loads(drawn(await report(), "json"))
    claimed = value.pop("sha256")

    def recipe() -> str:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    assert recipe() == claimed
    value["sites"][0]["figures"]["spent"] = 58
    assert recipe() != claimed


async def test_json_report_holds_no_float_so_that_every_language_hashes_alike() -> None:
    """Floats are written differently by different programs."""

    def floats(value: object) -> list[object]:
        if isinstance(value, dict):
            return [found for each in value.values() for found in floats(each)]
        if isinstance(value, list):
            return [found for each in value for found in floats(each)]
        return [value] if isinstance(value, float) else []

    assert floats(json.loads(drawn(await report(), "json"))) == []


@pytest.mark.promise("001-33")
async def test_report_incidents_hold_cause_and_times_in_the_language_of_the_client() -> None:
    """Each incident of the month with what happened and how fast it was noticed, taken up and mended."""
    first, second = (await report()).sites[0].incidents
    assert (first.number, second.number) == (17, 19)
    assert first.cause.startswith("El servidor de shop.acme.example respondió con el error 503 (fuera de servicio)")
    assert (first.detect_s, first.acknowledge_s, first.resolve_s) == (31, 211 - 31, 47 * 60)
    assert "atendida en 3 min" in drawn(await report(), "text")


async def test_report_account_is_the_union_of_its_sites() -> None:
    """Both sites together have the shop's down minutes; a single site has no account of its own."""
    account = (await report()).account
    assert account is not None
    assert (account.spent, account.measured) == (59, "99.867")
    assert (await report([shop()])).account is None
    assert (await report([shop(), shop(uptime_target=99.9)])).account is None


async def test_report_trend_goes_back_to_the_first_month_seen() -> None:
    """Eleven months since December; February missed its promise."""
    trend = (await report()).sites[0].trend
    assert [month.month for month in trend][::10] == ["2025-12", "2026-10"]
    february = trend[2]
    assert (february.month, february.down, february.verdict) == ("2026-02", 190, "missed")


async def test_report_running_month_says_so_and_calls_no_verdict() -> None:
    """On 3 November the month has 27 days to come."""
    data = await report(month=Month(2026, 11), at=datetime(2026, 11, 3, 8, 0, tzinfo=UTC))
    figures = data.sites[0].figures
    assert (figures.running, figures.verdict) == (True, "running")
    assert figures.minutes.unknown == 0
    assert "El mes no ha terminado" in " ".join(drawn(data, "text").split())


async def test_report_month_before_the_watch_claims_nothing() -> None:
    """No figure, no bar, no calendar colour; every form can still be drawn."""
    data = await report(month=Month(2025, 3))
    assert data.sites[0].figures.measured is None
    for kind in KINDS:
        assert drawn(data, kind)
    assert "Este mes no se midió nada" in " ".join(drawn(data, "text").split())


@pytest.mark.parametrize("kind", ["html", "text"])
@pytest.mark.parametrize("language", Language)
async def test_report_every_readable_form_prints_rules_and_what_is_missing(kind: str, language: Language) -> None:
    """The methodology stands in the report, and nothing is claimed of what is not measured."""
    text = " ".join(re.sub(r"<[^>]+>", " ", drawn(await report(language=language), kind)).split())
    wanted = {
        Language.EN: ("neither up nor down", "never rounded up", "Security audits", "Backups"),
        Language.ES: (
            "ni a favor ni en contra",
            "nunca redondeadas",
            "Auditorías de seguridad",
            "Copias de seguridad",
        ),
    }
    for words in wanted[language]:
        assert words in text
    assert (await report(language=language)).sha256 in text


@pytest.mark.parametrize("language", Language)
async def test_html_report_is_self_contained_and_accessible(language: Language) -> None:
    """No script, no outside resource, the language named, every picture described, every day titled."""
    page = Page(drawn(await report(language=language), "html"))
    assert not {"script", "img", "iframe", "object", "link", "form", "a"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name in {"src", "href"} or name.startswith("on")]
    assert ("lang", language.value) in page.attributes
    assert page.attributes.count(("role", "img")) == page.tags.count("svg")
    assert len([name for name, _ in page.attributes if name == "aria-label"]) == page.tags.count("svg")
    assert page.tags.count("h1") == 1


async def test_html_report_down_day_is_named_with_its_minutes() -> None:
    """Colour is never the only sign."""
    html = drawn(await report(language=Language.EN), "html")
    assert "<title>Wednesday 14 October: down 47 min</title>" in html
    assert ">47 min</text>" in html


async def test_html_report_hostile_names_add_no_tag() -> None:
    """The page of a hostile client has the tags of a harmless one's."""
    harmless = await report([shop()])
    incidents = tuple(replace(each, actions=("x",)) for each in harmless.sites[0].incidents)
    harmless = replace(harmless, sites=(replace(harmless.sites[0], incidents=incidents),))
    page = drawn(await hostile(), "html")
    assert Page(page).tags == Page(drawn(harmless, "html")).tags
    assert "\x1b" not in page
    assert "\u202e" not in page


async def test_text_report_fits_78_columns_and_holds_no_control() -> None:
    """Also with hostile names."""
    for data in (await report(), await hostile()):
        for line in drawn(data, "text").splitlines():
            assert len(line) <= 78, line
            assert "\x1b" not in line
            assert "\u202e" not in line


async def test_csv_report_hostile_names_stay_one_cell_that_nothing_runs() -> None:
    """Every row has its eight cells and none begins like a formula."""
    rows = list(csv.reader(io.StringIO(drawn(await hostile(), "csv").lstrip("\ufeff"))))
    assert {len(row) for row in rows} == {8}
    assert not [value for row in rows for value in row if value.startswith(("=", "+", "@", "\t", "\r"))]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+34 600", "'+34 600"),
        ("-2.5", "-2.5"),
        ("-2.5+cmd()", "'-2.5+cmd()"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'=1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("99.867", "99.867"),
        (-3, "-3"),
        (None, ""),
    ],
)
def test_cell_text_that_looks_like_a_formula_gets_an_apostrophe(value: object, written: str) -> None:
    """Numbers of our own stay numbers."""
    assert cell(value) == written


async def test_csv_report_minutes_can_be_summed() -> None:
    """The down intervals of the table add up to the figure."""
    rows = list(csv.DictReader(io.StringIO(drawn(await report(), "csv").lstrip("\ufeff"))))
    down = [int(row["minutes"]) for row in rows if (row["kind"], row["name"]) == ("interval", "down")]
    spent = [row["value"] for row in rows if row["name"] == "spent"]
    assert (sum(down), spent) == (59, ["59", "0"])


@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_kinds_name_their_media_type_and_extension(kind: str) -> None:
    """What serves or stores a report needs no table of its own."""
    form = KINDS[kind]()
    assert "/" in form.media_type
    assert form.extension.isalpha()


def said_of_17(reason: str = "Cambiaron el DNS sin avisar") -> dict[int, list[AttributionEntry]]:
    """Ana says that the first outage of October was the client's."""
    at = datetime(2026, 10, 14, 9, 0, tzinfo=UTC)
    guess = AttributionEntry(at, Attribution.INFRASTRUCTURE, 1, AGENT, "status_5xx")
    return {17: [guess, said_by_person(Attribution.CLIENT, 1, "Ana", reason, at)]}


@pytest.mark.promise("001-19", "001-23", "001-33")
async def test_report_minutes_of_the_client_are_left_out_and_both_figures_stand() -> None:
    """47 of 59 minutes down were the client's: each is named, with who answers and why."""
    data = await report([shop()], said=said_of_17())
    figures = data.sites[0].figures
    assert (figures.spent, figures.left_out, figures.minutes.down) == (12, 47, 59)
    assert (figures.measured, figures.observed) == ("99.973", "99.867")
    entry = data.sites[0].incidents[0]
    assert (entry.side, entry.side_reason) == ("client", "Cambiaron el DNS sin avisar")
    assert (entry.detect_s, entry.resolve_s) == (31, 2820)
    page, text = drawn(data, "html"), drawn(data, "text")
    assert "Fuera de lo prometido" in page
    assert "Según el contrato, 99,973\u00a0%; lo observado, con todos los minutos, 99,867\u00a0%." in page
    assert "parte: el cliente (Cambiaron el DNS sin avisar)" in page
    assert "14 oct 2026, 02:14 → 03:01  47 minutos  el cliente (#17)" in text
    rows = list(csv.reader(io.StringIO(drawn(data, "csv").removeprefix("\ufeff"))))
    assert next(row[:3] for row in rows if row[2] == "observed") == ["acme-shop", "figure", "observed"]
    assert [row[5:7] for row in rows if row[1] == "left_out"] == [["47", "client"]]
    assert [row[6] for row in rows if row[1] == "resolve_s"] == ["2820", "720"]


@pytest.mark.promise("001-19")
async def test_report_site_on_somebody_elses_servers_promises_nothing() -> None:
    """Its figure is what was seen; no promise is named, and the account has the promised sites alone."""
    data = await report([shop(hosted=False)], language=Language.EN)
    page, text = drawn(data, "html"), drawn(data, "text")
    assert data.sites[0].figures.verdict == "observed"
    assert "watched, not promised" in page
    assert "Minutes allowed" not in page
    assert "Promised" not in text
    assert (await report([shop(), blog(hosted=False)])).account is None


async def test_report_hostile_reason_of_an_attribution_is_inert() -> None:
    """What a person pasted as the reason is text on the page and no formula in a spreadsheet."""
    data = await report([shop()], said=said_of_17("=HYPERLINK(1)<script>alert(1)</script>"))
    assert "script" not in Page(drawn(data, "html")).tags
    rows = list(csv.reader(io.StringIO(drawn(data, "csv").removeprefix("\ufeff"))))
    assert all(not field.startswith("=") for row in rows for field in row)
