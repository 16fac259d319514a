"""Operations: mutations made from resolvers, their inputs, payloads and problems."""

import inspect
import types
import typing
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

import strawberry
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from auth.viewer import Viewer
from core.errors import InputInvalid, Problem, Problems
from core.translation import message
from schema.context import Context
from schema.directives import Proving, Visible
from schema.fields import ROOTS, argument, id_of, object_type, schema_field
from schema.names import NAMES, annotation
from schema.rules import Rules
from schema.views import VIEWS

T = TypeVar("T")

# The mutations of which an operation holds one at most.
SENSITIVE: set[str] = set()
# Those of every mutation.
RESOLVERS: list[Callable[..., Awaitable[Any]]] = []
_AS_TEXT = "as text"


@dataclass(frozen=True, slots=True)
class Returned:
    """One field of a payload: its type, and its value from what the resolver returned."""

    type: str
    says: str
    value: Callable[[Any, Context], Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a mutation came to: the resolver's result, or problems."""

    result: Any
    problems: tuple[Problem, ...] = ()
    # The path that leads to the resolver's keywords in the operation's arguments.
    paths: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Argument:
    """A keyword of a resolver as an argument of its operation."""

    keyword: str
    type: str
    required: bool


@dataclass(frozen=True, slots=True)
class Given:
    """A field of an input: its type, and rules of its own where the input's are too wide."""

    type: str
    rules: tuple[Visible, ...] = ()
    says: str = ""
    as_text: bool = False


def given(type_: str, *rules: Visible, says: str = "", as_text: bool = False) -> Any:
    """A field of an input; one that may be left out has a type that ends in ``| None``.

    An id ``as_text`` is read by the resolver, which tells a wrong one among its problems.
    """
    return Given(type_, rules, says, as_text)


def row(type_: str, says: str = "") -> dict[str, Returned]:
    """The payload field that shows the row a resolver returned, as the viewer may see it."""
    name = type_[0].lower() + type_[1:]
    return {
        name: Returned(
            f"{type_} | None",
            says or f"The {type_}, as it is now.",
            lambda result, context: context.loaders.one(VIEWS[type_].model, result.id),
        )
    }


def mutation(
    resolver: Callable[..., Awaitable[Any]],
    *rules: Visible | Proving,
    says: str,
    returns: dict[str, Returned] | None = None,
    input: str | None = None,
    presets: Callable[[Context], dict[str, Any]] | None = None,
    sensitive: bool = False,
) -> None:
    """Declares a mutation named after its resolver, with a payload of ``returns`` and ``errors``.

    Keywords of the resolver become arguments; those named like a service are handed over;
    ``**values`` are the fields given in ``input``. One that is ``sensitive`` stands alone of its
    kind in an operation, so that limits count guesses and not requests.
    """
    RESOLVERS.append(resolver)
    name = to_camel_case(resolver.__name__)
    if sensitive:
        SENSITIVE.add(name)
    type_name = name[0].upper() + name[1:]
    keywords = arguments_of(resolver)
    services = [
        key
        for key, parameter in inspect.signature(resolver).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and key not in {k.keyword for k in keywords}
    ]
    declared = Rules(rules)
    allowed = Rules(tuple(rule for rule in rules if isinstance(rule, Visible)))
    _declare_payload(type_name, allowed, returns or {})
    paths = dict(_input_paths(input)) if input else {}

    async def resolve(_source: Any, info: Any, **sent: Any) -> Outcome:
        context: Context = info.context
        even_time = context.even_time()
        outcome = await run(context, sent)
        await even_time.wait()
        return outcome

    async def run(context: Context, sent: Mapping[str, Any]) -> Outcome:
        found = paths | {k.keyword: to_camel_case(k.keyword) for k in keywords}
        try:
            # A keyword without a default that may be None is None when nothing was sent.
            values = {
                k.keyword: _plain(
                    sent[k.keyword] if _is_given(sent, k.keyword) else None, k.type, k.keyword
                )
                for k in keywords
                if k.required or _is_given(sent, k.keyword)
            }
            if input is not None:
                values |= _input_values(input, sent["input"])
            if presets is not None:
                values |= presets(context)
            offered = {key: context.services[key] for key in services if key in context.services}
            result = await resolver(context.viewer, **values, **offered)
        except InputInvalid:
            raise
        except Problem as problem:
            return Outcome(None, (problem,), tuple(found.items()))
        except Problems as several:
            return Outcome(None, tuple(several.problems), tuple(found.items()))
        context.forget()
        context.done.append(result)
        return Outcome(result)

    def check(_viewer: Viewer, sent: Mapping[str, Any]) -> None:
        for k in keywords:
            _plain(sent.get(to_camel_case(k.keyword)), k.type, k.keyword)
        for made in _input_fields(input) if input is not None else ():
            path = f"input.{made.python_name}"
            _plain(sent["input"].get(to_camel_case(made.python_name)), _raw_type(made), path)

    arguments = [
        argument(k.keyword, k.type if k.required else _optional(k.type), "") for k in keywords
    ]
    if input is not None:
        arguments.append(argument("input", input, "The values."))
    ROOTS.mutation[name] = schema_field(
        f"{type_name}Payload", resolve, declared, says, arguments=arguments, check=check
    )


def query(
    name: str,
    type_: str,
    *rules: Visible,
    says: str,
    arguments: list[StrawberryArgument] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declares a root field that no view leads to; the function gets (context, **arguments)."""

    def decorate(resolve: Callable[..., Any]) -> Callable[..., Any]:
        ROOTS.query[name] = schema_field(
            type_,
            lambda _source, info, **given: resolve(info.context, **given),
            Rules(rules),
            says,
            arguments=arguments,
        )
        return resolve

    return decorate


def query_row(name: str, made: Any) -> None:
    """Declares a root field that shows a row of the viewer's."""
    ROOTS.query[name] = schema_field(
        made.type,
        lambda _source, info: made.value(None, info.context),
        made.rules,
        made.says,
        spec=made,
    )


def subscription(
    name: str, type_: str, *rules: Visible, says: str
) -> Callable[[Callable[[Context], AsyncIterator[Any]]], Callable[[Context], AsyncIterator[Any]]]:
    """Declares a subscription; the function yields the values of its events."""

    def decorate(
        events: Callable[[Context], AsyncIterator[Any]],
    ) -> Callable[[Context], AsyncIterator[Any]]:
        ROOTS.subscription[name] = schema_field(
            type_,
            lambda _source, info: events(info.context),
            Rules(rules),
            says,
            subscription=True,
        )
        return events

    return decorate


def input_of(*rules: Visible) -> Callable[[type[T]], type[T]]:
    """Makes a class of ``given`` fields into an input; each has the input's rules or its own."""

    def decorate(cls: type[T]) -> type[T]:
        fields = {
            name: StrawberryField(
                type_annotation=annotation(made.type),
                description=made.says or None,
                directives=made.rules or rules,
                metadata={_AS_TEXT: made.as_text},
                **({"default": strawberry.UNSET} if made.type.endswith("| None") else {}),
            )
            for name, made in vars(cls).items()
            if isinstance(made, Given)
        }
        says = " ".join((cls.__doc__ or "").split())
        object_type(cls.__name__, fields, Rules(rules), says, is_input=True)
        return cls

    return decorate


def arguments_of(resolver: Callable[..., Any]) -> list[Argument]:
    """The keywords of a resolver whose types GraphQL knows; the others are services."""
    hints = typing.get_type_hints(resolver)
    found = []
    for key, parameter in list(inspect.signature(resolver).parameters.items())[1:]:
        if parameter.kind is not parameter.KEYWORD_ONLY:
            continue
        type_ = _graphql_type(hints[key])
        if type_ is not None:
            found.append(Argument(key, type_, parameter.default is parameter.empty))
    return found


def _graphql_type(hint: Any) -> str | None:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union) and types.NoneType in inner:
        (only,) = (part for part in inner if part is not types.NoneType)
        found = _graphql_type(only)
        return None if found is None else f"{found} | None"
    if origin in (list, tuple):
        found = _graphql_type(inner[0])
        return None if found is None else f"list[{found}]"
    if hint is UUID:
        return "ID"
    if isinstance(hint, type) and (hint.__name__ in _PLAIN or issubclass(hint, Enum)):
        return hint.__name__
    return None


_PLAIN = ("str", "int", "bool", "date", "datetime", "Decimal")


def _optional(type_: str) -> str:
    return type_ if type_.endswith("| None") else f"{type_} | None"


def _is_given(given: Mapping[str, Any], key: str) -> bool:
    return key in given and given[key] is not strawberry.UNSET


def _plain(value: Any, type_: str, path: str) -> Any:
    """An argument as the resolvers take it: ids as UUIDs."""
    if value is None or "ID" not in type_.replace("list[", "").replace("]", "").split(" | "):
        return value
    if isinstance(value, list):
        return [id_of(item, f"{to_camel_case(path)}[{i}]") for i, item in enumerate(value)]
    return id_of(value, to_camel_case(path))


def _input_fields(name: str) -> list[StrawberryField]:
    fields: list[StrawberryField] = NAMES[name].__strawberry_definition__.fields
    return fields


def _input_paths(name: str) -> list[tuple[str, str]]:
    return [
        (made.python_name, f"input.{to_camel_case(made.python_name)}")
        for made in _input_fields(name)
    ]


def _input_values(name: str, given: Any) -> dict[str, Any]:
    values = {}
    for made in _input_fields(name):
        value = getattr(given, made.python_name, strawberry.UNSET)
        if value is not strawberry.UNSET:
            values[made.python_name] = _plain(value, _raw_type(made), f"input.{made.python_name}")
    return values


def _raw_type(made: StrawberryField) -> str:
    assert made.type_annotation is not None
    if made.metadata.get(_AS_TEXT):
        return "str"
    return str(made.type_annotation.raw_annotation)


def _declare_payload(name: str, rules: Rules, returns: dict[str, Returned]) -> None:
    fields: dict[str, StrawberryField] = {
        key: schema_field(returned.type, _shown(returned), rules, returned.says)
        for key, returned in returns.items()
    }
    fields["errors"] = schema_field(
        "list[Problem]", _problems, rules, "What a person can mend; empty when it was done."
    )
    object_type(f"{name}Payload", fields, rules, f"What {name} came to.")


def _shown(returned: Returned) -> Callable[..., Any]:
    def show(outcome: Outcome, info: Any) -> Any:
        return None if outcome.problems else returned.value(outcome.result, info.context)

    return show


def _problems(outcome: Outcome, info: Any) -> list[dict[str, Any]]:
    paths = dict(outcome.paths)
    language = info.context.viewer.language
    return [
        {
            "code": problem.code,
            "field": paths.get(problem.field, to_camel_case(problem.field)) or None,
            "message": message(language, problem.code, **problem.values),
            "until": problem.values.get("until"),
        }
        for problem in outcome.problems
    ]
