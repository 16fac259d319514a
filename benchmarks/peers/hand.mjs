// What Mercurius and Apollo share: one schema over the cabinet's tables, and SQL written by hand for
// speed: one batched, prepared statement for each relation, only the columns asked for, a pool of 10.
import pg from "pg";

export const typeDefs = /* GraphQL */ `
  scalar Date
  scalar DateTime
  type Department { id: ID! name: String! city: String }
  type Licence { id: ID! number: String! kind: String! issuedOn: Date! expiresOn: Date status: String! }
  type Shift { id: ID! startsAt: DateTime! endsAt: DateTime! kind: String! status: String! department: Department! }
  type Course { id: ID! title: String! provider: String! credits: Int! startsOn: Date! }
  type Enrolment { id: ID! status: String! course: Course! }
  type Practitioner {
    id: ID! lastName: String! firstName: String middleName: String specialty: String category: String
    department: Department licences: [Licence!]! shifts(first: Int = 50): [Shift!]! enrolments: [Enrolment!]!
  }
  type DepartmentLoad { departmentId: ID! count: Int! }
  type Query {
    practitioner(id: ID!): Practitioner
    practitioners(first: Int = 50): [Practitioner!]!
    departmentLoad: [DepartmentLoad!]!
  }
`;

// The specialty's name comes with the person's own row: a tuned resolver would not load it apart.
const COLUMNS = {
  Department: { id: "t.id", name: "t.name", city: "t.city" },
  Licence: { id: "t.id", number: "t.number", kind: "t.kind", issuedOn: "t.issued_on", expiresOn: "t.expires_on", status: "t.status" },
  Shift: { id: "t.id", startsAt: "t.starts_at", endsAt: "t.ends_at", kind: "t.kind", status: "t.state", departmentId: "t.department_id" },
  Course: { id: "t.id", title: "t.title", provider: "t.provider", credits: "t.credits", startsOn: "t.starts_on" },
  Enrolment: { id: "t.id", status: "t.status", courseId: "t.course_id" },
  Practitioner: {
    id: "t.id", lastName: "t.last_name", firstName: "t.first_name", middleName: "t.middle_name", category: "t.category",
    specialty: "(select e.name from dictionary_entry e where e.id = t.specialty_id)", departmentId: "t.department_id",
  },
};
const KEYS = { department: "departmentId", course: "courseId" };

// The columns that a selection needs, worked out once for each parsed document; without info, all.
const wantedOf = new WeakMap();
function wanted(type, info) {
  if (!info) return Object.keys(COLUMNS[type]);
  const node = info.fieldNodes[0];
  let found = wantedOf.get(node);
  if (found) return found;
  const names = new Set(["id"]);
  const walk = (set) => {
    for (const part of set.selections) {
      if (part.kind === "Field") {
        const name = KEYS[part.name.value] ?? part.name.value;
        if (COLUMNS[type][name]) names.add(name);
      } else walk(part.kind === "InlineFragment" ? part.selectionSet : info.fragments[part.name.value].selectionSet);
    }
  };
  for (const each of info.fieldNodes) walk(each.selectionSet);
  wantedOf.set(node, (found = [...names].sort()));
  return found;
}

const statements = new Map();
function statement(kind, type, info, text) {
  const columns = wanted(type, info);
  const key = `${kind}:${columns}`;
  let found = statements.get(key);
  if (!found) {
    const list = columns.map((name) => `${COLUMNS[type][name]} as "${name}"`).join(", ");
    statements.set(key, (found = { name: `s${statements.size}`, text: text(list) }));
  }
  return found;
}

// Dates stay text, and moments become ISO text without a Date object between.
pg.types.setTypeParser(1082, (text) => text);
pg.types.setTypeParser(1184, (text) => `${text.slice(0, 10)}T${text.slice(11)}${text.at(-3) === "+" ? ":00" : ""}`);

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10, idleTimeoutMillis: 0 });
const rows = async ({ name, text }, values) => (await pool.query({ name, text, values })).rows;
const unique = (ids) => [...new Set(ids)];

function grouped(found, ids) {
  const groups = new Map(ids.map((id) => [id, []]));
  for (const row of found) groups.get(row._parent).push(row);
  return groups;
}

export const practitioner = async (id, info) =>
  (await rows(statement("one", "Practitioner", info, (list) => `select ${list} from practitioner t where t.id = $1`), [id]))[0] ?? null;

export const practitioners = (first, info) =>
  rows(statement("page", "Practitioner", info, (list) => `select ${list} from practitioner t order by t.full_name_folded, t.id limit $1`), [first]);

export const departmentLoad = async () =>
  rows({ name: "load", text: `select department_id as "departmentId", count(*)::int as count from shift group by 1 order by 1` }, []);

// To one: a map from id to row.
export const byId = (type, table) => async (ids, info) => {
  const text = (list) => `select ${list} from ${table} t where t.id = any($1::uuid[])`;
  return new Map((await rows(statement(`one ${table}`, type, info, text), [unique(ids)])).map((row) => [row.id, row]));
};

// To many: a map from the practitioner's id to rows.
export const byPractitioner = (type, table) => async (ids, info) => {
  const text = (list) => `select ${list}, t.practitioner_id as "_parent" from ${table} t where t.practitioner_id = any($1::uuid[]) order by t.id`;
  const asked = unique(ids);
  return grouped(await rows(statement(`many ${table}`, type, info, text), [asked]), asked);
};

// The first so many of each parent: a lateral join over the index (practitioner_id, starts_at).
export const shifts = async (ids, first, info) => {
  const text = (list) => `select s.* from unnest($1::uuid[]) u(id) cross join lateral (
    select ${list}, t.practitioner_id as "_parent" from shift t where t.practitioner_id = u.id order by t.starts_at limit $2) s`;
  const asked = unique(ids);
  return grouped(await rows(statement("shifts", "Shift", info, text), [asked, first]), asked);
};
