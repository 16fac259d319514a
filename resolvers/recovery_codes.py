"""Recovery codes: ten that a person keeps on paper, each good for one second factor."""

from dataclasses import dataclass

from auth.audit import record
from auth.gate import Gate
from auth.sent_codes import CodeInvalid, CodeReused
from auth.viewer import Viewer
from core.ids import readable_code, typed_signs
from models.account import Account
from models.database import current_unit, unit_of_work
from models.factor import RecoveryCode
from resolvers.alerts import Alert, alert
from resolvers.second_factors import recovery_codes_left

HOW_MANY = 10
# Twenty-four signs of five bits: from 112 bits on a plain hash will do (OWASP ASVS 5.0, 6.5.2).
_GROUPS = 6
_PREFIX = "RC"


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    """Fresh codes, which are shown once."""

    codes: tuple[str, ...]


@unit_of_work
async def create_recovery_codes(viewer: Viewer, *, gate: Gate) -> RecoveryCodes:
    """Ten fresh codes; those from before are void."""
    account = await Account.filter(id=viewer.account_id).select_for_update(no_key=True).get()
    await RecoveryCode.filter(account_id=account.id).delete()
    codes = tuple(readable_code(_PREFIX, groups=_GROUPS) for _ in range(HOW_MANY))
    await RecoveryCode.bulk_create(
        RecoveryCode(
            account_id=account.id, code_hash=_hash(gate, account, code), created_at=viewer.now
        )
        for code in codes
    )
    record(viewer, "RECOVERY_CODES_CREATED", account, about=viewer.practitioner_id)
    await alert(viewer, gate=gate, account=account, what=Alert.RECOVERY_CODES_MADE)
    return RecoveryCodes(codes)


async def use_recovery_code(viewer: Viewer, gate: Gate, account: Account, code: str) -> None:
    """Uses a code up, in the caller's unit of work; raises CodeInvalid, CodeReused."""
    current_unit()
    named = RecoveryCode.filter(account_id=account.id, code_hash=_hash(gate, account, code))
    used = await named.filter(used_at__isnull=True).update(used_at=viewer.now)
    if not used:
        raise CodeReused("code") if await named.exists() else CodeInvalid("code")
    left = await recovery_codes_left(account.id)
    record(viewer, "RECOVERY_CODE_USED", account, left=left)
    await alert(viewer, gate=gate, account=account, what=Alert.RECOVERY_CODE_USED)


def _hash(gate: Gate, account: Account, code: str) -> str:
    return gate.hashes.hash("recovery code", f"{account.id}\0{typed_signs(code, _PREFIX)}")
