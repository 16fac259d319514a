"""Second factors: which of them an account has, and how many there must stay."""

from dataclasses import dataclass
from uuid import UUID

from auth.viewer import Viewer
from core.errors import Problem
from core.ids import uuid7
from core.text import mask
from models.account import Account
from models.factor import Passkey, RecoveryCode, SecondFactor

# A recovery code helps where a factor is lost: it is none to rely upon.
_LASTING = frozenset({SecondFactor.TOTP, SecondFactor.SMS, SecondFactor.PASSKEY})
# So many digits of a telephone number are recognised by its owner.
_SHOWN_DIGITS = 4


class LastFactor(Problem):
    """It is the only second factor of the account: add another one first."""

    code = "LAST_FACTOR"


@dataclass(frozen=True, slots=True)
class Offered:
    """A factor that may be chosen; ``contact`` is where its code goes, masked."""

    kind: SecondFactor
    contact: str | None = None


async def factors_of(account: Account | None) -> tuple[Offered, ...]:
    """The second factors of an account; the same work is done where there is no account."""
    account_id = account.id if account is not None else uuid7()
    has_passkey = await Passkey.filter(account_id=account_id).exists()
    has_codes = await recovery_codes_left(account_id) > 0
    if account is None:
        return ()
    found = []
    if account.totp_sealed is not None:
        found.append(Offered(SecondFactor.TOTP))
    if account.sms_factor and account.phone is not None:
        found.append(Offered(SecondFactor.SMS, mask(account.phone, _SHOWN_DIGITS)))
    if has_passkey:
        found.append(Offered(SecondFactor.PASSKEY))
    if has_codes:
        found.append(Offered(SecondFactor.RECOVERY_CODE))
    return tuple(found)


def lasting(factors: tuple[Offered, ...]) -> frozenset[SecondFactor]:
    """Those among factors that do not run out."""
    return frozenset(factor.kind for factor in factors) & _LASTING


async def sms_contact(account: Account) -> str | None:
    """The number to which codes are sent as a factor: where there is no other, a confirmed one.

    Without it who comes by Gosuslugi, and has no factor here, could never add the first.
    """
    if account.sms_factor:
        return account.phone
    has_none = account.phone_confirmed_at is not None and not lasting(await factors_of(account))
    return account.phone if has_none else None


async def check_another_stays(account: Account, without: SecondFactor) -> None:
    """Raises LastFactor where nothing lasting were left, of an account that the caller locked."""
    if not lasting(await factors_of(account)) - {without}:
        raise LastFactor


async def recovery_codes_left(account_id: UUID) -> int:
    """How many recovery codes were not used yet."""
    return await RecoveryCode.filter(account_id=account_id, used_at__isnull=True).count()


async def own_factors(viewer: Viewer) -> tuple[Offered, ...]:
    """The second factors of the viewer's account."""
    return await factors_of(await Account.get(id=viewer.account_id))
