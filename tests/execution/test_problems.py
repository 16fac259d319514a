"""What is told of a request that cannot be run, in the caller's language."""

from typing import Any

import pytest

from tests.api import Api


@pytest.mark.parametrize(
    ("query", "code", "russian", "english"),
    [
        (
            "{ " + "a " * 300 + "}",
            "TOO_MANY_REPEATS",
            "Одни и те же поля повторяются слишком часто.",
            "The same fields are repeated too often.",
        ),
        (
            "#" * 70_000 + "{ a }",
            "DOCUMENT_TOO_LONG",
            "Документ слишком длинный: не больше 65536 знаков.",
            "The document is too long: at most 65536 characters.",
        ),
        (
            "{ " + " ".join(f"a{i}: x" for i in range(16)) + " }",
            "TOO_MANY_ALIASES",
            "Слишком много псевдонимов: не больше 15.",
            "Too many aliases: at most 15.",
        ),
        (
            "query A { a } query B { b }",
            "OPERATION_UNKNOWN",
            "Назовите одну операцию документа.",
            "Name one operation of the document to execute.",
        ),
        (
            "{ nothing }",
            "GRAPHQL_VALIDATION_FAILED",
            "Cannot query field 'nothing' on type 'Query'.",
            "Cannot query field 'nothing' on type 'Query'.",
        ),
        (
            '{ a(b: "\\u0000") }',
            "BAD_USER_INPUT",
            "Текст содержит знак, который нельзя сохранить: U+0000 или половина суррогатной пары.",
            "The text holds a character that cannot be kept: U+0000 or half of a surrogate pair.",
        ),
        ("", "QUERY_MISSING", "Поле query должно быть строкой.", "The query must be a string."),
    ],
)
async def test_refusals_speak_the_language_asked_for(
    api: Api, query: str, code: str, russian: str, english: str
) -> None:
    for language, text in (("ru", russian), ("en-GB, ru;q=0.5", english), ("de", russian)):
        body: dict[str, Any] = (await api.ask(query, language=language)).body
        (error,) = body["errors"]
        assert (error["message"], error["extensions"]["code"]) == (text, code)


async def test_what_cannot_be_read_is_told_in_russian_unless_asked(api: Api) -> None:
    for headers, text in (
        ({}, "Тело запроса должно быть application/json в UTF-8, без сжатия."),
        (
            {"accept-language": "en"},
            "The body must be application/json in UTF-8, not compressed.",
        ),
    ):
        response = await api.client.post("/graphql", content=b"x", headers=headers)
        (error,) = response.json()["errors"]
        assert error == {"message": text, "extensions": {"code": "MEDIA_TYPE"}}
    gone = await api.client.get("/nothing")
    assert gone.json()["errors"][0]["message"] == "Не найдено."
