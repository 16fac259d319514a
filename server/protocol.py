"""HTTP by uvicorn, and what it leaves open: how long a request may take to arrive and an answer to
be read, how large a head may be, and a short way for operations.
"""

import asyncio
from typing import Any

import httptools
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from server.exchanges import Exchange, Joining
from server.graphql_http import Endpoint
from server.requests import by_name

_ALONE = b"content-length: 0\r\ncache-control: no-store\r\nconnection: close\r\n\r\n"
_WRONG = STATUS_LINE[400] + _ALONE
_TOO_LATE = STATUS_LINE[408] + _ALONE
_TOO_LARGE = STATUS_LINE[431] + _ALONE


class HeadTooLarge(Exception):
    """The head of a request, or what ends its body, is larger than it may be."""


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol over a transport that joins, for requests that arrive in time.

    An operation that came at once, as nearly all do, is an Exchange.
    """

    # From its first byte to its last but for the body, whose time is the endpoint's to watch.
    seconds = 10.0
    # In which a client must read what waits for it.
    reading_seconds = 30.0
    # Of a head as it is received.
    head_bytes = 32 * 1024
    transport: Any
    _arrives = True
    _waiting: asyncio.TimerHandle | None = None
    # Since its last answer, or its beginning, while nothing is asked.
    _idle_since = 0.0
    _idling: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    # The body of what will be an Exchange, if the request ends with what is being received.
    _body: bytes | None = None
    # Bytes of the head that were told, and of whatever was received since a request or a piece of
    # its body began: what is not whole yet, the parser does not tell.
    _head = 0
    _untold = 0
    _upgrading = False
    # Whether nothing more is taken: the connection ends with the answers that are under way.
    _is_last = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        app: Any = self.app
        self._proxies = None
        if isinstance(app, ProxyHeadersMiddleware):
            self._proxies, app = app.trusted_hosts, app.app
        # Without, every request takes uvicorn's way, as where more is asked of it.
        self._endpoint: Endpoint | None = getattr(app, "endpoint", None)
        if self.root_path or self.config.access_log or self.limit_concurrency is not None:
            self._endpoint = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        # uvicorn narrows the type alike
        super().connection_made(Joining(transport, self.reading_seconds))  # type: ignore[arg-type]  # stands in for one
        self._begin_idling()

    def data_received(self, data: bytes) -> None:
        if self._is_last:
            return
        self._untold += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._upgrading:
                self._upgrade(data[upgrade.args[0] :])
                return
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, HeadTooLarge):
                self._end(_TOO_LARGE)
            else:
                self.send_400_response("Invalid HTTP request received.")
            return
        if self._untold > self.head_bytes:
            self._end(_TOO_LARGE)
            return
        if self._body is not None:
            self._go_by_asgi()
        # Most requests are whole by now.
        if not self._arrives and self._waiting is None:
            self._waiting = self.loop.call_later(self.seconds, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        self._stop_idling()
        self._stop_waiting_for_reader()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(self.reading_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        self._stop_waiting_for_reader()
        super().resume_writing()

    def on_message_begin(self) -> None:
        self._arrives = False
        self._upgrading = False
        self._head = self._untold = 0
        # The scope of ASGI is made where it is needed.
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def on_url(self, url: bytes) -> None:
        self._measure(len(url))
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._measure(len(name) + len(value))
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._untold = 0
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            # The parser stops here, and tells where.
            self._upgrading = True
        elif self._is_short():
            self._body = b""
        else:
            self._begin_by_asgi()

    def on_body(self, body: bytes) -> None:
        self._untold = 0
        if self._body is not None:
            self._body += body
            return
        self._arrived()
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._upgrading:
            return
        self._untold = 0
        self._arrived()
        body, endpoint = self._body, self._endpoint
        if body is None or endpoint is None or len(body) > endpoint.largest:
            self._go_by_asgi()
            super().on_message_complete()
            return
        self._body = None
        self.cycle: Any = Exchange(self, endpoint, self.parser.should_keep_alive())
        self.cycle.begin(by_name(self.headers), body, self._address())

    def on_response_complete(self) -> None:
        # As uvicorn does it, but for its timer: one more for each answer costs a tiny one a
        # twentieth of its time.
        self.transport.flush()
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._begin_idling()

    def _begin_idling(self) -> None:
        self._idle_since = self.loop.time()
        if self._idling is None:
            self._idling = self.loop.call_later(self.timeout_keep_alive, self._end_if_idle)

    def _stop_idling(self) -> None:
        if self._idling is not None:
            self._idling.cancel()
            self._idling = None

    def _end_if_idle(self) -> None:
        """Closes a connection that has been kept for long enough without a request."""
        self._idling = None
        if not self._arrives or self._is_answering():
            # The answer to what is under way begins it anew.
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._idling = self.loop.call_later(left, self._end_if_idle)
        elif not self.transport.is_closing():
            self.transport.close()

    def _should_upgrade(self) -> bool:
        # The websocket's protocol says nothing to anything else.
        return (
            self.parser.get_method() == b"GET"
            and self.parser.get_http_version() == "1.1"
            and super()._should_upgrade()
        )

    def _upgrade(self, rest: bytes) -> None:
        """Goes on behind the head of a request that asks for another protocol."""
        if not self._should_upgrade():
            # There is none: the request is what it is without asking (RFC 9110, 7.8).
            parser, self.parser = self.parser, httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            version = parser.get_http_version().encode()
            lines = [b"%b %b HTTP/%b" % (parser.get_method(), self.url, version)]
            lines += [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
            self.data_received(b"\r\n".join([*lines, b"", rest]))
        elif self._is_answering():
            self._end(b"")
        else:
            self.handle_websocket_upgrade()

    def handle_websocket_upgrade(self) -> None:
        self._arrived()
        self._stop_idling()
        self._stop_waiting_for_reader()
        self.transport = self.transport.inner
        self._make_scope()
        self.scope["method"] = self.parser.get_method().decode("ascii")
        super().handle_websocket_upgrade()
        # Of what it does not take for a request it says nothing, and waits.
        if not self.transport.get_protocol().handshake_initiated:
            self.transport.write(_WRONG)
            self.transport.close()
        else:
            self.loop.call_later(self.seconds, self._end_handshake)

    def _end_handshake(self) -> None:
        # A connection that has closed meanwhile has none.
        protocol = self.transport.get_protocol()
        if protocol is not None and not protocol.handshake_complete:
            self.transport.abort()

    def _end(self, answer: bytes) -> None:
        """Takes no more, and closes the connection behind what is being answered, or an answer."""
        self._is_last = True
        self._arrived()
        if self._is_answering() and not self.cycle.more_body:
            self.cycle.keep_alive = False
        else:
            self.transport.write(answer)
            self.transport.close()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _measure(self, more: int) -> None:
        self._head += more
        if self._head > self.head_bytes:
            raise HeadTooLarge

    def _is_short(self) -> bool:
        """Whether the request whose head is there may be an Exchange."""
        return (
            self._endpoint is not None
            and self.url == self._endpoint.path
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and not self.expect_100_continue
            and not self._is_answering()
        )

    def _go_by_asgi(self) -> None:
        """Takes uvicorn's way after all: the body is large, or comes in parts."""
        body, self._body = self._body, None
        if body is not None and not self.transport.is_closing():
            self._begin_by_asgi()
            if body:
                self.on_body(body)

    def _begin_by_asgi(self) -> None:
        self._make_scope()
        super().on_headers_complete()

    def _make_scope(self) -> None:
        """What uvicorn makes when a request begins, of the head that is there by now."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        # The scope holds this very list.
        self.headers += headers

    def _address(self) -> str:
        """The client's, as ProxyHeadersMiddleware finds it."""
        address = self.client[0] if self.client else ""
        if self._proxies is not None and address in self._proxies:
            told = [value for name, value in self.headers if name == b"x-forwarded-for"]
            if told:
                chain = b", ".join(told).decode("latin-1")
                return self._proxies.get_trusted_client_address(chain)[0] or address
        return address

    def _arrived(self) -> None:
        self._arrives = True
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _stop_waiting_for_reader(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _give_up(self) -> None:
        self._waiting = None
        if not self.transport.is_closing():
            self.transport.write(_TOO_LATE)
            self.transport.close()
