"""Identifiers against the vectors of the domain's rules, and against what people type."""

from collections.abc import Callable

import pytest

from core.errors import Problem
from models import identifiers
from models.identifiers import (
    EmailInvalid,
    InnChecksumFails,
    InnMalformed,
    LicenceNumberMalformed,
    OgrnChecksumFails,
    OgrnMalformed,
    PassportMalformed,
    PhoneInvalid,
    PhoneLandline,
    SnilsChecksumFails,
    SnilsMalformed,
)

GOOD: list[tuple[Callable[[str], str], str, str]] = [
    (identifiers.snils, "112-233-445 95", "11223344595"),
    (identifiers.snils, "010079190 00", "01007919000"),
    (identifiers.snils, "010166299 00", "01016629900"),
    (identifiers.snils, "010348436 01", "01034843601"),
    (identifiers.snils, "015978845 00", "01597884500"),
    (identifiers.snils, " 112–233–445\u00a095 ", "11223344595"),
    (identifiers.snils, "001-001-998 77", "00100199877"),
    (identifiers.snils, "000-000-001 99", "00000000199"),
    (identifiers.inn_of_person, "500100732259", "500100732259"),
    (identifiers.inn_of_person, "1234 5678 9047", "123456789047"),
    (identifiers.ogrn, "1022200525819", "1022200525819"),
    (identifiers.passport, "45 09 № 123456", "4509 123456"),
    (identifiers.passport, "ab1234567", "AB1234567"),
    (identifiers.phone, "8 (916) 123-45-67", "+79161234567"),
    (identifiers.phone, "89161234567", "+79161234567"),
    (identifiers.phone, "9161234567", "+79161234567"),
    (identifiers.phone, " +7 916 123 45 67 ", "+79161234567"),
    (identifiers.phone, "+49 1511 2345678", "+4915112345678"),
    # As address books and word processors give it away.
    (identifiers.phone, "\u202a+7 916 123-45-67\u202c", "+79161234567"),
    (identifiers.phone, "\ufeff8\u200b916\u2011123\u221245\u221267", "+79161234567"),
    (identifiers.mobile, "8 916 123-45-67", "+79161234567"),
    (identifiers.email, "\u200banna@clinic.example\u200e", "anna@clinic.example"),
    (identifiers.snils, "112-233-445\u200b 95", "11223344595"),
    (identifiers.email, "  Anna.Ivanova@Clinic.Example ", "anna.ivanova@clinic.example"),
    (identifiers.medical_licence_number, "Л041-01021-66/00396056", "Л041-01021-66/00396056"),
    (identifiers.medical_licence_number, "л041–01021–66 / 00396056", "Л041-01021-66/00396056"),
    (identifiers.medical_licence_number, "ЛО-77-01-012345", "ЛО-77-01-012345"),
    # A Latin «O» and «C» look alike and mean the Cyrillic ones.
    (identifiers.medical_licence_number, "ЛO-77-01-012345", "ЛО-77-01-012345"),
    (identifiers.medical_licence_number, "ФC-50-01-000123", "ФС-50-01-000123"),
    (identifiers.credential_number, " № 7723 031234567", "7723 031234567"),
    (identifiers.credential_number, "рма 123456", "РМА 123456"),
]


@pytest.mark.parametrize(("read", "text", "stored"), GOOD)
def test_a_right_identifier_is_stored_in_one_form(
    read: Callable[[str], str], text: str, stored: str
) -> None:
    assert read(text) == stored


WRONG: list[tuple[Callable[[str, str], str], str, type[Problem], str]] = [
    (identifiers.snils, "987-654-321 09", SnilsChecksumFails, "SNILS_CHECKSUM"),
    (identifiers.snils, "11122233340", SnilsChecksumFails, "SNILS_CHECKSUM"),
    (identifiers.snils, "000-000-000 00", SnilsChecksumFails, "SNILS_CHECKSUM"),
    (identifiers.snils, "001-001-999 01", SnilsChecksumFails, "SNILS_CHECKSUM"),
    (identifiers.snils, "112-233-445", SnilsMalformed, "SNILS_FORMAT"),
    (identifiers.snils, "112-233-445 9Б", SnilsMalformed, "SNILS_FORMAT"),
    (identifiers.snils, "１１２２３３４４５９５", SnilsMalformed, "SNILS_FORMAT"),
    (identifiers.snils, "", SnilsMalformed, "SNILS_FORMAT"),
    (identifiers.inn_of_person, "123456789037", InnChecksumFails, "INN_CHECKSUM"),
    (identifiers.inn_of_person, "000000000000", InnChecksumFails, "INN_CHECKSUM"),
    (identifiers.inn_of_person, "1234567894", InnMalformed, "INN_FORMAT"),
    (identifiers.inn_of_person, "١٢٣٤٥٦٧٨٩٠٤٧", InnMalformed, "INN_FORMAT"),
    (identifiers.ogrn, "1022500001328", OgrnChecksumFails, "OGRN_CHECKSUM"),
    (identifiers.ogrn, "0000000000000", OgrnChecksumFails, "OGRN_CHECKSUM"),
    (identifiers.ogrn, "385768585948949", OgrnMalformed, "OGRN_FORMAT"),
    (identifiers.passport, "4509", PassportMalformed, "PASSPORT_FORMAT"),
    (identifiers.passport, "ПАСПОРТ", PassportMalformed, "PASSPORT_FORMAT"),
    (identifiers.mobile, "8 495 123-45-67", PhoneLandline, "PHONE_LANDLINE"),
    (identifiers.mobile, "8 800 555-35-35", PhoneLandline, "PHONE_LANDLINE"),
    (identifiers.phone, "12345", PhoneInvalid, "PHONE_INVALID"),
    (identifiers.phone, "+7 999", PhoneInvalid, "PHONE_INVALID"),
    (identifiers.phone, "8-800-ПОЗВОНИ", PhoneInvalid, "PHONE_INVALID"),
    (identifiers.phone, "84951234567 доб. 12", PhoneInvalid, "PHONE_INVALID"),
    (identifiers.phone, "+79161234567;ext=3", PhoneInvalid, "PHONE_INVALID"),
    (identifiers.phone, "9" * 200, PhoneInvalid, "PHONE_INVALID"),
    (identifiers.email, "anna", EmailInvalid, "EMAIL_INVALID"),
    (identifiers.email, "anna@localhost", EmailInvalid, "EMAIL_INVALID"),
    (identifiers.email, "anna@@clinic.example", EmailInvalid, "EMAIL_INVALID"),
    (identifiers.email, f"{'a' * 300}@clinic.example", EmailInvalid, "EMAIL_INVALID"),
    (
        identifiers.medical_licence_number,
        "Л041-1021-66/00396056",
        LicenceNumberMalformed,
        "LICENCE_FORMAT",
    ),
    (identifiers.medical_licence_number, "77-01-012345", LicenceNumberMalformed, "LICENCE_FORMAT"),
    (identifiers.credential_number, "№", LicenceNumberMalformed, "LICENCE_FORMAT"),
    (identifiers.credential_number, "без номера", LicenceNumberMalformed, "LICENCE_FORMAT"),
    (identifiers.credential_number, "1" * 41, LicenceNumberMalformed, "LICENCE_FORMAT"),
]


@pytest.mark.parametrize(("read", "text", "problem", "code"), WRONG)
def test_a_wrong_identifier_is_named_with_its_field(
    read: Callable[[str, str], str], text: str, problem: type[Problem], code: str
) -> None:
    with pytest.raises(problem) as refused:
        read(text, "number")

    assert (refused.value.code, refused.value.field) == (code, "number")
