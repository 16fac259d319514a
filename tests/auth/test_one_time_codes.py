"""One-time codes: RFC 6238's vectors, the window, and what is not a code."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from auth.one_time_codes import ClockOff, CodeMismatch, CodeTooOld, enrolment_uri, matching_step
from tests.factories import NOW

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
STEP = int(NOW.timestamp()) // 30


def code(steps: int) -> str:
    return pyotp.TOTP(SECRET).generate_otp(STEP + steps)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(1111111109, "081804"), (1111111111, "050471"), (20000000000, "353130")],
)
def test_the_vectors_of_rfc_6238(seconds: int, expected: str) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)

    assert matching_step(SECRET, expected, moment, 0, 1) == seconds // 30


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_one_step_either_side_is_accepted(steps: int) -> None:
    assert matching_step(SECRET, code(steps), NOW, 0, 1) == STEP + steps


@pytest.mark.parametrize("steps", [-1, 1])
def test_none_either_side_is_accepted_where_none_is_allowed(steps: int) -> None:
    assert matching_step(SECRET, code(0), NOW, 0, 0) == STEP
    with pytest.raises(ClockOff):
        matching_step(SECRET, code(steps), NOW, 0, 0)


@pytest.mark.parametrize(("steps", "seconds"), [(-10, -300), (-2, -60), (2, 60), (10, 300)])
def test_a_code_of_another_time_tells_how_far_the_clock_is_off(steps: int, seconds: int) -> None:
    with pytest.raises(ClockOff) as off:
        matching_step(SECRET, code(steps), NOW, 0, 1)

    assert off.value.seconds == seconds


def test_a_used_code_is_told_as_used_for_as_long_as_it_is_known() -> None:
    for around in (0, 1):
        with pytest.raises(CodeTooOld):
            matching_step(SECRET, code(-4), NOW, STEP - 4, around)


@pytest.mark.parametrize("steps", [-11, 11])
def test_further_off_is_no_code(steps: int) -> None:
    with pytest.raises(CodeMismatch):
        matching_step(SECRET, code(steps), NOW, 0, 1)


def test_a_used_step_and_those_before_it_are_refused() -> None:
    with pytest.raises(CodeTooOld):
        matching_step(SECRET, code(0), NOW, STEP, 1)
    with pytest.raises(CodeTooOld):
        matching_step(SECRET, code(-1), NOW, STEP, 1)
    assert matching_step(SECRET, code(1), NOW, STEP, 1) == STEP + 1


@pytest.mark.parametrize(
    "text", ["", "12345", "1234567", " 123456", "123456\n", "12 345", "١٢٣٤٥٦", "abcdef"]
)
def test_what_is_not_six_ascii_digits_is_refused(text: str) -> None:
    with pytest.raises(CodeMismatch):
        matching_step(SECRET, text, NOW, 0, 1)


def test_full_width_digits_of_the_right_code_are_refused() -> None:
    wide = code(0).translate({ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)})

    with pytest.raises(CodeMismatch):
        matching_step(SECRET, wide, NOW, 0, 1)


def test_the_uri_names_the_account() -> None:
    uri = enrolment_uri(SECRET, "doctor@example.org")

    assert uri == f"otpauth://totp/Cabinet:doctor%40example.org?secret={SECRET}&issuer=Cabinet"
    parsed = pyotp.parse_uri(uri)
    assert isinstance(parsed, pyotp.TOTP)
    assert parsed.at(NOW + timedelta(0)) == code(0)
