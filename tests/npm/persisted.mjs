// Asks the same thing three times at URL with TOKEN, by CLIENT (apollo or urql) with automatic persisted
// queries, by GET where METHOD says so; prints for each time the answer and what was sent for it.
import { createHash } from 'node:crypto';
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { Client, fetchExchange } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';

const { URL: url, TOKEN, CLIENT, METHOD } = process.env;
const headers = { authorization: `Bearer ${TOKEN}` };
const text = 'query Home { viewer { activeRole } }';
const byGet = METHOD === 'GET';

let sent = [];
const recording = async (target, options) => {
  const asked =
    options.method === 'POST'
      ? JSON.parse(options.body)
      : Object.fromEntries(new URL(target).searchParams);
  const response = await fetch(target, options);
  const { errors = [] } = await response.clone().json();
  sent.push({
    method: options.method ?? 'GET',
    query: asked.query !== undefined,
    errors: errors.map((error) => error.message),
  });
  return response;
};

const clients = {
  apollo() {
    const sha256 = (query) => createHash('sha256').update(query).digest('hex');
    const client = new ApolloClient({
      cache: new InMemoryCache(),
      link: new PersistedQueryLink({ sha256, useGETForHashedQueries: byGet }).concat(
        new HttpLink({ uri: url, headers, fetch: recording }),
      ),
    });
    return () => client.query({ query: gql(text), fetchPolicy: 'network-only' });
  },
  urql() {
    const client = new Client({
      url,
      preferGetMethod: false,
      fetch: recording,
      fetchOptions: { headers },
      exchanges: [persistedExchange({ preferGetForPersistedQueries: byGet }), fetchExchange],
    });
    return () => client.query(text, {}, { requestPolicy: 'network-only' }).toPromise();
  },
};

const ask = clients[CLIENT]();
for (let time = 0; time < 3; time += 1) {
  sent = [];
  const { data, error } = await ask();
  console.log(JSON.stringify({ role: data?.viewer.activeRole, error: error?.message, sent }));
}
process.exit(0);
