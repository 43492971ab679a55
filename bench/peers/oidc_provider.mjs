// oidc-provider with its in-memory adapter, and codes to trade: node oidc_provider.mjs PORT CODES FILE
// FILE gets the codes' texts, one a line. They are made by its own models, as its authorization endpoint does.
import { writeFileSync } from 'node:fs';
import { Provider } from 'oidc-provider';
import MemoryAdapter from './node_modules/oidc-provider/lib/adapters/memory_adapter.js';
import LRU from './node_modules/oidc-provider/lib/helpers/lru.js';

const [port, codes, file] = process.argv.slice(2);
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
const redirectUri = 'http://127.0.0.1/callback';
const scope = 'offline_access';

// By default its in-memory adapter keeps the newest 1,000 entries only; codes made beforehand are more.
const store = new LRU({ maxSize: 10_000_000 });
class RoomyMemoryAdapter extends MemoryAdapter {
  constructor(model) {
    super(model, store);
  }
}

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: 'bench',
    client_secret: 'bench-secret-bench-secret-bench-secret',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'client_secret_post',
    application_type: 'native',
  }],
  adapter: RoomyMemoryAdapter,
  features: { devInteractions: { enabled: false }, introspection: { enabled: true } },
  findAccount: (ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  issueRefreshToken: () => true, // no `openid`, so no ID token has to be signed: it does no more than we do
  rotateRefreshToken: true,
  ttl: { AccessToken: 31536000, AuthorizationCode: 3600, Grant: 31536000, RefreshToken: 31536000 },
});

async function makeCode(client, number) {
  const accountId = `user-${number}`;
  const grant = new provider.Grant({ accountId, clientId: client.clientId });
  grant.addOIDCScope(scope);
  const grantId = await grant.save();
  return new provider.AuthorizationCode({
    accountId,
    client,
    codeChallenge: challenge,
    codeChallengeMethod: 'S256',
    grantId,
    redirectUri,
    scope,
    gty: 'authorization_code',
  }).save();
}

const client = await provider.Client.find('bench');
const made = [];
for (let number = 0; number < Number(codes); number += 1) {
  made.push(await makeCode(client, number));
}
if (file) {
  writeFileSync(file, made.join('\n'));
}
provider.listen(Number(port), '127.0.0.1');
