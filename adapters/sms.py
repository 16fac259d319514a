"""SMS by an HTTP gateway: a request for each message, and what its answers mean.

``POST`` of ``{"id", "to", "text"}`` as JSON, with the token as bearer and the id as
Idempotency-Key: the gateway sends one that it has taken before no second time.
"""

import httpx

from adapters.deliverers import Deferred, Letter, Refused, Unreachable
from core.settings import SmsGateway

_SECONDS = 10.0
_CONFLICT = 409  # it has taken this id before
_REFUSALS = (400, 410, 413, 422)
_LATER = (425, 429)


class HttpSms:
    """Hands SMS to an HTTP gateway."""

    def __init__(self, gateway: SmsGateway, *, seconds: float = _SECONDS) -> None:
        self._address = gateway.address
        headers = {"authorization": f"Bearer {gateway.token}"} if gateway.token else {}
        # The environment is read in ``server`` only, its proxies too.
        self._client = httpx.AsyncClient(headers=headers, timeout=seconds, trust_env=False)

    async def deliver(self, letter: Letter) -> None:
        """Hands a message over; raises Refused, Deferred or Unreachable."""
        content = {"id": str(letter.id), "to": letter.to, "text": letter.body}
        headers = {"idempotency-key": str(letter.id)}
        try:
            # The status says all; what else is sent, and how much, does not matter.
            async with self._client.stream(
                "POST", self._address, json=content, headers=headers
            ) as answer:
                status = answer.status_code
        except (httpx.HTTPError, OSError) as error:
            raise Unreachable(type(error).__name__) from None
        if 200 <= status < 300 or status == _CONFLICT:
            return
        told = f"HTTP {status}"
        if status in _REFUSALS:
            raise Refused(told)
        raise Deferred(told) if status in _LATER else Unreachable(told)

    async def close(self) -> None:
        """Ends the connections."""
        await self._client.aclose()
