// Follows shiftChanged at URL with TOKEN by graphql-ws; prints "subscribed", then events as JSON lines.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const client = createClient({
  url: process.env.URL,
  webSocketImpl: WebSocket,
  connectionParams: { authorization: `Bearer ${process.env.TOKEN}` },
  retryAttempts: 0,
});
client.on('connected', () => setTimeout(() => console.log('"subscribed"'), 200));
client.subscribe(
  { query: 'subscription { shiftChanged { status } }' },
  {
    next: (body) => console.log(JSON.stringify(body)),
    error: (error) => {
      console.log(JSON.stringify({ code: error.code, errors: Array.isArray(error) && error }));
      process.exit(0);
    },
    complete: () => process.exit(0),
  },
);
