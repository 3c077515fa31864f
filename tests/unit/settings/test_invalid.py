"""A folder of invalid configurations, each with every message that it must get."""

from pathlib import Path

import pytest

from alerting.email import EmailChannel
from alerting.webhook import WebhookChannel
from probes.http import HttpProbe
from probes.tls import TlsProbe
from sentry.domain.errors import ConfigurationError
from sentry.settings import load

FOLDER = Path(__file__).parents[2] / "data" / "invalid"
CASES = sorted(path for path in FOLDER.iterdir() if path.suffix != ".expected")
# Fixed, so that a new kind does not change the messages that list them.
CHECK_KINDS = {"http": HttpProbe.Options, "tls": TlsProbe.Options}
CHANNEL_KINDS = {"email": EmailChannel.Options, "webhook": WebhookChannel.Options}
ENVIRONMENT = {"EMPTY": "", "LOST_FILE": "/nowhere/lost", "TOKEN": "0123456789abcdef"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_load_invalid_configuration_names_every_problem_with_its_place_and_cure(case: Path) -> None:
    """All problems come at once, each with file, line, path and how to mend it."""
    main = case / "sentry.yaml" if case.is_dir() else case
    with pytest.raises(ConfigurationError) as refused:
        load(main, check_kinds=CHECK_KINDS, channel_kinds=CHANNEL_KINDS, environment=ENVIRONMENT)
    said = str(refused.value).replace(f"{FOLDER}/", "").splitlines()
    assert said == case.with_suffix(".expected").read_text().splitlines()


def test_invalid_folder_holds_enough_cases() -> None:
    """The folder is not emptied by a typing mistake in its path."""
    assert len(CASES) >= 50
