import { expect, test } from 'vitest'
import { type ProblemCode, PROBLEMS } from '#campaignd/http/problems/catalog.js'
import { openCampaign } from '../../support/campaigns/campaign.js'
import { openApiDocument } from '../../support/http/open-api-document.js'
import { expectProblem } from '../../support/http/problems.js'
import { openApp } from '../../support/service/app.js'

const CODES = Object.keys(PROBLEMS) as ProblemCode[]

test('every problem code has a page with its meaning and its remedy', async () => {
  const { call } = await openApp()
  for (const code of CODES) {
    const page = await call('GET', `/problems/${code}`)
    expect(page.status, code).toBe(200)
    expect(page.headers['content-type']).toMatch(/^text\/plain\b/)
    const { title, status, meaning, remedy } = PROBLEMS[code]
    for (const part of [title, code, String(status), meaning, remedy]) expect(page.text).toContain(part)
  }
})

test('all problem codes are on one page', async () => {
  const { call } = await openApp()
  const page = await call('GET', '/problems')
  expect(page.status).toBe(200)
  for (const code of CODES) expect(page.text).toContain(`(${code}, `)
})

test('the OpenAPI document has the same problem codes', () => {
  const { components } = openApiDocument as unknown as {
    components: { schemas: { Problem: { properties: { code: { enum: string[] } } } } }
  }
  expect([...components.schemas.Problem.properties.code.enum].sort()).toEqual([...CODES].sort())
})

test('the type of a problem leads to its page, and its other members say what happened', async () => {
  const { call, path, report } = await openCampaign()
  await report('0001', { status: 'running', worker: 'gpu-1' })
  const refusals = [
    [await call('GET', '/v1/nothing?x=1'), 404, 'not-found', '/v1/nothing'],
    [await call('GET', '/v1/campaigns/nothing'), 404, 'campaign-not-found', '/v1/campaigns/nothing'],
    [await call('GET', '/v1/campaigns?limit=0'), 400, 'invalid', '/v1/campaigns'],
    [await call('POST', '/v1/campaigns', { rawBody: '{' }), 400, 'malformed-json', '/v1/campaigns'],
    [await call('DELETE', path), 409, 'campaign-running', path],
    [await report('0001', { status: 'running', worker: 'gpu-2' }), 409, 'already-running', `${path}/experiments/0001`],
  ] as const
  for (const [reply, status, code, instance] of refusals) {
    const problem = expectProblem(reply, status, code)
    expect(problem).toMatchObject({ title: PROBLEMS[code].title, status, instance })
    expect(problem.detail).not.toBe('')
    expect((await call('GET', problem.type)).status).toBe(200)
  }
})

test('an unknown problem code has no page', async () => {
  const { call } = await openApp()
  expectProblem(await call('GET', '/problems/bad-luck'), 400, 'invalid')
})
