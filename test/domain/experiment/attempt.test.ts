import { expect, test } from 'vitest'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { experiment } from '../../support/campaigns/drafts.js'
import { after } from '../../support/campaigns/reports.js'

function history({ attempts }: Experiment): string[] {
  return attempts.map(({ attempt, status, failure_kind }) => `${attempt} ${status} ${failure_kind}`)
}

const START = { status: 'running' } as const
const FAIL = { status: 'failed' } as const
const REQUEUE = { status: 'pending' } as const

test('an attempt enters the history only when it is over', () => {
  expect(history(after(experiment(), START))).toEqual([])
  expect(history(after(experiment(), START, FAIL))).toEqual([])
  expect(history(after(experiment(), START, FAIL, START))).toEqual(['1 failed error'])
})

test('an attempt is closed once, whether it is requeued before it is started again or not', () => {
  expect(history(after(experiment(), START, FAIL, REQUEUE, START, FAIL, START))).toEqual([
    '1 failed error',
    '2 failed error',
  ])
})

test('an attempt that is requeued, skipped and requeued again is closed once', () => {
  expect(history(after(experiment(), START, FAIL, REQUEUE, { status: 'skipped' }, REQUEUE))).toEqual(['1 failed error'])
})

test('an attempt that was skipped while it ran closes as skipped', () => {
  expect(history(after(experiment(), START, { status: 'skipped' }, REQUEUE))).toEqual(['1 skipped null'])
})

test('an experiment that was never started leaves no attempt', () => {
  expect(history(after(experiment(), { status: 'skipped' }, REQUEUE))).toEqual([])
})

test('an imported experiment that waits for a retry has no attempt to close', () => {
  expect(history(after(experiment({ status: 'pending', attempt: 3 }), START))).toEqual([])
})

test('the newest 20 attempts are kept, newest last', () => {
  const rounds = Array.from({ length: 25 }, () => [START, FAIL]).flat()
  const { attempts } = after(experiment(), ...rounds, START)
  expect(attempts.map(({ attempt }) => attempt)).toEqual(Array.from({ length: 20 }, (_, index) => index + 6))
})

test('the history keeps the last 1 KiB of an error', () => {
  const error = `${'frame\n'.repeat(1000)}RuntimeError: out of memory`
  const [past] = after(experiment(), START, { ...FAIL, error }, START).attempts
  expect(past?.error).toMatch(/^\[\d+ bytes cut\]\n[^]*RuntimeError: out of memory$/)
  expect(past?.error?.length).toBeGreaterThan(900)
  expect(past?.error?.length).toBeLessThanOrEqual(1024)
})
