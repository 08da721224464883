# SPDX-License-Identifier: BSD-2-Clause
"""Wrong copies of a right JSON file: each differs from it in exactly one thing."""
import copy
import json

WRONG = {str: 7, int: 'x', float: 'x', bool: 'x', list: {'x': 1}, dict: [1]}
DEEP = 100000


def walk(node, path=(), depth=3):
    """Every member and item down to `depth` levels: path and value."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        yield path + (key,), value
        if depth > 1 and isinstance(value, (dict, list)):
            yield from walk(value, path + (key,), depth - 1)


def at(root, path):
    for key in path:
        root = root[key]
    return root


def changed(root, path, value):
    other = copy.deepcopy(root)
    at(other, path[:-1])[path[-1]] = value
    return other


def without(root, path):
    other = copy.deepcopy(root)
    del at(other, path[:-1])[path[-1]]
    return other


def structural(root, depth=3):
    """(kind of change, path, text): what a slip of the hand does to members."""
    for path, value in walk(root, depth=depth):
        yield 'type', path, json.dumps(changed(root, path, WRONG.get(type(value), 7)))
        if isinstance(path[-1], str):
            yield 'missing', path, json.dumps(without(root, path))
        if isinstance(value, dict):
            yield 'unknown', path + ('colour',), json.dumps(
                changed(root, path + ('colour',), 'red'))
    yield 'unknown', ('colour',), json.dumps({**root, 'colour': 'red'})


def textual(root):
    """(name, bytes): what is no JSON object, or hostile to whoever reads it."""
    text = json.dumps(root, ensure_ascii=False).encode()
    first = next(iter(root))
    member = json.dumps({first: root[first]})[1:-1].encode()
    yield 'a member twice', b'{' + member + b',' + text[1:]
    yield 'nothing at all', b''
    yield 'white space', b' \n\t '
    yield 'an array', b'[]'
    yield 'a text', b'"x"'
    yield 'null', b'null'
    yield 'half of it', text[:len(text) // 2]
    yield 'something behind it', text + b' x'
    yield 'deep arrays', b'{"x":' + b'[' * DEEP + b']' * DEEP + b',' + text[1:]
    yield 'deep objects', b'{"x":' + b'{"a":' * DEEP + b'1' + b'}' * DEEP + b',' + text[1:]
    yield 'bad UTF-8', b'{"\xff\xfe":1,' + text[1:]
    yield 'an overlong UTF-8 sequence', b'{"x":"\xc0\xaf",' + text[1:]
    yield 'half a surrogate pair', b'{"x":"\\ud800",' + text[1:]
    yield 'a NUL byte', text[:10] + b'\0' + text[10:]
    yield 'an escaped NUL', b'{"x":"a\\u0000b",' + text[1:]
    yield 'UTF-16', json.dumps(root).encode('utf-16')
    yield 'a number out of range', b'{"x":1e999,' + text[1:]
    yield 'a whole number out of range', b'{"x":99999999999999999999,' + text[1:]
    yield 'JSON with a comment', b'/* x */' + text
    yield 'a comma too many', text[:-1] + b',}'
    yield 'single quotes', text.replace(b'"', b"'")
    yield 'NaN', b'{"x":NaN,' + text[1:]


def hostile_names(root):
    """(what, bytes): an unknown member whose name the sentence had better not repeat."""
    text = json.dumps(root).encode()
    yield 'a name that would draw on the terminal', (
        b'{"a\\n\\u001b[31mb\\u0007\\u009b":1,' + text[1:])
    yield 'a long name of two-byte letters', b'{"x' + 'é'.encode() * 500 + b'":1,' + text[1:]
    yield 'a long name of four-byte letters', b'{"xy' + '🗝'.encode() * 500 + b'":1,' + text[1:]
