// Apollo Server with DataLoader over the hand-written SQL.
import { ApolloServer } from "@apollo/server";
import { ApolloServerPluginCacheControlDisabled } from "@apollo/server/plugin/disabled";
import { startStandaloneServer } from "@apollo/server/standalone";
import { makeExecutableSchema } from "@graphql-tools/schema";
import DataLoader from "dataloader";
import { byId, byPractitioner, departmentLoad, practitioner, practitioners, shifts, typeDefs } from "./hand.mjs";

// One set of loaders for each request. To one: by type, so that what is loaded is not asked again.
// To many: by field node, so that a batch shares its columns and arguments.
function loaderOf(context, key, load, missing) {
  let loader = context.loaders.get(key);
  if (!loader) {
    loader = new DataLoader(async (ids) => {
      const found = await load(ids);
      return ids.map((id) => found.get(id) ?? missing);
    });
    context.loaders.set(key, loader);
  }
  return loader;
}
const toOne = (load, key) => (row, _args, context) => loaderOf(context, load, load, null).load(row[key]);
const toMany = (load) => (row, args, context, info) =>
  loaderOf(context, info.fieldNodes[0], (ids) => load(ids, info, args), []).load(row.id);
const departments = byId("Department", "department");

const resolvers = {
  Query: {
    practitioner: (_, { id }, _context, info) => practitioner(id, info),
    practitioners: (_, { first }, _context, info) => practitioners(first, info),
    departmentLoad: () => departmentLoad(),
  },
  Practitioner: {
    department: toOne(departments, "departmentId"),
    licences: toMany(byPractitioner("Licence", "licence")),
    enrolments: toMany(byPractitioner("Enrolment", "enrolment")),
    shifts: toMany((ids, info, { first }) => shifts(ids, first, info)),
  },
  Shift: { department: toOne(departments, "departmentId") },
  Enrolment: { course: toOne(byId("Course", "course"), "courseId") },
};

// The document store (a cache of parsed documents) is on by default; cache hints would only cost.
const server = new ApolloServer({
  schema: makeExecutableSchema({ typeDefs, resolvers }),
  introspection: false,
  plugins: [ApolloServerPluginCacheControlDisabled()],
});
await startStandaloneServer(server, {
  listen: { port: Number(process.env.PORT), host: "127.0.0.1" },
  context: async () => ({ loaders: new Map() }),
});
