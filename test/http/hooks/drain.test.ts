import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { campaignDraft, experimentDraft } from '../../support/campaigns/drafts.js'
import { type Reply, send } from '../../support/http/client.js'
import { openApp, type TestApp } from '../../support/service/app.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'

/** Experiments that take some turns of the event loop at each step of a call. */
const MANY = 8000

const failed = campaignDraft(0, {
  experiments: Array.from({ length: MANY }, (_, index) => experimentDraft(`${index}`, { status: 'failed' })),
})
const others = failed.experiments.map((one) => ({ ...one, exp_id: `other-${one.exp_id}` }))

interface LongCall {
  readonly name: string
  readonly path: string
  readonly body: object
  /** What there is before it. */
  readonly before: object | null
}

const CALLS: readonly LongCall[] = [
  { name: 'create', path: '/v1/campaigns', body: failed, before: null },
  { name: 'append', path: '/v1/campaigns/sweep/experiments', body: { experiments: others }, before: failed },
  { name: 'retry', path: '/v1/campaigns/sweep/retry', body: {}, before: failed },
]

async function revision(app: TestApp): Promise<number> {
  const reply = await app.call('GET', '/v1/campaigns/sweep/progress')
  return reply.status === 404 ? 0 : reply.json<{ revision: number }>().revision
}

/** Makes the call, and stops the service so many turns of the event loop after it came. @returns by how much the revision has grown, too */
async function stopWithin(call: LongCall, turns: number): Promise<{ reply: Reply; growth: number }> {
  const app = await openApp({ dataDir: temporaryDirectory() })
  if (call.before !== null) await app.call('POST', '/v1/campaigns', { body: call.before })
  const before = await revision(app)
  const called = send('POST', `${await app.listen()}${call.path}`, call.body)
  await once(app.app.server, 'request')
  for (let count = 0; count < turns; count += 1) await turn()
  await app.restart()
  const reply = await called
  return { reply, growth: (await revision(app)) - before }
}

test.each(CALLS)('a stop at any moment of a long $name gives it up, or it is done', async (call) => {
  let refused = 0
  for (let turns = 1; ; turns *= 2) {
    const { reply, growth } = await stopWithin(call, turns)
    if (reply.status === 503) {
      refused += 1
      expect(reply.json()).toMatchObject({ code: 'draining' })
      expect([reply.headers.get('connection'), reply.headers.get('retry-after')]).toEqual(['close', '5'])
      expect(growth).toBe(0)
    } else {
      expect(reply.status).toBeLessThan(300)
      expect(growth).toBe(1)
      break
    }
  }
  expect(refused).toBeGreaterThan(0)
})

test('a stop within a long sweep of leases gives it up without an error: after it each lease has a new period', async () => {
  const log: string[] = []
  const app = await openApp({ dataDir: temporaryDirectory(), log: { write: (line) => log.push(line) } })
  await app.call('POST', '/v1/campaigns', { body: failed })
  const started = { status: 'running', worker: 'gpu-node-1', lease_seconds: 1 }
  for (let first = 0; first < MANY; first += 1000) {
    const updates = failed.experiments.slice(first, first + 1000).map(({ exp_id }) => ({ exp_id, ...started }))
    expect((await app.call('PATCH', '/v1/campaigns/sweep/experiments', { body: { updates } })).status).toBe(200)
  }
  app.skip(1.5)
  const sweep = app.service.leases.sweep()
  await turn()
  await app.restart()
  await sweep
  expect(log.filter((line) => (JSON.parse(line) as { level: number }).level >= 40)).toEqual([])
  const progress = (await app.call('GET', '/v1/campaigns/sweep/progress')).json<{ counts: object }>()
  expect(progress.counts).toMatchObject({ running: MANY, failed: 0 })
})
