"""Every attack by name."""

from tests.integration.hostile.attack import Attack
from tests.integration.hostile.body_attacks import BODY_ATTACKS
from tests.integration.hostile.connection_attacks import CONNECTION_ATTACKS
from tests.integration.hostile.message_attacks import MESSAGE_ATTACKS
from tests.integration.hostile.redirect_attacks import REDIRECT_ATTACKS
from tests.integration.hostile.session_attacks import SESSION_ATTACKS
from tests.integration.hostile.tls_attacks import TLS_ATTACKS

ATTACKS: dict[str, Attack] = {
    **MESSAGE_ATTACKS,
    **BODY_ATTACKS,
    **CONNECTION_ATTACKS,
    **REDIRECT_ATTACKS,
    **TLS_ATTACKS,
    **SESSION_ATTACKS,
}
