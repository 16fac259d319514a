"""The roles in which a person may act."""

from enum import StrEnum


class Role(StrEnum):
    """Who asks. A session acts in one role at a time."""

    VISITOR = "VISITOR"
    CITIZEN = "CITIZEN"
    DOCTOR = "DOCTOR"
    NURSE = "NURSE"
    ADMIN = "ADMIN"
    ANALYST = "ANALYST"
    INSPECTOR = "INSPECTOR"
    OPERATOR = "OPERATOR"


# Roles that an administrator grants. A visitor is nobody; a citizen is everybody signed in
# who holds nothing else.
GRANTED = tuple(role for role in Role if role not in (Role.VISITOR, Role.CITIZEN))
CLINICAL = (Role.DOCTOR, Role.NURSE)
