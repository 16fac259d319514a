"""Queries that tell much about the planner, each with who asks and its variables."""

from typing import Any

HOME = """
query Home($id: ID!) {
  practitioner(id: $id) {
    id lastName firstName department { id name } specialty { code name }
    licences { nodes { id kind issuer number status expiresOn } }
    shifts(first: 10) { nodes { id kind startsAt endsAt status department { name } } }
    enrolments { nodes { status course { title startsOn credits } } }
  }
}
"""
ROSTER = """
query Roster($first: Int) {
  practitioners(first: $first) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    nodes {
      id lastName department { name } licences { nodes { number issuer } }
      shifts(first: 5) { nodes { id startsAt endsAt kind note } }
    }
  }
}
"""
TELLING: dict[str, tuple[str, str, dict[str, Any]]] = {
    "home screen": ("doctor", HOME, {"id": "<doctor>"}),
    "home screen of a colleague": ("doctor", HOME, {"id": "<nurse>"}),
    "roster": ("admin", ROSTER, {"first": 50}),
    "roster of a department": ("admin limited to a department", ROSTER, {"first": 2}),
    "roster for a nurse": ("nurse", ROSTER, {}),
    "tiny": (
        "inspector",
        "query($id: ID!) { practitioner(id: $id) { id lastName specialty { name } } }",
        {"id": "<doctor>"},
    ),
    "me": ("nurse", "{ me { id snils birthDate procedurePermits account { id email } } }", {}),
    "viewer": (
        "doctor",
        """
        {
          viewer {
            activeRole roles account { publicId } practitioner { lastName } organisation { name }
            can { __typename operations fields }
          }
          courses(first: 1) { nodes { title } }
        }
        """,
        {},
    ),
    "several roots": (
        "doctor",
        "{ me { id } a: departments { nodes { id } } __typename b: departments { totalCount } }",
        {},
    ),
    "every operator": (
        "admin",
        """
        query($from: DateTime!, $kinds: [ShiftKind!], $name: String!) {
          shifts(
            last: 3
            filter: {
              startsAt: {gte: $from}, kind: {in: $kinds}, not: {status: {eq: DONE}}
              or: [
                {practitioner: {lastName: {contains: $name}}}
                {department: {city: {isNull: true}}}
              ]
            }
            order: [{field: STARTS_AT, direction: DESC}]
          ) { totalCount edges { cursor node { id status } } pageInfo { hasPreviousPage } }
        }
        """,
        {"from": "2020-01-01T00:00:00Z", "kinds": ["DAY", "NIGHT"], "name": "ел"},
    ),
    "fragments and directives": (
        "doctor",
        """
        query($no: Boolean!) {
          practitioners(first: 2) { ...Page ... @skip(if: $no) { totalCount } }
        }
        fragment Page on PractitionerConnection { nodes { ...Row name: lastName } nodes { id } }
        fragment Row on Practitioner { __typename id @include(if: $no) category snils }
        """,
        {"no": False},
    ),
    "courses": ("nurse", "{ courses { nodes { title seatsLeft enrolments { totalCount } } } }", {}),
    "own sessions and grants": (
        "citizen",
        "{ sessions { nodes { isCurrent startedAt } } roleGrants { nodes { role holds } } }",
        {},
    ),
    "rates": (
        "inspector",
        "{ practitioners { nodes { positions { edges { cursor node { rate startsOn } } } } } }",
        {},
    ),
    "groups of shifts": (
        "admin limited to a department",
        """
        query($by: [ShiftGroupBy!]!, $from: Date!, $first: Int) {
          shiftGroups(
            by: $by, first: $first
            only: {startsAtDay: {gte: $from}, kind: {in: [DAY, NIGHT]}}
            filter: {practitioner: {profession: {eq: NURSE}}}
          ) {
            totalCount
            nodes {
              key { department { name practitioners { totalCount } } status startsAtWeek kind }
              count hours { sum average minimum maximum }
            }
          }
        }
        """,
        {"by": ["DEPARTMENT", "STATUS", "STARTS_AT_WEEK"], "from": "2020-01-01", "first": 20},
    ),
    "groups without small cells": (
        "analyst",
        """
        {
          licenceGroups(by: STATUS) { nodes { key { status kind } count } }
          shiftGroups(by: [DEPARTMENT, STARTS_AT_MONTH], only: {kind: {eq: DAY}}) {
            totalCount nodes { key { department { name } startsAtMonth } hours { average } }
          }
          practitionerGroups { nodes { count } }
        }
        """,
        {},
    ),
    "no such id": (
        "admin",
        '{ practitioner(id: "01890000-0000-7000-8000-000000000000") { id } }',
        {},
    ),
}
