import { expect } from 'vitest'
import { problemsOfAnswer } from './open-api-document.js'

/** Checks a response against the OpenAPI document. */
export function checkReply(
  method: string,
  url: string,
  status: number,
  headers: Readonly<Record<string, unknown>>,
  body: string,
): void {
  expect(problemsOfAnswer(method, url, { status, headers, body }), `${method} ${url}`).toEqual([])
}
