"""Who has an account, a ticket or an invitation: no text, code, statement or time tells."""

import random
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from auth.gate import Gate
from auth.keys import digest
from core.clock import utc_now
from core.ids import typed_signs
from core.settings import SignInLimits
from models.account import Account, AccountState, Invitation
from models.role import Role
from models.ticket import Ticket, TicketReason
from schema.build import build
from schema.operations import SENSITIVE
from tests import factories as make
from tests.api import Answer, Api, serving
from tests.auth.entrance import PASSWORD
from tests.execution.test_query_counts import counted
from tests.journeys.hospital import mutation_document, sent
from tests.live import ListeningApi, listening
from tests.times import chance, log_measured, samples, share

WRONG, NEW_PASSWORD = "не тот пароль 42", "другой омут 43 сома"
VOLATILE = {"handle", "expiresAt", "resendAt", "number", "until", "createdAt"}
# Statements that differ by their values alone.
VALUES = re.compile(r"'[^']*'|\$?\b\d+\b|:.*$")


@dataclass(frozen=True)
class Case:
    """An operation, what shows of it, and what is sent: for somebody known, or for nobody."""

    mutation: str
    shows: str
    # Of the number of a person, and whether that is somebody.
    arguments: Callable[[Api, int, bool], Awaitable[dict[str, Any]]]


def email(n: int, is_known: bool) -> str:
    return f"{'known' if is_known else 'other'}{n:04}@example.org"


def phone(n: int, is_known: bool) -> str:
    return f"+792{'6' if is_known else '7'}{n:07}"


async def _plain(**values: Any) -> dict[str, Any]:
    return values


async def _handle(api: Api, mutation: str, **arguments: Any) -> str:
    """The handle of a code that was asked for, from an address of its own."""
    answer = await ask(api, mutation, "handle", arguments)
    handle: str = answer.data[mutation]["handle"]
    return handle


async def _reset(api: Api, n: int, is_known: bool) -> dict[str, Any]:
    handle = await _handle(api, "requestRecovery", contact=email(n, is_known))
    return {"handle": handle, "code": "000000", "password": NEW_PASSWORD}


async def _registering(api: Api, n: int, is_known: bool) -> dict[str, Any]:
    handle = await _handle(api, "beginRegistration", phone=phone(n, is_known))
    return {"handle": handle, "code": "000000"}


async def _ticket(api: Api, n: int, is_known: bool) -> dict[str, Any]:
    """A number that somebody has, and a contact that is not theirs."""
    number = "TK-0000-0000"
    if is_known:
        ticket = await Ticket.first()
        assert ticket is not None
        number = ticket.number
    return {"number": number, "contact": email(n, True)}


async def _public_id(api: Api, n: int, is_known: bool) -> dict[str, Any]:
    account = await Account.get(email=email(n, True))
    about = account.public_id if is_known else "ID-0000-0000"
    form = {"contact": f"third{n}@example.org", "reason": "OTHER", "text": "Не могу войти"}
    return {"input": {**form, "publicId": about}}


CASES = {
    "sign-in by e-mail": Case(
        "signIn", "pending { handle }", lambda _, n, k: _plain(login=email(n, k), password=WRONG)
    ),
    "sign-in by telephone": Case(
        "signIn", "pending { handle }", lambda _, n, k: _plain(login=phone(n, k), password=WRONG)
    ),
    "recovery by e-mail": Case(
        "requestRecovery",
        "handle channel expiresAt resendAt",
        lambda _, n, k: _plain(contact=email(n, k)),
    ),
    "recovery by telephone": Case(
        "requestRecovery",
        "handle channel expiresAt resendAt",
        lambda _, n, k: _plain(contact=phone(n, k)),
    ),
    "a code for a new password": Case("resetPassword", "", _reset),
    "registration": Case(
        "beginRegistration",
        "handle expiresAt resendAt",
        lambda _, n, k: _plain(phone=phone(n, k)),
    ),
    "a code for registration": Case("checkRegistrationCode", "expiresAt", _registering),
    "a ticket": Case(
        "fileTicket",
        "number",
        lambda _, n, k: _plain(
            input={"contact": email(n, k), "reason": "OTHER", "text": "Не могу войти"}
        ),
    ),
    "a ticket with an id": Case("fileTicket", "number", _public_id),
    "a ticket's state": Case("checkTicket", "state createdAt", _ticket),
    "an invitation": Case(
        "acceptInvitation",
        "totpSecret",
        lambda _, n, k: _plain(
            code="IN-0000-0000-0000-0001" if k else f"IN-7777-0000-0000-{n:04}",
            handle="h",
            contactCode="000000",
            password=NEW_PASSWORD,
        ),
    ),
    "an invitation's code": Case(
        "beginInvitation",
        "handle",
        lambda _, n, k: _plain(
            code="IN-0000-0000-0000-0001" if k else f"IN-7777-0000-0000-{n:04}",
            contact=email(n, k),
        ),
    ),
    "a contact with an invitation": Case(
        "beginInvitation",
        "handle expiresAt resendAt",
        lambda _, n, k: _plain(code="IN-0000-0000-0000-0002", contact=email(n, k)),
    ),
}
# Nothing that somebody has stands in them but a random secret, or what only a key can sign; what
# a wrong passkey and a wrong signature tell is tried in their own stories.
WITHOUT_A_NAME = {
    "sendSignInCode",
    "finishSignIn",
    "refreshSession",
    "finishEsia",
    "signInByPasskey",
    "finishSignInByPasskey",
    "signInBySignature",
    "register",
}


async def people(gate: Gate, many: int) -> None:
    """Accounts with a password and a factor, a ticket, and invitations: one used, one living."""
    password_hash = await gate.passwords.hash(PASSWORD)
    totp = gate.vault.seal("JBSWY3DPEHPK3PXP")
    account = None
    for n in range(many):
        account = await make.account(
            email=email(n, True),
            phone=phone(n, True),
            email_confirmed_at=make.NOW,
            phone_confirmed_at=make.NOW,
            password_hash=password_hash,
            totp_sealed=totp,
        )
    assert account is not None
    await Ticket.create(
        contact_sealed=gate.vault.seal("third@example.org"),
        contact_hash="0" * 64,
        reason=TicketReason.OTHER,
        text="Вопрос",
        created_at=make.NOW,
    )
    invited = await make.account(state=AccountState.INVITED, email=None, phone=None)
    for number, owner, used_at in ((1, account, utc_now()), (2, invited, None)):
        await Invitation.create(
            account_id=owner.id,
            code_hash=digest(typed_signs(f"IN-0000-0000-0000-000{number}", "IN")),
            created_at=utc_now(),
            expires_at=make.NOW.replace(year=2100),
            used_at=used_at,
        )


_addresses = iter(range(1, 1 << 20))


async def ask(api: Api, mutation: str, shows: str, arguments: dict[str, Any]) -> Answer:
    """One request, from an address of its own."""
    n = next(_addresses)
    response = await api.client.post(
        "/graphql",
        json={"query": mutation_document(mutation, shows, arguments), "variables": sent(arguments)},
        headers={"x-forwarded-for": f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}"},
    )
    return Answer(response.status_code, response.json(), response.headers)


def shape(value: Any) -> Any:
    """An answer without what is random in it: of that, kind and length alone."""
    if isinstance(value, dict):
        return {
            key: (type(inner).__name__, len(str(inner))) if key in VOLATILE else shape(inner)
            for key, inner in value.items()
        }
    return [shape(inner) for inner in value] if isinstance(value, list) else value


def test_every_field_at_which_one_could_ask_for_somebody_is_tried() -> None:
    mutations = build().views[Role.VISITOR].schema.mutation_type
    assert mutations is not None
    tried = {case.mutation for case in CASES.values()}
    assert tried | WITHOUT_A_NAME == (SENSITIVE & set(mutations.fields)) | {"fileTicket"}


@pytest.mark.parametrize("name", CASES)
async def test_nothing_tells_who_has_an_account(api: Api, name: str) -> None:
    case = CASES[name]
    await people(api.services.gate, 3)
    # Once before it is measured: what is prepared once is prepared.
    for is_known in (True, False):
        await ask(api, case.mutation, case.shows, await case.arguments(api, 0, is_known))

    told: dict[bool, tuple[int, Any, list[str]]] = {}
    for is_known in (True, False):
        arguments = await case.arguments(api, 1, is_known)
        with counted() as statements:
            answer = await ask(api, case.mutation, case.shows, arguments)
        kinds = [VALUES.sub("?", text) for text in statements]
        told[is_known] = (answer.status, shape(answer.body), kinds)

    assert told[True] == told[False]
    assert told[True][2]


WRONG_ONE = "BAD_CREDENTIALS"
# How the two logins of one person are tried, one after the other.
TRIES = ("email", "email", "phone", "phone", "email", "phone", "email", "phone") * 2


@pytest.mark.parametrize(
    ("pause", "codes"),
    [
        (
            0,
            ["BAD_CREDENTIALS"] * 9
            + ["ACCOUNT_LOCKED", "BAD_CREDENTIALS"]
            + ["ACCOUNT_LOCKED"] * 5,
        ),
        (1, ["BAD_CREDENTIALS"] * 4 + ["TOO_MANY_ATTEMPTS"] * 12),
    ],
)
async def test_nothing_tells_that_two_logins_are_one_person_s(
    database_url: str, tmp_path: Path, pause: int, codes: list[str]
) -> None:
    limits = SignInLimits(pause=timedelta(minutes=pause))
    async with serving(database_url, tmp_path / "home", sign_in=limits) as api:
        await people(api.services.gate, 2)
        for is_known in (True, False):
            await _tried_in_turn(api, 0, is_known)
        told = {is_known: await _tried_in_turn(api, 1, is_known) for is_known in (True, False)}

    assert told[True] == told[False]
    # The account has had its five after the fifth of all.
    assert [step["errors"][0]["code"] for step, _ in told[True]] == codes


async def _tried_in_turn(api: Api, n: int, is_known: bool) -> list[tuple[Any, list[str]]]:
    """What each wrong try by either login of one person is told, and by which statements."""
    logins = {"email": email(n, is_known), "phone": phone(n, is_known)}
    told = []
    for way in TRIES:
        arguments = {"login": logins[way], "password": WRONG}
        shows = "pending { handle } errors { code field message until }"
        with counted() as statements:
            answer = await ask(api, "signIn", shows, arguments)
        # Ids differ, as they do from one login to another.
        step = shape(answer.data["signIn"])
        for problem in step["errors"]:
            problem["message"] = re.sub(r"ID-\S+|\d\d:\d\d(:\d\d)?", "?", problem["message"])
        told.append((step, [VALUES.sub("?", text) for text in statements]))
    return told


# Shorter than it is by default, so that many are measured soon.
EVEN = timedelta(milliseconds=20)
SAMPLES = samples(120)
PAIRS = samples(60)


class Took:
    """How long answers took, for somebody known and for nobody: by the clock, and of the CPU."""

    def __init__(self) -> None:
        self.seconds: dict[bool, list[float]] = {True: [], False: []}
        self.worked: dict[bool, list[float]] = {True: [], False: []}

    async def measure(self, api: ListeningApi, case: Case, n: int, is_known: bool) -> Answer:
        arguments = await case.arguments(api, n, is_known)
        clock, worked = time.perf_counter(), time.process_time()
        answer = await ask(api, case.mutation, case.shows, arguments)
        self.seconds[is_known].append(time.perf_counter() - clock)
        self.worked[is_known].append(time.process_time() - worked)
        return answer

    def check(self) -> None:
        many, waits = len(self.seconds[True]), share(self.seconds[True], self.seconds[False])
        works = median(self.worked[True]) / median(self.worked[False])
        log_measured(many, waits, works)
        assert abs(waits - 0.5) < chance(many)
        # The work behind it is alike too: one hash more makes it several times as much. Meanwhile
        # the message to somebody known is sent.
        assert abs(works - 1) < 0.5


def shuffled(many: int) -> list[tuple[int, bool]]:
    order = [(n, k) for n in range(many) for k in (True, False)]
    random.Random(1).shuffle(order)
    return order


@pytest.mark.any_database
async def test_no_time_tells_that_another_login_has_locked_the_account(
    database_url: str, tmp_path: Path
) -> None:
    took = Took()
    one = SignInLimits(failures=1, address_failures=10_000)
    case = Case(
        "signIn", "pending { handle }", lambda _, n, k: _plain(login=phone(n, k), password=PASSWORD)
    )
    given: dict[str, Any] = {"proxies": ("127.0.0.1",), "sign_in": one, "even_time": EVEN}
    async with listening(database_url, tmp_path / "home", **given) as api:
        await people(api.services.gate, PAIRS)
        for n, is_known in shuffled(PAIRS):
            by_email = {"login": email(n, is_known), "password": WRONG}
            await ask(api, "signIn", "pending { handle }", by_email)
            answer = await took.measure(api, case, n, is_known)
            assert [p["code"] for p in answer.data["signIn"]["errors"]] == [WRONG_ONE]
    took.check()


# Sign-in has a test of its own, and invitations a code that nobody guesses.
@pytest.mark.any_database
@pytest.mark.parametrize("name", ["recovery by e-mail", "registration", "a ticket"])
async def test_no_time_tells_who_has_an_account(
    database_url: str, tmp_path: Path, name: str
) -> None:
    case, took = CASES[name], Took()
    given: dict[str, Any] = {"proxies": ("127.0.0.1",), "even_time": EVEN}
    async with listening(database_url, tmp_path / "home", **given) as api:
        await people(api.services.gate, SAMPLES + 10)
        for n in range(SAMPLES, SAMPLES + 10):
            await Took().measure(api, case, n, n % 2 == 0)
        for n, is_known in shuffled(SAMPLES):
            answer = await took.measure(api, case, n, is_known)
            assert answer.data[case.mutation]["errors"] == []
    took.check()


@pytest.mark.any_database
async def test_a_stranger_s_answers_come_at_even_times_and_nobody_else_s(
    database_url: str, tmp_path: Path
) -> None:
    step = timedelta(seconds=1)
    async with serving(database_url, tmp_path / "home", even_time=step) as api:
        token = await api.token(await make.account(), Role.CITIZEN)
        began = time.perf_counter()
        for document, known in (
            ('mutation { requestRecovery(contact: "+79261234567") { handle } }', None),
            ('mutation { signIn(login: "nobody", password: "wrong") { accessToken } }', None),
            ("mutation { signOut { errors { code } } }", token),
            ("{ viewer { activeRole } }", None),
        ):
            assert (await api.ask(document, known)).data
            took = time.perf_counter() - began
            began += took
            assert (took >= 1) is (known is None and document.startswith("mutation"))
