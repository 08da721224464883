// SPDX-License-Identifier: BSD-2-Clause
// Verify with @simplewebauthn/server what `keypilot webauthn create` and `get` printed:
//   simplewebauthn.mjs ORIGIN CREATE_OPTIONS CREATE_RESPONSE GET_OPTIONS GET_RESPONSE
import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

globalThis.crypto ??= webcrypto; // Node 18 of Debian 12 has it under its own name only
const require = createRequire(`${process.env.KEYPILOT_LAB_DIR}/`);
const { verifyRegistrationResponse, verifyAuthenticationResponse } =
  await import(pathToFileURL(require.resolve('@simplewebauthn/server')));
const [origin, ...files] = process.argv.slice(2);
const [createOptions, created, getOptions, got] = files.map((file) => JSON.parse(readFileSync(file, 'utf8')));

const registration = await verifyRegistrationResponse({
  response: created,
  expectedChallenge: createOptions.challenge,
  expectedOrigin: origin,
  expectedRPID: createOptions.rp.id,
  requireUserVerification: createOptions.authenticatorSelection?.userVerification === 'required',
  supportedAlgorithmIDs: createOptions.pubKeyCredParams.map((param) => param.alg),
});
if (!registration.verified) throw new Error('registration not verified');
const login = await verifyAuthenticationResponse({
  response: got,
  expectedChallenge: getOptions.challenge,
  expectedOrigin: origin,
  expectedRPID: getOptions.rpId,
  requireUserVerification: getOptions.userVerification === 'required',
  credential: registration.registrationInfo.credential,
});
if (!login.verified) throw new Error('login not verified');
console.log(`verified, ${registration.registrationInfo.fmt}, user verified: ${login.authenticationInfo.userVerified}`);
