"""Events of subscriptions: rows that the change feed tells the viewer of, read anew each time."""

from collections.abc import AsyncIterator
from typing import Any

from tortoise.models import Model

from core.clock import utc_now
from models.change import Change, ChangeKind
from models.feed import ChangesLost
from schema.context import Context


async def changed_rows(
    context: Context, kind: ChangeKind, model: type[Model]
) -> AsyncIterator[Any]:
    """The rows of a kind that change for the viewer's account and exist for the viewer.

    A client that must not miss anything reads its list when it has subscribed, and again when it
    has been away: the feed tells what changes, not what was missed.
    """
    account = context.viewer.account_id

    def wanted(change: Change) -> bool:
        return change.kind is kind and change.account_id == account

    with context.services["feed"].subscribe(wanted) as changes:
        while True:
            try:
                async for change in changes:
                    context.act_as(context.viewer._replace(now=utc_now()))
                    row = await context.loaders.one(model, change.subject_id)
                    if row is not None:
                        yield row
                return
            except ChangesLost:
                continue
