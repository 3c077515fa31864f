from collections.abc import Iterator

import pytest

from tests.integration.parity.lasting_servers import lasting_servers
from tests.integration.parity.row import Stage


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The lasting servers and the authority of their certificates."""
    with lasting_servers(tmp_path_factory.mktemp("parity")) as ready:
        yield ready
