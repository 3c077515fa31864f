"""Whose side an incident was on, over the interface: all that was said, and a word of one's own."""

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from sentry.domain.errors import NotFound, TransitionRefused
from sentry.domain.failure_report import Attribution
from sentry.domain.responsibility import MAX_NAME_CHARS, MAX_REASON_CHARS, standing_side
from sentry.web.body import read_document
from sentry.web.documents import AttributionListDocument
from sentry.web.interface import answer, find_incident, read_id
from sentry.web.problems import bad_request, not_found
from sentry.web.representation import attribution_document
from sentry.web.sources import SOURCES


class Said(BaseModel):
    """A person's word."""

    model_config = ConfigDict(extra="forbid")

    side: Attribution = Field(description="Who answers for the minutes.")
    by: str = Field(min_length=1, max_length=MAX_NAME_CHARS, description="Who says so.")
    reason: str = Field(min_length=1, max_length=MAX_REASON_CHARS, description="What shows it.")


async def history(request: web.Request) -> web.Response:
    """All that was said of an incident, oldest first."""
    found = await find_incident(request)
    said = await request.app[SOURCES].attributions.history(found)
    items = [attribution_document(entry) for entry in said]
    return answer(AttributionListDocument(side=standing_side(said) if said else None, items=items))


async def attribute(request: web.Request) -> web.Response:
    """Adds a person's word; nothing that was said before is taken back."""
    incident_id = read_id(request, "id")
    said = await read_document(request, Said)
    try:
        entry = await request.app[SOURCES].attributions.attribute(
            incident_id, said.side, by=said.by, reason=said.reason
        )
    except NotFound as error:
        raise not_found(str(error)) from error
    except (ValueError, TransitionRefused) as error:
        raise bad_request(str(error)) from error
    return answer(attribution_document(entry))
