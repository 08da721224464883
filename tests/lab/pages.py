#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Pages of a report in a real Chromium, judged by axe-core (WCAG 2 A and AA, best practice): no
violation, no request to anywhere, both languages shown. Prints TAP.

    pages.py LAB_DIR PAGE.html...
"""
import base64
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

RUN_AXE = """
const done = arguments[arguments.length - 1];
axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice'] }).then(
  (r) => done(r.violations.map((v) => v.id + ': ' + v.help + ' at ' + v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(', '))),
  (e) => done(['axe: ' + e]));
"""


class Driver:
    """One WebDriver session of a chromedriver of our own on loopback."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(['chromedriver', f'--port={self.port}'], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        arguments = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run',
                     '--disable-component-update', '--disable-sync', f'--user-data-dir={folder}', '--window-size=1200,1600']
        for _ in range(100):
            try:
                self.session = self.call('POST', '/session', {'capabilities': {'alwaysMatch': {
                    'goog:chromeOptions': {'binary': shutil.which('chromium'), 'args': arguments}}}})['sessionId']
                return
            except OSError:
                time.sleep(0.1)
        self.close()
        raise RuntimeError('chromedriver does not answer')

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f'http://127.0.0.1:{self.port}{path}', data=data, method=method,
                                         headers={'Content-Type': 'application/json'})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)['value']

    def do(self, method, path, body=None):
        return self.call(method, f'/session/{self.session}{path}', body)

    def script(self, kind, text):
        return self.do('POST', f'/execute/{kind}', {'script': text, 'args': []})

    def close(self):
        try:
            if hasattr(self, 'session'):
                self.do('DELETE', '')
        finally:
            self.process.terminate()
            self.process.wait(10)


def results(driver, axe, page):
    text = page.read_text()
    name = page.name
    driver.do('POST', '/url', {'url': page.as_uri()})
    fetched = driver.script('sync', "return performance.getEntriesByType('resource').map((e) => e.name)")
    yield f'{name} asks nobody for anything', [str(x) for x in fetched]
    yield f'{name} holds no address of another machine', re.findall(r'(?:src|href|action)="?(?:https?:)?//[^">]*', text)
    languages = driver.script('sync', "return [...document.querySelectorAll('[lang]')].map((e) => e.lang)")
    yield f'{name} has both languages', [x for x in ('nl', 'en') if x not in languages]
    driver.do('POST', '/goog/cdp/execute', {'cmd': 'Page.setBypassCSP', 'params': {'enabled': True}})
    driver.do('POST', '/url', {'url': page.as_uri()})
    driver.script('sync', axe)
    yield f'{name} has no accessibility violation', driver.script('async', RUN_AXE)


def one_sheet(driver, page):
    """The one-page answer is printed on one sheet of A4, in both languages."""
    for language in ('nl', 'en'):
        driver.do('POST', '/url', {'url': page.as_uri()})
        driver.script('sync', f"document.getElementById('{language}').checked = true")
        sheets = base64.b64decode(driver.do('POST', '/print', {'page': {'width': 21.0, 'height': 29.7}}))
        n = max((int(x) for x in re.findall(rb'/Count (\d+)', sheets)), default=0)
        yield f'{page.name} is one sheet of paper ({language})', [] if n == 1 else [f'{n} sheets']


def main(lab, *pages):
    axe = (pathlib.Path(lab) / 'node_modules/axe-core/axe.min.js').read_text()
    folder = tempfile.mkdtemp()
    driver = Driver(folder)
    n = bad = 0
    try:
        for page in pages:
            page = pathlib.Path(page).resolve()
            checks = list(results(driver, axe, page))
            if page.name == 'verdict.html':
                checks += one_sheet(driver, page)
            for title, wrong in checks:
                n += 1
                bad += bool(wrong)
                for line in wrong[:10]:
                    print(f'# {line}')
                print(('not ' if wrong else '') + f'ok {n} - {title}')
    finally:
        driver.close()
        shutil.rmtree(folder, ignore_errors=True)
    print(f'1..{n}')
    return 1 if bad else 0


sys.exit(main(*sys.argv[1:]))
