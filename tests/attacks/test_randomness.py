"""What must not be guessed is drawn from the system's generator, with the bits that are said."""

import ast
import random
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyotp
import pytest

from auth import challenges
from auth.gate import Gate
from auth.keys import HashKey
from auth.one_time_codes import new_secret
from auth.sent_codes import FORGOTTEN, CodeInvalid, Sent, new_code, send_code
from core.ids import readable_code, typed_signs
from models.database import unit_of_work
from models.factor import ChallengePurpose, Channel, CodePurpose, RecoveryCode
from resolvers.invitations import new_invitation
from resolvers.recovery_codes import HOW_MANY, create_recovery_codes, use_recovery_code
from resolvers.sessions import open_session
from tests import factories as make
from tests.attacks.codes import last_code
from tests.auth import entrance
from tests.factories import NOW

ROOT = Path(__file__).parents[2]
LAYERS = ("core", "models", "auth", "adapters", "resolvers", "schema", "execution", "server")
# They invent people, and are the same each time.
DEMO = {"resolvers/demo.py", "resolvers/demostaff.py", "resolvers/demowork.py"}
MANY = 2_000
GROUP = "-[0-9A-HJKMNP-TV-Z]{4}"


@pytest.fixture
async def gate(database: str, tmp_path: Path) -> AsyncIterator[Gate]:
    gate = entrance.gate(tmp_path)
    yield gate
    gate.passwords.close()


def test_nothing_is_drawn_that_could_be_foreseen() -> None:
    foreseen = {
        path.relative_to(ROOT).as_posix()
        for layer in LAYERS
        for path in (ROOT / layer).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        if "random" in {getattr(node, "module", None), *(name.name for name in node.names)}
    }
    assert foreseen == DEMO
    # Seeds are pyotp's to draw.
    assert isinstance(vars(pyotp)["random"], random.SystemRandom)


def test_no_code_or_seed_comes_twice() -> None:
    assert len({new_secret() for _ in range(MANY)}) == MANY
    assert len({readable_code("RC", 6) for _ in range(MANY)}) == MANY
    # Of a million, fifty of ten thousand are expected to come twice; of fewer, many more.
    drawn = [new_code() for _ in range(10_000)]
    assert len(drawn) - len(set(drawn)) < 120


async def test_codes_and_seeds_are_as_long_as_is_said(gate: Gate) -> None:
    person = await entrance.person(gate)
    viewer = entrance.visitor()._replace(account_id=person.account.id)

    made = await create_recovery_codes(viewer, gate=gate)
    invited = await unit_of_work(new_invitation)(viewer, await make.account(state="INVITED"))
    sent = await _codes_sent(gate, 40)

    # Five bits a sign; 19.9 for six digits, of which all are drawn.
    assert len(made.codes) == HOW_MANY
    assert all(re.fullmatch(f"RC{GROUP * 6}", code) for code in made.codes)
    assert re.fullmatch(f"IN{GROUP * 4}", invited.code)
    assert re.fullmatch(r"[A-Z2-7]{32}", new_secret())
    assert all(re.fullmatch(r"[0-9]{6}", code) for code in sent)
    assert {digit for code in sent for digit in code} == set("0123456789")
    # Each to the same contact, and for the same thing: two may be alike once in a thousand tries.
    assert len(set(sent)) >= len(sent) - 2


async def test_tokens_and_challenges_are_of_256_bits(gate: Gate) -> None:
    person, viewer = await entrance.person(gate), entrance.visitor()
    opened = [await open_session(viewer, gate=gate, account=person.account) for _ in range(2)]
    begun = [
        await challenges.begin(viewer, gate=gate, purpose=ChallengePurpose.PASSKEY)
        for _ in range(2)
    ]
    sent = await _sent(gate, NOW)

    drawn = [one.refresh_token for one in opened] + [one.value for one in begun] + [sent.handle]
    assert len(set(drawn)) == len(drawn)
    # Six bits a sign.
    assert all(re.fullmatch(r"[\w-]{43}", one) for one in drawn)
    # A device's name opens nothing: 192 bits.
    assert all(re.match(r"[\w-]{32}\.", one.device_token or "") for one in opened)


async def test_recovery_codes_are_kept_under_a_key(gate: Gate) -> None:
    person = await entrance.person(gate)
    viewer = entrance.visitor()._replace(account_id=person.account.id)
    (code, *_) = (await create_recovery_codes(viewer, gate=gate)).codes
    stolen = replace(gate, hashes=HashKey(b"x" * 32))

    # Whoever has the rows and not the key cannot tell whether a code is one.
    with pytest.raises(CodeInvalid):
        await unit_of_work(use_recovery_code)(viewer, stolen, person.account, code)

    assert all(typed_signs(code, "RC") not in row.code_hash for row in await RecoveryCode.all())
    await unit_of_work(use_recovery_code)(viewer, gate, person.account, code)


async def _codes_sent(gate: Gate, count: int) -> list[str]:
    codes = []
    for number in range(count):
        await _sent(gate, NOW + 2 * number * FORGOTTEN)
        codes.append(await last_code(gate))
    return codes


@unit_of_work
async def _sent(gate: Gate, now: datetime) -> Sent:
    return await send_code(
        entrance.visitor(now),
        gate=gate,
        purpose=CodePurpose.REGISTRATION,
        channel=Channel.SMS,
        contact="+79260000000",
    )
