"""What signing in needs: keys, hashes, times and limits, built once by the server."""

from dataclasses import dataclass

from auth.breached import Breached, open_breached
from auth.keys import HashKey, open_hash_key
from auth.limits import DatabaseLimiter, Limiter
from auth.passwords import Passwords
from auth.redis_limits import RedisLimiter
from auth.tokens import Signer, open_signer
from core.places import Places
from core.sealing import Vault
from core.settings import SessionTimes, Settings, SignInLimits


@dataclass(frozen=True, slots=True)
class Gate:
    """Passed as a value to every operation that checks a factor or issues a token."""

    signer: Signer
    vault: Vault
    passwords: Passwords
    breached: Breached
    hashes: HashKey
    times: SessionTimes
    limits: SignInLimits
    limiter: Limiter
    places: Places
    production: bool = False


def open_gate(settings: Settings, vault: Vault) -> Gate:
    """The gate whose keys stand in the private directory; they are made on the first start."""
    directory = settings.home / "keys"
    times = settings.sessions
    hashes = open_hash_key(directory / "hash.key")
    limiter: Limiter = DatabaseLimiter(hashes)
    if settings.redis_url:
        limiter = RedisLimiter(hashes, settings.redis_url, beyond=limiter)
    return Gate(
        signer=open_signer(directory / "signing.keys", lifetime=times.access, leeway=times.leeway),
        vault=vault,
        passwords=Passwords(),
        breached=open_breached(settings.sign_in.breached),
        hashes=hashes,
        times=times,
        limits=settings.sign_in,
        limiter=limiter,
        places=settings.places,
        production=settings.production,
    )
