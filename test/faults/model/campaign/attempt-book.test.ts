import { expect, test } from 'vitest'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { experiment } from '../../../support/campaigns/drafts.js'
import { AttemptBook, type Body } from './attempt-book.js'

const LEASE = { seconds: 60, claim_id: null, claimed_at: null }
const RUNNING = experiment({ status: 'running', revision: 2, worker: 'w1', lease: LEASE })
const FAILED: Experiment = { ...RUNNING, status: 'failed', failure_kind: 'error', lease: null, result_path: 'a' }
const SECOND: Experiment = { ...RUNNING, attempt: 2, worker: 'w2' }
const PAST = { ...FAILED, status: 'failed' as const, closed_by: 'start' as const }

function claims(one: Experiment): Body {
  return { claims: [{ experiment: one }] }
}

function manifest(...experiments: Experiment[]): Body {
  return { campaign_id: 'sweep', experiments }
}

/** A book after these answers; those that are experiments answer a report. */
function bookOf(...bodies: readonly Body[]): AttemptBook {
  const book = new AttemptBook()
  for (const body of bodies) book.read('sweep', body, body.exp_id !== undefined)
  return book
}

test('an attempt that is handed out while another one lives is noticed', () => {
  expect(() => bookOf(claims(RUNNING), claims(SECOND))).toThrow('two live attempts of sweep 0001: 1 of w1 and 2 of w2')
})

test('one attempt that is handed out to two workers is noticed', () => {
  expect(() => bookOf(claims(RUNNING), claims({ ...RUNNING, worker: 'w2' }))).toThrow('two live attempts')
})

test('an attempt that lives again after its end is noticed', () => {
  expect(() => bookOf(claims(RUNNING), FAILED, manifest(RUNNING))).toThrow('attempt 1 of sweep 0001 lives again')
})

test('a finish that was acknowledged and is not there any more is noticed', () => {
  expect(() => bookOf(claims(RUNNING), FAILED, manifest(SECOND))).toThrow('lost the finish of attempt 1: failed a')
  const other = { ...SECOND, attempts: [{ ...PAST, result_path: 'b' }] }
  expect(() => bookOf(claims(RUNNING), FAILED, manifest(other))).toThrow('lost the finish of attempt 1')
})

test('a claim that is repeated, a next attempt after the last, and a finish that is history are as they should be', () => {
  const second = { ...SECOND, attempts: [PAST] }
  expect(() => bookOf(claims(RUNNING), claims(RUNNING), FAILED, claims(second), manifest(second))).not.toThrow()
})

test('a finish that was put back, and then took place after all, is another one', () => {
  const pending: Experiment = { ...RUNNING, status: 'pending', worker: null, lease: null, attempts: [PAST] }
  const completed: Experiment = { ...FAILED, status: 'completed', failure_kind: null, result_path: 'b' }
  expect(() => bookOf(claims(RUNNING), FAILED, manifest(pending), completed, manifest(completed))).not.toThrow()
})

test('a finish may fall off a history that keeps no more', () => {
  const later = Array.from({ length: 20 }, (_, index) => ({ ...PAST, attempt: index + 2 }))
  expect(() => bookOf(FAILED, manifest({ ...SECOND, attempt: 22, attempts: later }))).not.toThrow()
})
