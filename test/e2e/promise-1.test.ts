import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { send, type Reply, type StoredManifest } from '../support/http/client.js'
import { campaignDraft } from '../support/campaigns/drafts.js'
import { leftovers, readManifest } from '../support/store/test-store.js'
import { startService } from '../support/service/service.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { canTrace, strace } from '../support/tools.js'
import { until } from '../support/until.js'

const DELAY = 3000
const STARTED = { status: 'running', worker: 'a' }

interface Answered {
  readonly reply: Reply
  /** Milliseconds after the first call was sent. */
  readonly after: number
  /** Revision of the file at that moment. */
  readonly revision: number
}

/**
 * Sends the first report, whose commit hangs in its flush of the temp file, and while it hangs the others, which can
 * only be judged on what it changes.
 */
async function hang(fault: string, others: readonly object[]): Promise<Answered[]> {
  const output = join(temporaryDirectory(), 'trace')
  // The creation took the first two flushes of the thread that commits.
  const inject = `inject=fsync:${fault}delay_enter=${DELAY * 1000}:when=3`
  const wrapper = strace(output, '-e', 'trace=fsync', '-e', inject)
  const { url, dataDir } = await startService({ environment: { UV_THREADPOOL_SIZE: '1' }, wrapper })
  await send('POST', `${url}/v1/campaigns`, campaignDraft(2))
  const began = performance.now()
  const report = async (body: object): Promise<Answered> => {
    const reply = await send('PATCH', `${url}/v1/campaigns/sweep/experiments/0001`, body)
    const { revision } = JSON.parse(readManifest(dataDir, 'sweep')) as StoredManifest
    return { reply, after: performance.now() - began, revision }
  }
  const first = report(STARTED)
  await until('the temp file', () => leftovers(dataDir).length > 0)
  // Reads see what is committed, and do not wait.
  const read = await send('GET', `${url}/v1/campaigns/sweep/experiments/0001`)
  expect(read.json()).toMatchObject({ status: 'pending', revision: 1 })
  expect(performance.now() - began).toBeLessThan(DELAY)
  return Promise.all([first, ...others.map(report)])
}

describe.skipIf(!canTrace())('while the commit that it is judged on hangs', () => {
  test('while the commit that it is judged on hangs, a repeated report and a refusal are not answered before that commit', async () => {
    const answered = await hang('', [STARTED, { status: 'running', worker: 'b' }, STARTED])
    expect(answered.map(({ reply }) => reply.status)).toEqual([200, 200, 409, 200])
    expect(answered[2]?.reply.json()).toMatchObject({ code: 'already-running', experiment: { worker: 'a' } })
    for (const { after, revision } of answered) {
      expect(after).toBeGreaterThanOrEqual(DELAY)
      expect(revision).toBe(2)
    }
  })

  test('while the commit that it is judged on hangs, a repeated report and a refusal are judged anew when that commit fails', async () => {
    const [first, repeated, other] = await hang('error=EIO:', [STARTED, { status: 'running', worker: 'b' }])
    expect(first?.reply.status).toBe(503)
    // The repetition is now what starts it, durably, and the other is refused on the ground of that.
    expect(repeated).toMatchObject({ reply: { status: 200 }, revision: 2 })
    expect(repeated?.reply.json()).toMatchObject({ status: 'running', worker: 'a', revision: 2 })
    expect(other?.reply.status).toBe(409)
    expect(other?.revision).toBe(2)
  })
})
