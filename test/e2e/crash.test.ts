import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { send, writersOn, type StoredManifest } from '../support/client.js'
import { campaignDraft } from '../support/drafts.js'
import { leftovers, readManifest } from '../support/file-store.js'
import { startService } from '../support/service.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

const ROUNDS = Number(process.env['CAMPAIGND_TEST_KILLS'] ?? 20)
const CAMPAIGNS = ['one', 'two', 'three']

test(`no acknowledged update is lost in ${ROUNDS} kills under 16 writers`, async () => {
  const dataDir = temporaryDirectory()
  const writers = writersOn(CAMPAIGNS, 16)
  const seen = new Map<string, number>()
  let acknowledged = 0
  let unknown = 0
  let service = await startService({ dataDir })
  for (const campaign_id of CAMPAIGNS) {
    expect((await send('POST', `${service.url}/v1/campaigns`, campaignDraft(20, { campaign_id }))).status).toBe(201)
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = writers.map((writer) => writer.acknowledged)
    const runs = writers.map((writer) => writer.run(service.url, () => false))
    await sleep(100 + Math.random() * 400)
    expect(await service.end('SIGKILL')).toBe(null)
    const others = (await Promise.all(runs)).flat()
    expect(others.filter((outcome) => !(outcome instanceof Error))).toEqual([])

    service = await startService({ dataDir })
    expect(leftovers(dataDir)).toEqual([])
    for (const id of CAMPAIGNS) {
      const manifest = JSON.parse(readManifest(dataDir, id)) as StoredManifest
      expect((await send('GET', `${service.url}/v1/campaigns/${id}`)).json()).toEqual(manifest)
      expect(manifest.revision).toBeGreaterThanOrEqual(seen.get(id) ?? 1)
      seen.set(id, manifest.revision)
      let changes = 0
      for (const writer of writers.filter(({ campaign }) => campaign === id)) {
        const experiment = manifest.experiments.find(({ exp_id }) => exp_id === writer.expId)
        const found = Number(experiment?.result_path ?? 0)
        expect(found, `${id} ${writer.expId}`).toBeGreaterThanOrEqual(writer.acknowledged)
        expect(found, `${id} ${writer.expId}`).toBeLessThanOrEqual(writer.sent)
        expect(manifest.revision).toBeGreaterThanOrEqual(writer.revision)
        if (writer.sent > writer.acknowledged) unknown += 1
        // What was not acknowledged may be there or not; the writer goes on from what is.
        writer.sent = writer.acknowledged = found
        changes += found
      }
      // Every change took exactly one revision, so none was made twice and none is missing.
      expect(manifest.revision).toBe(1 + changes)
    }
    acknowledged += writers.reduce((sum, writer, index) => sum + writer.acknowledged - (before[index] ?? 0), 0)
  }
  console.log(
    `crash: ${ROUNDS} kills, ${acknowledged} updates kept, ${unknown} of unknown outcome, 0 acknowledged lost`,
  )
}, 240_000)
