import { expect, test } from 'vitest'
import { groupFailures, headline, normaliseError } from '../../src/dashboard/model/failure-groups.ts'
import { experiment } from '../support/campaigns/drafts.js'

test.each([
  ['CUDA out of memory. Tried to allocate 20.25 GiB', 'CUDA out of memory. Tried to allocate ‹n› GiB'],
  ['Exit code 137', 'Exit code 137'],
  ['killed by signal 9 after 31 s', 'killed by signal 9 after ‹n› s'],
  ['no such file: /data/models/llama3/config.json', 'no such file: ‹path›'],
  ['segfault at 0x7ffe12ab in worker', 'segfault at ‹address› in worker'],
  ['run 5f0c1e9a7b3d2468 at 2026-03-01T10:00:00Z failed', 'run ‹id› at ‹time› failed'],
  ['deadbeef is a word', 'deadbeef is a word'],
  ['', 'No error text was reported'],
])('%j is grouped without what differs each time', (text, pattern) => {
  expect(normaliseError(text)).toBe(pattern)
})

test('the headline of a traceback is its last line', () => {
  const text = 'Traceback (most recent call last):\n  File "run.py", line 3, in main\n    load()\nValueError: no\n'
  expect(headline(text)).toBe('ValueError: no')
  expect(headline('first\nsecond')).toBe('first')
})

test('failures of one kind and pattern are one group, the newest of it in front, and large groups first', () => {
  const failed = (exp_id: string, failure_kind: 'oom' | 'error', error: string | null, completed_at: string) =>
    experiment({ exp_id, status: 'failed', failure_kind, error, completed_at })
  const groups = groupFailures([
    failed('a', 'error', 'no 1', '2026-03-01T10:00:00Z'),
    failed('b', 'oom', 'no 1', '2026-03-01T10:00:00Z'),
    failed('c', 'oom', 'no 22', '2026-03-01T11:00:00Z'),
    failed('d', 'error', null, '2026-03-01T10:00:00Z'),
  ])
  expect(
    groups.map(({ kind, message, experiments }) => [kind, message, experiments.map(({ exp_id }) => exp_id)]),
  ).toEqual([
    ['oom', 'no 22', ['c', 'b']],
    ['error', 'No error text was reported', ['d']],
    ['error', 'no 1', ['a']],
  ])
})
