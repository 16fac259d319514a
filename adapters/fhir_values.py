"""What FHIR values mean to us: codes that give a profession, phones, addresses."""

from collections.abc import Iterable, Mapping

import phonenumbers
from babel.core import get_global

from adapters import fhir_resources as fhir
from adapters.staff_records import Term
from core.errors import Problem
from models import identifiers
from models.practitioner import Profession

_ROLES = "http://terminology.hl7.org/CodeSystem/practitioner-role"
_DEGREES = "http://terminology.hl7.org/CodeSystem/v2-0360"

# The rule by which a code assigns a profession, and with it a role in the cabinet.
_PROFESSIONS: Mapping[tuple[str, str], Profession] = {
    (_ROLES, "doctor"): Profession.DOCTOR,
    (_ROLES, "nurse"): Profession.NURSE,
    (_DEGREES, "MD"): Profession.DOCTOR,
}
SUFFIXES: Mapping[str, Profession] = {"MD": Profession.DOCTOR}
_ADDRESS_LENGTH = 400


class PhoneForeign(Problem):
    """A number of another country, written without the code of that country."""

    code = "IMPORT_PHONE_FOREIGN"


def phone(text: str, region: str | None) -> str:
    """A number in E.164; raises PhoneForeign, PhoneInvalid.

    Without a country code a number is Russian (DOMAIN rule 5), unless the same resource gives
    an address in another country: then it could be either, and is neither.
    """
    if region in (None, "RU") or text.lstrip().startswith("+"):
        return identifiers.phone(text)
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise identifiers.PhoneInvalid from None
    if not phonenumbers.is_valid_number(number):
        raise identifiers.PhoneInvalid
    raise PhoneForeign


def country_of(addresses: list[fhir.Address], use: str | None) -> str | None:
    """The region (ISO 3166 alpha-2) of the address that goes with a contact; ZZ when unknown."""
    countries = [address.country for address in addresses if address.use == use and address.country]
    countries = countries or [address.country for address in addresses if address.country]
    if not countries:
        return None
    named = countries[0].upper()
    if named in phonenumbers.SUPPORTED_REGIONS:
        return named
    if named in ("РОССИЯ", "RUSSIA", "РОССИЙСКАЯ ФЕДЕРАЦИЯ", "RUSSIAN FEDERATION"):
        return "RU"
    aliases: list[str] = get_global("territory_aliases").get(named, [])
    return aliases[0] if len(aliases) == 1 else "ZZ"


def profession_of(coding: fhir.Coding) -> Profession | None:
    system = coding.system or ""
    if system.startswith(f"{_DEGREES}/"):
        system = _DEGREES  # the version of the table, as in …/v2-0360/2.7
    return _PROFESSIONS.get((system, coding.code or ""))


def oid_of(coding: fhir.Coding) -> str:
    return (coding.system or "").removeprefix("urn:oid:")


def term_of(concepts: Iterable[fhir.CodeableConcept], oid: str) -> Term | None:
    for concept in concepts:
        for coding in concept.coding:
            if oid_of(coding) == oid and coding.code is not None:
                return Term(oid, coding.code[:40])
    return None


def place_of(address: fhir.Address | None) -> tuple[str | None, str | None]:
    """A department's city, and the rest of its address in one line."""
    if address is None:
        return None, None
    rest = [*address.line, address.postalCode, address.state, address.country]
    return address.city, _joined(rest)


def one_line(address: fhir.Address | None) -> str | None:
    if address is None:
        return None
    rest = [*address.line, address.city, address.postalCode, address.state, address.country]
    return _joined(rest)


def _joined(parts: Iterable[str | None]) -> str | None:
    return ", ".join(part for part in parts if part)[:_ADDRESS_LENGTH] or None
