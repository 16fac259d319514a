"""Rows (Tortoise), and the rules that one row can check about itself."""

from models.account import Account, Invitation, RefreshToken, Session, SignInFailure
from models.application import Application
from models.audit import AuditEntry, AuditHead
from models.change import Change
from models.course import Course, Enrolment
from models.grant import RoleGrant
from models.imported import ImportedRecord
from models.licence import Licence
from models.organisation import Department, DictionaryEntry, Organisation
from models.practitioner import Position, Practitioner
from models.shift import DayWish, Shift

__all__ = [
    "Account",
    "Application",
    "AuditEntry",
    "AuditHead",
    "Change",
    "Course",
    "DayWish",
    "Department",
    "DictionaryEntry",
    "Enrolment",
    "ImportedRecord",
    "Invitation",
    "Licence",
    "Organisation",
    "Position",
    "Practitioner",
    "RefreshToken",
    "RoleGrant",
    "Session",
    "Shift",
    "SignInFailure",
]
