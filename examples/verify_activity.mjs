#!/usr/bin/env node
// Verify an export of a Keybearer activity log, with Node alone: no server, no network, no packages.
//
//   node verify_activity.mjs EXPORT --key NAME+ID+KEY [--key …] [--checkpoint FILE …]
//
// One line of JSON for each thing that is wrong, with log, index and line; then "proved" or "NOT PROVED". Exit code 0 or 1.
// It shares nothing with Keybearer's own verifier but the format, which docs/activity-log.md describes.

import { isUtf8 } from 'node:buffer';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';

const MAX_LINE = 1024 * 1024;
const MAX_ENTRY = 16 * 1024;
const MAX_VALUE = 8 * 1024;
const SEALED = ['address', 'agent', 'subject', 'user', 'words'];
const IDENTIFIER = /^[!-~]{1,64}$/;
const KEYS = {
  action: (v) => /^(?=.{1,64}$)[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/.test(v),
  at: natural,
  boot: (v) => IDENTIFIER.test(v),
  client: (v) => IDENTIFIER.test(v),
  environment: (v) => v === 'live' || v === 'sandbox',
  grant: (v) => IDENTIFIER.test(v),
  method: (v) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/.test(v),
  ms: (v) => [1, 3, 10, 30, 100, 300, 1000, 3000, 10000].includes(v),
  n: natural,
  outcome: (v) => ['done', 'refused', 'failed', 'unknown'].includes(v),
  reason: (v) => /^[a-z][a-z0-9_]{0,63}$/.test(v),
  reporter: (v) => IDENTIFIER.test(v),
  request_id: (v) => /^[ -~]{1,128}$/.test(v),
  route: (v) => /^[^\u0000-\u001f\u007f\ud800-\udfff]{1,512}$/u.test(v),
  sealed: (v) => isObject(v) && Object.keys(v).length > 0
    && Object.entries(v).every(([field, hash]) => SEALED.includes(field) && is32Bytes(hash)),
  status: (v) => natural(v) && v >= 100 && v <= 599,
  team: natural,
  token: (v) => IDENTIFIER.test(v),
  token_last4: (v) => /^[0-9A-Za-z]{4}$/.test(v),
  v: (v) => v === 1,
};
const TEXTS = ['action', 'boot', 'client', 'environment', 'grant', 'method', 'outcome', 'reason', 'reporter', 'request_id',
  'route', 'token', 'token_last4'];
const REQUIRED = ['action', 'at', 'outcome', 'v'];

class Wrong extends Error {
  constructor(what, index = null) {
    super(what);
    this.index = index;
  }
}

// ---- hashes and trees (RFC 6962)

const sha256 = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const leafHash = (data) => sha256(Buffer.of(0), data);
const nodeHash = (left, right) => sha256(Buffer.of(1), left, right);

class Tree {
  size = 0;
  peaks = []; // [leaves, hash] of each perfect subtree, the largest first

  add(leaves, hash) {
    if (this.size % leaves !== 0) throw new Wrong('a part of the tree stands where it cannot begin');
    this.size += leaves;
    while (this.peaks.length && this.peaks.at(-1)[0] === leaves) {
      hash = nodeHash(this.peaks.pop()[1], hash);
      leaves *= 2;
    }
    this.peaks.push([leaves, hash]);
  }

  root() {
    if (!this.peaks.length) return sha256('');
    return this.peaks.map(([, hash]) => hash).reduceRight((right, left) => nodeHash(left, right));
  }
}

function partsOf(first, end) {
  const parts = [];
  while (first < end) {
    let leaves = 1;
    while (first % (2 * leaves) === 0 && first + 2 * leaves <= end) leaves *= 2;
    parts.push(leaves);
    first += leaves;
  }
  return parts;
}

// ---- signed notes and checkpoints (C2SP)

function keyOf(text) {
  const [, name, id, encoded] = /^([^+\s]+)\+([0-9a-f]{8})\+(.+)$/s.exec(text) ?? [];
  const key = base64(encoded);
  if (!key || key.length !== 33 || key[0] !== 1) throw new Wrong('a key is written name+id+key, and is an Ed25519 key');
  if (keyId(name, key) !== id) throw new Wrong('the key has another id than it is given with');
  return { name, key };
}

const keyId = (name, key) => sha256(name, '\n', key).subarray(0, 4).toString('hex');

function checkpointOf(note, name, key) {
  const place = note.lastIndexOf('\n\n');
  if (place < 0 || !note.endsWith('\n') || !note.isWellFormed() || /[\u0000-\u0009\u000b-\u001f]/.test(note)) {
    throw new Wrong('the checkpoint is not a signed note');
  }
  const text = note.slice(0, place + 1);
  const publicKey = createPublicKey({
    format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: key.subarray(1).toString('base64url') },
  });
  let signatures = 0;
  for (const line of note.slice(place + 2, -1).split('\n')) {
    const [, signer, encoded] = /^\u2014 ([^ +]+) ([^ ]+)$/.exec(line) ?? [];
    const signature = base64(encoded);
    if (!signature || signature.length < 5) throw new Wrong('the checkpoint has a line among its signatures that is not one');
    if (signer !== name || signature.subarray(0, 4).toString('hex') !== keyId(name, key)) continue;
    if (!verify(null, Buffer.from(text), publicKey, signature.subarray(4))) {
      throw new Wrong('the checkpoint carries a signature that its log did not make');
    }
    signatures += 1;
  }
  if (!signatures) throw new Wrong('the checkpoint is not signed by its log');
  const [origin, size, root, ...rest] = text.split('\n');
  const hash = base64(root);
  if (rest.length !== 1 || !/^(0|[1-9][0-9]{0,15})$/.test(size) || !Number.isSafeInteger(+size) || hash?.length !== 32) {
    throw new Wrong("the checkpoint does not have exactly three lines: a log's name, its size, its root");
  }
  return { origin, size: +size, root: hash };
}

const isAbove = (name, origin) => origin === name || origin.startsWith(`${name}/`);

// ---- what stands in a line

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function natural(value) {
  return Number.isSafeInteger(value) && value > 0;
}

function base64(text) {
  if (typeof text !== 'string') return null;
  const decoded = Buffer.from(text, 'base64');
  return decoded.toString('base64') === text ? decoded : null; // one way to write it, no other
}

function is32Bytes(text) {
  return typeof text === 'string' && text.length === 43 && Buffer.from(text, 'base64url').toString('base64url') === text;
}

// A line can be written in one way only, RFC 8785's: so no key is in it twice, and all readers read the same.
function parsed(text) {
  let value;
  try {
    value = JSON.parse(text);
    if (canonical(value) === text) return value;
  } catch {
    throw new Wrong('the line is not JSON');
  }
  throw new Wrong(`the line is not ${isObject(value) ? 'written as RFC 8785 writes it; make the export again' : 'an object'}`);
}

function canonical(value) { // RFC 8785, for what a line can hold
  if (!isObject(value)) return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`;
}

function judge(entry, text) {
  if (Buffer.byteLength(text) > MAX_ENTRY) throw new Wrong('the entry is too long');
  for (const name of REQUIRED) if (!Object.hasOwn(entry, name)) throw new Wrong(`the entry has no ${name}`);
  for (const [name, value] of Object.entries(entry)) {
    if (!Object.hasOwn(KEYS, name)) throw new Wrong('the entry has an unknown key');
    if ((TEXTS.includes(name) && typeof value !== 'string') || !KEYS[name](value)) {
      throw new Wrong(`the entry's ${name} is not what it can be`);
    }
  }
  if (!['reporter', 'boot', 'n'].every((name) => Object.hasOwn(entry, name) === Object.hasOwn(entry, 'n'))) {
    throw new Wrong('the entry has one of reporter, boot and n without the others');
  }
}

function openAll(entry, details) {
  for (const [field, detail] of Object.entries(details)) {
    const committed = entry.sealed && Object.hasOwn(entry.sealed, field) ? entry.sealed[field] : null;
    if (committed === null) throw new Wrong(`the details have a field that the entry does not: ${field}`);
    if (!Array.isArray(detail) || detail.length !== 2 || !is32Bytes(detail[0]) || typeof detail[1] !== 'string'
      || !detail[1].isWellFormed() || Buffer.byteLength(detail[1]) > MAX_VALUE) {
      throw new Wrong(`the detail of ${field} is not a salt and a value`);
    }
    const [salt, value] = detail;
    if (sha256('kb1', field, Buffer.of(0), Buffer.from(salt, 'base64url'), value).toString('base64url') !== committed) {
      throw new Wrong(`${field} is not what the entry was sealed with`);
    }
  }
}

function recordOf({ entry, details = {}, ...place }) {
  if (!isObject(entry) || !isObject(details)) throw new Wrong("the record's entry or details are not an object");
  if (Object.keys(place).length && (Object.keys(place).join() !== 'index,leaf' || !Number.isSafeInteger(place.index))) {
    throw new Wrong('beside entry and details, a record may have only index, a whole number, and leaf, either both or neither');
  }
  const { index = null, leaf } = place;
  const text = canonical(entry);
  const hash = leafHash(text);
  if (index !== null && !base64(leaf)?.equals(hash)) throw new Wrong('the entry is not the one whose hash the log has here');
  judge(entry, text);
  openAll(entry, details);
  return { index, team: entry.team ?? null, leaf: hash };
}

// ---- the verdict

class Verifier {
  faults = [];
  logs = new Set();
  unsigned = 0; // records before any log
  number = 0;
  log = null;
  passesOver = false;

  constructor(keys, notes) {
    this.keys = keys.map(keyOf);
    this.saved = notes.map((note) => this.believed(note, note.split('\n', 1)[0]));
  }

  believed(note, origin) {
    const above = this.keys.filter(({ name }) => isAbove(name, origin));
    if (!above.length) throw new Wrong(`there is no key of ${origin}`);
    let trouble;
    for (const { key } of above) {
      try {
        return checkpointOf(note, origin, key);
      } catch (error) {
        trouble = error;
      }
    }
    throw trouble;
  }

  blame(what, index = null, log = this.log?.origin ?? null, line = this.number) {
    this.faults.push({ log, index, line, what });
  }

  take(raw) {
    this.number += 1;
    let line;
    try {
      line = this.read(raw);
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      return this.fail(error, this.expected());
    }
    try {
      if ('log' in line) this.open(line);
      else if (this.log) this.grow(line);
      else if (line.leaf && line.index === null) this.unsigned += this.passesOver ? 0 : 1;
      else if (!this.passesOver) throw new Wrong('this stands before any line that says to which log it belongs');
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      this.fail(error, error.index);
    }
  }

  read(raw) {
    if (raw.length > MAX_LINE) throw new Wrong('the line is too long');
    if (!isUtf8(raw)) throw new Wrong('the line is not UTF-8');
    const line = parsed(raw.toString().replace(/\n$/, ''));
    if ('log' in line) return this.exactly(line, ['log', 'key', 'checkpoint'], (value) => typeof value === 'string');
    if ('skip' in line) {
      this.exactly(line, ['skip', 'hashes'], Array.isArray);
      if (line.skip.length !== 2 || !line.skip.every(Number.isSafeInteger)) throw new Wrong('skip is not two numbers');
      const hashes = line.hashes.map(base64);
      if (hashes.some((hash) => hash?.length !== 32)) throw new Wrong('one of the hashes is not base64 of 32 bytes');
      return { ...line, hashes };
    }
    if ('entry' in line) return recordOf(line);
    throw new Wrong('the line is of no kind');
  }

  exactly(line, names, isGood) {
    if (Object.keys(line).length !== names.length || !names.every((name) => isGood(line[name]))) {
      throw new Wrong(`the line does not have exactly ${names.join(', ')}`);
    }
    return line;
  }

  open({ log, key, checkpoint: note }) {
    this.close();
    this.passesOver = true;
    if (this.logs.has(log)) return this.blame('the log is here twice', null, log);
    try {
      const given = keyOf(key);
      const mine = this.keys.some(({ name, key: held }) => isAbove(name, log) && held.equals(given.key));
      if (!mine || given.name !== log) throw new Wrong('the log is signed with a key that was not given');
      const { origin, size, root } = checkpointOf(note, log, given.key);
      if (origin !== log) throw new Wrong('the checkpoint is that of another log');
      const due = this.saved.filter((saved) => saved.origin === log && saved.size > 0).sort((a, b) => a.size - b.size);
      const team = /\/team\/([1-9][0-9]{0,15})\//.exec(log)?.[1];
      this.log = { origin, size, root, due, tree: new Tree(), team: team ? +team : null };
      this.logs.add(log);
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      this.blame(error.message, null, log);
    }
  }

  expected() {
    return this.log && this.log.tree.size < this.log.size ? this.log.tree.size : null;
  }

  grow(line) {
    const { tree, team, size } = this.log;
    if (line.skip) {
      const [first, end] = line.skip;
      this.place(first, end);
      const parts = end > first ? partsOf(first, end) : [];
      if (!parts.length || parts.length !== line.hashes.length) throw new Wrong('the hashes are not those parts', this.expected());
      parts.forEach((leaves, n) => {
        tree.add(leaves, line.hashes[n]);
        this.compare();
      });
      return;
    }
    if (team !== null && line.team !== null && line.team !== team) throw new Wrong('the record is of another team', this.expected());
    if (line.index === null) {
      if (tree.size < size) throw new Wrong('a record without an index stands before the end', this.expected());
      return;
    }
    this.place(line.index, line.index + 1);
    tree.add(1, line.leaf);
    this.compare();
  }

  place(first, end) {
    if (first !== this.log.tree.size) throw new Wrong(`record ${first} stands where ${this.log.tree.size} belongs`, this.expected());
    if (end > this.log.size) throw new Wrong('a record is beyond the checkpoint');
  }

  compare() {
    const { due, tree } = this.log;
    while (due.length && due[0].size === tree.size) {
      if (!due.shift().root.equals(tree.root())) throw new Wrong('the first records are not those of the saved checkpoint');
    }
  }

  close() {
    if (!this.log) return;
    const { tree, size, root, due } = this.log;
    if (tree.size < size) this.blame('the log ends here, before its checkpoint does', tree.size);
    else if (due.length && due[0].size <= size) this.blame('a saved checkpoint ends among records left out');
    else if (!tree.root().equals(root)) this.blame('the records are not those of the checkpoint');
    else if (due.length) this.blame('the log is shorter than when a checkpoint was saved');
    this.log = null;
  }

  fail(error, index) {
    if (this.log || !this.passesOver) this.blame(error.message, index);
    this.log = null;
    this.passesOver = true;
  }

  end() {
    this.close();
    for (const { origin } of this.saved) {
      if (!this.logs.has(origin)) this.blame("there is no such log here: it was left out, or the checkpoint is another log's", null, origin, null);
    }
    if (!this.logs.size && !this.faults.length) {
      const what = this.unsigned ? `nothing is signed yet: ${this.unsigned} records prove nothing` : 'there is no log here: nothing is proved';
      this.blame(what, null, null, null);
    }
    return this.faults;
  }
}

async function* linesOf(stream) {
  let rest = Buffer.alloc(0);
  for await (const piece of stream) {
    let data = Buffer.concat([rest, piece]);
    for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10)) {
      yield data.subarray(0, end + 1);
      data = data.subarray(end + 1);
    }
    rest = data;
    if (rest.length > MAX_LINE) break;
  }
  if (rest.length) yield rest;
}

export async function faultsOf(stream, keys, notes = []) {
  const verifier = new Verifier(keys, notes);
  for await (const line of linesOf(stream)) verifier.take(line);
  return verifier.end();
}

const USAGE = 'usage: node verify_activity.mjs EXPORT.jsonl --key KEY [--key KEY …] [--checkpoint FILE …]';

async function main([file, ...options]) {
  const given = { '--key': [], '--checkpoint': [] };
  const isWhole = options.length % 2 === 0 && options.every((option, n) => n % 2 || option in given);
  for (let n = 0; isWhole && n < options.length; n += 2) given[options[n]].push(options[n + 1]);
  if (!given['--key'].length) {
    console.error(USAGE);
    return 2;
  }
  const notes = given['--checkpoint'].map((path) => readFileSync(path, 'utf8'));
  const faults = await faultsOf(createReadStream(file), given['--key'], notes);
  for (const fault of faults) console.log(JSON.stringify(fault));
  console.log(faults.length ? 'NOT PROVED' : 'proved');
  return faults.length ? 1 : 0;
}

if (process.argv[1] && import.meta.url === new URL(`file://${process.argv[1]}`).href) {
  process.exitCode = await main(process.argv.slice(2)).catch((error) => {
    console.error(`error: ${error.message}`);
    return 1;
  });
}
