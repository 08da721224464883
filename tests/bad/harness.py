# SPDX-License-Identifier: BSD-2-Clause
"""Runs the program on a wrong file, judges how it says so, and prints TAP."""
import hashlib
import json
import os
import subprocess
import sys
import tempfile

KEYPILOT, FIXTURES = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
INPUT, REFUSED, USAGE = 3, 1, 2
MEMORY_MAX = 400 << 20  # with a sanitizer's own
SECONDS_MAX = 20

n_results = 0
failed = False


def ok(good, title, *notes):
    global n_results, failed
    n_results += 1
    print(f"{'ok' if good else 'not ok'} {n_results} - {title}", flush=True)
    if not good:
        failed = True
        for note in notes:
            for line in str(note).splitlines()[:12]:
                print(f'#   {line[:400]}')


# ---- one run of the program ----

class Run:
    def __init__(self, *args, stdin=subprocess.DEVNULL):
        env = {**os.environ, 'LC_ALL': 'C'}
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = subprocess.Popen([KEYPILOT, *args], stdin=stdin, stdout=out,
                                     stderr=err, env=env)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = self.status = os.waitstatus_to_exitcode(status)
            self.seconds = usage.ru_utime + usage.ru_stime
            self.memory = usage.ru_maxrss * 1024
            out.seek(0)
            err.seek(0)
            self.out, self.err = out.read(), err.read()
        self.args = args

    def __str__(self):
        return (f"{' '.join(self.args)}\nexit {self.status}, {self.seconds:.2f} s, "
                f'{self.memory >> 20} MB\nstdout: {self.out[:300]!r}\n'
                f'stderr: {self.err[:1500]!r}')


def sentence_trouble(line, name):
    """What is wrong with one sentence of a refusal; None: nothing."""
    try:
        text = line.decode('utf-8')
    except UnicodeDecodeError:
        return 'not UTF-8'
    if not text.startswith('keypilot: ') or len(text) < 20:
        return 'not a sentence of ours'
    if any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text):
        return 'control characters'
    if len(text) > 1500:
        return f'{len(text)} characters long'
    return None if name in text else f'does not name {name}'


def crash_trouble(run):
    if run.status < 0 or run.status == 70:
        return 'crashed'
    for word in (b'Sanitizer', b'runtime error', b'Assertion `'):
        if word in run.err:
            return f'{word.decode()} in stderr'
    if run.memory > MEMORY_MAX:
        return f'took {run.memory >> 20} MB'
    return f'took {run.seconds:.0f} s' if run.seconds > SECONDS_MAX else None


def snapshot(folder):
    state = {}
    for where, folders, files in os.walk(folder):
        if 'big' in folders:
            folders.remove('big')
        for name in folders:
            state[os.path.join(where, name)] = 'folder'
        for name in files:
            path = os.path.join(where, name)
            info = os.lstat(path)
            digest = info.st_size
            if os.path.isfile(path) and info.st_size < 1 << 22 and os.access(path, os.R_OK):
                with open(path, 'rb') as file:
                    digest = hashlib.sha256(file.read()).hexdigest()
            state[path] = (digest, info.st_mtime_ns)
    return state


def refused(title, name, *args, status=INPUT, says=(), stdin=subprocess.DEVNULL):
    """Exit 3: one sentence that names the file, no output, nothing touched."""
    before = snapshot('.')
    run = Run(*args, stdin=stdin)
    lines = run.err.rstrip(b'\n').split(b'\n')
    trouble = crash_trouble(run)
    if trouble is None and run.status != status:
        trouble = f'expected exit {status}'
    if status == USAGE and lines[-1].startswith(b'Try: '):
        lines.pop()
    if trouble is None and len(lines) != 1:
        trouble = f'{len(lines)} lines on stderr'
    if trouble is None:
        trouble = sentence_trouble(lines[0], name)
    if trouble is None and run.out:
        trouble = 'output on stdout'
    if trouble is None and snapshot('.') != before:
        trouble = 'files were touched'
    for text in says:
        if trouble is None and text.encode() not in run.err:
            trouble = f'does not say {text!r}'
    ok(trouble is None, title, trouble, run)


def answered(title, status, word, *args):
    """Exit 0 or 1 with one JSON object: an answer, however bad the message was."""
    before = snapshot('.')
    run = Run(*args)
    trouble = crash_trouble(run)
    if trouble is None and run.status != status:
        trouble = f'expected exit {status}'
    if trouble is None:
        try:
            answer = json.loads(run.out)
            if word not in json.dumps(answer):
                trouble = f'answer has no {word!r}'
        except ValueError as error:
            trouble = f'stdout is no JSON: {error}'
    if trouble is None and snapshot('.') != before:
        trouble = 'files were touched'
    ok(trouble is None, title, trouble, run)


# ---- files ----

def write(path, content):
    os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
    if isinstance(content, (dict, list)):
        content = json.dumps(content)
    with open(path, 'wb') as file:
        file.write(content if isinstance(content, bytes) else content.encode())


def read(path):
    with open(path, encoding='utf-8') as file:
        return json.load(file)


def big_files():
    """100 MB of several kinds, made once and linked to where they are needed."""
    for name, head in (('zeros', b''), ('begun', b'{"id": "x", "title": "'), ('xml', b'<x>')):
        write(f'big/{name}', head)
        os.truncate(f'big/{name}', 100 << 20)
    with open('big/spaces', 'wb') as file:
        for _ in range(100):
            file.write(b' ' * (1 << 20))


def special_files(path, good):
    """(what it is, how to make it): files that are no files, or too large."""
    for name in ('zeros', 'begun', 'xml', 'spaces'):
        yield f'100 MB of {name}', lambda name=name: os.link(f'big/{name}', path)
    yield 'a folder', lambda: os.mkdir(path)
    yield 'a link to itself', lambda: os.symlink(os.path.basename(path), path)
    yield 'an endless device', lambda: os.symlink('/dev/zero', path)
    if os.geteuid() != 0:
        def locked():
            write(path, good)
            os.chmod(path, 0)
        yield 'a file that may not be read', locked


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        os.rmdir(path)
    elif os.path.lexists(path):
        os.remove(path)


def done():
    print(f'1..{n_results}')
    sys.exit(1 if failed else 0)
