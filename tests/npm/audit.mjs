// Runs the audit of graphql-http against URL, as the one whose TOKEN is given; prints what is not ok.
import { auditServer } from 'graphql-http';

const authorization = `Bearer ${process.env.TOKEN}`;
const results = await auditServer({
  url: process.env.URL,
  fetchFn: (url, options) =>
    fetch(url, { ...options, headers: { ...options?.headers, authorization } }),
});
const found = results
  .filter((result) => result.status !== 'ok')
  .map(({ status, id, name, reason }) => ({ status, id, name, reason }));
console.log(JSON.stringify({ checks: results.length, found }));
