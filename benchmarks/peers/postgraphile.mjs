// PostGraphile 5 with the Amber preset; with DATABASE_ROLE each request runs as that role.
import { createServer } from "node:http";
import { PgAggregatesPreset } from "@graphile/pg-aggregates";
import { PgSimplifyInflectionPreset } from "@graphile/simplify-inflection";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";

const role = process.env.DATABASE_ROLE;
const instance = postgraphile({
  extends: [PostGraphileAmberPreset, PgSimplifyInflectionPreset, PgAggregatesPreset],
  pgServices: [makePgService({ connectionString: process.env.DATABASE_URL, schemas: ["public"], poolConfig: { max: 10 } })],
  // Plain lists too: they are what it answers fastest with.
  schema: { defaultBehavior: "+connection +resource:connection +list +resource:list" },
  grafserv: { graphqlPath: "/graphql", watch: false, graphiql: false, websockets: false, graphqlOverGET: false },
  grafast: { explain: false, ...(role ? { context: () => ({ pgSettings: { role, "jwt.claims.user_id": "1" } }) } : {}) },
});
const server = createServer();
await instance.createServ(grafserv).addTo(server);
if (process.env.PRINT_SCHEMA) {
  const { printSchema } = await import("graphql");
  console.log(printSchema(await instance.getSchema()));
  process.exit(0);
}
server.listen(Number(process.env.PORT), "127.0.0.1");
