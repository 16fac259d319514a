"""What is told of a fault: a part that is away, a value, or an incident by its number."""

import logging
import secrets
from typing import Any

import asyncpg
from tortoise.exceptions import DBConnectionError, ValidationError

from core.errors import InputInvalid, Unavailable
from core.translation import message

# What a database that is away, full of connections or restarting raises outside a unit of work.
_AWAY = (
    Unavailable,
    DBConnectionError,
    ConnectionError,
    # What asyncpg itself says of a connection that is gone, or goes while it is used.
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.TooManyConnectionsError,
)

_log = logging.getLogger(__name__)


def incident(error: BaseException, language: str) -> dict[str, Any]:
    """The error to show for an exception that nobody foresaw: no text, path or SQL of it."""
    # A value that asyncpg cannot encode is a ValueError too: a bug of ours.
    if isinstance(error, _AWAY) and not isinstance(error, ValueError):
        _log.warning("a part is away (%s)", type(error).__name__)
        code = Unavailable.code
        return {"message": message(language, code), "extensions": {"code": code}}
    if isinstance(error, ValidationError):
        # A text longer than its column: nothing that is kept, and nothing to be found.
        _log.warning("a value was refused by its column")
        code = InputInvalid.code
        return {"message": message(language, code), "extensions": {"code": code}}
    number = secrets.token_hex(6)
    _log.error("incident %s", number, exc_info=error)
    text = message(language, "INTERNAL", incident=number)
    return {"message": text, "extensions": {"code": "INTERNAL", "incident": number}}
