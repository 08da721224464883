// SPDX-License-Identifier: BSD-2-Clause
// Judge attestations with @simplewebauthn/server: attestation.mjs CASES ROOT
// CASES: JSON, an array of registrations; ROOT: PEM file, the only root that is trusted.
import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

globalThis.crypto ??= webcrypto; // Node 18 of Debian 12 has it under its own name only
const require = createRequire(`${process.env.KEYPILOT_LAB_DIR}/`);
let library;
try {
  library = await import(pathToFileURL(require.resolve('@simplewebauthn/server')));
} catch {
  process.exit(77);
}
const { SettingsService, verifyRegistrationResponse } = library;
const [cases, root] = process.argv.slice(2).map((file) => readFileSync(file, 'utf8'));
const formats = ['packed', 'tpm', 'android-key', 'fido-u2f', 'apple'];

function trust(pem) {
  for (const identifier of formats) SettingsService.setRootCertificates({ identifier, certificates: [pem] });
}

// What the library cannot judge: it compares certified keys on NIST curves only, and P-521 nowhere in android-key.
const beyond = ({ format, alg }) =>
  ['android-key', 'apple'].includes(format) && ![-7, -35].includes(alg);

// What it thinks of one registration; undefined: it takes it.
async function complaint(one, response = one.response) {
  const client = JSON.parse(Buffer.from(response.response.clientDataJSON, 'base64url'));
  try {
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response,
      expectedChallenge: client.challenge,
      expectedOrigin: client.origin,
      expectedRPID: 'example.org',
      requireUserVerification: false,
      supportedAlgorithmIDs: [one.alg],
    });
    if (!verified) return 'not verified';
    return registrationInfo.fmt === one.format ? undefined : `format ${registrationInfo.fmt}`;
  } catch (error) {
    return error.message;
  }
}

// The same with a space behind the client data: another hash, the same content.
function changed({ response }) {
  const text = Buffer.from(response.response.clientDataJSON, 'base64url').toString() + ' ';
  return { ...response, response: { ...response.response, clientDataJSON: Buffer.from(text).toString('base64url') } };
}

const all = JSON.parse(cases).filter((one) => !beyond(one));
const wrong = [];
for (const one of all) {
  const name = `${one.key} ${one.format} ${one.alg}`;
  trust(root);
  const why = await complaint(one);
  if (why !== undefined) wrong.push(`${name}: ${why}`);
  if (one.format !== 'none' && (await complaint(one, changed(one))) === undefined)
    wrong.push(`${name}: taken for other client data as well`);
}
for (const line of wrong) console.error(line);
process.exit(wrong.length || !all.length ? 1 : 0);
