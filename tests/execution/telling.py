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
# Stands where the second of those named Абрамов(а) does.
FROM_ABRAMOVA = (
    '["full_name_folded","абрамова анна","01900004-0000-7000-8000-000000000009"]'.encode()
    .hex()
    .upper()
)
LONG = "a_name_longer_than_what_postgresql_keeps_of_the_name_of_any_column"
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
    "a page behind a cursor": (
        "doctor",
        """
        query($after: String, $page: Int = 3) {
          practitioners(first: $page, after: $after) {
            nodes { lastName firstName } pageInfo { hasNextPage hasPreviousPage }
          }
        }
        """,
        {"after": FROM_ABRAMOVA},
    ),
    "a page before a cursor": (
        "inspector",
        """
        query($before: String) {
          practitioners(last: 2, before: $before) {
            edges { cursor node { lastName } } pageInfo { hasNextPage startCursor }
          }
        }
        """,
        {"before": FROM_ABRAMOVA},
    ),
    "empty values last": (
        "admin",
        """
        {
          up: licences(first: 4, order: [{field: REVOKED_ON}]) { nodes { revokedOn number } }
          down: licences(first: 4, order: [{field: REVOKED_ON, direction: DESC}]) {
            nodes { revokedOn number }
          }
          end: licences(last: 2, order: [{field: REVOKED_ON}]) { nodes { revokedOn number } }
        }
        """,
        {},
    ),
    "cyrillic by code point": (
        "admin",
        "{ courses(first: 20, order: [{field: TITLE}]) { nodes { title } } "
        "departments { nodes { name city } } dictionaryEntries(first: 9) { nodes { name } } }",
        {},
    ),
    "case and yo do not matter": (
        "doctor",
        """
        query($part: String!, $start: String!) {
          practitioners(filter: {or: [
            {lastName: {contains: $part}} {lastName: {startsWith: $start}}
          ]}) { nodes { lastName } }
        }
        """,
        {"part": "ЖИК", "start": "Ёл"},
    ),
    "nothing matches": (
        "nurse",
        """
        query($none: [ID!]!) {
          practitioners(filter: {id: {in: $none}}) { totalCount nodes { id } edges { cursor } }
          shifts(filter: {or: []}) { totalCount nodes { id } pageInfo { endCursor hasNextPage } }
        }
        """,
        {"none": []},
    ),
    "a null and a missing variable ask for nothing": (
        "admin",
        """
        query($kind: ShiftKind, $first: Int, $order: [ShiftOrder!], $name: TextFilter) {
          shifts(first: $first, order: $order, filter: {kind: {eq: $kind}, department: {
            name: $name
          }}) { totalCount }
        }
        """,
        {"kind": None, "first": None},
    ),
    "through relations": (
        "doctor",
        """
        {
          departments(filter: {shifts: {practitioner: {licences: {status: {eq: EXPIRED}}}}}) {
            totalCount
          }
          practitioners(filter: {not: {shifts: {}}}) { nodes { lastName } }
        }
        """,
        {},
    ),
    "hidden kinds hide rows": (
        "nurse",
        "{ shifts(first: 30) { totalCount nodes { kind status } } }",
        {},
    ),
    "decimals keep their places": (
        "doctor",
        """
        {
          me { positions(filter: {rate: {gte: "0.5"}}, order: [{field: RATE}]) {
            nodes { rate weeklyNorm employment }
          } }
        }
        """,
        {},
    ),
    "moments and days": (
        "inspector",
        """
        query($from: DateTime!, $till: Date!) {
          shifts(first: 3, filter: {startsAt: {gt: $from}}) { nodes { startsAt endsAt hours } }
          licences(first: 3, filter: {expiresOn: {lt: $till}}) { nodes { issuedOn expiresOn } }
        }
        """,
        {"from": "2026-03-01T23:59:59+03:00", "till": "2026-03-02"},
    ),
    "weeks of the zone": (
        "inspector",
        """
        {
          shiftGroups(by: [STARTS_AT_WEEK, STARTS_AT_DAY], first: 6) {
            totalCount nodes { key { startsAtWeek startsAtDay } count hours { sum } }
          }
        }
        """,
        {},
    ),
    "all in one group": (
        "admin",
        "{ practitionerGroups { totalCount nodes { count key { __typename } } } }",
        {},
    ),
    "no groups": (
        "admin",
        "query($none: [ID!]) { shiftGroups(by: [DEPARTMENT], only: {department: {in: $none}})"
        " { totalCount nodes { count } } }",
        {"none": []},
    ),
    "months for an analyst": (
        "analyst",
        """
        query($from: Date) {
          shiftGroups(by: [STARTS_AT_MONTH], only: {startsAtMonth: {gte: $from}}) {
            nodes { key { startsAtMonth } count hours { sum } }
          }
        }
        """,
        {"from": "2026-01-01"},
    ),
    "long names": (
        "operator",
        f"{{ practitioners(first: 2) {{ nodes {{ {LONG}_1: lastName {LONG}_2: firstName }} }} }}",
        {},
    ),
    "the same field twice": (
        "doctor",
        "{ me { department { id } ...F } } "
        "fragment F on Practitioner { department { name } department { code } }",
        {},
    ),
    "deep": (
        "doctor",
        """
        {
          me { department { practitioners(first: 1) { nodes {
            department { shifts(last: 1) { nodes { practitioner { specialty { name } } } } }
          } } } }
        }
        """,
        {},
    ),
    "own applications": (
        "citizen",
        "{ applications(first: 3) { totalCount nodes { number kind status dueOn comment } } }",
        {},
    ),
    "a visitor": (
        "visitor",
        """
        {
          viewer { activeRole roles can { operations } }
          dictionaryEntries(first: 2) { nodes { name } }
        }
        """,
        {},
    ),
    "cells of others are empty": (
        "nurse",
        "{ practitioners { nodes { lastName snils birthDate account { publicId } } } }",
        {},
    ),
}
