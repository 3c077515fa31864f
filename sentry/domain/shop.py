"""The pages by which a shop earns its money; a site that names them gets a check for each."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, JsonValue

from sentry.domain.model import StrictModel
from sentry.domain.weight import CountsAs

Page = Annotated[str, Field(min_length=1)] | Mapping[str, JsonValue]


class Shop(StrictModel):
    """A shop's pages: each becomes a check of its name, in addition to `checks`.

    They are written out when the configuration is read, so that a site in force never has this.
    """

    home: Page | None = Field(
        None, description="An address, or the keys of an http check; the site's url when absent. Down: the site is."
    )
    product: Page | None = Field(None, description="A product that is always there, likewise. Down: the site is.")
    cart: Page | None = Field(None, description="The cart or the checkout, likewise. Down: the site is.")
    gateway: Page | None = Field(
        None,
        description="Who takes the money: `host` or `host:port` for a tls check, an address for an http check (any "
        "answer below 500 is good), or the keys of either.",
    )
    gateway_counts_as: CountsAs = Field(CountsAs.DEGRADED, description="What the site is while its gateway is down.")
