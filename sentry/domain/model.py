"""The shape that every value from a configuration file or an interface shares: frozen, and strict about its keys."""

from pydantic import BaseModel, ConfigDict


class StrictModel(BaseModel):
    """A frozen value whose unknown keys are errors, so that a typing mistake never passes in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
