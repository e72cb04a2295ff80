import { closeSync, openSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { Campaign } from '#campaignd/domain/campaign/campaign.js'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import { manifestPieces } from '#campaignd/domain/formats/manifest-json.js'
import { loadManifest } from '#campaignd/repository/file/encoding/manifest-file.js'
import { readManifestLines } from '#campaignd/repository/file/encoding/manifest-lines.js'
import { newManifest, UNICODE } from '../../../support/campaigns/decisions.js'
import { RUNNING } from '../../../support/store/running.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'

/** Around a block of 64 experiments, and more bytes than are read in one go. */
const SIZES = [1, 2, 63, 64, 65, 128, 129, 3000]

function manifest(experiments: number): CampaignManifest {
  const whole = newManifest('sweep', experiments, { labels: UNICODE })
  for (const [index, experiment] of whole.experiments.entries()) {
    experiment.error = index % 7 === 0 ? 'größer\n日本語 "🎈",\n  ]\n}\n' : null
  }
  return whole
}

function textOf(whole: CampaignManifest): string {
  return [...manifestPieces(Campaign.of(whole))].join('')
}

function lay(content: string | Buffer): string {
  const path = join(temporaryDirectory(), 'sweep.json')
  writeFileSync(path, content)
  return path
}

function readLines(content: string | Buffer): ReturnType<typeof readManifestLines> {
  const descriptor = openSync(lay(content), 'r')
  onTestFinished(() => closeSync(descriptor))
  return readManifestLines(descriptor, RUNNING)
}

test.each(SIZES)(
  'a manifest of %i experiments is read line by line, with the bytes of the file and of each line',
  async (size) => {
    const whole = manifest(size)
    const text = textOf(whole)
    const lines = await readLines(text)
    expect(lines?.value).toEqual(whole)
    expect(Buffer.concat([...(lines?.encoded.parts ?? [])]).toString()).toBe(text)
    const campaign = Campaign.of(whole)
    expect(Campaign.of(whole, { sizes: lines?.sizes ?? [] }).bytes).toBe(campaign.bytes)
    const positions = whole.experiments.map((_, position) => position).filter((position) => position % 5 === 1)
    const list = Buffer.concat([...(lines?.encoded.list(positions) ?? [])]).toString()
    expect(JSON.parse(`[${list}]`)).toEqual(positions.map((position) => whole.experiments[position]))
  },
)

const TEXT = textOf(manifest(130))

test.each<[string, string | Buffer]>([
  ['of another indent', JSON.stringify(manifest(3), null, 2)],
  ['in one line', JSON.stringify(manifest(3))],
  ['with two experiments in a line', TEXT.replace('},\n    {', '},{')],
  ['with an experiment on two lines', TEXT.replace('"config_name"', '\n"config_name"')],
  ['with something after its end', `${TEXT} `],
  ['without its last line break', TEXT.slice(0, -1)],
  ['cut short', TEXT.slice(0, 3000)],
  ['cut short at the end of a line', TEXT.slice(0, TEXT.indexOf('\n    {"exp_id":"0070"'))],
  ['with a line that is no object', TEXT.replace(/\n {4}\{"exp_id":"0070".*/, '\n    7,')],
  ['that is not UTF-8', Buffer.from(TEXT.replace('größer', 'gr\u00f6\u00dfer'), 'latin1')],
  ['that is empty', ''],
])('a file %s is none that is read line by line', async (_what, content) => {
  expect(await readLines(content)).toBeNull()
})

test.each<[string, string]>([
  ['of another indent', JSON.stringify(manifest(3), null, 2)],
  ['with two experiments in a line', TEXT.replace('},\n    {', '},{')],
  ['without its last line break', TEXT.slice(0, -1)],
])('a manifest %s is read all the same, and kept in our layout', async (_what, content) => {
  const loaded = await loadManifest(lay(content), { id: 'sweep', limit: Infinity, stopping: RUNNING })
  if (loaded === null || 'listed' in loaded) throw new Error(loaded?.listed.reason)
  expect(Buffer.concat([...loaded.encoded.parts]).toString()).toBe(textOf(loaded.campaign.toManifest()))
})

test.each([
  ['in our layout', textOf(manifest(8000))],
  ['in another', JSON.stringify(manifest(8000))],
])('a manifest %s is read no further when the service stops, and not taken for corrupt', async (_what, content) => {
  const path = lay(content)
  for (let turns = 1, isRead = false; !isRead; turns *= 2) {
    const stopping = new AbortController()
    const loading = loadManifest(path, { id: 'sweep', limit: Infinity, stopping: stopping.signal }).catch(
      (error: unknown) => error,
    )
    for (let count = 0; count < turns; count += 1) await turn()
    stopping.abort(new Error('stopping'))
    const loaded = await loading
    isRead = !(loaded instanceof Error)
    expect(loaded).toMatchObject(isRead ? { campaign: {} } : { message: 'stopping' })
    if (turns === 1) expect(isRead).toBe(false)
  }
})

test('a file of no layout of ours is corrupt above 256 MiB, and the reason says so', async () => {
  const path = lay('{\n  "campaign_id": "sweep",\n')
  truncateSync(path, 257 * 1024 * 1024)
  const loaded = await loadManifest(path, { id: 'sweep', limit: Infinity, stopping: RUNNING })
  expect(loaded).toMatchObject({
    listed: {
      reason: expect.stringMatching(
        /^it is larger than 256 MiB, and not a manifest with one experiment a line/,
      ) as unknown,
    },
    identity: { size: 257n * 1024n * 1024n },
  })
})
