// Reads one export a line on stdin, in base64, and answers with the first thing that is wrong with each, or null.

import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';

const { faultsOf } = await import(process.argv[2]);
const { keys, notes } = JSON.parse(readFileSync(process.argv[3], 'utf8'));
for await (const line of createInterface({ input: process.stdin })) {
  const faults = await faultsOf([Buffer.from(line, 'base64')], keys, notes);
  console.log(JSON.stringify(faults[0] ?? null));
}
