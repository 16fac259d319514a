"""Identifiers of people, organisations and licences: one stored form of each, or a problem."""

import re

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from stdnum.ru import inn as inn_numbers
from stdnum.ru import ogrn as ogrn_numbers

from core.errors import Problem
from core.text import compact, without_marks


class SnilsMalformed(Problem):
    """Not eleven digits."""

    code = "SNILS_FORMAT"


class SnilsChecksumFails(Problem):
    """Eleven digits that are nobody's SNILS."""

    code = "SNILS_CHECKSUM"


class InnMalformed(Problem):
    """Not the twelve digits of a person's INN."""

    code = "INN_FORMAT"


class InnChecksumFails(Problem):
    """Twelve digits that are nobody's INN."""

    code = "INN_CHECKSUM"


class OgrnMalformed(Problem):
    """Not the thirteen digits of an organisation's OGRN."""

    code = "OGRN_FORMAT"


class OgrnChecksumFails(Problem):
    """Thirteen digits that are no organisation's OGRN."""

    code = "OGRN_CHECKSUM"


class PassportMalformed(Problem):
    """Not the series and number of a passport."""

    code = "PASSPORT_FORMAT"


class PhoneInvalid(Problem):
    """Not a telephone number that can be called."""

    code = "PHONE_INVALID"


class PhoneLandline(Problem):
    """A number to which no SMS can come."""

    code = "PHONE_LANDLINE"


class EmailInvalid(Problem):
    """Not an e-mail address."""

    code = "EMAIL_INVALID"


class LicenceNumberMalformed(Problem):
    """Not a number of this kind of licence."""

    code = "LICENCE_FORMAT"


_DIGITS = re.compile(r"[0-9]+")
# Numbers up to 001-001-998 were given out before there was a check.
_FIRST_CHECKED_SNILS = 1_001_999
_PASSPORT = re.compile(r"(?=(?:\D*\d){5})[0-9A-ZА-ЯЁ]{6,20}", re.ASCII)
_PHONE_CHARACTERS = re.compile(r"[0-9+()\-.\s\u2010-\u2015\u2212]{5,40}")
_WITHOUT_SMS = frozenset(
    {
        phonenumbers.PhoneNumberType.FIXED_LINE,
        phonenumbers.PhoneNumberType.TOLL_FREE,
        phonenumbers.PhoneNumberType.SHARED_COST,
        phonenumbers.PhoneNumberType.PREMIUM_RATE,
        phonenumbers.PhoneNumberType.UAN,
    }
)

_MEDICAL_LICENCE = re.compile(r"Л041-\d{5}-\d{2}/\d{8}|(?:ЛО|ФС)-\d{2}-01-\d{6}", re.ASCII)
_CREDENTIAL = re.compile(r"(?=.*\d{4})[0-9A-ZА-ЯЁ]+(?:[ /.-][0-9A-ZА-ЯЁ]+)*", re.ASCII)
_CREDENTIAL_LENGTH = range(6, 41)
# Latin letters that people type for the Cyrillic ones of a licence's series.
_LOOKALIKES = str.maketrans("OC", "ОС")
_DASHES = re.compile(r"[\u00ad\u2010-\u2015\u2212]")


def snils(text: str, field: str = "") -> str:
    """The eleven digits of a SNILS (DOMAIN rule 1); spaces and hyphens are forgiven.

    Raises SnilsMalformed, SnilsChecksumFails.
    """
    digits = _digits(text)
    if len(digits) != 11:
        raise SnilsMalformed(field)
    number, check = int(digits[:9]), int(digits[9:])
    if number == 0:
        raise SnilsChecksumFails(field)
    if number >= _FIRST_CHECKED_SNILS and check != snils_check(digits[:9]):
        raise SnilsChecksumFails(field)
    return digits


def snils_check(first_nine: str) -> int:
    """The two check digits of a SNILS, from its first nine."""
    weighted = sum(
        int(digit) * weight for digit, weight in zip(first_nine, range(9, 0, -1), strict=True)
    )
    return weighted % 101 % 100


def inn_of_person(text: str, field: str = "") -> str:
    """The twelve digits of a person's INN (DOMAIN rule 2).

    Raises InnMalformed, InnChecksumFails.
    """
    digits = _digits(text)
    if len(digits) != 12:
        raise InnMalformed(field)
    # Zeros agree with their check digits, and no region has the number 00.
    if digits.startswith("00") or not inn_numbers.is_valid(digits):
        raise InnChecksumFails(field)
    return digits


def ogrn(text: str, field: str = "") -> str:
    """The thirteen digits of an organisation's OGRN (DOMAIN rule 3).

    Raises OgrnMalformed, OgrnChecksumFails.
    """
    digits = _digits(text)
    if len(digits) != 13:
        raise OgrnMalformed(field)
    if not ogrn_numbers.is_valid(digits):
        raise OgrnChecksumFails(field)
    return digits


def passport(text: str, field: str = "") -> str:
    """A passport's series and number; ten digits are a Russian one, written ``4509 123456``.

    Raises PassportMalformed.
    """
    number = compact(text).replace("№", "").upper()
    if not _PASSPORT.fullmatch(number):
        raise PassportMalformed(field)
    if len(number) == 10 and number.isdecimal():
        return f"{number[:4]} {number[4:]}"
    return number


def russian_passport(text: str, field: str = "") -> str:
    """A Russian passport's series and number: ten digits, written ``4509 123456``.

    Raises PassportMalformed.
    """
    digits = _digits(text.replace("№", ""))
    if len(digits) != 10:
        raise PassportMalformed(field)
    return passport(digits, field)


def phone(text: str, field: str = "") -> str:
    """A telephone number in E.164; without a country code it is Russian (DOMAIN rule 5).

    Raises PhoneInvalid.
    """
    text = without_marks(text)
    # The library would take letters for keys and cut extensions off.
    if not _PHONE_CHARACTERS.fullmatch(text):
        raise PhoneInvalid(field)
    try:
        number = phonenumbers.parse(text, "RU")
    except phonenumbers.NumberParseException:
        raise PhoneInvalid(field) from None
    if not phonenumbers.is_valid_number(number):
        raise PhoneInvalid(field)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def mobile(text: str, field: str = "") -> str:
    """A telephone number to which an SMS can come, in E.164; raises PhoneInvalid, PhoneLandline."""
    number = phone(text, field)
    if not takes_sms(number):
        raise PhoneLandline(field)
    return number


def takes_sms(number: str) -> bool:
    """Whether an SMS can come to a number in E.164, as far as its digits tell."""
    return phonenumbers.number_type(phonenumbers.parse(number)) not in _WITHOUT_SMS


def email(text: str, field: str = "") -> str:
    """An e-mail address, trimmed and in lower case; nothing is asked of the network.

    Raises EmailInvalid.
    """
    try:
        found = validate_email(
            without_marks(text), check_deliverability=False, allow_smtputf8=False
        )
    except EmailNotValidError:
        raise EmailInvalid(field) from None
    return found.normalized.lower()


def medical_licence_number(text: str, field: str = "") -> str:
    """An organisation's licence number, new style or old (DOMAIN rule 6).

    Raises LicenceNumberMalformed.
    """
    number = "".join(_DASHES.sub("-", text).split()).upper().translate(_LOOKALIKES)
    if not _MEDICAL_LICENCE.fullmatch(number):
        raise LicenceNumberMalformed(field)
    return number


def credential_number(text: str, field: str = "") -> str:
    """The number of an accreditation or a specialist certificate, in capitals.

    Issuers never agreed on a form: six to forty letters and digits in groups, at least four
    digits in a row. Raises LicenceNumberMalformed.
    """
    number = " ".join(_DASHES.sub("-", text).upper().replace("№", "").split())
    if len(number) not in _CREDENTIAL_LENGTH or not _CREDENTIAL.fullmatch(number):
        raise LicenceNumberMalformed(field)
    return number


def _digits(text: str) -> str:
    """The digits of a number written in groups; empty where anything else is in it."""
    digits = compact(text)
    return digits if _DIGITS.fullmatch(digits) else ""
