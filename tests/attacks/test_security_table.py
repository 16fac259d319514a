"""docs/security.md leaves no requirement out, and names only files, tests and figures there are."""

import ast
import re
from datetime import timedelta
from functools import cache
from pathlib import Path

from auth import sent_codes
from auth.limits import Limit
from core.settings import SessionTimes, SignInLimits
from models.account import SignInMethod
from models.factor import SecondFactor
from resolvers import (
    attaching,
    esia,
    guesses,
    invitations,
    lost_contacts,
    passkey_sign_in,
    recovery,
    registration,
    signatures,
    tickets,
    visits,
)
from resolvers.second_step import SENDING

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) [^|]+ \| [123] \| ([^|]+) \| ?([^|]*?) ?\|$", re.MULTILINE)
NEEDED = re.compile(r"^\| \S+ [^|]+ \| [12] \| ((?:Partly|Not met)[^|]+) \|", re.MULTILINE)

# How many requirements each section of OWASP ASVS 5.0.0 has: of V6 all, else those of levels 1
# and 2 (and 7.5.3, which is met).
SECTIONS = {
    "6.1": 3,
    "6.2": 12,
    "6.3": 8,
    "6.4": 6,
    "6.5": 8,
    "6.6": 4,
    "6.7": 2,
    "6.8": 4,
    "7.1": 3,
    "7.2": 4,
    "7.3": 2,
    "7.4": 5,
    "7.5": 3,
    "7.6": 2,
    "9.1": 3,
    "9.2": 4,
    "10.1": 2,
    "10.2": 2,
    "10.3": 4,
    "10.4": 11,
    "10.5": 5,
    "10.6": 2,
    "10.7": 3,
}
# Words of the document that stand for each way of signing in.
WAYS = {
    SignInMethod.TOTP: "password and authenticator",
    SignInMethod.SMS: "password and SMS",
    SignInMethod.RECOVERY_CODE: "password and recovery code",
    SignInMethod.SECOND_PASSKEY: "password and passkey",
    SignInMethod.PASSKEY: "passkey alone",
    SignInMethod.SIGNATURE: "electronic signature",
    SignInMethod.ESIA: "Gosuslugi",
    SignInMethod.SCRIPT: "a script's session",
}


@cache
def functions_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_no_requirement_is_left_out() -> None:
    wanted = [f"{part}.{n}" for part, count in SECTIONS.items() for n in range(1, count + 1)]
    assert [number for number, *_ in ROW.findall(TEXT)] == wanted


def test_a_setting_meets_whatever_level_two_wants_and_the_default_lacks() -> None:
    lacking = NEEDED.findall(TEXT)
    settings = [re.search(r"It is met where `(CABINET_\w+)", reason) for reason in lacking]
    assert all(settings)
    names = {found[1] for found in settings if found}
    (told,) = re.findall(r"the whole of level 2\nsets ([^.]+)\.", TEXT)
    assert names == set(re.findall(r"CABINET_\w+", told))
    environment = (ROOT / "server" / "environment.py").read_text(encoding="utf-8")
    assert all(f'"{name}"' in environment for name in names)


def test_everything_named_exists() -> None:
    named = re.findall(r"`([\w./-]+/[\w./-]+\.\w+)(?:::(\w+))?`", TEXT)
    assert len(named) > 100
    missing = []
    for name, function in named:
        path = ROOT / ("tests/" * bool(function)) / name
        if not path.is_file() or (function and function not in functions_of(path)):
            missing.append(f"{name}::{function}")
    assert missing == []
    sections = {title.lower().replace(" ", "-") for title in re.findall(r"^##+ (.+)$", TEXT, re.M)}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= sections


def test_what_is_met_is_shown_by_a_test() -> None:
    for number, where, tests in ROW.findall(TEXT):
        assert tests or where.startswith(("Does not apply: ", "Not met: ")), number
        assert all(re.fullmatch(r"`[\w/]+\.py::test_\w+`", t) for t in tests.split(", ") if t)


def test_every_way_of_signing_in_is_documented() -> None:
    assert set(WAYS) == set(SignInMethod)
    section = TEXT.split("## Ways of signing in")[1].split("\n## ")[0]
    assert [way for way in WAYS.values() if way not in section] == []


def test_mail_is_no_factor() -> None:
    assert {factor.value for factor in SecondFactor} == {"TOTP", "SMS", "PASSKEY", "RECOVERY_CODE"}


def test_what_is_between_gosuslugi_s_sessions_and_ours_is_documented() -> None:
    section = _section("Sessions")
    for said in ("outlives the one there", "does not sign out there", "no back-channel logout"):
        assert said in section


def test_the_figures_of_guessing_are_those_of_the_limits() -> None:
    waits = ", ".join(str(_minutes(wait)) for wait in sent_codes.WAITS)
    ((unguessed, window),) = {
        (limit.times, limit.window)
        for module in (passkey_sign_in, signatures)
        for limit in (module.ASKING, module.SHOWING)
    } | {(limit.times, limit.window) for limit in (esia.BEGINNING, esia.FINISHING, SENDING)}
    for said in (
        f"| wrong guesses at a code that was sent | {sent_codes.GUESSES}, then it is void",
        f"after {waits} minutes",
        f"| registrations | {_all(registration.ASKING)} an address",
        f"| recovery | {recovery.ASKING_FROM_ADDRESS.times} asked for and "
        f"{recovery.RESETTING_FROM_ADDRESS.times} tried{_IN_QUARTER} an address; "
        f"{recovery.RESETTING_ACCOUNT.times} passwords{_IN_QUARTER} an account",
        f"| {invitations.BEGINNING.times} each{_IN_QUARTER} an address; "
        f"{invitations.NAMING.times} contacts an hour",
        f"| {_all(visits.CONFIRMING)} an account, {lost_contacts.REPLACING.times} contacts",
        f"| {attaching.ASKING.times} asked for and {attaching.TRYING.times} tried an hour an "
        f"account, {attaching.CLAIMING_FROM.times} in all an address",
        f"| {guesses.IN_SESSION}{_IN_QUARTER} a session",
        f"; {guesses.OF_ACCOUNT} an account",
        f"| {unguessed} of each{_WINDOWS[window]} an address, ",
        f"| {_all(tickets.FILING_FOR_CONTACT)} a contact from an address, "
        f"{_all(tickets.FILING_FROM_ADDRESS)} and {tickets.ASKING_FROM_ADDRESS.times} looked up",
    ):
        assert said in _section("Guessing"), said
    quarter = (
        recovery.ASKING_FROM_ADDRESS,
        recovery.RESETTING_FROM_ADDRESS,
        recovery.RESETTING_ACCOUNT,
        invitations.BEGINNING,
        invitations.TRYING,
        tickets.ASKING_FROM_ADDRESS,
    )
    assert {limit.window for limit in quarter} == {timedelta(minutes=15)}
    assert invitations.TRYING.times == invitations.BEGINNING.times


def test_the_figures_are_those_of_the_settings() -> None:
    times, limits = SessionTimes(), SignInLimits()
    for row in (
        f"| idle | {_minutes(times.idle)} minutes |",
        f"| absolute | {_minutes(times.absolute) // 60} hours |",
        f"| access token | {_minutes(times.access)} minutes",
        f"| sessions of an account | {times.per_account}; ",
        f"| {limits.failures} in {_minutes(limits.window)} minutes, then a lock",
        f"| {limits.address_failures} in {_minutes(limits.window)} minutes |",
    ):
        assert row in TEXT


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds()) // 60


_IN_QUARTER = " in 15 minutes"
_WINDOWS = {
    timedelta(minutes=15): _IN_QUARTER,
    timedelta(hours=1): " an hour",
    timedelta(days=1): " a day",
}


def _all(*limits: Limit) -> str:
    """How limits of one window are written down."""
    (window,) = {limit.window for limit in limits}
    return " and ".join(str(limit.times) for limit in limits) + _WINDOWS[window]


def _section(title: str) -> str:
    return TEXT.split(f"## {title}\n")[1].split("\n## ")[0]
