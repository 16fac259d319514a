// Mercurius with JIT over the hand-written SQL.
import Fastify from "fastify";
import mercurius from "mercurius";
import { byId, byPractitioner, departmentLoad, practitioner, practitioners, shifts, typeDefs } from "./hand.mjs";

// Only a loader without cache is given the info that prunes columns; it still batches and dedupes.
const loader = (load) => ({ loader: load, opts: { cache: false } });
const toOne = (load, key) => loader(async (asked) => {
  const found = await load(asked.map(({ obj }) => obj[key]), asked[0].info);
  return asked.map(({ obj }) => found.get(obj[key]) ?? null);
});
const toMany = (load) => loader(async (asked) => {
  const found = await load(asked.map(({ obj }) => obj.id), asked[0].info, asked[0].params);
  return asked.map(({ obj }) => found.get(obj.id));
});
const department = toOne(byId("Department", "department"), "departmentId");

const app = Fastify({ logger: false });
app.register(mercurius, {
  schema: typeDefs,
  jit: 1,
  graphiql: false,
  path: "/graphql",
  resolvers: {
    Query: {
      practitioner: (_, { id }, _context, info) => practitioner(id, info),
      practitioners: (_, { first }, _context, info) => practitioners(first, info),
      departmentLoad: () => departmentLoad(),
    },
  },
  loaders: {
    Practitioner: {
      department,
      licences: toMany(byPractitioner("Licence", "licence")),
      enrolments: toMany(byPractitioner("Enrolment", "enrolment")),
      shifts: toMany((ids, info, { first }) => shifts(ids, first, info)),
    },
    Shift: { department },
    Enrolment: { course: toOne(byId("Course", "course"), "courseId") },
  },
});
await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
