// What a client and the test that drives it say to each other: one JSON object a line, in turn.
import { createInterface } from 'node:readline';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function heard() {
  const { value, done } = await lines.next();
  if (done) throw new Error('the test hung up');
  return JSON.parse(value);
}

function say(what) {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

// The first line: `issuer`, `client_id`, `client_secret` ('' for a public app), `redirect_uri`, and `options`.
export const app = await heard();

// Send the person to `url`; the answer is where their browser was sent back to.
export async function visit(url, decision = 'allow') {
  say({ visit: String(url), decision });
  return (await heard()).landed;
}

// The last line. Nothing may keep the client running after it.
export async function finish(result) {
  say({ result });
  process.stdin.destroy();
}

// For libraries that leave calls to their users.
export async function call(path, token) {
  const answer = await fetch(new URL(path, app.issuer), { headers: { authorization: `Bearer ${token}` } });
  return { status: answer.status, body: answer.status === 204 ? null : await answer.json() };
}

// What a library said when it refused or was refused; an error is expected here.
export async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    const cause = error.cause?.parameters ?? error.cause?.[0]?.parameters ?? error.cause;
    return { name: error.name, code: error.code, status: error.status, error: error.error ?? cause?.error };
  }
  throw new Error('it was accepted');
}
