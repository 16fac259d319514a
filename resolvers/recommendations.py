"""Recommendations: what a person had better do for the safety of their account, as data."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from core.settings import Settings
from models.account import Account, Session, SignInMethod
from models.factor import SecondFactor
from resolvers.own_password import has_expired
from resolvers.second_factors import factors_of, lasting


class Recommendation(StrEnum):
    """CHANGE_PASSWORD is for a first sign-in, PASSWORD_OLD for a password that has expired."""

    CHANGE_PASSWORD = "CHANGE_PASSWORD"  # noqa: S105 - advice
    PASSWORD_OLD = "PASSWORD_OLD"  # noqa: S105 - advice
    ADD_SECOND_METHOD = "ADD_SECOND_METHOD"
    ADD_PASSKEY = "ADD_PASSKEY"
    CREATE_RECOVERY_CODES = "CREATE_RECOVERY_CODES"
    CONFIRM_ACCOUNT = "CONFIRM_ACCOUNT"


async def recommendations_for(
    account_id: UUID, *, settings: Settings, now: datetime
) -> tuple[Recommendation, ...]:
    """What is to be recommended now, the most urgent first; nothing of it is stored."""
    account = await Account.get(id=account_id)
    factors = await factors_of(account)
    kinds = {factor.kind for factor in factors}
    has_password = account.password_hash is not None
    is_old = has_expired(account, now, settings.sign_in.password_age)
    is_first = await _is_first(account)
    advice = {
        Recommendation.PASSWORD_OLD: is_old,
        Recommendation.CHANGE_PASSWORD: has_password and is_first and not is_old,
        Recommendation.CONFIRM_ACCOUNT: account.confirmed_at is None,
        Recommendation.ADD_SECOND_METHOD: len(lasting(factors)) < 2,
        Recommendation.CREATE_RECOVERY_CODES: SecondFactor.RECOVERY_CODE not in kinds,
        Recommendation.ADD_PASSKEY: SecondFactor.PASSKEY not in kinds,
    }
    return tuple(recommendation for recommendation, holds in advice.items() if holds)


async def _is_first(account: Account) -> bool:
    """Whether there was one sign-in at most, and the password is the one from before it.

    Registering opens a session too, which is no sign-in.
    """
    sessions = Session.filter(account_id=account.id).exclude(method=SignInMethod.SCRIPT)
    oldest = await sessions.order_by("started_at", "id").limit(3)
    sign_ins = [one for one in oldest if one.started_at != account.terms_accepted_at]
    changed, latest = account.password_changed_at, sign_ins or oldest
    return len(sign_ins) < 2 and all(changed is None or changed < s.started_at for s in latest)
