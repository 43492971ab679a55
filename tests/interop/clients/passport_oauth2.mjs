// passport-oauth2: what a great many sign-in buttons of Express applications are made of.
import OAuth2Strategy from 'passport-oauth2';
import { app, call, finish, visit } from './conversation.mjs';

function strategy(verify) {
  const made = new OAuth2Strategy(
    {
      authorizationURL: new URL('/oauth/authorize', app.issuer).href,
      tokenURL: new URL('/oauth/token', app.issuer).href,
      clientID: app.client_id,
      clientSecret: app.client_secret,
      callbackURL: app.redirect_uri,
      state: true,
      pkce: app.options.pkce,
    },
    verify,
  );
  made._oauth2.useAuthorizationHeaderforGET(true);
  return made;
}

// What passport does around a strategy: its outcome is one of these five.
function authenticate(request) {
  return new Promise((resolve, reject) => {
    const given = {};
    const running = Object.create(strategy((access, refresh, parameters, profile, done) => {
      Object.assign(given, { access, refresh, parameters });
      done(null, { name: 'somebody' });
    }));
    running.redirect = (url) => resolve({ url });
    running.success = (user) => resolve({ user, ...given });
    running.fail = (challenge) => resolve({ failed: challenge ?? 'without a word' });
    running.pass = () => reject(new Error('passed'));
    running.error = reject;
    running.authenticate(request, {});
  });
}

function refreshed(text) {
  return new Promise((resolve, reject) => {
    const oauth = strategy(() => {})._oauth2;
    oauth.getOAuthAccessToken(text, { grant_type: 'refresh_token' }, (error, access, refresh, parameters) =>
      error ? reject(new Error(JSON.stringify(error))) : resolve({ access, refresh, parameters }));
  });
}

const session = {};
const { url } = await authenticate({ session, query: {} });
const landed = new URL(await visit(url, app.options.decision));
const first = await authenticate({ session, query: Object.fromEntries(landed.searchParams) });
if (first.failed) {
  await finish({ failed: first.failed });
} else {
  const before = await call('/api/v2/me', first.access);
  const second = await refreshed(first.refresh);
  const after = await call('/api/v2/me', second.access);
  await finish({ first, before, second, after, replaced: await call('/api/v2/status', first.access) });
}
