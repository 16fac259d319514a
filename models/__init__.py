"""Rows (Tortoise), and the rules that one row can check about itself."""

from models.account import Account, Invitation, RefreshToken, Session, SignInFailure
from models.application import Application
from models.audit import AuditEntry, AuditHead
from models.change import Change
from models.course import Course, Enrolment
from models.factor import Challenge, Passkey, RecoveryCode, SentCode
from models.grant import RoleGrant
from models.hit import Hit
from models.identity import ExternalIdentity, Identity
from models.imported import ImportedRecord
from models.licence import Licence
from models.message import Message
from models.notice import ServiceNotice
from models.organisation import Department, DictionaryEntry, Organisation
from models.practitioner import Position, Practitioner
from models.shift import DayWish, Shift
from models.ticket import Ticket, TicketDocument
from models.upload import Upload

__all__ = [
    "Account",
    "Application",
    "AuditEntry",
    "AuditHead",
    "Challenge",
    "Change",
    "Course",
    "DayWish",
    "Department",
    "DictionaryEntry",
    "Enrolment",
    "ExternalIdentity",
    "Hit",
    "Identity",
    "ImportedRecord",
    "Invitation",
    "Licence",
    "Message",
    "Organisation",
    "Passkey",
    "Position",
    "Practitioner",
    "RecoveryCode",
    "RefreshToken",
    "RoleGrant",
    "SentCode",
    "ServiceNotice",
    "Session",
    "Shift",
    "SignInFailure",
    "Ticket",
    "TicketDocument",
    "Upload",
]
