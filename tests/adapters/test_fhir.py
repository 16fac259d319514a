"""FHIR R4: what is read of each resource, and what is reported instead of being guessed."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.fhir import read_fhir
from adapters.staff_records import (
    FILE_BYTES,
    AddressRecord,
    DepartmentRecord,
    Element,
    FileMalformed,
    FileTooLarge,
    FormatUnknown,
    PersonRecord,
    PostRecord,
    Refusal,
    Refused,
    Remark,
    Term,
    digest_of_number,
)
from models.organisation import POSITIONS, SPECIALTIES
from models.practitioner import Profession

pytestmark = pytest.mark.any_database

FOLDER = Path(__file__).parents[1] / "data/fhir"


def read(resource: dict[str, Any]) -> Element:
    """The one element of a single resource."""
    (element,) = read_fhir(json.dumps(resource).encode(), "one.json").elements
    return element


def person(**parts: Any) -> dict[str, Any]:
    return {"resourceType": "Practitioner", "id": "p", "name": [{"family": "Соколова"}], **parts}


def test_a_bundle_gives_departments_people_and_posts_in_the_order_of_need() -> None:
    file = read_fhir((FOLDER / "hospital.json").read_bytes(), "hospital.json")
    assert file.elements == (
        Refused(
            name="Practitioner/nameless",
            where="$.entry[6].resource",
            remarks=(
                Remark(
                    "IMPORT_VALUE_INVALID",
                    "$.entry[6].resource.name[0].family",
                    {"value": "string_type"},
                ),
            ),
        ),
        Refused(
            name="Patient/p1",
            where="$.entry[7].resource",
            remarks=(
                Remark("IMPORT_RESOURCE_UNUSED", "$.entry[7].resource", {"value": "Patient"}),
            ),
            refusal=Refusal.SKIPPED,
        ),
        DepartmentRecord(
            name="Organization/cardiology",
            where="$.entry[1].resource",
            code="fhir:cardiology",
            title="Кардиологическое отделение",
        ),
        AddressRecord(
            name="Location/building-2",
            where="$.entry[2].resource",
            department="Organization/cardiology",
            city="Тверь",
            address="ул. Лесная, 5, корпус 2, 170001",
        ),
        PersonRecord(
            name="Practitioner/sokolova",
            where="$.entry[3].resource",
            last_name="Соколова",
            first_name="Мария",
            middle_name="Ивановна",
            birth_date=date(1981, 4, 17),
            snils="11223344595",
            inn="500100732259",
            personal_phone="+79123456789",
            work_phone="+74822321010",
            work_email="sokolova@example.org",
            numbers=(digest_of_number("urn:oid:1.2.643.100.3", "112-233-445 95"),),
        ),
        PersonRecord(
            name="urn:uuid:3f1c2d54-7f3a-4f7e-9d5e-0a5b6c7d8e9f",
            where="$.entry[4].resource",
            remarks=(Remark("IMPORT_DATE_UNUSABLE", "$.entry[4].resource.birthDate"),),
            last_name="Орлова",
            first_name="Вера",
        ),
        PostRecord(
            name="PractitionerRole/sokolova-cardiology",
            where="$.entry[0].resource",
            person="Practitioner/sokolova",
            department="Organization/cardiology",
            title=Term(POSITIONS, "39"),
            specialty=Term(SPECIALTIES, "27"),
            profession=Profession.DOCTOR,
            rate=None,
            starts_on=date(2019, 9, 2),
        ),
        PostRecord(
            name="PractitionerRole/orlova-cardiology",
            where="$.entry[5].resource",
            person="urn:uuid:3f1c2d54-7f3a-4f7e-9d5e-0a5b6c7d8e9f",
            department="Organization/cardiology",
            profession=Profession.NURSE,
            rate=None,
        ),
    )


@pytest.mark.parametrize(
    ("name", "code"),
    [("Practitioner-d001", "IMPORT_PHONE_FOREIGN"), ("Practitioner-d002", "PHONE_INVALID")],
)
def test_a_foreign_phone_is_told_from_a_wrong_one_and_neither_is_taken(
    name: str, code: str
) -> None:
    (element,) = read_fhir((FOLDER / f"{name}.json").read_bytes(), f"{name}.json").elements
    assert isinstance(element, PersonRecord)
    assert (element.work_phone, element.profession) == (None, Profession.DOCTOR)
    assert element.remarks == (
        Remark(
            "IMPORT_IDENTIFIER_UNKNOWN", "$.identifier[0]", {"value": "urn:oid:2.16.528.1.1007.3.1"}
        ),
        Remark(code, "$.telecom[0].value"),
    )


@pytest.mark.parametrize(
    ("parts", "remark"),
    [
        (
            {"identifier": [{"system": "urn:oid:1.2.643.100.3", "value": "987-654-321 09"}]},
            Remark("SNILS_CHECKSUM", "$.identifier[0].value"),
        ),
        (
            {"identifier": [{"system": "urn:oid:1.2.643.3.131.1.1", "value": "123456789037"}]},
            Remark("INN_CHECKSUM", "$.identifier[0].value"),
        ),
        (
            {"telecom": [{"system": "email", "value": "second wing", "use": "work"}]},
            Remark("EMAIL_INVALID", "$.telecom[0].value"),
        ),
        (
            {"telecom": [{"system": "phone", "value": "+79123456789"}]},
            Remark("IMPORT_CONTACT_WHOSE", "$.telecom[0]"),
        ),
        ({"birthDate": "1975"}, Remark("IMPORT_DATE_UNUSABLE", "$.birthDate")),
        ({"birthDate": "1975-02-30"}, Remark("IMPORT_DATE_UNUSABLE", "$.birthDate")),
        (
            {"qualification": [{"code": {"coding": [{"system": "urn:x", "code": "BS"}]}}]},
            Remark(
                "IMPORT_CODE_UNKNOWN", "$.qualification[0].code.coding[0]", {"value": "urn:x|BS"}
            ),
        ),
    ],
)
def test_a_value_that_cannot_be_used_is_left_out_and_reported(
    parts: dict[str, Any], remark: Remark
) -> None:
    assert read(person(**parts)) == PersonRecord(
        name="Practitioner/p", where="$", last_name="Соколова", remarks=(remark,)
    )


def test_codes_of_two_professions_give_neither() -> None:
    degree = {"system": "http://terminology.hl7.org/CodeSystem/v2-0360/2.7", "code": "MD"}
    nurse = {"system": "http://terminology.hl7.org/CodeSystem/practitioner-role", "code": "nurse"}
    both = read(
        person(qualification=[{"code": {"coding": [degree]}}, {"code": {"coding": [nurse]}}])
    )
    only = read(person(qualification=[{"code": {"coding": [degree]}}]))
    assert isinstance(both, PersonRecord) and isinstance(only, PersonRecord)
    assert (both.profession, both.remarks) == (None, (Remark("IMPORT_PROFESSIONS_SEVERAL", "$"),))
    assert (only.profession, only.remarks) == (Profession.DOCTOR, ())


@pytest.mark.parametrize(
    ("resource", "refusal", "remark"),
    [
        (person(active=False), Refusal.SKIPPED, Remark("IMPORT_INACTIVE", "$.active")),
        (person(name=[]), Refusal.FAILED, Remark("IMPORT_NO_NAME", "$.name")),
        (person(id=None), Refusal.FAILED, Remark("IMPORT_NO_ID", "$.id")),
        (person(id="../etc"), Refusal.FAILED, Remark("IMPORT_NO_ID", "$.id")),
        (
            person(name=[{"family": "a\x00b"}]),
            Refusal.FAILED,
            Remark("IMPORT_VALUE_INVALID", "$.name[0].family", {"value": "value_error"}),
        ),
        (
            person(name=[{"family": "x" * 121}]),
            Refusal.FAILED,
            Remark("IMPORT_VALUE_INVALID", "$.name[0].family", {"value": "string_too_long"}),
        ),
        (
            person(telecom={"system": "phone"}),
            Refusal.FAILED,
            Remark("IMPORT_VALUE_INVALID", "$.telecom", {"value": "list_type"}),
        ),
        (
            {"resourceType": "Organization", "id": "o"},
            Refusal.FAILED,
            Remark("IMPORT_NO_NAME", "$.name"),
        ),
        (
            {"resourceType": "Location", "id": "l", "address": {"city": "Тверь"}},
            Refusal.SKIPPED,
            Remark("IMPORT_NO_ADDRESS", "$.managingOrganization"),
        ),
        (
            {"resourceType": "PractitionerRole", "id": "r"},
            Refusal.FAILED,
            Remark("IMPORT_NO_REFERENCE", "$.practitioner"),
        ),
        (
            {
                "resourceType": "PractitionerRole",
                "id": "r",
                "practitioner": {"reference": "https://elsewhere.example/Practitioner/1"},
            },
            Refusal.FAILED,
            Remark("IMPORT_REFERENCE_FOREIGN", "$.practitioner.reference"),
        ),
        (
            {"resourceType": "Slot", "id": "1"},
            Refusal.SKIPPED,
            Remark("IMPORT_RESOURCE_UNUSED", "$", {"value": "Slot"}),
        ),
    ],
)
def test_a_resource_that_is_wrong_or_not_ours_is_refused_with_its_path(
    resource: dict[str, Any], refusal: Refusal, remark: Remark
) -> None:
    element = read(resource)
    assert isinstance(element, Refused)
    assert (element.where, element.refusal, element.remarks) == ("$", refusal, (remark,))


@pytest.mark.parametrize(
    ("content", "problem", "where"),
    [
        (b"", FileMalformed, "1"),
        (b'{"resourceType": "Practitioner",\n"id": ', FileMalformed, "2"),
        (b"\x00\x01\x02", FileMalformed, "1"),
        (b'{"resourceType": "\xff"}', FileMalformed, "1"),
        (b'{"resourceType": "Practitioner", "id": "\\ud800"}', FileMalformed, "1"),
        (b'{"resourceType": "Practitioner", "x": NaN}', FileMalformed, "1"),
        (b"[" * 100_000, FileMalformed, "1"),
        (b"[]", FormatUnknown, "$"),
        (b"17", FormatUnknown, "$"),
        (b'{"name": "x"}', FormatUnknown, "$"),
        (b'{"resourceType": "Bundle", "entry": 7}', FileMalformed, "$.entry"),
        (b" " * (FILE_BYTES + 1), FileTooLarge, ""),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_wrong_file_is_refused_whole(
    content: bytes, problem: type[FileMalformed], where: str
) -> None:
    with pytest.raises(problem) as refused:
        read_fhir(content, "wrong.json")
    assert type(refused.value) is problem
    assert refused.value.values["where"] == where


@pytest.mark.parametrize("entry", [7, None, {}, {"resource": 7}, {"resource": {"id": "x"}}])
def test_an_entry_without_a_resource_fails_alone(entry: object) -> None:
    bundle = {"resourceType": "Bundle", "entry": [entry, {"resource": person()}]}
    file = read_fhir(json.dumps(bundle).encode(), "bundle.json")
    assert file.elements == (
        Refused(
            name="Resource@$.entry[0].resource",
            where="$.entry[0].resource",
            remarks=(Remark("IMPORT_NO_RESOURCE", "$.entry[0].resource"),),
        ),
        PersonRecord(name="Practitioner/p", where="$.entry[1].resource", last_name="Соколова"),
    )
