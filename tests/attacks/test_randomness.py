"""What must not be guessed is drawn from the system's generator, with the bits that are said."""

import ast
import random
import re
from pathlib import Path

import pyotp

from auth.gate import Gate
from auth.one_time_codes import new_secret
from auth.sent_codes import send_code
from core.ids import readable_code
from models.database import unit_of_work
from models.factor import Channel, CodePurpose
from resolvers.recovery_codes import HOW_MANY, create_recovery_codes
from tests.attacks.codes import last_code
from tests.auth import entrance

ROOT = Path(__file__).parents[2]
LAYERS = ("core", "models", "auth", "adapters", "resolvers", "schema", "execution", "server")
# They invent people, and are the same each time.
DEMO = {"resolvers/demo.py", "resolvers/demostaff.py", "resolvers/demowork.py"}
MANY = 2_000


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


async def test_codes_and_seeds_are_as_long_as_is_said(database: object, tmp_path: Path) -> None:
    gate = entrance.gate(tmp_path)
    person = await entrance.person(gate)
    viewer = entrance.visitor()._replace(account_id=person.account.id)

    made = await create_recovery_codes(viewer, gate=gate)
    sent = await _codes_sent(gate, 40)

    # Five bits a sign; 19.9 for six digits, of which all are drawn.
    assert len(made.codes) == HOW_MANY
    assert all(re.fullmatch(r"RC(-[0-9A-HJKMNP-TV-Z]{4}){6}", code) for code in made.codes)
    assert re.fullmatch(r"[A-Z2-7]{32}", new_secret())
    assert all(re.fullmatch(r"[0-9]{6}", code) for code in sent)
    assert {digit for code in sent for digit in code} == set("0123456789")
    gate.passwords.close()


@unit_of_work
async def _codes_sent(gate: Gate, count: int) -> list[str]:
    codes = []
    for number in range(count):
        await send_code(
            entrance.visitor(),
            gate=gate,
            purpose=CodePurpose.REGISTRATION,
            channel=Channel.SMS,
            contact=f"+7926000{number:04}",
        )
        codes.append(await last_code(gate))
    return codes
