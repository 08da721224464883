# SPDX-License-Identifier: BSD-2-Clause
"""Whatever file a user hands in: one sentence, the right exit code, nothing touched.

bad_input.py KEYPILOT FIXTURES; prints TAP.  Good files are the fixtures and what the
program itself made; variants.py makes each wrong in one thing.
"""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

from variants import structural, textual

KEYPILOT, FIXTURES = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
INPUT, REFUSED, USAGE = 3, 1, 2
MEMORY_MAX = 400 << 20  # with a sanitizer's own
SECONDS_MAX = 20
ORIGIN = 'https://school.example'

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
    if any(ord(c) < 32 or ord(c) == 127 for c in text):
        return 'control characters'
    if len(text) > 1500:
        return f'{len(text)} characters long'
    return None if name in text else f'does not name {name}'


def crash_trouble(run):
    if run.status < 0 or run.status == 70:
        return 'crashed'
    for word in (b'Sanitizer', b'runtime error', b'Assertion'):
        if word in run.err:
            return f'{word.decode()} in stderr'
    if run.memory > MEMORY_MAX:
        return f'took {run.memory >> 20} MB'
    return f'took {run.seconds:.0f} s' if run.seconds > SECONDS_MAX else None


def snapshot(folder):
    state = {}
    for where, folders, files in os.walk(folder):
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


def special_files(path, good):
    """(what it is, how to make it): files that are no files, or too large."""
    def sparse(head):
        write(path, head)
        os.truncate(path, 100 << 20)

    def spaces():
        with open(path, 'wb') as file:
            for _ in range(100):
                file.write(b' ' * (1 << 20))

    yield '100 MB of nothing', lambda: sparse(b'')
    yield '100 MB behind a good beginning', lambda: sparse(good[:20])
    yield '100 MB of spaces', spaces
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


# ---- check: every kind of fixture, every member ----

# members whose value is free, so that another type is no mistake
FREE = {'note', 'source', 'sources', 'set', 'value', 'values', 'when', 'trace'}
# without these the file is none of its kind
NEEDED = {
    'authenticators': ['id', 'title', 'attachment', 'transports', 'versions', 'aaguid',
                       'algorithms', 'attestation', 'counter', 'places', 'state'],
    'clients': ['id', 'title', 'facts'], 'services': ['id', 'title', 'facts'],
    'providers': ['id', 'title', 'facts'], 'hubs': ['id', 'title', 'facts'],
    'populations': ['id', 'title', 'facts'],
    'scenarios': ['id', 'title', 'steps', 'expect'],
    'rules': ['id', 'title', 'when', 'meaning', 'owner', 'fix'],
    'pilots': ['id', 'title', 'defaults', 'matrix'],
}


def check_many(paths):
    """file -> sentence, '' where it is good; None: the program did not do its job."""
    told = {}
    for i in range(0, len(paths), 200):
        run = Run('check', *paths[i:i + 200], '--json', '--fixtures', FIXTURES)
        lines = [line for line in run.err.split(b'\n') if line]
        trouble = crash_trouble(run)
        answers = {}
        if trouble is None:
            try:
                answers = {item['file']: item for item in json.loads(run.out)}
            except ValueError as error:
                trouble = f'stdout is no JSON: {error}'
        bad = [item for item in answers.values() if not item['ok']]
        if trouble is None and len(lines) != len(bad):
            trouble = f'{len(bad)} files are wrong, {len(lines)} lines on stderr'
        if trouble is None and run.status != (INPUT if bad else 0):
            trouble = f'exit {run.status}'
        if trouble is not None:
            return trouble, run
        told.update({path: item['error'] or '' for path, item in answers.items()})
    return None, told


def check_members(folder, name):
    """Every member of a good file removed, and of another type."""
    root = read(os.path.join(FIXTURES, folder, name))
    paths, changes = [], {}
    for i, (kind, path, text) in enumerate(structural(root)):
        file = f'{folder[:3]}{i}/{folder}/{name}'
        write(file, text)
        paths.append(file)
        changes[file] = (kind, path)
    trouble, told = check_many(paths)
    if trouble is not None:
        ok(False, f'check judges {len(paths)} wrong copies of {folder}/{name}', trouble, told)
        return
    notes = []
    for file, (kind, path) in changes.items():
        sentence, words = told[file], [str(p) for p in path]
        free = any(word in FREE for word in words)
        must = (kind == 'unknown' and not free) or (kind == 'type' and not free) or (
            kind == 'missing' and len(path) == 1 and path[0] in NEEDED[folder])
        if sentence == '':
            if must:
                notes.append(f"{kind} {'.'.join(words)}: taken for good")
            continue
        trouble = sentence_trouble(b'keypilot: ' + sentence.encode(), file)
        if trouble is None and not any(w in sentence for w in words if not w.isdigit()):
            trouble = 'names no member'
        if trouble is not None:
            notes.append(f"{kind} {'.'.join(words)}: {trouble}: {sentence}")
    ok(not notes, f'{len(paths)} wrong copies of {folder}/{name} are refused by member', *notes)
    for i in range(len(paths)):
        shutil.rmtree(f'{folder[:3]}{i}')


def check_texts(folder, name):
    root = read(os.path.join(FIXTURES, folder, name))
    path = f'{folder}/{name}'
    for what, content in textual(root):
        write(path, content)
        refused(f'check: {folder[:-1]} with {what}', path, 'check', path, '--fixtures', FIXTURES)
    remove(path)
    good = json.dumps(root).encode()
    for what, make in special_files(path, good):
        make()
        refused(f'check: {what} as {folder[:-1]}', path, 'check', path, '--fixtures', FIXTURES)
        remove(path)
    refused(f'check: {folder[:-1]} that is not there', path, 'check', path, '--fixtures', FIXTURES)


def sample(folder):
    names = sorted(os.listdir(os.path.join(FIXTURES, folder)))
    alone = [n for n in names if 'like' not in read(os.path.join(FIXTURES, folder, n))]
    return alone[0], alone[-1]


def check_fixtures():
    for folder in NEEDED:
        first, last = sample(folder)
        os.makedirs(folder, exist_ok=True)
        check_texts(folder, first)
        for name in dict.fromkeys((first, last)):
            check_members(folder, name)
        shutil.rmtree(folder)


def main():
    with tempfile.TemporaryDirectory(prefix='keypilot-bad-') as folder:
        os.chdir(folder)
        shutil.copytree(os.path.join(FIXTURES, 'keys'), 'keys')
        check_fixtures()
        os.chdir('/')
    print(f'1..{n_results}')
    sys.exit(1 if failed else 0)


main()
