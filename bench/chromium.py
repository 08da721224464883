#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How many create() and get() pairs a second Chromium's virtual authenticator does, looped in a page.

    chromium.py [SECONDS]     beside build/bench/key, on the same machine
"""
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'tests' / 'lab'))
from client_chromium import Chromium  # noqa: E402

LOOP = '''const [seconds, done] = arguments;
(async () => {
  const challenge = new Uint8Array(32), end = performance.now() + seconds * 1000;
  let pairs = 0;
  try {
    for (; performance.now() < end; pairs++) {
      const made = await navigator.credentials.create({ publicKey: { challenge, rp: { name: 'School' },
        user: { id: new Uint8Array(16), name: 'jan', displayName: 'Jan' },
        pubKeyCredParams: [{ type: 'public-key', alg: -7 }] } });
      await navigator.credentials.get({ publicKey: { challenge,
        allowCredentials: [{ type: 'public-key', id: made.rawId }] } });
    }
    done(pairs / seconds);
  } catch (e) { done(String(e)); }
})()'''


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5
    chromium, driver = shutil.which('chromium'), shutil.which('chromedriver')
    if not chromium or not driver:
        print('Chromium\'s virtual authenticator: not measured, chromium and chromedriver are not installed')
        return
    browser = Chromium(chromium, driver, [])
    try:
        browser.authenticator()
        browser.go(f'http://localhost:{browser.port}/')
        rate = browser.call('POST', '/execute/async', {'script': LOOP, 'args': [seconds]})
    finally:
        browser.close()
    if not isinstance(rate, (int, float)):
        sys.exit(f'Chromium\'s virtual authenticator: {rate}')
    print(f'Chromium\'s virtual authenticator, looped in a page: {rate:.0f} pairs of create and get a second')


main()
