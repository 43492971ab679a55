// oauth4webapi: one request and one check for each step, with nothing taken for granted in between.
import * as oauth from 'oauth4webapi';
import { app, finish, refusal, visit } from './conversation.mjs';

const plainHttp = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(app.issuer);
const client = { client_id: app.client_id };
const authentication = app.client_secret ? oauth.ClientSecretBasic(app.client_secret) : oauth.None();

async function discovered() {
  const answer = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...plainHttp });
  return oauth.processDiscoveryResponse(issuer, answer);
}

async function exchanged(server, landed, verifier) {
  const answer = await oauth.authorizationCodeGrantRequest(
    server, client, authentication, landed, app.redirect_uri, verifier, plainHttp,
  );
  return oauth.processAuthorizationCodeResponse(server, client, answer);
}

async function refreshed(server, text) {
  const answer = await oauth.refreshTokenGrantRequest(server, client, authentication, text, plainHttp);
  return oauth.processRefreshTokenResponse(server, client, answer);
}

async function revoked(server, text) {
  const answer = await oauth.revocationRequest(server, client, authentication, text, plainHttp);
  return oauth.processRevocationResponse(answer);
}

async function me(token) {
  const url = new URL('/api/v2/me', issuer);
  return (await oauth.protectedResourceRequest(token, 'GET', url, undefined, null, plainHttp)).json();
}

const server = await discovered();
const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const url = new URL(server.authorization_endpoint);
url.search = new URLSearchParams({
  client_id: app.client_id,
  redirect_uri: app.redirect_uri,
  response_type: 'code',
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
});

const landed = oauth.validateAuthResponse(server, client, new URL(await visit(url)), state);
const first = await exchanged(server, landed, verifier);
const before = await me(first.access_token);
const second = await refreshed(server, first.refresh_token);
const after = await me(second.access_token);
const replaced = await refusal(me(first.access_token));
const unknown = await refusal(refreshed(server, `${second.refresh_token.slice(0, -1)}!`));
await revoked(server, 'a token that was never issued');
await revoked(server, second.access_token);
await finish({ server, first, before, second, after, replaced, unknown, revoked: await refusal(me(second.access_token)) });
