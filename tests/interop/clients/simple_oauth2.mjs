// simple-oauth2: an older client that many integrations still have; it reads nothing but JSON.
import { AuthorizationCode } from 'simple-oauth2';
import { app, call, finish, visit } from './conversation.mjs';

const client = new AuthorizationCode({
  client: { id: app.client_id, secret: app.client_secret },
  auth: { tokenHost: app.issuer },
  options: app.options.client,
});

const address = { redirect_uri: app.redirect_uri, ...app.options.scope };
const landed = new URL(await visit(client.authorizeURL({ ...address, state: 'a state of its own' })));
const first = await client.getToken({ code: landed.searchParams.get('code'), ...address });
const before = await call('/api/v2/me', first.token.access_token);
const second = await first.refresh(app.options.scope);
const after = await call('/api/v2/me', second.token.access_token);
const replaced = await call('/api/v2/status', first.token.access_token);
const isExpired = second.expired(60);
await second.revokeAll();
const revoked = await call('/api/v2/status', second.token.access_token);
await finish({
  state: landed.searchParams.get('state'), first, before, second, after, replaced, isExpired, revoked,
});
