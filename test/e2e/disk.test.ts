import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { send, type StoredManifest } from '../support/client.js'
import { campaignDraft } from '../support/drafts.js'
import { leftovers, readManifest } from '../support/file-store.js'
import { startService, type Service } from '../support/service.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { isUsable } from '../support/tools.js'

const mount = 'mount -t tmpfs -o size=64k,mode=700 tmpfs'
const usable = isUsable('unshare with mount', ['unshare', '-Urm', 'sh', '-c', `${mount} /mnt`])

/** A service on a file system of 64 kB of its own; `inside` is that file system as seen from here. */
async function startOnTinyDisk(): Promise<{ service: Service; inside: string; campaigns: string }> {
  const dataDir = temporaryDirectory()
  const wrapper = ['unshare', '-Urm', 'sh', '-c', `${mount} "$0" && exec "$@"`, dataDir]
  const service = await startService({ dataDir, wrapper })
  const inside = join('/proc', String(service.pid), 'root', dataDir)
  return { service, inside, campaigns: `${service.url}/v1/campaigns` }
}

/** Takes all the room there is. */
function fill(path: string): void {
  const descriptor = openSync(path, 'w')
  try {
    for (;;) writeSync(descriptor, Buffer.alloc(1024))
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' })
  } finally {
    closeSync(descriptor)
  }
}

function stored(inside: string): StoredManifest {
  return JSON.parse(readManifest(inside, 'sweep')) as StoredManifest
}

describe.skipIf(!usable)('a full disk', () => {
  test('is 507, changes nothing, and is over once there is room', async () => {
    const { service, inside, campaigns } = await startOnTinyDisk()
    expect((await send('POST', campaigns, campaignDraft(10))).status).toBe(201)
    const before = readManifest(inside, 'sweep')
    fill(join(inside, 'filler'))

    const report = `${campaigns}/sweep/experiments/0001`
    const refused = await Promise.all([
      send('PATCH', report, { status: 'running', error: 'x'.repeat(8000) }),
      send('PATCH', report, { status: 'running' }),
      send('POST', campaigns, campaignDraft(5, { campaign_id: 'another' })),
    ])
    for (const reply of refused) {
      expect(reply.status).toBe(507)
      expect(reply.json()).toMatchObject({ code: 'store-full' })
    }
    expect(readManifest(inside, 'sweep')).toBe(before)
    expect(leftovers(inside)).toEqual([])
    expect((await send('GET', `${campaigns}/sweep`)).text).toBe(before)
    expect((await send('GET', `${campaigns}/another`)).status).toBe(404)

    rmSync(join(inside, 'filler'))
    expect((await send('PATCH', report, { status: 'running' })).status).toBe(200)
    expect(stored(inside)).toMatchObject({
      revision: 2,
      experiments: [{ status: 'running' }, ...Array<object>(9).fill({})],
    })
    expect(await service.end('SIGTERM')).toBe(0)
  })

  test('that fills up in the middle of the file leaves the old one whole', async () => {
    const { inside, campaigns } = await startOnTinyDisk()
    await send('POST', campaigns, campaignDraft(1))
    let status = 0
    let revision = 1
    // Each report is larger than the last, until one fits only in part.
    for (let size = 1; status !== 507; size += 1) {
      const before = readManifest(inside, 'sweep')
      const experiments = campaignDraft(size).experiments.map(({ exp_id }) => ({ exp_id: `n-${size}-${exp_id}` }))
      const drafts = experiments.map(({ exp_id }) => ({ ...campaignDraft(1).experiments[0], exp_id }))
      status = (await send('POST', `${campaigns}/sweep/experiments`, { experiments: drafts })).status
      if (status === 201) revision += 1
      else expect([status, readManifest(inside, 'sweep')]).toEqual([507, before])
      expect(stored(inside).revision).toBe(revision)
    }
    expect(leftovers(inside)).toEqual([])
  })
})

describe.skipIf(!usable)('a disk that turned read-only', () => {
  test('is 503, changes nothing, and is over once it can be written again', async () => {
    const { service, inside, campaigns } = await startOnTinyDisk()
    await send('POST', campaigns, campaignDraft(2))
    const before = readManifest(inside, 'sweep')
    const remount = (how: string) => {
      const enter = ['-t', String(service.pid), '-U', '-m', '--preserve-credentials']
      const { status, stderr } = spawnSync('nsenter', [...enter, 'mount', '-o', `remount,${how}`, service.dataDir])
      expect(stderr.toString()).toBe('')
      expect(status).toBe(0)
    }
    remount('ro')
    const report = `${campaigns}/sweep/experiments/0001`
    const refused = [
      await send('PATCH', report, { status: 'running' }),
      await send('POST', campaigns, campaignDraft(1, { campaign_id: 'another' })),
      await send('DELETE', `${campaigns}/sweep`),
    ]
    for (const reply of refused) {
      expect(reply.status).toBe(503)
      expect(reply.headers.has('retry-after')).toBe(true)
      expect(reply.json()).toMatchObject({ code: 'store-unavailable' })
      expect(reply.text).toContain('EROFS')
    }
    expect(readManifest(inside, 'sweep')).toBe(before)
    remount('rw')
    expect((await send('PATCH', report, { status: 'running' })).status).toBe(200)
    expect(stored(inside).revision).toBe(2)
    expect(existsSync(join(inside, 'campaigns', 'another.json'))).toBe(false)
    expect(readFileSync(join(inside, 'owner.json'), 'utf8')).toContain(`"pid": ${service.pid}`)
  })
})
