# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The xenvif contributors
# shellcheck shell=bash
#
# What the suites of unit tests share, to be sourced.

# meson_tests BUILD PREFIX [TEST...]: run tests of a build folder, all if none is named, and print a
# verdict for each case. More at once than there are processors, for they wait more than they work,
# and with much time, for there may be little of it for them.
meson_tests()
{
	local build=$1 prefix=$2 log=$1/meson-logs/testlog.json status=0
	shift 2
	rm -f "$log"
	MESON_TESTTHREADS=$(($(nproc) * 2)) meson test -C "$build" --print-errorlogs \
		--timeout-multiplier 4 "$@" >&2 || status=$?
	python3 - "$log" "$prefix" "$status" <<'END'
import json
import os
import re
import sys

CASE = re.compile(r'^\[ +(OK|FAILED|SKIPPED) +\] (\w+)$', re.MULTILINE)


def cases(test):
    """The verdicts of cmocka's cases: the last word on each counts."""
    output = test.get('stdout', '') + '\n' + test.get('stderr', '')
    found = {}
    for verdict, case in CASE.findall(output):
        if found.get(case) != 'FAILED':
            found[case] = verdict
    return found


def report(test, prefix):
    # Some versions of meson put the suite before it.
    name, result = prefix + test['name'].split(':')[-1], test['result']
    found = cases(test)
    for case, verdict in found.items():
        case = case.removeprefix('test_')
        print({'OK': f'ok {name}: {case}',
               'FAILED': f'not ok {name}: {case} - see the log',
               'SKIPPED': f'skip {name}: {case} - says that it cannot run here'}[verdict])
    if result == 'SKIP':
        print(f'skip {name} - says that it cannot run here')
    elif result not in ('OK', 'EXPECTEDFAIL'):
        if 'FAILED' not in found.values():
            print(f'not ok {name} - {result.lower()}')
    elif not found:
        print(f'ok {name}')


path, prefix, status = sys.argv[1:]
results = []
if os.path.exists(path):
    with open(path) as log:
        results = [json.loads(line) for line in log]
for test in results:
    report(test, prefix)
if not results and status != '0':
    print(f'not ok {prefix}tests - meson test ended with status {status}')
elif not results:
    print(f'not ok {prefix}tests - the build has none')
END
}
