import { expect } from 'vitest'
import type { ProblemCode } from '#campaignd/http/problems/catalog.js'
import type { Problem } from '#campaignd/http/problems/problem.js'
import type { Answer } from '../service/app.js'

/** Expects a problem as RFC 9457 defines it; returns it. */
export function expectProblem(answer: Answer, status: number, code: ProblemCode): Problem {
  expect(verdict(answer)).toContain(`${status} ${code}`)
  return answer.json<Problem>()
}

/** A refusal in one line, such as `400 invalid query /limit`: status, code, and the place of each fault. */
export function verdict(answer: Answer): string {
  if (answer.status < 400) return String(answer.status)
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json\b/)
  const problem = answer.json<Problem>()
  expect(problem).toMatchObject({ status: answer.status, type: `/problems/${problem.code}` })
  const places = (problem.errors ?? []).map((error) => [error.in, error.pointer].filter((part) => part !== undefined))
  return [answer.status, problem.code, ...places.flat()].join(' ')
}
