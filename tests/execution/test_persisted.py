"""What is kept of operations that have a hash: one text, one prepared document, within bounds."""

import pytest

from core.settings import Limits
from execution.engine import Engine
from execution.persisted import Automatic, Named, hash_of
from execution.problems import Refused
from execution.requests import Request
from execution.trusted import Trusted, document_of
from models.role import Role
from schema.build import build
from tests.execution.test_errors import context


def engine(characters: int = 10_000, texts: int = 100) -> Engine:
    return Engine(build(), Limits(), operations=Automatic(characters, texts))


def named(text: str) -> Named:
    return Named({"version": 1, "sha256Hash": hash_of(text)})


def knows(found: Engine, text: str, role: Role = Role.VISITOR) -> bool:
    try:
        found.documents.prepare(Request("", named=named(text)), context(role))
    except Refused as refused:
        assert [e["extensions"]["code"] for e in refused.errors] == ["PERSISTED_QUERY_NOT_FOUND"]
        return False
    return True


def texts(count: int) -> list[str]:
    return [f"{{ a{number:07}: __typename }}" for number in range(count)]


def test_text_and_hash_lead_to_one_prepared_document_and_one_text() -> None:
    found, asking = engine(), context(Role.DOCTOR)
    text = "query Of($id: ID!) { practitioner(id: $id) { lastName } }"
    by_text = found.documents.prepare(Request(text), asking)
    kept = found.documents.prepare(Request("".join(list(text)), named=named(text)), asking)
    by_hash = found.documents.prepare(Request("", {"id": "x"}, named=named(text)), asking)
    assert kept is by_text
    assert by_hash is by_text
    assert found.documents.whole(Request("", named=named(text)), asking).text is by_text.text
    # The name of the operation is part of what is asked for, as by text.
    assert found.documents.prepare(Request("", {}, "Of", named(text)), asking) is not by_hash


def test_roles_that_know_a_hash_share_its_text_and_not_its_document() -> None:
    found = engine()
    for role in (Role.DOCTOR, Role.ADMIN):
        copy = " ".join(["{", "viewer", "{", "activeRole", "}", "}"])
        found.documents.prepare(Request(copy, named=named(copy)), context(role))
    doctor, admin = (
        found.documents.prepare(
            Request("", named=named("{ viewer { activeRole } }")), context(role)
        )
        for role in (Role.DOCTOR, Role.ADMIN)
    )
    assert doctor.text is admin.text
    assert (doctor.view.role, admin.view.role) == (Role.DOCTOR, Role.ADMIN)


def test_trusted_text_and_its_hash_lead_to_one_prepared_document() -> None:
    text, asking = "{ viewer { activeRole } }", context(Role.DOCTOR)
    listed = document_of(text, engine())
    assert listed.roles == set(Role)
    found = Engine(build(), Limits(), operations=Trusted({hash_of(text): listed}))
    by_hash = found.documents.prepare(Request("", named=named(text)), asking)
    assert found.documents.prepare(Request("".join(list(text))), asking) is by_hash
    assert by_hash.text is text


@pytest.mark.parametrize(
    ("characters", "most", "kept"), [(10_000, 50, 50), (24 * 30, 1_000, 30), (24 * 30 - 1, 99, 29)]
)
def test_any_number_of_texts_stays_within_the_bounds(characters: int, most: int, kept: int) -> None:
    found = engine(characters, most)
    sent = texts(400)
    assert {len(text) for text in sent} == {24}
    for text in sent:
        found.documents.prepare(Request(text, named=named(text)), context())
    # Looked for from the newest, since looking makes what is found the newest.
    assert [text for text in reversed(sent) if knows(found, text)] == sent[: -kept - 1 : -1]


def test_what_is_asked_for_outlives_what_is_not() -> None:
    found = engine(texts=3)
    used, *others = texts(9)
    found.documents.prepare(Request(used, named=named(used)), context())
    for text in others:
        found.documents.prepare(Request(text, named=named(text)), context())
        assert knows(found, used)
    assert [text for text in others if knows(found, text)] == others[-2:]


def test_visitors_push_out_no_one_else_s_texts() -> None:
    found = engine(texts=3)
    text = "{ viewer { activeRole } }"
    found.documents.prepare(Request(text, named=named(text)), context(Role.DOCTOR))
    for other in texts(30):
        found.documents.prepare(Request(other, named=named(other)), context())
    assert knows(found, text, Role.DOCTOR)


def test_text_longer_than_all_that_may_be_kept_is_run_and_forgotten() -> None:
    found = engine(characters=20)
    (text,) = texts(1)
    assert found.documents.prepare(Request(text, named=named(text)), context()).text == text
    assert not knows(found, text)
