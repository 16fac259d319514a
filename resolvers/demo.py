"""The demo: an empty database filled with an invented hospital, and the accounts to try it with."""

import base64
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tortoise.models import Model

from auth.audit import record
from auth.gate import Gate
from auth.identities import set_number
from auth.rights import Rights
from auth.viewer import Viewer
from core.clock import day_of
from core.errors import Problem
from models.account import Account, AccountState, ConfirmedBy
from models.application import Application, ApplicationKind
from models.audit import AuditHead
from models.course import Course, Enrolment
from models.database import unit_of_work
from models.grant import RoleGrant
from models.identity import Identity
from models.licence import Licence
from models.organisation import Department, DictionaryEntry, Organisation
from models.practitioner import Position, Practitioner, Profession
from models.role import Role
from models.shift import Shift
from resolvers.demostaff import Staff, invent_staff
from resolvers.demowork import Applicant, invent_applications, invent_learning, invent_shifts


class DemoNotEmpty(Problem):
    """The database holds rows already: the demo would mix with them."""

    code = "DEMO_NOT_EMPTY"


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account to try the demo with: everything that signing in asks for."""

    login: str
    phone: str
    password: str
    totp_secret: str
    roles: tuple[Role, ...]
    name: str


# Known to everybody: these accounts are for trying out, and marked as such (``is_demo``).
_PASSWORD = "Kashtan-17-vesna"  # noqa: S105
_SEED = 20_26
_MAILBOX = "demo.cabinet.example"
_CAST: tuple[tuple[str, tuple[Role, ...], str], ...] = (
    ("doctor", (Role.DOCTOR, Role.ADMIN), "Врач и администратор"),
    ("nurse", (Role.NURSE,), "Медсестра"),
    ("head", (Role.ADMIN,), "Администратор организации"),
    ("ward", (Role.ADMIN,), "Администратор отделения"),
    ("analyst", (Role.ANALYST,), "Аналитик"),
    ("inspector", (Role.INSPECTOR,), "Инспектор"),
    ("operator", (Role.OPERATOR,), "Оператор"),
    ("citizen", (), "Гражданин"),
)
# Whose file in the registry is whose account: the first of the first ward.
_PROFESSIONS = {"doctor": Profession.DOCTOR, "nurse": Profession.NURSE}
_LIMITED = "ward"
# Whose file waits to be attached: a doctor of the second ward.
_NEWCOMER = "citizen"
_KINDS = {
    "doctor": (
        ApplicationKind.CHANGE_OF_DATA,
        ApplicationKind.PRESCRIBER_CODE,
        ApplicationKind.LICENCE_RENEWAL,
        ApplicationKind.QUALIFICATION_CERTIFICATE,
        ApplicationKind.PRESCRIBING_RIGHTS,
        ApplicationKind.NEW_CABINET,
    ),
    "nurse": (
        ApplicationKind.NURSING_PERMIT,
        ApplicationKind.LICENCE_REPLACEMENT,
        ApplicationKind.CHANGE_OF_DATA,
        ApplicationKind.QUALIFICATION_CERTIFICATE,
    ),
    "citizen": (ApplicationKind.ATTACH_ROLE,),
}


async def demo_accounts() -> list[DemoAccount]:
    """Those of the demo's accounts that this database has: what a second start prints."""
    there = {account.email for account in await Account.filter(is_demo=True)}
    return [account for account in _accounts() if account.login in there]


def _accounts() -> list[DemoAccount]:
    return [
        DemoAccount(
            login=f"{key}@{_MAILBOX}",
            phone=f"+7999000000{number}",
            password=_PASSWORD,
            totp_secret=_secret(key),
            roles=roles,
            name=name,
        )
        for number, (key, roles, name) in enumerate(_CAST, start=1)
    ]


def _secret(key: str) -> str:
    # The same for everybody, as the password is: this randomness hides nothing.
    secret = random.Random(f"{_SEED} {key}").randbytes(20)  # noqa: S311
    return base64.b32encode(secret).decode()


async def load_demo(
    *, gate: Gate, now: datetime, hash_password: Callable[[str], Awaitable[str]]
) -> list[DemoAccount]:
    """Fills an empty database; raises DemoNotEmpty.

    The content depends on ``now`` alone; ids and public codes are new each time.
    """
    accounts = _accounts()
    # Before the transaction: hashing takes its time, and everybody else would wait.
    hashes = [await hash_password(account.password) for account in accounts]
    await _fill(gate, now, accounts, hashes)
    return accounts


@unit_of_work
async def _fill(
    gate: Gate, now: datetime, accounts: Sequence[DemoAccount], hashes: Sequence[str]
) -> None:
    # Two starters at once: the second waits here, and finds the first one's rows.
    await AuditHead.all().select_for_update(no_key=True).get()
    if await Organisation.exists() or await Account.exists():
        raise DemoNotEmpty
    chance = random.Random(_SEED)  # noqa: S311  # invented people need no secrecy
    today = day_of(now, "Europe/Moscow")
    staff = invent_staff(chance, gate.vault, today)
    rows = {
        key: _account(demo, password_hash, staff, gate, now - timedelta(minutes=60 - number))
        for number, ((key, *_), demo, password_hash) in enumerate(
            zip(_CAST, accounts, hashes, strict=True)
        )
    }
    heroes = {
        key: staff.of(staff.departments[0], profession)[0]
        for key, profession in _PROFESSIONS.items()
    }
    for key, person in heroes.items():
        person.account_id = rows[key].id
    newcomer = staff.of(staff.departments[1], Profession.DOCTOR)[0]
    newcomer.personal_phone = rows[_NEWCOMER].phone
    decided_by = rows["head"].id
    learning = invent_learning(chance, staff, now, list(heroes.values()))

    await _insert(Organisation, [staff.organisation])
    await _insert(Department, staff.departments)
    await _insert(DictionaryEntry, staff.dictionary)
    await _insert(Account, list(rows.values()))
    await _insert(Identity, [_identity(rows[_NEWCOMER], newcomer, gate)])
    await _insert(RoleGrant, _grants(rows, staff, now))
    await _insert(Practitioner, staff.people)
    await _insert(Position, staff.positions)
    await _insert(Licence, staff.licences)
    await _insert(Shift, invent_shifts(chance, staff, now, decided_by))
    await _insert(Course, learning.courses)
    await _insert(Enrolment, learning.enrolments)
    applicants = _applicants(rows, heroes)
    await _insert(Application, invent_applications(staff, now, applicants, decided_by))
    nobody = Viewer(rights=Rights(Role.VISITOR), now=now)
    record(nobody, "DEMO_LOADED", staff.organisation, organisation=staff.organisation.id)


async def _insert(model: type[Model], rows: Sequence[Model]) -> None:
    await model.bulk_create(rows, batch_size=500)


def _account(
    demo: DemoAccount, password_hash: str, staff: Staff, gate: Gate, made_at: datetime
) -> Account:
    """The account; each is made a minute after the one before, so that they keep their order."""
    return Account(
        organisation_id=staff.organisation.id if demo.roles else None,
        email=demo.login,
        phone=demo.phone,
        email_confirmed_at=made_at,
        phone_confirmed_at=made_at,
        password_hash=password_hash,
        password_changed_at=made_at,
        totp_sealed=gate.vault.seal(demo.totp_secret),
        state=AccountState.ACTIVE,
        confirmed_at=made_at,
        confirmed_by=ConfirmedBy.INVITATION if demo.roles else ConfirmedBy.VISIT,
        created_at=made_at,
        last_role=demo.roles[0] if demo.roles else None,
        is_demo=True,
    )


def _identity(account: Account, file: Practitioner, gate: Gate) -> Identity:
    """What somebody of the registry says of themselves who has only registered yet."""
    identity = Identity(
        account_id=account.id,
        last_name=file.last_name,
        first_name=file.first_name,
        patronymic=file.middle_name,
        birth_date=file.birth_date,
        specialty_id=file.specialty_id,
        created_at=account.created_at,
    )
    set_number(gate, identity, "snils", file.snils)
    set_number(gate, identity, "inn", file.inn)
    passport = gate.vault.open(file.passport_sealed) if file.passport_sealed else None
    set_number(gate, identity, "passport", passport)
    return identity


def _grants(rows: dict[str, Account], staff: Staff, now: datetime) -> list[RoleGrant]:
    return [
        RoleGrant(
            account_id=rows[key].id,
            organisation_id=staff.organisation.id,
            department_id=staff.departments[0].id if key == _LIMITED else None,
            role=role,
            starts_at=now - timedelta(days=400),
            granted_by_id=rows["head"].id,
        )
        for key, roles, _ in _CAST
        for role in roles
    ]


def _applicants(rows: dict[str, Account], heroes: dict[str, Practitioner]) -> list[Applicant]:
    files: dict[str, UUID] = {key: person.id for key, person in heroes.items()}
    return [Applicant(rows[key].id, files.get(key), kinds) for key, kinds in _KINDS.items()]
