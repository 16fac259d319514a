"""Time-based one-time codes of the second factor (RFC 6238): six digits, thirty seconds.

A code is accepted so many steps either side of now as are allowed for clocks and people (RFC 6238,
5.2, advises one), and once: the caller moves the account's last step by a conditional update, and
remembers what was told of a time to come (``auth/told_codes.py``). pyotp alone would take
full-width digits, and a code twice.
"""

import re
from datetime import datetime
from hmac import compare_digest

import pyotp

STEP_SECONDS = 30
# So far off a code still tells that the clock is wrong, and not the code.
SKEW_WINDOW = 10
ISSUER = "Cabinet"

_CODE = re.compile(r"[0-9]{6}", re.ASCII)


class CodeMismatch(Exception):
    """The code is of no time near now."""


class CodeTooOld(Exception):
    """The code, or a later one, was already used."""


class ClockOff(Exception):
    """The code belongs to another time, ``step``: by so many seconds the other clock is ahead."""

    def __init__(self, seconds: int, step: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds
        self.step = step


def new_secret() -> str:
    """160 random bits in base 32, as RFC 4226 recommends."""
    return pyotp.random_base32()


def enrolment_uri(secret: str, name: str) -> str:
    """The address that an authenticator application reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def matching_step(secret: str, code: str, now: datetime, last_step: int, around: int) -> int:
    """The time step whose code this is, at most ``around`` steps from now.

    Raises CodeMismatch, CodeTooOld or ClockOff.
    """
    if not _CODE.fullmatch(code):
        raise CodeMismatch
    generator = pyotp.TOTP(secret, interval=STEP_SECONDS)
    current = int(now.timestamp()) // STEP_SECONDS
    steps = [
        step
        for step in range(current - SKEW_WINDOW, current + SKEW_WINDOW + 1)
        # Every step is compared, so that the time taken tells nothing.
        if compare_digest(generator.generate_otp(step), code)
    ]
    near = [step for step in steps if abs(step - current) <= around]
    unused = [step for step in near if step > last_step]
    if unused:
        return unused[0]
    if near or (steps and steps[-1] <= last_step):
        raise CodeTooOld
    if steps:
        # The last of them: what is told of a time to come must be remembered.
        raise ClockOff((steps[-1] - current) * STEP_SECONDS, steps[-1])
    raise CodeMismatch
