import { pino } from 'pino'
import { expect, test } from 'vitest'
import { campaignDraft } from '../../support/campaigns/drafts.js'
import { openApp } from '../../support/service/app.js'

interface Line {
  readonly level: number
  readonly request_id: string
  readonly method: string
  readonly url: string
  readonly status: number
}

const { debug, info } = pino.levels.values

/** The service with its log, as it is read back. */
async function openLogged() {
  const lines: Line[] = []
  const log = { write: (line: string) => lines.push(JSON.parse(line) as Line) }
  return { ...(await openApp({ log })), lines }
}

test('every request is logged in one line with its id: writes at info, reads and heartbeats at debug', async () => {
  const { call, lines } = await openLogged()
  const path = '/v1/campaigns/sweep/experiments/0001'
  const replies = [
    await call('POST', '/v1/campaigns', { body: campaignDraft(1) }),
    await call('PATCH', path, { body: { status: 'running', worker: 'a', lease_seconds: 60 } }),
    await call('POST', `${path}/heartbeat`, { body: { attempt: 1, worker: 'a' } }),
    await call('POST', `${path}/heartbeat`, { body: { attempt: 2 } }),
    await call('GET', path, { headers: { 'x-request-id': 'mine-1' } }),
    await call('POST', '/nothing', { body: {} }),
  ]
  expect(lines.map(({ level, method, url, status }) => [level, method, url, status])).toEqual([
    [info, 'POST', '/v1/campaigns', 201],
    [info, 'PATCH', path, 200],
    [debug, 'POST', `${path}/heartbeat`, 200],
    [debug, 'POST', `${path}/heartbeat`, 409],
    [debug, 'GET', path, 200],
    [info, 'POST', '/nothing', 404],
  ])
  expect(lines.map(({ request_id }) => request_id)).toEqual(replies.map(({ headers }) => headers['x-request-id']))
})
