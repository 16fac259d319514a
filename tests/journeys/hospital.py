"""A hospital to tell stories in: its people, and how each of them calls the cabinet over HTTP."""

import asyncio
import time
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import pyotp
from graphql import GraphQLObjectType
from jose import jwt

from auth.limits import Limit
from auth.one_time_codes import STEP_SECONDS
from core.clock import utc_now
from models.account import Account, Session, SignInFailure
from models.audit import AuditEntry
from models.change import ChangeKind
from models.database import unit_of_work
from models.feed import announce
from models.hit import Hit
from models.organisation import Department, Organisation
from models.practitioner import Practitioner, Profession
from models.role import Role
from models.shift import Shift
from resolvers.accounts import create_account
from resolvers.sessions import access_token
from schema.build import build
from tests import factories as make
from tests.api import Answer, Api
from tests.auth.entrance import PASSWORD, visitor

ERRORS = "errors { code field message }"


@dataclass
class Caller:
    """Somebody with the cabinet open: every call is a request over HTTP."""

    api: Api
    token: str | None = None
    account: Account | None = None
    file: Practitioner | None = None
    # The secret of the second factor, of those who sign in by themselves.
    secret: str = ""
    # The role that the header X-Cabinet-Role names with every request, if any.
    role: Role | None = None

    def acting(self, role: Role) -> "Caller":
        """The same person and session, with a role picked for each request."""
        return replace(self, role=role)

    @property
    def account_id(self) -> UUID:
        assert self.account is not None
        return self.account.id

    @property
    def file_id(self) -> UUID:
        assert self.file is not None
        return self.file.id

    def code(self, **ahead: float) -> str:
        """What the authenticator shows now, or would at another time."""
        return pyotp.TOTP(self.secret).at(utc_now() + timedelta(**ahead))

    async def answer(
        self,
        document: str,
        variables: dict[str, Any] | None = None,
        *,
        language: str = "en",
    ) -> Answer:
        """One request, as it is."""
        headers = {"accept-language": language}
        if self.token is not None:
            headers["authorization"] = f"Bearer {self.token}"
        if self.role is not None:
            headers["x-cabinet-role"] = self.role.value
        body = {"query": document, "variables": sent(variables or {})}
        response = await self.api.client.post("/graphql", json=body, headers=headers)
        return Answer(response.status_code, response.json(), response.headers)

    async def sees(self, document: str, **variables: Any) -> Any:
        """The data of a query that is answered without an error."""
        answer = await self.answer(document, variables)
        assert answer.status == 200, answer.body
        return answer.data

    async def tries(self, mutation: str, shows: str = "", /, **arguments: Any) -> Any:
        """The payload of a mutation, whatever came of it."""
        document = mutation_document(mutation, shows, arguments)
        answer = await self.answer(document, arguments)
        assert answer.status == 200, answer.body
        return answer.data[mutation]

    async def does(self, mutation: str, shows: str = "", /, **arguments: Any) -> Any:
        """What a mutation that succeeds shows. Each one leaves an entry in the audit trail."""
        before = await AuditEntry.all().count()
        payload = await self.tries(mutation, shows, **arguments)
        assert payload.pop("errors") == []
        assert await AuditEntry.all().count() > before, f"{mutation} is not journaled"
        return payload

    async def refused(self, mutation: str, /, **arguments: Any) -> list[tuple[str, str | None]]:
        """The codes and fields for which a mutation is refused."""
        payload = await self.tries(mutation, **arguments)
        return [(problem["code"], problem["field"]) for problem in payload["errors"]]

    async def told(self, mutation: str, /, *, language: str = "en", **arguments: Any) -> list[str]:
        """The messages with which a mutation is refused."""
        document = mutation_document(mutation, "", arguments)
        answer = await self.answer(document, arguments, language=language)
        return [problem["message"] for problem in answer.data[mutation]["errors"]]

    async def unknown(self, document: str, **variables: Any) -> dict[str, Any]:
        """The only error of a document that does not fit what exists for the caller's role."""
        answer = await self.answer(document, variables)
        assert set(answer.body) == {"errors"}, answer.body
        (error,) = answer.body["errors"]
        assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        found: dict[str, Any] = error
        return found


def mutation_document(name: str, shows: str, arguments: dict[str, Any]) -> str:
    """A mutation with its arguments as variables, and what its payload is to show."""
    declared = _mutations().fields[name].args
    variables = ", ".join(f"${key}: {declared[key].type}" for key in arguments)
    given = ", ".join(f"{key}: ${key}" for key in arguments)
    head, call = (f"({variables})", f"({given})") if arguments else ("", "")
    return f"mutation {name[0].upper()}{name[1:]}{head} {{ {name}{call} {{ {shows} {ERRORS} }} }}"


@cache
def _mutations() -> GraphQLObjectType:
    found = build().whole._schema.mutation_type
    assert found is not None
    return found


def mutation_names() -> list[str]:
    return sorted(_mutations().fields)


def sent(value: Any) -> Any:
    """A value as JSON has it: ids, days and moments as text."""
    if isinstance(value, dict):
        return {key: sent(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [sent(inner) for inner in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def coming(hour: int, *, days: int = 2) -> datetime:
    """An hour of a day to come, in UTC."""
    midnight = utc_now().replace(hour=0, minute=0, second=0)
    return midnight + timedelta(days=days, hours=hour)


def day(days: int) -> date:
    """A day so many days from today."""
    return utc_now().date() + timedelta(days=days)


@dataclass
class Hospital:
    """One organisation with two departments."""

    api: Api
    organisation: Organisation
    therapy: Department
    surgery: Department

    def visitor(self) -> Caller:
        return Caller(self.api)

    async def account(self, *roles: Role, department: Department | None = None) -> Account:
        """An account with grants that hold now."""
        account = await make.account(self.organisation)
        for role in roles:
            await make.grant(account, role, self.organisation, department=department, **_begun())
        return account

    async def staff(self, role: Role, *more: Role, department: Department | None = None) -> Caller:
        """Somebody of the administration, without a file in the registry."""
        account = await self.account(role, *more, department=department)
        return Caller(self.api, await self.api.token(account, role), account)

    async def admin(self) -> Caller:
        return await self.staff(Role.ADMIN)

    async def manager(self, department: Department) -> Caller:
        """An admin whose grant is limited to a department."""
        return await self.staff(Role.ADMIN, department=department)

    async def inspector(self) -> Caller:
        return await self.staff(Role.INSPECTOR)

    async def citizen(self) -> Caller:
        account = await make.account()
        return Caller(self.api, await self.api.token(account, Role.CITIZEN), account)

    async def doctor(self, department: Department | None = None, **values: Any) -> Caller:
        return await self._worker(Role.DOCTOR, department, **values)

    async def nurse(self, department: Department | None = None, **values: Any) -> Caller:
        values = {"profession": Profession.NURSE, **values}
        return await self._worker(Role.NURSE, department, **values)

    async def _worker(self, role: Role, department: Department | None, **values: Any) -> Caller:
        account = await self.account(role)
        file = await make.practitioner(department or self.therapy, account=account, **values)
        return Caller(self.api, await self.api.token(account, role), account, file)

    async def signing_in(self, *roles: Role, **values: Any) -> Caller:
        """Somebody with a password and a second factor, who has not signed in yet."""
        secret = pyotp.random_base32()
        account = await create_account(
            visitor(utc_now()),
            gate=self.api.services.gate,
            password=PASSWORD,
            totp_secret=secret,
            organisation_id=self.organisation.id,
            **{"email": "anna.petrova@example.org", "phone": "+79001234567", **values},
        )
        for role in roles:
            await make.grant(account, role, self.organisation, **_begun())
        return Caller(self.api, account=account, secret=secret)

    async def open_shift(self, starts_at: datetime, *, hours: float = 8, **values: Any) -> Shift:
        department = values.pop("department", self.therapy)
        ends_at = starts_at + timedelta(hours=hours)
        return await make.shift(department, starts_at=starts_at, ends_at=ends_at, **values)


def _begun() -> dict[str, Any]:
    return {"starts_at": utc_now() - timedelta(days=1)}


async def founded(api: Api) -> Hospital:
    organisation = await make.organisation(name="Городская больница № 1")
    return Hospital(
        api,
        organisation,
        therapy=await make.department(organisation, name="Терапия"),
        surgery=await make.department(organisation, name="Хирургия"),
    )


async def sign_in(person: Caller, login: str, *, again: bool = True, **ahead: float) -> Any:
    """Signs somebody in, who goes on in the session, as if a factor had been shown ``again``."""
    await clear_of_a_step()
    payload = await Caller(person.api).does(
        "signIn",
        "accessToken refreshToken viewer { activeRole roles }",
        login=login,
        password=PASSWORD,
        code=person.code(**ahead),
    )
    person.token = payload["accessToken"]
    if again:
        await was_shown(person)
    return payload


async def confirms(person: Caller, **given: Any) -> Any:
    """Shows password and factor again; the person goes on with the session's new token."""
    shows = "session { isCurrent } accessToken accessExpiresAt refreshToken"
    payload = await person.does("confirmFactor", shows, **{"password": PASSWORD, **given})
    person.token = payload["accessToken"]
    return payload


@unit_of_work
async def was_shown(person: Caller, *, minutes: float | None = None) -> None:
    """It is as if a factor had been shown so long ago, or just now, a minute after signing in."""
    assert person.token is not None
    session = await Session.get(id=jwt.get_unverified_claims(person.token)["sid"])
    assert session.factor_at is not None
    shown = session.factor_at if minutes is None else utc_now() - timedelta(minutes=minutes)
    session.started_at, session.factor_at = shown - timedelta(minutes=1), shown
    await session.save(update_fields=["started_at", "factor_at"])
    announce(ChangeKind.SESSION, account_id=session.account_id)
    person.token = access_token(person.api.services.gate, session, utc_now())


async def waited() -> None:
    """The pause after a failure has passed: it is as if all of them had been sooner."""
    await failures_moved(timedelta(seconds=-10))


async def failures_moved(by: timedelta) -> None:
    for failure in await SignInFailure.all():
        await SignInFailure.filter(id=failure.id).update(at=failure.at + by)


async def use_up(api: Api, *limits: Limit) -> None:
    """The address of these tests has had all that the limits allow."""
    now = utc_now()
    for limit in limits:
        key = api.services.gate.hashes.hash(f"limit {limit.name}", "127.0.0.1")
        hits = [Hit(key_hash=key, at=now, ends_at=now + limit.window) for _ in range(limit.times)]
        await Hit.bulk_create(hits)


async def clear_of_a_step() -> None:
    """Waits while the code is about to change: what was the last one would be too old."""
    left = STEP_SECONDS - time.time() % STEP_SECONDS
    if left < 2:
        await asyncio.sleep(left)


async def journal() -> list[tuple[str, str, UUID | None]]:
    """What the audit trail holds: action, role and the worker concerned, in order."""
    entries = await AuditEntry.all().order_by("position")
    return [(entry.action, entry.role.value, entry.about_id) for entry in entries]
