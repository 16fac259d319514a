"""The status of the service: notices, the health of its parts and the ways in, for everybody."""

from typing import Any

from models.notice import NoticeKind, ServicePart
from models.notice import ServiceNotice as ServiceNoticeRow
from models.role import Role
from resolvers import notices
from resolvers.health import Health, health_of_parts
from resolvers.sign_in_ways import SignInWay, sign_in_ways
from schema.context import Context
from schema.directives import EVERYONE, visible
from schema.operations import Returned, given, input_of, mutation, query
from schema.views import computed, enum_of, object_of

ADMIN = Role.ADMIN

enum_of(NoticeKind)
enum_of(ServicePart)
enum_of(Health)
enum_of(SignInWay)


def _part(notice: ServiceNoticeRow) -> ServicePart | None:
    return ServicePart(notice.part) if notice.part else None


def _own_language(notice: ServiceNoticeRow, context: Context, name: str) -> str:
    text: str = getattr(notice, f"{name}_{context.viewer.language}")
    return text


@object_of(visible(*EVERYONE))
class ServiceNotice:
    """A notice of planned work or of an outage."""

    id = computed("ID", visible(*EVERYONE), says="Its id.", value=lambda n, _: str(n.id))
    kind = computed("NoticeKind", visible(*EVERYONE), says="Of what.", value=lambda n, _: n.kind)
    part = computed(
        "ServicePart | None",
        visible(*EVERYONE),
        says="The part that it is about; empty for the whole.",
        value=lambda n, _: _part(n),
    )
    title = computed(
        "str",
        visible(*EVERYONE),
        says="What it says, in the viewer's language.",
        value=lambda n, context: _own_language(n, context, "title"),
    )
    text = computed(
        "str",
        visible(*EVERYONE),
        says="More of it, in the viewer's language; may be empty.",
        value=lambda n, context: _own_language(n, context, "text"),
    )
    starts_at = computed(
        "datetime", visible(*EVERYONE), says="Since when.", value=lambda n, _: n.starts_at
    )
    ends_at = computed(
        "datetime | None",
        visible(*EVERYONE),
        says="When it is expected to be over, where that is known.",
        value=lambda n, _: n.ends_at,
    )
    ended_at = computed(
        "datetime | None",
        visible(ADMIN),
        says="When it was said to be over.",
        value=lambda n, _: n.ended_at,
    )
    title_ru = computed("str", visible(ADMIN), says="In Russian.", value=lambda n, _: n.title_ru)
    title_en = computed("str", visible(ADMIN), says="In English.", value=lambda n, _: n.title_en)
    text_ru = computed("str", visible(ADMIN), says="In Russian.", value=lambda n, _: n.text_ru)
    text_en = computed("str", visible(ADMIN), says="In English.", value=lambda n, _: n.text_en)
    source = computed(
        "str",
        visible(ADMIN),
        says="Who wrote it: the public id of an account, or the part that failed.",
        value=lambda n, _: n.source,
    )
    version = computed(
        "int",
        visible(ADMIN),
        says="To be given back by an edit.",
        value=lambda n, _: n.version,
    )


@object_of(visible(*EVERYONE))
class PartHealth:
    """How a part of the service is."""

    part = computed("ServicePart", visible(*EVERYONE), says="Which.", value=lambda p, _: p[0])
    health = computed("Health", visible(*EVERYONE), says="How it is.", value=lambda p, _: p[1])


async def _notices(_status: Any, context: Context) -> list[ServiceNoticeRow]:
    return await notices.notices_to_tell(context.viewer)


async def _parts(_status: Any, context: Context) -> list[tuple[ServicePart, Health]]:
    settings, esia = context.services["settings"], context.services.get("esia")
    found = await health_of_parts(context.viewer.now, settings=settings, esia=esia)
    return list(found.items())


@object_of(visible(*EVERYONE))
class ServiceStatus:
    """What works, what does not, and what will not for a while."""

    notices = computed(
        "list[ServiceNotice]",
        visible(*EVERYONE),
        says="What holds now and what is to come, the nearest first; at most 50.",
        value=_notices,
    )
    parts = computed(
        "list[PartHealth]",
        visible(*EVERYONE),
        says="Each part, from what is known: asking this asks nothing outside.",
        value=_parts,
    )


@query(
    "serviceStatus",
    "ServiceStatus",
    visible(*EVERYONE),
    says="What works, what does not, and what will not for a while.",
)
def service_status(context: Context) -> Any:
    return context.viewer


@query(
    "signInWays",
    "list[SignInWay]",
    visible(*EVERYONE),
    says="The ways in which one signs in here, those that are set up alone.",
)
def ways_in(context: Context) -> list[SignInWay]:
    return sign_in_ways(context.services["settings"])


_NOTICE = {"notice": Returned("ServiceNotice | None", "The notice, as it is now.", lambda n, _: n)}


mutation(
    notices.announce_work,
    visible(ADMIN),
    says="Tells everybody of planned work or an outage, in both languages, from now or later.",
    returns=_NOTICE,
)


@input_of(visible(ADMIN))
class EditNoticeInput:
    """The values to change; one that is left out stays, and null empties it."""

    part = given("ServicePart | None", says="The part that it is about.")
    title_ru = given("str | None")
    title_en = given("str | None")
    text_ru = given("str | None")
    text_en = given("str | None")
    starts_at = given("datetime | None", says="Since when.")
    ends_at = given("datetime | None", says="When it is expected to be over.")


mutation(
    notices.edit_notice,
    visible(ADMIN),
    says="Mends a notice that holds or is to come.",
    input="EditNoticeInput",
    returns=_NOTICE,
)
mutation(
    notices.end_notice,
    visible(ADMIN),
    says="Says that an outage or work is over, or that planned work will not be.",
    returns=_NOTICE,
)
