#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Does the option matrix see defects? Each file of mutants/ plants one in a copy of one source file. Prints TAP.

  mutants.py BUILD [NAME...]     BUILD is a build folder in which the matrix test was built

The copy is compiled and linked with the commands of the build itself; the folder of the project is not touched. First
the matrix must pass without a defect on the same keys, or its failure would prove nothing.
"""
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TEST = 'tests/test_authenticator_matrix'
MEMBERS = {'about', 'file', 'old', 'new', 'keys'}


def commands(build):
    """How every source file is compiled, and how the test is linked."""
    entries = json.loads((build / 'compile_commands.json').read_text())
    compiled = {str((build / entry['file']).resolve()): entry['command'] for entry in entries}
    ninja = subprocess.run(['ninja', '-t', 'commands', '-s', TEST], cwd=build, capture_output=True, text=True, check=True)
    return compiled, ninja.stdout.strip().splitlines()[-1]


def without(words, *options):
    """Words of a command without options that take a value."""
    kept, skip = [], False
    for word in words:
        if not skip and word not in options:
            kept.append(word)
        skip = not skip and word in options
    return kept


def build_mutant(build, folder, mutant, text):
    """Compile the copy, link the test with it before the libraries; the path of the program."""
    compiled, link = commands(build)
    source = ROOT / mutant['file']
    copy = folder / source.name
    copy.write_text(text)
    words = without(shlex.split(compiled[str(source)]), '-o', '-c', '-MQ', '-MF')
    words = [word for word in words if word not in ('-MD', '--coverage')]
    words += ['-I', str(source.parent), '-Wno-error', '-w', '-c', str(copy), '-o', str(folder / 'mutant.o')]
    subprocess.run(words, cwd=build, check=True, capture_output=True, text=True)
    words = shlex.split(link)
    program = folder / 'mutant'
    words[words.index('-o') + 1] = str(program)
    first = next(i for i, word in enumerate(words) if word.endswith('.o'))
    words.insert(first, str(folder / 'mutant.o'))
    subprocess.run(words, cwd=build, check=True, capture_output=True, text=True)
    return program


def run(program, keys):
    """The matrix on some keys, ended at the first difference."""
    env = dict(os.environ, KEYPILOT_MATRIX=','.join(keys), KEYPILOT_MATRIX_STOP='1')
    env.setdefault('KEYPILOT_FIXTURES', str(ROOT / 'fixtures'))
    env.setdefault('KEYPILOT_SOURCE', str(ROOT))
    return subprocess.run([str(program), '--jobs=1'], env=env, capture_output=True, text=True, timeout=120, check=False)


def planted(path):
    """The mutant of a file, its source with the defect in it, and what is wrong with it ('' if nothing)."""
    mutant = json.loads(path.read_text())
    if set(mutant) != MEMBERS:
        return mutant, '', f'{path.name}: members must be {", ".join(sorted(MEMBERS))}'
    text = (ROOT / mutant['file']).read_text()
    n = text.count(mutant['old'])
    if n != 1:
        return mutant, '', (f'{path.name}: its text "old" stands {n} times in {mutant["file"]}, and must stand there once: '
                            'write the defect anew for the source as it is now')
    return mutant, text.replace(mutant['old'], mutant['new']), ''


def judge(build, path):
    """What is wrong, '' where the matrix saw the defect."""
    mutant, text, wrong = planted(path)
    if wrong:
        return mutant, wrong
    with tempfile.TemporaryDirectory() as folder:
        try:
            program = build_mutant(build, pathlib.Path(folder), mutant, text)
        except subprocess.CalledProcessError as err:
            return mutant, f'{path.name} does not compile: {(err.stderr or "").strip()[:400]}'
        result = run(program, mutant['keys'])
    if result.returncode == 0:
        return mutant, f'{path.name}: the matrix passes with the defect in it'
    if 'differs' not in result.stderr:
        return mutant, f'{path.name}: the matrix fails, but not because an answer differs'
    return mutant, ''


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    paths = sorted(path for path in HERE.glob('mutants/*.json') if not sys.argv[2:] or path.stem in sys.argv[2:])
    print(f'1..{len(paths) + 1}')
    keys = sorted({key for path in paths for key in json.loads(path.read_text()).get('keys', [])})
    sound = run(build / TEST, keys)
    failed = sound.returncode != 0
    if failed:
        print('\n'.join('# ' + line for line in sound.stderr.splitlines()[-8:]))
    print(('not ' if failed else '') + f'ok 1 - without a defect the matrix passes on {", ".join(keys)}')
    for n, path in enumerate(paths, 2):
        mutant, wrong = judge(build, path)
        if wrong:
            print(f'# {wrong}')
            failed = True
        print(('not ' if wrong else '') + f'ok {n} - seen: {mutant.get("about", path.stem)}', flush=True)
    return 1 if failed else 0


sys.exit(main())
