"""The people of the demo: an invented hospital's departments, dictionaries and staff."""

import random
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from uuid import UUID

from stdnum.ru import inn as inn_numbers

from core.sealing import Vault
from models.identifiers import snils_check
from models.licence import Licence, LicenceKind
from models.organisation import POSITIONS, SPECIALTIES, Department, DictionaryEntry, Organisation
from models.practitioner import (
    Category,
    EmploymentType,
    Position,
    Practitioner,
    PractitionerStatus,
    ProcedurePermit,
    Profession,
)
from resolvers.licences import five_years_after

ORGANISATION = {
    "name": "ГБУЗ «Городская клиническая больница № 17» (демонстрация)",
    "ogrn": "1022200525819",
}

# Code, name, and the specialties of its doctors.
_WARDS: list[tuple[str, str, tuple[str, ...]]] = [
    ("ТЕР", "Терапевтическое отделение", ("27", "41")),
    ("ХИР", "Хирургическое отделение", ("44", "4")),
    ("КАР", "Кардиологическое отделение", ("14", "40")),
    ("ПРИ", "Приёмное отделение", ("36", "27")),
    ("ПЕД", "Педиатрическое отделение", ("30", "19")),
    ("ПОЛ", "Поликлиника", ("27", "29")),
]
_DICTIONARIES: dict[str, tuple[str, list[tuple[str, str]]]] = {
    SPECIALTIES: (
        "4.5",
        [
            ("4", "Анестезиология-реаниматология"),
            ("14", "Кардиология"),
            ("19", "Неонатология"),
            ("27", "Терапия"),
            ("29", "Общая врачебная практика (семейная медицина)"),
            ("30", "Педиатрия"),
            ("36", "Скорая медицинская помощь"),
            ("40", "Функциональная диагностика"),
            ("41", "Эндокринология"),
            ("44", "Хирургия"),
            ("208", "Сестринское дело"),
            ("209", "Сестринское дело в педиатрии"),
        ],
    ),
    POSITIONS: (
        "9.2",
        [
            ("6", "Заведующий отделением — врач-специалист"),
            ("49", "Врач-терапевт"),
            ("64", "Врач-хирург"),
            ("17", "Врач-анестезиолог-реаниматолог"),
            ("33", "Врач-кардиолог"),
            ("62", "Врач функциональной диагностики"),
            ("60", "Врач скорой медицинской помощи"),
            ("47", "Врач-педиатр"),
            ("41", "Врач-неонатолог"),
            ("46", "Врач общей практики (семейный врач)"),
            ("71", "Врач-эндокринолог"),
            ("183", "Старшая медицинская сестра"),
            ("158", "Медицинская сестра палатная (постовая)"),
            ("155", "Медицинская сестра процедурной"),
        ],
    ),
}
_TITLE_OF_SPECIALTY = {
    "4": "17",
    "14": "33",
    "19": "41",
    "27": "49",
    "29": "46",
    "30": "47",
    "36": "60",
    "40": "62",
    "41": "71",
    "44": "64",
}


def _names(text: str) -> list[str]:
    return text.split()


_SURNAMES = _names(
    "Смирнов Иванов Кузнецов Соколов Попов Лебедев Козлов Новиков Морозов Петров Волков Соловьёв"
    " Васильев Зайцев Павлов Семёнов Голубев Виноградов Богданов Воробьёв Фёдоров Михайлов"
    " Беляев Тарасов Белов Комаров Орлов Киселёв Макаров Андреев Ковалёв Ильин Гусев Титов"
    " Кузьмин Кудрявцев Баранов Куликов Алексеев Степанов Яковлев Сорокин Сергеев Романов"
    " Захаров Борисов Королёв Герасимов Пономарёв Григорьев Лазарев Медведев Ершов Никитин"
    " Соболев Рябов Поляков Цветков Данилов Жуков"
)
_WOMEN = _names(
    "Анна Мария Елена Ольга Наталья Татьяна Ирина Светлана Екатерина Юлия Марина Людмила"
    " Галина Валентина Дарья Ксения Алина Вера Надежда Зоя"
)
_MEN = _names(
    "Александр Сергей Дмитрий Андрей Алексей Михаил Иван Николай Павел Артём Роман Фёдор"
    " Константин Виктор Пётр Тимур"
)
_FATHERS = _names(
    "Александров Сергеев Иванов Николаев Петров Владимиров Михайлов Викторов Алексеев Андреев"
    " Борисов Степанов"
)
_STREETS = _names("Мира Садовая Лесная Школьная Молодёжная Набережная Гагарина Чехова Пирогова")

DOCTORS_PER_WARD = NURSES_PER_WARD = 5


@dataclass(frozen=True, slots=True)
class Staff:
    """The rows of the demo's hospital, not saved yet."""

    organisation: Organisation
    departments: list[Department]
    dictionary: list[DictionaryEntry]
    people: list[Practitioner]
    positions: list[Position]
    licences: list[Licence]

    def of(self, department: Department, profession: Profession) -> list[Practitioner]:
        return [
            person
            for person in self.people
            if (person.department_id, person.profession) == (department.id, profession)
            and person.status is not PractitionerStatus.DISMISSED
        ]


def invent_staff(chance: random.Random, vault: Vault, today: date) -> Staff:
    """The hospital and its people: complete files first, then some with gaps."""
    organisation = Organisation(**ORGANISATION)
    departments = [
        Department(
            organisation_id=organisation.id,
            code=code,
            name=name,
            city="Москва",
            address=f"г. Москва, ул. Пирогова, 17, корп. {number}",
        )
        for number, (code, name, _) in enumerate(_WARDS, start=1)
    ]
    dictionary = [
        DictionaryEntry(oid=oid, version=version, code=code, name=name)
        for oid, (version, terms) in _DICTIONARIES.items()
        for code, name in terms
    ]
    staff = Staff(organisation, departments, dictionary, [], [], [])
    inventor = _Inventor(chance, vault, today, staff)
    for department, (_, _, specialties) in zip(departments, _WARDS, strict=True):
        for number in range(DOCTORS_PER_WARD):
            code = specialties[number % len(specialties)]
            title = "6" if number == 1 else _TITLE_OF_SPECIALTY[code]
            inventor.add(department, Profession.DOCTOR, code, title)
        for number in range(NURSES_PER_WARD):
            code = "209" if department.code == "ПЕД" else "208"
            title = "183" if number == 1 else ("155" if number == 2 else "158")
            inventor.add(department, Profession.NURSE, code, title)
    inventor.leave_gaps()
    return staff


class _Inventor:
    """Makes people one after another, each with a position and credentials."""

    def __init__(self, chance: random.Random, vault: Vault, today: date, staff: Staff) -> None:
        self.chance, self.vault, self.today, self.staff = chance, vault, today, staff
        self.numbers = count(1)
        self.surnames = chance.sample(_SURNAMES, len(_SURNAMES))
        self.terms = {(entry.oid, entry.code): entry.id for entry in staff.dictionary}

    def add(
        self, department: Department, profession: Profession, specialty: str, title: str
    ) -> None:
        number = next(self.numbers)
        chance = self.chance
        is_woman = chance.random() < (0.9 if profession is Profession.NURSE else 0.55)
        father = chance.choice(_FATHERS)
        surname = self.surnames[(number - 1) % len(self.surnames)]
        began = self.today - timedelta(days=chance.randint(200, 5_000))
        person = Practitioner(
            organisation_id=self.staff.organisation.id,
            department_id=department.id,
            profession=profession,
            last_name=f"{surname}а" if is_woman else surname,
            first_name=chance.choice(_WOMEN if is_woman else _MEN),
            middle_name=f"{father}на" if is_woman else f"{father}ич",
            birth_date=self.today - timedelta(days=chance.randint(25 * 366, 66 * 365)),
            snils=_snils(chance, number),
            inn=_inn(chance, number),
            passport_sealed=self.vault.seal(f"4512 {chance.randint(0, 999_999):06d}"),
            address=f"г. Москва, ул. {chance.choice(_STREETS)}, {chance.randint(1, 90)}",
            personal_phone=f"+7916{chance.randint(1_000_000, 9_999_999)}",
            personal_email=f"person{number:02d}@mail.demo.example",
            work_phone=f"+7495{number + 2_170_000}",
            work_email=f"staff{number:02d}@demo.cabinet.example",
            specialty_id=self.terms[SPECIALTIES, specialty],
            **self._qualification(profession, number),
        )
        self.staff.people.append(person)
        self.staff.positions.append(self._position(person, title, began))
        self.staff.licences.extend(self._licences(person, number))

    def _qualification(self, profession: Profession, number: int) -> dict[str, object]:
        chance = self.chance
        values: dict[str, object] = {}
        category = chance.choice([None, Category.SECOND, Category.FIRST, Category.HIGHEST])
        if category is not None:
            given = self.today - timedelta(days=chance.randint(30, 1_800))
            values |= {"category": category, "category_assigned_on": given}
        if profession is Profession.DOCTOR:
            values["prescriber_code"] = f"77{number:04d}"
        else:
            permits = chance.sample(list(ProcedurePermit), chance.randint(2, 5))
            values["procedure_permits"] = sorted(permit.value for permit in permits)
        return values

    def _position(self, person: Practitioner, title: str, began: date) -> Position:
        rate = self.chance.choice(["1.00", "1.00", "1.00", "1.25", "0.75", "0.50"])
        return Position(
            organisation_id=person.organisation_id,
            practitioner_id=person.id,
            department_id=person.department_id,
            title_id=self.terms[POSITIONS, title],
            rate=Decimal(rate),
            employment=EmploymentType.MAIN,
            starts_on=began,
        )

    def _licences(self, person: Practitioner, number: int) -> list[Licence]:
        """The hospital's licence, and a credential: valid, about to expire, or expired."""
        whose = {"organisation_id": person.organisation_id, "practitioner_id": person.id}
        # Days until the end; the first of each ward are fit for work.
        ends_in = {3: 12, 4: 28, 7: 55, 8: 85, 9: -40}.get(
            (number - 1) % 10, self.chance.randint(120, 1_700)
        )
        ends = self.today + timedelta(days=ends_in)
        issued = date(ends.year - 5, ends.month, min(ends.day, 28))
        credential = Licence(
            **whose,
            kind=LicenceKind.ACCREDITATION if number % 3 else LicenceKind.SPECIALIST_CERTIFICATE,
            number=f"7723 {30_000_000 + number * 7_919:09d}",
            issuer="Федеральный аккредитационный центр",
            specialty_id=person.specialty_id,
            issued_on=issued,
            expires_on=five_years_after(issued),
        )
        of_hospital = Licence(
            **whose,
            kind=LicenceKind.MEDICAL_LICENCE,
            number="Л041-01137-77/00370417",
            issuer="Департамент здравоохранения города Москвы",
            issued_on=date(2020, 10, 1),
        )
        return [credential, of_hospital]

    def leave_gaps(self) -> None:
        """What a real registry has: files that lack a number, and people who left."""
        people = self.staff.people
        for person in (people[23], people[38]):
            person.update_from_dict({"snils": None, "status": PractitionerStatus.INCOMPLETE})
        left = people[59]
        left.status = PractitionerStatus.DISMISSED
        self.staff.positions[59].ends_on = self.today - timedelta(days=20)
        # One person works in two departments.
        second = Position(
            organisation_id=people[12].organisation_id,
            practitioner_id=people[12].id,
            department_id=self.staff.departments[3].id,
            title_id=self.terms[POSITIONS, "60"],
            rate=Decimal("0.50"),
            employment=EmploymentType.INTERNAL_SECOND,
            starts_on=self.today - timedelta(days=150),
        )
        self.staff.positions.append(second)


def term_id(staff: Staff, oid: str, code: str) -> UUID:
    """The id of one term of the demo's dictionaries."""
    return next(term.id for term in staff.dictionary if (term.oid, term.code) == (oid, code))


def _snils(chance: random.Random, number: int) -> str:
    digits = f"{chance.randint(100, 199)}{number:06d}"
    return f"{digits}{snils_check(digits):02d}"


def _inn(chance: random.Random, number: int) -> str:
    digits = f"77{chance.randint(10, 99)}{number:06d}"
    return f"{digits}{inn_numbers.calc_personal_check_digits(digits)}"
