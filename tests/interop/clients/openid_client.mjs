// openid-client: finds the server by its metadata, checks `iss`, and reads every answer strictly.
import * as client from 'openid-client';
import { app, finish, refusal, visit } from './conversation.mjs';

const AUTHENTICATIONS = {
  basic: () => client.ClientSecretBasic(app.client_secret),
  none: () => client.None(),
  post: () => client.ClientSecretPost(app.client_secret),
};

const config = await client.discovery(
  new URL(app.issuer),
  app.client_id,
  undefined,
  AUTHENTICATIONS[app.options.authentication](),
  { algorithm: 'oauth2', execute: [client.allowInsecureRequests] },
);

async function authorize(decision) {
  const checks = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedState: client.randomState(),
  };
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: app.redirect_uri,
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
  });
  return { landed: new URL(await visit(url, decision)), checks };
}

async function call(path, token) {
  return client.fetchProtectedResource(config, token, new URL(path, app.issuer), 'GET');
}

async function me(token) {
  return (await call('/api/v2/me', token)).json();
}

async function liveAndDie() {
  const { landed, checks } = await authorize('allow');
  const first = await client.authorizationCodeGrant(config, landed, checks);
  const before = await me(first.access_token);
  const second = await client.refreshTokenGrant(config, first.refresh_token);
  const after = await me(second.access_token);
  const replaced = await refusal(call('/api/v2/status', first.access_token));
  await client.tokenRevocation(config, second.refresh_token);
  return {
    metadata: config.serverMetadata(),
    supportsPKCE: config.serverMetadata().supportsPKCE(),
    iss: landed.searchParams.get('iss'),
    first,
    before,
    second,
    after,
    replaced,
    revoked: await refusal(call('/api/v2/status', second.access_token)),
    ended: await refusal(client.refreshTokenGrant(config, second.refresh_token)),
  };
}

async function asks() {
  const { landed, checks } = await authorize('allow');
  const pair = await client.authorizationCodeGrant(config, landed, checks);
  const texts = [pair.access_token, pair.refresh_token];
  const ask = () => Promise.all(texts.map((text) => client.tokenIntrospection(config, text)));
  const before = await ask();
  await client.tokenRevocation(config, pair.refresh_token);
  return { before, after: await ask() };
}

async function denied() {
  const { landed, checks } = await authorize('deny');
  return { refused: await refusal(client.authorizationCodeGrant(config, landed, checks)), landed };
}

async function replayed() {
  const { landed, checks } = await authorize('allow');
  const first = await client.authorizationCodeGrant(config, landed, checks);
  const before = await me(first.access_token);
  const again = await refusal(client.authorizationCodeGrant(config, landed, checks));
  return { before, again, ended: await refusal(call('/api/v2/status', first.access_token)) };
}

async function wrongVerifier() {
  const { landed, checks } = await authorize('allow');
  const wrong = { ...checks, pkceCodeVerifier: client.randomPKCECodeVerifier() };
  return { refused: await refusal(client.authorizationCodeGrant(config, landed, wrong)) };
}

await finish(await { asks, denied, liveAndDie, replayed, wrongVerifier }[app.options.story]());
