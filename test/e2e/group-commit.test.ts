import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { campaignDraft } from '../support/campaigns/drafts.js'
import { send } from '../support/http/client.js'
import { type CampaignService, startCampaign } from '../support/service/service.js'
import { leftovers, readManifest, storedManifest } from '../support/store/files.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { canTrace, readTrace, strace, type SystemCall } from '../support/tools.js'
import { until } from '../support/until.js'

const traced = test.skipIf(!canTrace())

/** One thread in the pool, since strace counts the calls of each thread apart. */
const environment = { UV_THREADPOOL_SIZE: '1' }

/**
 * A service on one campaign whose flushes are interfered with. The thread that commits makes two for each change: of
 * the temp file and of the directory. The creation has taken the first two; at its start the main thread makes two too.
 */
async function startWithFault(
  inject: string,
  ...others: string[]
): Promise<CampaignService & { readonly start: () => ReturnType<typeof send> }> {
  const output = join(temporaryDirectory(), 'trace')
  const injections = [`fsync:${inject}`, ...others].flatMap((one) => ['-e', `inject=${one}`])
  const wrapper = strace(output, '-e', 'trace=fsync,rename', ...injections)
  const service = await startCampaign(3, { environment, wrapper })
  return { ...service, start: () => service.report('0001', RUNNING) }
}

const RUNNING = { status: 'running', worker: 'w' }
const TEMP_FLUSH = 3
const DIRECTORY_FLUSH = 4

/** The outcome of a call: its status, or that the connection broke. */
function statusOf(call: ReturnType<typeof send>): Promise<number | 'broken'> {
  return call.then(
    ({ status }) => status,
    () => 'broken' as const,
  )
}

traced('a commit flushes the temp file before the rename, the directory after it, and answers last', async () => {
  const output = join(temporaryDirectory(), 'trace')
  const names = 'openat,fsync,fdatasync,rename,renameat,renameat2,write,writev,sendto,sendmsg'
  const service = await startCampaign(3, { environment, wrapper: strace(output, '-e', `trace=${names}`) })
  await service.report('0001', RUNNING)
  expect(await service.end('SIGTERM')).toBe(0)
  await expect.poll(() => readFileSync(output, 'utf8')).toContain('+++ exited with 0 +++')

  const calls = readTrace(output)
  const rename = only(calls, (call) => call.name.startsWith('rename') && call.text.includes('sweep.json"'))
  const temp = /"([^"]+\.tmp)"/.exec(rename.text)?.[1] ?? 'none'
  const steps = [
    only(calls, ({ name, text }) => name === 'openat' && text.includes(temp) && text.includes('O_EXCL')),
    only(calls, ({ name, text }) => name === 'fsync' && text.includes(temp)),
    rename,
    only(
      calls,
      ({ name, text, begin }) =>
        name === 'fsync' && text.includes(`${join(service.dataDir, 'campaigns')}>`) && begin > rename.end,
    ),
    only(calls, ({ text, begin }) => text.includes('HTTP/1.1 200 OK') && begin > rename.begin),
  ]
  for (const [index, step] of steps.entries()) {
    const next = steps[index + 1]
    if (next !== undefined) expect(next.begin, `${step.text} before ${next.text}`).toBeGreaterThan(step.end)
    if (step.name === 'fsync') expect(step.text).toMatch(/= 0$/)
  }
})

traced('a commit that fails before its rename is 503 and changes nothing; the next one goes through', async () => {
  const service = await startWithFault(`error=EIO:when=${TEMP_FLUSH}`)
  const before = readManifest(service.dataDir, 'sweep')
  const refused = await service.start()
  expect(refused.status).toBe(503)
  expect(refused.json()).toMatchObject({ code: 'store-unavailable' })
  expect(readManifest(service.dataDir, 'sweep')).toBe(before)
  expect(leftovers(service.dataDir)).toEqual([])
  expect((await service.start()).status).toBe(200)
  expect(storedManifest(service.dataDir, 'sweep').revision).toBe(2)
  expect(await service.end('SIGTERM')).toBe(0)
})

traced('a commit that fails after its rename is not acknowledged, and the process ends non-zero', async () => {
  const service = await startWithFault(`error=EIO:when=${DIRECTORY_FLUSH}`)
  expect(await statusOf(service.start())).toBeOneOf([503, 'broken'])
  expect(await service.ended).toBe(1)
  expect(readFileSync(join(service.dataDir, 'owner.json'), 'utf8')).toContain('lock_inode')
  expect(existsSync(join(service.dataDir, 'lock'))).toBe(true)
  JSON.parse(readManifest(service.dataDir, 'sweep'))
})

traced(
  'a commit that fails after its rename fails what waits behind it, deletions too; what is on disk stays',
  async () => {
    const service = await startWithFault(`error=EIO:delay_enter=2000000:when=${DIRECTORY_FLUSH}`)
    const first = service.start()
    await until('the rename', () => storedManifest(service.dataDir, 'sweep').revision === 2)
    const behind = [service.report('0002', RUNNING), send('DELETE', service.campaign)]
    // Another thread flushes it, with a descriptor of its own: it does not wait, and is acknowledged.
    await createAnother(service)
    const outcomes = await Promise.all([first, ...behind].map(statusOf))
    for (const outcome of outcomes) expect(outcome).toBeOneOf([503, 'broken'])
    expect(await service.ended).toBe(1)
    expect(storedManifest(service.dataDir, 'another').revision).toBe(1)
  },
)

traced('a commit that fails after its rename fails what another thread has not acknowledged yet', async () => {
  // Each thread counts its own calls: the second report of the one fails, the first of the other takes longer than that.
  const service = await startWithFault(
    `error=EIO:delay_enter=2000000:when=${DIRECTORY_FLUSH + 2}`,
    'rename:delay_enter=4000000:when=1',
  )
  expect((await service.start()).status).toBe(200)
  const first = service.report('0001', { result_path: 'results/1.json', worker: 'w' })
  await until('the rename', () => storedManifest(service.dataDir, 'sweep').revision === 3)
  await createAnother(service)
  await sleep(100)
  const second = send('PATCH', `${service.url}/v1/campaigns/another/experiments/0001`, RUNNING)
  const outcomes = await Promise.all([first, second].map(statusOf))
  for (const outcome of outcomes) expect(outcome).toBeOneOf([503, 'broken'])
  expect(await service.ended).toBe(1)
})

traced('a commit that fails after its rename while the service stops ends it non-zero all the same', async () => {
  const service = await startWithFault(`error=EIO:delay_enter=2000000:when=${DIRECTORY_FLUSH}`)
  const outcome = statusOf(service.start())
  await until('the rename', () => storedManifest(service.dataDir, 'sweep').revision === 2)
  const ended = service.end('SIGTERM')
  expect(await outcome).toBeOneOf([503, 'broken'])
  expect(await ended).toBe(1)
})

traced('a commit under way when the service stops is finished and answered', async () => {
  const service = await startWithFault(`delay_enter=2000000:when=${TEMP_FLUSH}`)
  const outcome = service.start()
  await until('the temp file', () => leftovers(service.dataDir).length > 0)
  const ended = service.end('SIGTERM')
  expect((await outcome).status).toBe(200)
  expect(await ended).toBe(0)
  expect(storedManifest(service.dataDir, 'sweep').revision).toBe(2)
})

traced('a commit is shared by all that come while the one before is written', async () => {
  const service = await startWithFault(`delay_enter=2000000:when=${TEMP_FLUSH}`)
  const revisions = await Promise.all(
    ['0001', '0002', '0003'].map(async (id, index) => {
      await sleep(index * 100)
      const reply = await service.report(id, RUNNING)
      return reply.json<{ revision: number }>().revision
    }),
  )
  expect(revisions).toEqual([2, 3, 4])
  expect(await service.end('SIGTERM')).toBe(0)
})

async function createAnother({ url }: CampaignService): Promise<void> {
  const { status } = await send('POST', `${url}/v1/campaigns`, campaignDraft(1, { campaign_id: 'another' }))
  expect(status).toBe(201)
}

function only(calls: readonly SystemCall[], matches: (call: SystemCall) => boolean): SystemCall {
  const found = calls.filter(matches)
  expect(found.map(({ text }) => text)).toHaveLength(1)
  return found[0] as SystemCall
}
