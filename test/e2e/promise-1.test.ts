import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Reply, send } from '../support/http/client.js'
import { startCampaign } from '../support/service/service.js'
import { leftovers, storedManifest } from '../support/store/files.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { canTrace, strace } from '../support/tools.js'
import { until } from '../support/until.js'

const DELAY = 3000
const traced = test.skipIf(!canTrace())
const STARTED = { status: 'running', worker: 'a' }

interface Answered {
  readonly reply: Reply
  /** Milliseconds after the first call was sent. */
  readonly after: number
  /** Revision of the file at that moment. */
  readonly revision: number
}

/**
 * Sends the first report, whose commit hangs in the flush of the temp file, and meanwhile the others, which are decided on what it
 * changes.
 */
async function hang(fault: string, others: readonly object[]): Promise<Answered[]> {
  const output = join(temporaryDirectory(), 'trace')
  // The creation took the first two flushes of the thread that commits.
  const inject = `inject=fsync:${fault}delay_enter=${DELAY * 1000}:when=3`
  const wrapper = strace(output, '-e', 'trace=fsync', '-e', inject)
  const service = await startCampaign(2, { environment: { UV_THREADPOOL_SIZE: '1' }, wrapper })
  const began = performance.now()
  const report = async (body: object): Promise<Answered> => {
    const reply = await service.report('0001', body)
    const { revision } = storedManifest(service.dataDir, 'sweep')
    return { reply, after: performance.now() - began, revision }
  }
  const first = report(STARTED)
  await until('the temp file', () => leftovers(service.dataDir).length > 0)
  // Reads see what is committed, and do not wait.
  const read = await send('GET', `${service.campaign}/experiments/0001`)
  expect(read.json()).toMatchObject({ status: 'pending', revision: 1 })
  expect(performance.now() - began).toBeLessThan(DELAY)
  return Promise.all([first, ...others.map(report)])
}

traced('a repeated report and a refusal are not answered before the commit that they are decided on', async () => {
  const answered = await hang('', [STARTED, { status: 'running', worker: 'b' }, STARTED])
  expect(answered.map(({ reply }) => reply.status)).toEqual([200, 200, 409, 200])
  expect(answered[2]?.reply.json()).toMatchObject({ code: 'already-running', experiment: { worker: 'a' } })
  for (const { after, revision } of answered) {
    expect(after).toBeGreaterThanOrEqual(DELAY)
    expect(revision).toBe(2)
  }
})

traced(
  'a repeated report and a refusal are decided again when the commit that they were decided on fails',
  async () => {
    const [first, repeated, other] = await hang('error=EIO:', [STARTED, { status: 'running', worker: 'b' }])
    expect(first?.reply.status).toBe(503)
    // The repetition starts it now, durably, and the other is refused because of that.
    expect(repeated).toMatchObject({ reply: { status: 200 }, revision: 2 })
    expect(repeated?.reply.json()).toMatchObject({ status: 'running', worker: 'a', revision: 2 })
    expect(other?.reply.status).toBe(409)
    expect(other?.revision).toBe(2)
  },
)
