import { spawnSync } from 'node:child_process'
import { readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Filler, MOUNT, remount } from '../../../faults/commit-steps/small-disk.js'
import { campaignDraft } from '../../../support/campaigns/drafts.js'
import { send } from '../../../support/http/client.js'
import { openApp } from '../../../support/service/app.js'
import { type Service, startService } from '../../../support/service/service.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { attach, canTrace, isUsable } from '../../../support/tools.js'

const canMount = isUsable('unshare with mount', ['unshare', '-Urm', 'sh', '-c', `${MOUNT} /mnt`])
const canLimit = isUsable('prlimit', ['prlimit', '--pid', String(process.pid)])

function readiness({ url }: Service) {
  return send('GET', `${url}/readyz`)
}

/** Asks until it is not ready, and until it is ready again once what was wrong is gone. */
async function expectNotReady(service: Service, detail: RegExp, mend: () => void): Promise<void> {
  await expect.poll(async () => (await readiness(service)).status).toBe(503)
  const { text, json, headers } = await readiness(service)
  expect(json()).toMatchObject({ code: 'not-ready', detail: expect.stringMatching(detail) as string })
  expect(headers.get('retry-after'), text).not.toBeNull()
  mend()
  await expect.poll(async () => (await readiness(service)).status).toBe(200)
}

describe('the service is ready when a commit could be made', () => {
  test('the service is ready when it can write where the manifests are, and not otherwise', async () => {
    const { call, dataDir } = await openApp({})
    const campaigns = join(dataDir, 'campaigns')
    expect((await call('GET', '/readyz')).status).toBe(200)
    expect(readdirSync(campaigns)).toEqual([])
    renameSync(campaigns, `${campaigns}.gone`)
    await expect.poll(async () => (await call('GET', '/readyz')).status).toBe(503)
    const { text } = await call('GET', '/readyz')
    expect(text).toMatch(/ENOENT.*put it back/)
    expect(text).not.toContain(dataDir)
    renameSync(`${campaigns}.gone`, campaigns)
    await expect.poll(async () => (await call('GET', '/readyz')).status).toBe(200)
  })

  test.skipIf(!canMount)('the service is ready when its disk has room and can be written', async () => {
    const dataDir = join(temporaryDirectory(), 'data')
    const wrapper = ['unshare', '-Urm', 'sh', '-c', `mkdir "$0" && ${MOUNT} "$0" && exec "$@"`, dataDir]
    const service = await startService({ dataDir, wrapper })
    const filler = new Filler(join('/proc', String(service.pid), 'root', dataDir, 'filler'))
    filler.leave(0)
    await expectNotReady(service, /disk is full \(ENOSPC\), free some room/, () => filler.remove())
    remount(service, 'ro')
    await expectNotReady(service, /EROFS.*mount it for writing/, () => remount(service, 'rw'))
    expect(await service.end('SIGTERM')).toBe(0)
  })

  test.skipIf(!canLimit)('the service is ready when it has descriptors left', async () => {
    const service = await startService()
    expect((await readiness(service)).status).toBe(200)
    const limit = (count: number) => spawnSync('prlimit', ['--pid', String(service.pid), `--nofile=${count}:`])
    const open = new Set(readdirSync(`/proc/${service.pid}/fd`).map(Number))
    // The least number that is free; those that are open stay so, the connection too.
    limit(Array.from({ length: open.size + 1 }, (_, number) => number).find((number) => !open.has(number)) ?? 0)
    await expectNotReady(service, /EMFILE.*ulimit -n/, () => limit(1024))
  })
})

describe('whether the service is ready', () => {
  test.skipIf(!canTrace())(
    'whether the service is ready is tried at most once a second, and only when asked',
    async () => {
      const service = await startService()
      const directory = join(service.dataDir, 'campaigns')
      const output = join(temporaryDirectory(), 'trace')
      const options = ['-f', '-e', 'trace=openat,unlink,unlinkat']
      const tracer = await attach(service.pid, output, options, (child) => onTestFinished(() => void child.kill()))
      const probes = () =>
        tracer
          .output()
          .split('\n')
          .filter((line) => /openat\(.*probe\..*O_CREAT/.test(line)).length
      await sleep(1500)
      expect(probes()).toBe(0)
      const began = performance.now()
      for (let rounds = 0; rounds < 20; rounds += 1) {
        const replies = await Promise.all(Array.from({ length: 10 }, () => readiness(service)))
        expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200))
        await sleep(100)
      }
      const seconds = (performance.now() - began) / 1000
      await tracer.detach()
      expect(probes()).toBeGreaterThan(0)
      expect(probes()).toBeLessThanOrEqual(Math.floor(seconds) + 1)
      expect(readdirSync(directory)).toEqual([])
    },
  )

  test.skipIf(!canTrace())('whether the service is ready needs no try just after a commit', async () => {
    const service = await startService()
    const output = join(temporaryDirectory(), 'trace')
    const options = ['-f', '-e', 'trace=openat']
    const tracer = await attach(service.pid, output, options, (child) => onTestFinished(() => void child.kill()))
    let committed = 0
    let asked = Infinity
    // On a busy machine the question may come too late for the evidence.
    for (let tries = 0; tries < 20 && asked - committed > 500; tries += 1) {
      const campaign_id = `number-${tries}`
      committed = performance.now()
      expect((await send('POST', `${service.url}/v1/campaigns`, campaignDraft(1, { campaign_id }))).status).toBe(201)
      const before = tracer.output().includes('probe.')
      expect((await readiness(service)).status).toBe(200)
      asked = performance.now()
      if (asked - committed < 500) expect(tracer.output().includes('probe.')).toBe(before)
    }
    expect(asked - committed).toBeLessThan(500)
    await tracer.detach()
  })

  test.skipIf(!canTrace())('whether the service is ready is answered also when a write does not end', async () => {
    const service = await startService()
    const output = join(temporaryDirectory(), 'trace')
    const options = ['-f', '-e', 'trace=fsync', '-e', 'inject=fsync:delay_enter=8000000:when=1']
    const tracer = await attach(service.pid, output, options, (child) => onTestFinished(() => void child.kill()))
    const first = readiness(service)
    const second = await readiness(service)
    for (const { status, text } of [await first, second]) {
      expect(status).toBe(503)
      expect(text).toContain('has not ended a write')
    }
    await expect.poll(async () => (await readiness(service)).status).toBe(200)
    await tracer.detach()
  })
})
