// An OpenID provider as Gosuslugi could be: who signs in is named by `login_hint`, or comes first, and agrees at once.
// CLIENTS and PEOPLE (claims by login) are JSON; prints its port, on which ISSUER must be.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const { ISSUER, CLIENTS, PEOPLE } = process.env;
const people = JSON.parse(PEOPLE);

const provider = new Provider(ISSUER, {
  clients: JSON.parse(CLIENTS),
  claims: {
    openid: ['sub', 'snils', 'trusted'],
    profile: ['family_name', 'given_name', 'birthdate'],
  },
  features: { devInteractions: { enabled: false } },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  async loadExistingGrant(ctx) {
    const { client, session, provider: oidc } = ctx.oidc;
    const grant = new oidc.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope('openid profile');
    await grant.save();
    return grant;
  },
  pkce: { required: () => true },
});

const answer = provider.callback();
const server = createServer(async (request, response) => {
  if (!request.url.startsWith('/interaction/')) return answer(request, response);
  const { params } = await provider.interactionDetails(request, response);
  const login = { accountId: params.login_hint ?? Object.keys(people)[0] };
  return provider.interactionFinished(request, response, { login });
});
server.listen(new URL(ISSUER).port, '127.0.0.1', () => console.log(server.address().port));
