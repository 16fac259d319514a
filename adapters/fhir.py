"""FHIR R4 resources in JSON, single or in a Bundle: who works where, as far as they tell.

A value that cannot be used as it stands is left out and reported with its JSON path; nothing
is inferred from another country's numbers or from code systems that we do not know.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import from_json

from adapters import fhir_resources as fhir
from adapters.fhir_values import (
    SUFFIXES,
    country_of,
    oid_of,
    one_line,
    phone,
    place_of,
    profession_of,
    term_of,
)
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
    Source,
    StaffFile,
    digest_of_number,
    staff_file,
)
from core.errors import Problem
from models import identifiers
from models.organisation import POSITIONS, SPECIALTIES
from models.practitioner import Profession

SNILS = "urn:oid:1.2.643.100.3"
INN = "urn:oid:1.2.643.3.131.1.1"
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,59}")
_RELATIVE = re.compile(r"[A-Z][A-Za-z]{1,59}/[A-Za-z0-9\-.]{1,64}")
_URN = re.compile(r"urn:uuid:[0-9a-fA-F-]{36}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOST_REMARKS = 5

P = TypeVar("P", bound=fhir.Part)


class _Wrong(Exception):
    """A resource yields no record."""

    def __init__(self, *remarks: Remark, refusal: Refusal = Refusal.FAILED) -> None:
        super().__init__([remark.code for remark in remarks])
        self.remarks = remarks
        self.refusal = refusal


def read_fhir(content: bytes, name: str) -> StaffFile:
    """The elements of a resource or a Bundle. Raises WrongFile."""
    if len(content) > FILE_BYTES:
        raise FileTooLarge("file", where="", limit=FILE_BYTES)
    try:
        # It bounds the depth by itself, and takes no lone surrogates.
        document = from_json(content.removeprefix(b"\xef\xbb\xbf"), allow_inf_nan=False)
    except ValueError as error:
        place = re.search(r"line \d+", str(error))
        raise FileMalformed("file", where=place[0].removeprefix("line ") if place else "") from None
    if not isinstance(document, dict) or not isinstance(document.get("resourceType"), str):
        raise FormatUnknown("file", where="$")
    if document["resourceType"] != "Bundle":
        return staff_file(Source.FHIR, name, [_Resource(document, "$", "", {}).read()])
    entries = document.get("entry", [])
    if not isinstance(entries, list):
        raise FileMalformed("file", where="$.entry")
    resources = []
    names: dict[str, str] = {}
    for number, entry in enumerate(entries):
        path = f"$.entry[{number}]"
        url = entry.get("fullUrl") if isinstance(entry, dict) else None
        url = url if isinstance(url, str) else ""
        body = entry.get("resource") if isinstance(entry, dict) else None
        resource = _Resource(body, f"{path}.resource", url, names)
        resources.append(resource)
        if url:
            names[url] = resource.name
    return staff_file(Source.FHIR, name, [resource.read() for resource in resources])


class _Resource:
    """One resource on its way to a record; collects the remarks about it."""

    def __init__(self, body: object, path: str, url: str, names: Mapping[str, str]) -> None:
        self.body: dict[str, Any] = body if isinstance(body, dict) else {}
        self.path = path
        # How the Bundle's other entries may call its resources.
        self.names = names
        self.remarks: list[Remark] = []
        kind, given = self.body.get("resourceType"), self.body.get("id")
        self.kind = kind if isinstance(kind, str) and _TYPE.fullmatch(kind) else ""
        self.is_named = True
        if self.kind and isinstance(given, str) and _ID.fullmatch(given):
            self.name = f"{self.kind}/{given}"
        elif self.kind and _URN.fullmatch(url):
            self.name = url
        else:
            self.is_named = False
            self.name = f"{self.kind or 'Resource'}@{path}"

    def read(self) -> Element:
        readers: dict[str, Callable[[], Element]] = {
            "Practitioner": self._practitioner,
            "PractitionerRole": self._practitioner_role,
            "Organization": self._organization,
            "Location": self._location,
        }
        try:
            if not self.kind:
                raise _Wrong(Remark("IMPORT_NO_RESOURCE", self.path))
            if self.kind not in readers:
                unsupported = Remark("IMPORT_RESOURCE_UNUSED", self.path, {"value": self.kind})
                raise _Wrong(unsupported, refusal=Refusal.SKIPPED)
            if not self.is_named:
                raise _Wrong(Remark("IMPORT_NO_ID", self._at("id")))
            return readers[self.kind]()
        except _Wrong as wrong:
            return Refused(
                name=self.name, where=self.path, remarks=wrong.remarks, refusal=wrong.refusal
            )

    def _at(self, *steps: str | int) -> str:
        return self.path + "".join(
            f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps
        )

    def _remark(self, code: str, *steps: str | int, **values: object) -> None:
        self.remarks.append(Remark(code, self._at(*steps), values))

    def _parsed(self, model: type[P]) -> P:
        try:
            return model.model_validate(self.body)
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_context=False, include_input=False)
            raise _Wrong(
                *(
                    Remark("IMPORT_VALUE_INVALID", self._at(*item["loc"]), {"value": item["type"]})
                    for item in wrong[:_MOST_REMARKS]
                )
            ) from None

    def _must_be_active(self, active: bool, *steps: str) -> None:
        if not active:
            raise _Wrong(Remark("IMPORT_INACTIVE", self._at(*steps)), refusal=Refusal.SKIPPED)

    def _reference(self, reference: fhir.Reference, field: str) -> str | None:
        """The name of another element; None where nothing is referred to."""
        text = reference.reference
        if text is None:
            return None
        text = self.names.get(text, text).split("/_history/")[0]
        if _RELATIVE.fullmatch(text) or _URN.fullmatch(text):
            return text
        raise _Wrong(Remark("IMPORT_REFERENCE_FOREIGN", self._at(field, "reference")))

    def _day(self, text: str | None, *steps: str | int) -> date | None:
        if text is None:
            return None
        try:
            # A dateTime begins with its day; of a year or a month alone no day is made.
            day = text.split("T")[0]
            if _DATE.fullmatch(day):
                return date.fromisoformat(day)
        except ValueError:
            pass
        self._remark("IMPORT_DATE_UNUSABLE", *steps)
        return None

    def _organization(self) -> DepartmentRecord:
        read = self._parsed(fhir.Organization)
        self._must_be_active(read.active, "active")
        if read.name is None:
            raise _Wrong(Remark("IMPORT_NO_NAME", self._at("name")))
        city, address = place_of(next((a for a in read.address if a.type != "postal"), None))
        return DepartmentRecord(
            name=self.name,
            where=self.path,
            remarks=tuple(self.remarks),
            code=f"fhir:{self.name.rsplit('/', 1)[-1].rsplit(':', 1)[-1]}",
            title=read.name,
            city=city,
            address=address,
        )

    def _location(self) -> AddressRecord:
        read = self._parsed(fhir.Location)
        self._must_be_active(read.status in (None, "active"), "status")
        department = self._reference(read.managingOrganization, "managingOrganization")
        city, address = place_of(read.address)
        if department is None or (city is None and address is None):
            missing = "managingOrganization" if department is None else "address"
            raise _Wrong(Remark("IMPORT_NO_ADDRESS", self._at(missing)), refusal=Refusal.SKIPPED)
        return AddressRecord(
            name=self.name,
            where=self.path,
            remarks=tuple(self.remarks),
            department=department,
            city=city,
            address=address,
        )

    def _practitioner(self) -> PersonRecord:
        read = self._parsed(fhir.Practitioner)
        self._must_be_active(read.active, "active")
        name = next((n for n in read.name if n.use == "official"), None) or next(
            (n for n in read.name if n.use not in ("old", "anonymous", "nickname")), None
        )
        if name is None or name.family is None:
            raise _Wrong(Remark("IMPORT_NO_NAME", self._at("name")))
        middle_name = " ".join(name.given[1:]) or None
        if middle_name is not None and len(middle_name) > 120:
            raise _Wrong(Remark("IMPORT_VALUE_INVALID", self._at("name"), {"value": "given"}))
        own = self._identifiers(read.identifier)
        contacts = self._contacts(read.telecom, read.address, None)
        return PersonRecord(
            name=self.name,
            where=self.path,
            last_name=name.family,
            first_name=name.given[0] if name.given else None,
            middle_name=middle_name,
            birth_date=self._day(read.birthDate, "birthDate"),
            snils=own.get(SNILS),
            inn=own.get(INN),
            address=one_line(next((a for a in read.address if a.use == "home"), None)),
            personal_phone=contacts.get(("personal", "phone")),
            personal_email=contacts.get(("personal", "email")),
            work_phone=contacts.get(("work", "phone")),
            work_email=contacts.get(("work", "email")),
            profession=self._profession(read, name),
            numbers=tuple(
                digest_of_number(number.system, number.value)
                for number in read.identifier
                if number.use == "official" and number.system and number.value
            ),
            remarks=tuple(self.remarks),
        )

    def _identifiers(self, given: list[fhir.Identifier]) -> dict[str, str]:
        checks = {SNILS: identifiers.snils, INN: identifiers.inn_of_person}
        found: dict[str, str] = {}
        for number, identifier in enumerate(given):
            check = checks.get(identifier.system or "")
            if check is None or identifier.value is None:
                known = {"value": identifier.system or ""}
                self._remark("IMPORT_IDENTIFIER_UNKNOWN", "identifier", number, **known)
                continue
            try:
                found.setdefault(str(identifier.system), check(identifier.value))
            except Problem as problem:
                self._remark(problem.code, "identifier", number, "value")
        return found

    def _contacts(
        self,
        given: list[fhir.ContactPoint],
        addresses: list[fhir.Address],
        use: str | None,
    ) -> dict[tuple[str, str], str]:
        """Phones and e-mail by whose they are, «work» or «personal»; the first sound one counts."""
        found: dict[tuple[str, str], str] = {}
        for number, contact in enumerate(given):
            if contact.system not in ("phone", "sms", "email") or contact.value is None:
                continue
            whose = {"work": "work", "home": "personal", "mobile": "personal", None: use}.get(
                contact.use
            )
            if contact.use == "old":
                continue
            if whose is None:
                self._remark("IMPORT_CONTACT_WHOSE", "telecom", number)
                continue
            kind = "email" if contact.system == "email" else "phone"
            try:
                value = (
                    identifiers.email(contact.value)
                    if kind == "email"
                    else phone(contact.value, country_of(addresses, contact.use))
                )
            except Problem as problem:
                self._remark(problem.code, "telecom", number, "value")
                continue
            found.setdefault((whose, kind), value)
        return found

    def _profession(self, read: fhir.Practitioner, name: fhir.HumanName) -> Profession | None:
        found = {SUFFIXES[suffix] for suffix in name.suffix if suffix in SUFFIXES}
        for number, qualification in enumerate(read.qualification):
            found |= self._professions(qualification.code, "qualification", number, "code")
        return self._only(found)

    def _professions(self, concept: fhir.CodeableConcept, *steps: str | int) -> set[Profession]:
        found = set()
        for number, coding in enumerate(concept.coding):
            profession = profession_of(coding)
            if profession is not None:
                found.add(profession)
            elif oid_of(coding) not in (POSITIONS, SPECIALTIES):
                told = {"value": f"{coding.system or ''}|{coding.code or ''}"}
                self._remark("IMPORT_CODE_UNKNOWN", *steps, "coding", number, **told)
        return found

    def _only(self, found: set[Profession]) -> Profession | None:
        if len(found) > 1:
            self._remark("IMPORT_PROFESSIONS_SEVERAL")
            return None
        return next(iter(found), None)

    def _practitioner_role(self) -> PostRecord:
        read = self._parsed(fhir.PractitionerRole)
        self._must_be_active(read.active, "active")
        person = self._reference(read.practitioner, "practitioner")
        if person is None:
            raise _Wrong(Remark("IMPORT_NO_REFERENCE", self._at("practitioner")))
        found: set[Profession] = set()
        for number, concept in enumerate(read.code):
            found |= self._professions(concept, "code", number)
        for number, concept in enumerate(read.specialty):
            if term_of([concept], SPECIALTIES) is None:
                self._professions(concept, "specialty", number)
        contacts = self._contacts(read.telecom, [], "work")
        title = term_of(read.code, POSITIONS)
        return PostRecord(
            name=self.name,
            where=self.path,
            person=person,
            department=self._reference(read.organization, "organization"),
            title=title,
            specialty=term_of(read.specialty, SPECIALTIES),
            profession=self._only(found),
            # FHIR has no such thing as a rate.
            rate=None,
            starts_on=self._day(read.period.start, "period", "start"),
            ends_on=self._day(read.period.end, "period", "end"),
            work_phone=contacts.get(("work", "phone")),
            work_email=contacts.get(("work", "email")),
            remarks=tuple(self.remarks),
        )
