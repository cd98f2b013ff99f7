#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
"""Brings driver folders in the form that DPDK's own tree has: upstream_form.py FOLDER...

What xen_compat.h has for older releases goes, and what it defines for the newest one is put in the
places where it is used. Atomics and log lines become those of DPDK.
"""

import glob
import os
import re
import sys

NEWER = re.compile(r'^#if RTE_VERSION < .*\n(?:.*\n)*?#else\n((?:.*\n)*?)#endif\n', re.MULTILINE)
EXPORT = re.compile(r'/\*(?:(?!\*/)(?:.|\n))*?\*/\n#if __has_include\(<eal_export\.h>\)\n'
                    r'#include <eal_export\.h>\n#endif\n#ifndef .*\n#define .*\n#endif\n')
MACRO = re.compile(r'^#define (\w+)(?:\((\w+)\))?[ \t]*(.*)\n', re.MULTILINE)
# A comment that stands for nothing any more.
COMMENT = re.compile(r'^/\*(?:(?!\*/)(?:.|\n))*?\*/\n(?=\n)', re.MULTILINE)
ORDER = re.compile(r'__ATOMIC_(RELAXED|ACQUIRE|RELEASE|ACQ_REL|SEQ_CST)\b')
ATOMICS = {
    '__atomic_load_n': 'rte_atomic_load_explicit',
    '__atomic_store_n': 'rte_atomic_store_explicit',
    '__atomic_exchange_n': 'rte_atomic_exchange_explicit',
    '__atomic_fetch_add': 'rte_atomic_fetch_add_explicit',
    '__atomic_fetch_sub': 'rte_atomic_fetch_sub_explicit',
    '__atomic_fetch_and': 'rte_atomic_fetch_and_explicit',
    '__atomic_fetch_or': 'rte_atomic_fetch_or_explicit',
    '__atomic_thread_fence': 'rte_atomic_thread_fence',
}
LOG = re.compile(r'rte_log\(RTE_LOG_(##level|\w+), (xen(?:front)?)_logtype, '
                 r'("[^"]*")( fmt) "\\n",')


def arguments(text, start):
    """The arguments of a call whose opening bracket is at start, and where its end is."""
    depth, begin, found = 0, start + 1, []
    for i in range(start, len(text)):
        if text[i] in '([{':
            depth += 1
        elif text[i] in ')]}':
            depth -= 1
            if depth == 0:
                return found + [text[begin:i].strip()], i + 1
        elif text[i] == ',' and depth == 1:
            found.append(text[begin:i].strip())
            begin = i + 1
    raise ValueError('a bracket is not closed')


def rewrite_calls(text, name, make):
    """Each call of a function as make() has it, by its arguments."""
    pattern = re.compile(r'\b' + name + r'\(')
    at = 0
    while True:
        match = pattern.search(text, at)
        if not match:
            return text
        found, end = arguments(text, match.end() - 1)
        new = make(found)
        text = text[:match.start()] + new + text[end:]
        at = match.start() + len(new)


def compare_exchange(found):
    """C11 has two functions, for what the builtin has an argument."""
    pointer, expected, desired, weak, success, failure = found
    kind = 'weak' if weak in ('true', '1') else 'strong'
    return (f'rte_atomic_compare_exchange_{kind}_explicit({pointer}, {expected}, {desired}, '
            f'{success}, {failure})')


def atomics(text):
    """DPDK's names of the compiler's builtins."""
    before = text
    text = rewrite_calls(text, '__atomic_compare_exchange_n', compare_exchange)
    text = rewrite_calls(text, '__atomic_sub_fetch', lambda a: '(rte_atomic_fetch_sub_explicit('
                         + ', '.join(a) + f') - ({a[1]}))')
    text = rewrite_calls(text, '__atomic_add_fetch', lambda a: '(rte_atomic_fetch_add_explicit('
                         + ', '.join(a) + f') + ({a[1]}))')
    for old, new in ATOMICS.items():
        text = re.sub(r'\b' + old + r'\b', new, text)
    text = ORDER.sub(lambda m: 'rte_memory_order_' + m.group(1).lower(), text)
    if text != before and '<rte_stdatomic.h>' not in text:
        text = add_include(text, 'rte_stdatomic.h')
    return text


def add_include(text, name):
    """Put it where the alphabet has it, or else as a group of its own before the first one of
    ours."""
    for match in re.finditer(r'^#include <(rte_\w+\.h)>\n', text, re.MULTILINE):
        if match.group(1) > name:
            return text[:match.start()] + f'#include <{name}>\n' + text[match.start():]
        last = match.end()
    if '#include <rte_' in text:
        return text[:last] + f'#include <{name}>\n' + text[last:]
    match = re.search(r'^#include "', text, re.MULTILINE)
    if match is None:
        match = re.search(r'^#include <.*>\n(?!#include)', text, re.MULTILINE)
        return text[:match.end()] + f'\n#include <{name}>\n' + text[match.end():]
    return text[:match.start()] + f'#include <{name}>\n\n' + text[match.start():]


def logs(text):
    """A line of the log: DPDK adds the type's name before it, and its end."""
    def line(match):
        level, name = match.group(1).replace('##', ''), match.group(2).upper()
        text = match.group(3).replace(f'"{name}: ', '"') + match.group(4)
        return f'RTE_LOG_LINE({level}, {name}, {text.removeprefix(chr(34) * 2 + " ")},'
    text = LOG.sub(line, text)
    return re.sub(r'^extern int (xen(?:front)?)_logtype;\n',
                  lambda m: f'{m.group(0)}#define RTE_LOGTYPE_{m.group(1).upper()} '
                  f'{m.group(1)}_logtype\n', text, flags=re.MULTILINE)


def compat(path):
    """Leave in xen_compat.h what is no macro; the macros, and whether they take an argument."""
    with open(path, encoding='ascii') as file:
        text = file.read()
    text = NEWER.sub(r'\1', text)
    text = EXPORT.sub('', text)
    text = text.replace('#include <rte_kvargs.h>', '#include <eal_export.h>\n#include <rte_kvargs.h>')
    # To the others, from where it was for one release alone.
    text = text.replace('#include <rte_thread.h>\n\n', '')
    text = text.replace('#include <rte_telemetry.h>\n',
                        '#include <rte_telemetry.h>\n#include <rte_thread.h>\n')
    text = re.sub(r' since 23\.11: have it', ': have it', text)
    text = text.replace('#include <rte_version.h>\n', '')
    text = text.replace('Every difference between the DPDK releases that the drivers build against '
                        '(22.11 and later).', 'What the drivers need of EAL.')
    # The threads of DPDK's own libraries and drivers.
    text = text.replace('rte_thread_create_control(', 'rte_thread_create_internal_control(')
    macros = {}
    for name, arg, body in MACRO.findall(text):
        if name != 'XEN_COMPAT_H':
            macros[name] = (arg, body)
    text = MACRO.sub(lambda m: m.group(0) if m.group(1) == 'XEN_COMPAT_H' else '', text)
    text = COMMENT.sub(lambda m: m.group(0) if 'SPDX' in m.group(0) or '@file' in m.group(0) else '',
                       text)
    text = re.sub(r'\n{3,}', '\n\n', text)
    with open(path, 'w', encoding='ascii') as file:
        file.write(text)
    return macros


def inline(text, macros):
    """The macros' bodies in their places."""
    for name, (arg, body) in macros.items():
        if arg:
            text = rewrite_calls(text, name, lambda a, arg=arg, body=body: re.sub(
                r'\b' + arg + r'\b', lambda _: a[0], body))
        elif body.startswith(','):
            text = re.sub(r'[ \t\n]*\b' + name + r'\b', lambda _, body=body: body, text)
        else:
            text = re.sub(r'\b' + name + r'\b', lambda _, body=body: body, text)
    return text.replace('(qstats)->', 'qstats->').replace('(qstats) ==', 'qstats ==')


def main(folders):
    """All of their C files."""
    macros = {}
    for folder in folders:
        path = os.path.join(folder, 'xen_compat.h')
        if os.path.exists(path):
            macros = compat(path)
    for folder in folders:
        for path in sorted(glob.glob(os.path.join(folder, '*.[ch]'))):
            with open(path, encoding='ascii') as file:
                text = file.read()
            text = logs(atomics(inline(text, macros)))
            with open(path, 'w', encoding='ascii') as file:
                file.write(text)


if __name__ == '__main__':
    if len(sys.argv) < 2 or sys.argv[1] in ('-h', '--help'):
        sys.exit(__doc__)
    main(sys.argv[1:])
