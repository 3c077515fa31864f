"""Whose side an incident was on, asked and said over a real socket."""

import json
from dataclasses import replace

import pytest

from sentry.domain.concern import ConcernKind
from tests.fakes.failure_reports import error_result, incident_of
from tests.fakes.web import Client, House

PATH = "/api/v1/incidents/1/attributions"
WORD = {"side": "client", "by": "Ana", "reason": "They moved the name without telling"}


@pytest.fixture
async def _opened(house: House) -> None:
    """Incident 1 of the shop."""
    await house.incidents.open(incident_of(error_result()), [])


@pytest.mark.usefixtures("_opened")
@pytest.mark.promise("001-33", "002-06")
async def test_attribute_adds_a_word_that_counts_and_keeps_the_guess(client: Client) -> None:
    """The history has both, the newest counts, and the timeline tells of it."""
    said = await client.post(PATH, json=WORD)
    assert said.status == 200
    assert (await said.json())["opening"] == 1
    document = await (await client.get(PATH)).json()
    assert document["side"] == "client"
    assert [entry["reason"] for entry in document["items"]][-1] == WORD["reason"]
    incident = await (await client.get("/api/v1/incidents/1")).json()
    assert incident["timeline"][-1]["kind"] == "attributed"
    assert incident["side"] == "client"
    assert (incident["time_to_detect_s"], incident["time_to_resolve_s"]) == (31.0, None)


@pytest.mark.usefixtures("_opened")
@pytest.mark.parametrize(
    ("body", "status", "wrong"),
    [
        ({**WORD, "side": "nobody"}, 400, "side"),
        ({**WORD, "reason": ""}, 400, "reason"),
        ({**WORD, "reason": "x" * 501}, 400, "reason"),
        ({**WORD, "reason": " \n "}, 400, "reason"),
        ({**WORD, "by": "x" * 81}, 400, "by"),
        ({**WORD, "more": 1}, 400, "more"),
        ([], 400, "body"),
        ({**WORD, "reason": "x" * 20_000}, 413, "bytes"),
    ],
)
async def test_attribute_with_a_body_that_cannot_be_used_says_what_is_wrong(
    client: Client, house: House, body: object, status: int, wrong: str
) -> None:
    """Nothing is written, and the answer names the part."""
    answer = await client.post(PATH, json=body)
    assert answer.status == status
    assert wrong in (await answer.json())["detail"]
    assert house.attributions.said == {}


@pytest.mark.usefixtures("_opened")
async def test_attribute_by_a_form_of_another_site_is_refused(client: Client, house: House) -> None:
    """A browser sends forms anywhere, but no JSON; and a page of somebody else's may ask for nothing."""
    form = await client.post(PATH, data=json.dumps(WORD), headers={"Content-Type": "text/plain"})
    assert form.status == 415
    foreign = await client.post(PATH, json=WORD, headers={"Origin": "https://evil.example"})
    assert foreign.status == 403
    assert house.attributions.said == {}


async def test_attribute_what_is_no_outage_or_not_there_is_refused(client: Client, house: House) -> None:
    """A concern is on nobody's side."""
    assert (await client.post(PATH, json=WORD)).status == 404
    concern = replace(
        incident_of(error_result()), key="own_fault:network", report=None, concern=ConcernKind.OWN_FAULT
    )
    await house.incidents.open(concern, [])
    answer = await client.post(PATH, json=WORD)
    assert answer.status == 400
    assert "no outage" in (await answer.json())["detail"]


@pytest.mark.usefixtures("_opened")
async def test_incident_page_shows_what_was_said_and_runs_none_of_it(client: Client) -> None:
    """The guess by its fact, the person by name; what they wrote is text."""
    assert "<code>" in await (await client.get("/incidents/1")).text()
    await client.post(PATH, json={**WORD, "by": "<b>Ana</b>", "reason": "<script>alert(1)</script>"})
    page = await (await client.get("/incidents/1")).text()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page
    assert "&lt;b&gt;Ana&lt;/b&gt;" in page
