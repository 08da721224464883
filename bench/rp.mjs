// SPDX-License-Identifier: BSD-2-Clause
// What @simplewebauthn/server makes of the messages that `rp FOLDER` wrote, a second:
//   KEYPILOT_LAB_DIR=... node rp.mjs FOLDER
import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

globalThis.crypto ??= webcrypto; // Node 18 of Debian 12 has it under its own name only
const require = createRequire(`${process.env.KEYPILOT_LAB_DIR}/`);
const { SettingsService, verifyRegistrationResponse, verifyAuthenticationResponse } =
  await import(pathToFileURL(require.resolve('@simplewebauthn/server')));
const read = (name) => readFileSync(`${process.argv[2]}/${name}`, 'utf8');
const { challenge, origin, rpId } = JSON.parse(read('expected.json'));
const expected = { expectedChallenge: challenge, expectedOrigin: origin, expectedRPID: rpId };
SettingsService.setRootCertificates({ identifier: 'packed', certificates: [read('root.pem')] });

const register = () => verifyRegistrationResponse({ response: JSON.parse(read('registration.json')), ...expected });
const { registrationInfo } = await register();
const logIn = () =>
  verifyAuthenticationResponse({
    response: JSON.parse(read('assertion.json')),
    ...expected,
    credential: { ...registrationInfo.credential, counter: 0 },
  });

for (const [title, once] of [['assertions', logIn], ['registrations, packed, x5c of two', register]]) {
  for (let i = 0; i < 50; i++) if (!(await once()).verified) throw new Error(`${title}: not verified`);
  const before = process.cpuUsage();
  let n = 0;
  const end = performance.now() + 2000;
  for (; performance.now() < end; n++) await once();
  const { user, system } = process.cpuUsage(before);
  console.log(`@simplewebauthn/server: ${Math.round((n / (user + system)) * 1e6)} ${title} a second of processor time`);
}
