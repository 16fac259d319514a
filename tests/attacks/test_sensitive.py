"""Every field at which somebody could guess: one of them an operation, and so many an address.

The fields are taken from where they are declared, so that a new one is tried by itself.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLType,
)

from core.ids import uuid7
from models.account import SignInFailure
from models.hit import Hit
from models.role import Role
from schema.build import build
from schema.operations import SENSITIVE
from tests import factories as make
from tests.api import Api
from tests.journeys.hospital import mutation_document, sent

LITERALS = {
    "String": '"x"',
    "Int": "1",
    "Boolean": "true",
    "Date": '"1990-01-01"',
    "DateTime": '"2030-01-01T00:00:00Z"',
    "Decimal": '"1"',
}
CREDENTIAL = '{"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {}}'
NEW_PASSWORD = "другой омут 43 сома"
# What a visitor may do that nobody guesses at, and yet costs something: see the limits below.
COSTLY = {
    "beginEsia",
    "beginPasskeySignIn",
    "passkeyOptions",
    "beginSignatureSignIn",
    "fileTicket",
    "requestUpload",
}
# They begin with a handle or a token of 256 random bits, and do nothing where it is wrong.
BY_A_LONG_SECRET = {"sendSignInCode", "finishSignIn", "refreshSession"}


def _schema_of(role: Role) -> GraphQLSchema:
    view = build().views[role]
    return view.schema


def _mutations_of(role: Role) -> set[str]:
    made = _schema_of(role).mutation_type
    return set(made.fields) if made is not None else set()


def _literal(type_: GraphQLType) -> str:
    if isinstance(type_, GraphQLNonNull):
        return _literal(type_.of_type)
    if isinstance(type_, GraphQLList):
        return f"[{_literal(type_.of_type)}]"
    if isinstance(type_, GraphQLEnumType):
        return str(next(iter(type_.values)))
    if isinstance(type_, GraphQLInputObjectType):
        return f"{{{', '.join(_given(type_.fields))}}}"
    name = str(type_)
    return f'"{uuid7()}"' if name == "ID" else LITERALS[name]


def _given(arguments: Any) -> Iterator[str]:
    """What must be given, with a literal of its type."""
    for name, made in arguments.items():
        if isinstance(made.type, GraphQLNonNull):
            yield f"{name}: {_literal(made.type)}"


def _call(role: Role, name: str) -> str:
    mutations = _schema_of(role).mutation_type
    assert mutations is not None
    given = ", ".join(_given(mutations.fields[name].args))
    return f"{name}{f'({given})' if given else ''} {{ errors {{ code }} }}"


def _role_of(name: str) -> Role:
    return next(role for role in Role if name in _mutations_of(role))


build()


@pytest.mark.any_database
@pytest.mark.parametrize("name", sorted(SENSITIVE))
async def test_an_operation_holds_one_sensitive_field(api: Api, name: str) -> None:
    role = _role_of(name)
    token = None
    if role is not Role.VISITOR:
        organisation = await make.organisation()
        account = await make.account(organisation)
        if role is not Role.CITIZEN:
            await make.grant(account, role, organisation)
        token = await api.token(account, role)
    call = _call(role, name)
    beside = next(other for other in sorted(SENSITIVE & _mutations_of(role)) if other != name)

    for document in (
        f"mutation {{ {call} a: {call} }}",
        f"mutation {{ {' '.join(f'a{n}: {call}' for n in range(15))} }}",
        f"mutation {{ {call} {_call(role, beside)} }}",
        f"mutation {{ {call} ...F }} fragment F on Mutation {{ a: {call} }}",
        f"mutation {{ {call} ... on Mutation @include(if: true) {{ a: {call} }} }}",
    ):
        assert (await api.ask(document, token)).codes == ["ONE_SENSITIVE_FIELD"], document
    assert await SignInFailure.all().count() == await Hit.all().count() == 0
    # By itself it is no error of the document.
    assert (await api.ask(f"mutation {{ {call} }}", token)).codes in ([], ["SERVICE_UNAVAILABLE"])


def test_whatever_a_visitor_may_do_is_sensitive_or_known_to_cost() -> None:
    assert _mutations_of(Role.VISITOR) - SENSITIVE == COSTLY


# What is sent to each; with a contact of its own every time, so that the address alone is counted.
SENT: dict[str, Any] = {
    "signIn": lambda n: {"login": f"nobody{n}@example.org", "password": "x"},
    "requestRecovery": lambda n: {"contact": f"nobody{n}@example.org"},
    "resetPassword": lambda n: {"handle": f"h{n}", "code": "000000", "password": NEW_PASSWORD},
    "beginRegistration": lambda n: {"phone": f"+7926{n:07}"},
    "checkRegistrationCode": lambda n: {"handle": f"h{n}", "code": "000000"},
    "register": lambda n: {
        "handle": f"h{n}",
        "input": {
            "lastName": "Ёлкина",
            "firstName": "Анна",
            "birthDate": "1985-04-12",
            "passport": "4510 123456",
            "inn": "500100732259",
            "isMedicalWorker": False,
            "password": NEW_PASSWORD,
            "terms": True,
            "termsVersion": "x",
        },
    },
    "beginInvitation": lambda n: {"code": f"IN-{n:04}", "contact": f"nobody{n}@example.org"},
    "acceptInvitation": lambda n: {
        "code": f"IN-{n:04}",
        "handle": f"h{n}",
        "contactCode": "000000",
        "password": NEW_PASSWORD,
    },
    "checkTicket": lambda n: {"number": f"TK-{n:04}", "contact": f"nobody{n}@example.org"},
    "fileTicket": lambda n: {
        "input": {"contact": f"nobody{n}@example.org", "reason": "OTHER", "text": "Не войти"}
    },
    "requestUpload": lambda n: {
        "purpose": "TICKET",
        "fileName": f"{n}.pdf",
        "size": 100,
        "mediaType": "application/pdf",
    },
    "beginPasskeySignIn": lambda _: {},
    "passkeyOptions": lambda n: {"handle": f"h{n}"},
    "signInByPasskey": lambda _: {"credential": CREDENTIAL},
    "finishSignInByPasskey": lambda n: {"handle": f"h{n}", "credential": CREDENTIAL},
    "beginSignatureSignIn": lambda _: {},
    "signInBySignature": lambda n: {"challenge": f"c{n}", "signature": "AAAA"},
    "beginEsia": lambda _: {},
    "finishEsia": lambda n: {"binding": f"b{n}", "state": "s", "code": "c"},
}
# How many from one address are looked at, in the window of each.
TIMES = {
    "signIn": 50,
    "requestRecovery": 20,
    "resetPassword": 30,
    "beginRegistration": 60,
    "checkRegistrationCode": 100,
    "register": 60,
    "beginInvitation": 30,
    "acceptInvitation": 30,
    "checkTicket": 30,
    "fileTicket": 20,
    "requestUpload": 20,
    "beginPasskeySignIn": 300,
    "passkeyOptions": 300,
    "signInByPasskey": 300,
    "finishSignInByPasskey": 300,
    "beginSignatureSignIn": 300,
    "signInBySignature": 300,
    "beginEsia": 300,
    "finishEsia": 300,
}
AT_ONCE = 40


def test_every_public_field_is_tried() -> None:
    assert set(SENT) == set(TIMES) == _mutations_of(Role.VISITOR) - BY_A_LONG_SECRET


@pytest.mark.any_database
@pytest.mark.parametrize("name", sorted(SENT))
async def test_an_address_cannot_go_on_for_ever(api: Api, name: str) -> None:
    """Whichever of the addresses it has: those of a line of IPv6 count as one."""

    async def is_looked_at(n: int) -> bool:
        arguments = SENT[name](n)
        document = mutation_document(name, "", arguments)
        line = httpx.ASGITransport(app=api.app, client=(f"2001:db8:2:2::{n + 1:x}", 1))
        async with httpx.AsyncClient(transport=line, base_url="http://test") as client:
            answer = await Api(api.app, client).ask(document, **sent(arguments))
        codes = [problem["code"] for problem in answer.data[name]["errors"]]
        return codes != ["TOO_MANY_ATTEMPTS"]

    looked_at = 0
    if TIMES[name] > 2 * AT_ONCE:
        looked_at += await almost(TIMES[name] - AT_ONCE // 2, is_looked_at)
    for begin in range(looked_at, TIMES[name] + AT_ONCE, AT_ONCE):
        told = await asyncio.gather(*(is_looked_at(begin + n) for n in range(AT_ONCE)))
        looked_at += sum(told)

    assert looked_at == TIMES[name]


async def almost(times: int, is_looked_at: Callable[[int], Awaitable[bool]]) -> int:
    """Asks twice, and writes down what both were counted by as often as if it were asked so often.

    To ask so often would take seconds.
    """
    assert await is_looked_at(0)
    assert await is_looked_at(1)
    counts = Counter(await Hit.all().values_list("key_hash", flat=True))
    (shared,) = [key_hash for key_hash, count in counts.items() if count == 2]
    hit = await Hit.filter(key_hash=shared).first()
    assert hit is not None
    more = [Hit(key_hash=shared, at=hit.at, ends_at=hit.ends_at) for _ in range(times - 2)]
    await Hit.bulk_create(more)
    return times
