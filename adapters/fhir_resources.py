"""The parts of FHIR R4 resources that are read (hl7.org/fhir/R4); the rest is passed over."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints


def _printable(text: str) -> str:
    # PostgreSQL refuses NUL, and nobody can read the others.
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise ValueError("control characters")
    return text


_Printable = AfterValidator(_printable)
Short = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), _Printable
]
Long = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400), _Printable
]


class Part(BaseModel):
    """A part of a resource: types are not converted, and what we do not read is ignored."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class Coding(Part):
    system: Long | None = None
    code: Short | None = None


class CodeableConcept(Part):
    coding: list[Coding] = []


class Identifier(Part):
    use: Short | None = None
    system: Long | None = None
    value: Long | None = None


class HumanName(Part):
    use: Short | None = None
    family: Short | None = None
    given: list[Short] = []
    suffix: list[Short] = []


class ContactPoint(Part):
    system: Short | None = None
    value: Long | None = None
    use: Short | None = None


class Address(Part):
    use: Short | None = None
    type: Short | None = None
    line: list[Long] = []
    city: Short | None = None
    state: Short | None = None
    postalCode: Short | None = None
    country: Short | None = None


class Period(Part):
    start: Short | None = None
    end: Short | None = None


class Reference(Part):
    reference: Long | None = None


class Qualification(Part):
    code: CodeableConcept = CodeableConcept()


class Practitioner(Part):
    active: bool = True
    identifier: list[Identifier] = []
    name: list[HumanName] = []
    telecom: list[ContactPoint] = []
    address: list[Address] = []
    birthDate: Short | None = None
    qualification: list[Qualification] = []


class PractitionerRole(Part):
    active: bool = True
    period: Period = Period()
    practitioner: Reference = Reference()
    organization: Reference = Reference()
    code: list[CodeableConcept] = []
    specialty: list[CodeableConcept] = []
    telecom: list[ContactPoint] = []


class Organization(Part):
    active: bool = True
    name: Long | None = None
    address: list[Address] = []


class Location(Part):
    status: Short | None = None
    address: Address | None = None
    managingOrganization: Reference = Reference()
