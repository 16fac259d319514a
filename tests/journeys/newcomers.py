"""People who register in the stories: their phones, what comes to them, and the form."""

import re
from datetime import timedelta
from typing import Any

from models.account import Account
from models.factor import SentCode
from models.message import Message, MessageState
from tests.journeys.hospital import Caller, Hospital

PHONE = "+79261234567"
INN, OTHER_INN = "500100732259", "123456789047"
SNILS, OTHER_SNILS = "11223344595", "01007919000"
PASSPORT = "4510 123456"
PASSWORD = "тихий омут 42 кита"
FORM: dict[str, Any] = {
    "lastName": "Ёлкина",
    "firstName": "Анна",
    "patronymic": "Сергеевна",
    "birthDate": "1985-04-12",
    "passport": PASSPORT,
    "inn": INN,
    "isMedicalWorker": False,
    "password": PASSWORD,
    "terms": True,
}
SENT = "handle expiresAt resendAt"


async def outbox(hospital: Hospital, to: str) -> list[str]:
    """What was sent to a contact, oldest first."""
    vault = hospital.api.services.vault
    messages = await Message.filter(state=MessageState.QUEUED).order_by("created_at", "id")
    return [
        vault.open(message.body_sealed)
        for message in messages
        if vault.open(message.to_sealed) == to
    ]


async def code_sent(hospital: Hospital, to: str) -> str:
    """The digits of the last message to a contact."""
    found = re.search(r"\b\d{6}\b", (await outbox(hospital, to))[-1])
    assert found is not None
    return found[0]


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


async def later(minutes: float) -> None:
    """Lets time go by for every code that was sent."""
    gone = timedelta(minutes=minutes)
    for sent in await SentCode.all():
        sent.sent_at -= gone
        sent.expires_at -= gone
        sent.resend_at -= gone
        if sent.proved_at is not None:
            sent.proved_at -= gone
        await sent.save()


async def terms_version(hospital: Hospital) -> str:
    version: str = (await hospital.visitor().sees("{ terms { version } }"))["terms"]["version"]
    return version


async def proved_phone(hospital: Hospital, phone: str = PHONE) -> str:
    """The handle of a telephone number whose code came back."""
    visitor = hospital.visitor()
    begun = await visitor.does("beginRegistration", SENT, phone=phone)
    handle: str = begun["handle"]
    code = await code_sent(hospital, phone)
    await visitor.does("checkRegistrationCode", "expiresAt", handle=handle, code=code)
    return handle


async def form(hospital: Hospital, **values: Any) -> dict[str, Any]:
    return {**FORM, "termsVersion": await terms_version(hospital), **values}


async def newcomer(hospital: Hospital, phone: str = PHONE, **values: Any) -> Caller:
    """Somebody who has registered, and is signed in, and is not confirmed yet."""
    handle = await proved_phone(hospital, phone)
    payload = await hospital.visitor().does(
        "register",
        "accessToken",
        handle=handle,
        input=await form(hospital, **values),
    )
    account = await Account.get(phone=phone)
    return Caller(hospital.api, payload["accessToken"], account)


async def confirmed_newcomer(
    hospital: Hospital, phone: str = PHONE, snils: str = SNILS, **values: Any
) -> Caller:
    """The same, confirmed by SMS."""
    person = await newcomer(hospital, phone, **values)
    asked = await person.does("requestConfirmation", "handle", channel="SMS")
    code = await code_sent(hospital, phone)
    await person.does("confirmAccount", handle=asked["handle"], code=code, snils=snils)
    return person
