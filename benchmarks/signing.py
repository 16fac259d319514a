"""Signing in to the cabinet as a person does, and staying signed in."""

import time
from dataclasses import dataclass, field
from typing import Any

import pyotp

from benchmarks import load
from benchmarks.serving import Server

_GOOD_SECONDS = 300.0  # half of an access token's life
_FIELDS = "accessToken refreshToken problems: errors { code }"
_SIGN_IN = f"""
    mutation($login: String!, $password: String!, $code: String!) {{
      signed: signIn(login: $login, password: $password, code: $code) {{ {_FIELDS} }}
    }}"""
_REFRESH = f"""
    mutation($token: String!) {{ signed: refreshSession(refreshToken: $token) {{ {_FIELDS} }} }}"""


@dataclass(frozen=True, slots=True)
class Person:
    """An account of the benchmark's rows."""

    login: str
    password: str
    totp_secret: str
    role: str = "ADMIN"


@dataclass
class Session:
    """A session of a person, good on every server of one database."""

    person: Person
    _access: str = ""
    _refresh: str = ""
    _since: float = field(default=float("-inf"))

    def headers(self, server: Server) -> dict[str, str]:
        """The headers of a signed-in request, good for some minutes; the server renews them."""
        if time.monotonic() - self._since > _GOOD_SECONDS:
            if self._refresh:
                self._signed(server, _REFRESH, {"token": self._refresh})
            else:
                code = pyotp.TOTP(self.person.totp_secret).now()
                factors = {"login": self.person.login, "password": self.person.password}
                self._signed(server, _SIGN_IN, {**factors, "code": code})
        return {"authorization": f"Bearer {self._access}"}

    def _signed(self, server: Server, document: str, variables: dict[str, Any]) -> None:
        request = load.request_of(server.port, document, variables, {})
        answer = load.ask(server.port, request)["signed"]
        if answer["problems"]:
            raise load.BadAnswer(str(answer["problems"]))
        self._access, self._refresh = answer["accessToken"], answer["refreshToken"]
        self._since = time.monotonic()
