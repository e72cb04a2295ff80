import { expect } from 'vitest'
import type { ProblemCode } from '#campaignd/http/problems/catalog.js'
import type { Problem } from '#campaignd/http/problems/problem.js'
import type { AppReply } from '../service/app.js'

/** Expects a problem as RFC 9457 defines it; returns it. */
export function expectProblem(reply: AppReply, status: number, code: ProblemCode): Problem {
  expect(verdict(reply)).toContain(`${status} ${code}`)
  return reply.json<Problem>()
}

/** A refusal in one line, such as `400 invalid query /limit`: status, code, and the place of each fault. */
export function verdict(reply: AppReply): string {
  if (reply.status < 400) return String(reply.status)
  expect(reply.headers['content-type']).toMatch(/^application\/problem\+json\b/)
  const problem = reply.json<Problem>()
  expect(problem).toMatchObject({ status: reply.status, type: `/problems/${problem.code}` })
  const places = (problem.errors ?? []).map((error) => [error.in, error.pointer].filter((part) => part !== undefined))
  return [reply.status, problem.code, ...places.flat()].join(' ')
}
