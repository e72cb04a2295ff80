import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import { openCampaign } from '../../../support/campaigns/campaign.js'
import { newManifest } from '../../../support/campaigns/decisions.js'
import { campaignDraft } from '../../../support/campaigns/drafts.js'
import { everyCall } from '../../../support/campaigns/every-call.js'
import { sampleText, TORN_SAMPLE } from '../../../support/campaigns/samples.js'
import { expectProblem, verdict } from '../../../support/http/problems.js'
import { openApp, type TestApp } from '../../../support/service/app.js'
import { bytesOf, layManifest, manifestPath } from '../../../support/store/files.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'

interface Listed {
  readonly campaign_id: string
  readonly state: string
  readonly reason?: string
}

const TOOL_SAMPLE = '03_shuffled_18_resumed_then_crashed'
const TOOL_ID = 'bbb9fb75'

async function listed({ call }: TestApp): Promise<readonly Listed[]> {
  return (await call('GET', '/v1/campaigns')).json<{ campaigns: Listed[] }>().campaigns
}

async function expectCorrupt(app: TestApp, id: string): Promise<void> {
  const creation = app.call('POST', '/v1/campaigns', { body: campaignDraft(1, { campaign_id: id }) })
  const path = `/v1/campaigns/${id}`
  const save = { body: campaignDraft(1, { campaign_id: id }) }
  const saves = [{}, { 'if-match': '*' }].map((headers) => app.call('PUT', path, { ...save, headers }))
  for (const reply of await Promise.all([...everyCall(app, id), creation, ...saves]))
    expectProblem(reply, 409, 'campaign-corrupt')
}

test('the other campaigns go on beside a torn file', async () => {
  const dataDir = temporaryDirectory()
  layManifest(dataDir, 'torn', sampleText(TORN_SAMPLE))
  const app = await openApp({ dataDir })
  expect((await app.call('POST', '/v1/campaigns', { body: campaignDraft(2) })).status).toBe(201)
  const report = await app.call('PATCH', '/v1/campaigns/sweep/experiments/0001', { body: { status: 'running' } })
  expect(report.status).toBe(200)
  expect((await listed(app)).map(({ campaign_id }) => campaign_id).sort()).toEqual(['sweep', 'torn'])
  expect((await app.call('GET', '/readyz')).status).toBe(200)
})

test('a torn file is moved aside by force, byte for byte, and its id can be used again', async () => {
  const dataDir = temporaryDirectory()
  const text = sampleText(TORN_SAMPLE)
  layManifest(dataDir, 'torn', text)
  const app = await openApp({ dataDir })
  expect((await app.call('DELETE', '/v1/campaigns/torn?force=true')).status).toBe(204)
  expect(Object.entries(bytesOf(join(dataDir, 'campaigns')))).toEqual([
    [expect.stringMatching(/^torn\.json\..*set-aside$/), text],
  ])
  expect(await listed(app)).toEqual([])
  expectProblem(await app.call('GET', '/v1/campaigns/torn'), 404, 'campaign-not-found')

  const created = await app.call('POST', '/v1/campaigns', { body: campaignDraft(1, { campaign_id: 'torn' }) })
  expect(created.status).toBe(201)
  expect(await listed(app)).toMatchObject([{ campaign_id: 'torn', state: 'pending' }])
  expect(Object.values(bytesOf(join(dataDir, 'campaigns')))).toContain(text)
})

type Content = string | Buffer | ((manifest: CampaignManifest) => unknown)

test.each<[what: string, content: Content, reason: RegExp]>([
  ['with half of a character in a name', (manifest) => ({ ...manifest, config_hash: 'a\ud800' }), /config_hash/],
  ['that is empty', '', /not JSON/],
  ['that was cut short', JSON.stringify(newManifest('sweep', 2)).slice(0, -40), /not JSON/],
  ['that two wrote at once', sampleText(TORN_SAMPLE), /not JSON/],
  [
    'whose bytes are no UTF-8',
    Buffer.from(JSON.stringify(newManifest('sweep', 2)).replace('precision', 'Grö\u00dfe'), 'latin1'),
    /UTF-8/,
  ],
  ['that lies under another name', (manifest) => ({ ...manifest, campaign_id: 'other' }), /campaign_id is "other"/],
  ['with an unknown key', (manifest) => ({ ...manifest, colour: 'red' }), /the key "colour"/],
  ['with an unknown key in an experiment', withExperiment({ colour: 'red' }), /the key "colour"/],
  [
    'with an unknown key in the settings',
    (manifest) => ({ ...manifest, settings: { ...manifest.settings, eta: 1 } }),
    /eta/,
  ],
  ['without a key', ({ settings: _settings, ...manifest }) => manifest, /settings/],
  ['with null for a text', (manifest) => ({ ...manifest, campaign_name: null }), /campaign_name/],
  ['with an unknown status', withExperiment({ status: 'done' }), /status/],
  ['with an experiment twice', withExperiment({ exp_id: '0002' }), /0002 twice/],
  ['with a total that disagrees', (manifest) => ({ ...manifest, total_experiments: 3 }), /total_experiments/],
  ['with an attempt that disagrees with its retries', withExperiment({ attempt: 3 }), /disagree/],
  ['with an experiment newer than itself', withExperiment({ revision: 2 }), /newer than its campaign/],
  ['without its list of experiments', ({ experiments: _list, ...manifest }) => manifest, /experiments/],
  ['that is a list', (manifest) => [manifest], /no manifest/],
  ['that is null', () => null, /no manifest/],
  [
    'of the tool with an unknown key',
    () => ({ ...(JSON.parse(sampleText(TOOL_SAMPLE)) as object), colour: 'red' }),
    /colour/,
  ],
])('a file %s is reported with the reason, refused on every call and left as it is', async (_what, content, reason) => {
  const dataDir = temporaryDirectory()
  layManifest(
    dataDir,
    'sweep',
    typeof content === 'function' ? JSON.stringify(content(newManifest('sweep', 2))) : content,
  )
  const app = await openApp({ dataDir })
  const before = bytesOf(dataDir)
  expect(await listed(app)).toMatchObject([
    {
      campaign_id: 'sweep',
      campaign_name: 'sweep',
      state: 'corrupt',
      reason: expect.stringMatching(reason) as unknown,
    },
  ])
  await expectCorrupt(app, 'sweep')
  expect(bytesOf(dataDir)).toEqual(before)
})

test('a directory in the place of a file is reported as corrupt', async () => {
  const dataDir = temporaryDirectory()
  mkdirSync(manifestPath(dataDir, 'directory'), { recursive: true })
  await expectCorrupt(await openApp({ dataDir }), 'directory')
})

test('a symbolic link is not followed, neither to be read nor to be written', async () => {
  const dataDir = temporaryDirectory()
  const target = join(temporaryDirectory(), 'target.json')
  writeFileSync(target, JSON.stringify(newManifest('sweep', 2)))
  mkdirSync(join(dataDir, 'campaigns'))
  symlinkSync(target, manifestPath(dataDir, 'sweep'))
  const app = await openApp({ dataDir })
  const before = [bytesOf(dataDir), readFileSync(target, 'utf8')]
  expect(await listed(app)).toMatchObject([{ campaign_id: 'sweep', state: 'corrupt' }])
  await expectCorrupt(app, 'sweep')
  expect([bytesOf(dataDir), readFileSync(target, 'utf8')]).toEqual(before)

  expect((await app.call('DELETE', '/v1/campaigns/sweep?force=true')).status).toBe(204)
  expect((await app.call('POST', '/v1/campaigns', { body: campaignDraft(2) })).status).toBe(201)
  expect(readFileSync(target, 'utf8')).toBe(before[1])
})

test('a file whose name no campaign can have is left alone and listed nowhere', async () => {
  const dataDir = temporaryDirectory()
  for (const name of ['Sweep', 'a b', '.hidden']) layManifest(dataDir, name, sampleText(TOOL_SAMPLE))
  const before = bytesOf(join(dataDir, 'campaigns'))
  const app = await openApp({ dataDir })
  expect(await listed(app)).toEqual([])
  expect(bytesOf(join(dataDir, 'campaigns'))).toEqual(before)
})

const OUTSIDERS: [string, (path: string) => void][] = [
  ['written over', (path) => writeFileSync(path, readFileSync(path, 'utf8').replace('precision', 'PRECISION'))],
  ['torn', (path) => writeFileSync(path, '{"campaign_id": "sweep"')],
  [
    'replaced by another file',
    (path) => {
      writeFileSync(`${path}.new`, readFileSync(path))
      renameSync(`${path}.new`, path)
    },
  ],
  [
    'replaced by a link',
    (path) => {
      const target = join(temporaryDirectory(), 'moved.json')
      renameSync(path, target)
      symlinkSync(target, path)
    },
  ],
  ['deleted', (path) => rmSync(path)],
]

test.each(OUTSIDERS)(
  'a file that was %s from outside is neither written over nor deleted without force; the others go on',
  async (_how, meddle) => {
    for (const method of ['PATCH', 'DELETE'] as const) {
      const app = await openCampaign(2)
      meddle(manifestPath(app.dataDir, 'sweep'))
      const before = bytesOf(app.dataDir)
      const refused = await app.call(method, app.path, method === 'PATCH' ? { body: { campaign_name: 'x' } } : {})
      expectProblem(refused, 409, 'campaign-corrupt')
      expect(bytesOf(app.dataDir)).toEqual(before)
      const isThere = existsSync(manifestPath(app.dataDir, 'sweep'))
      expect(verdict(await app.call('GET', app.path))).toBe(isThere ? '409 campaign-corrupt' : '404 campaign-not-found')
      const other = await app.call('POST', '/v1/campaigns', { body: campaignDraft(1, { campaign_id: 'other' }) })
      expect(other.status).toBe(201)
    }
  },
)

test('a campaign that was changed from outside stays corrupt until it is moved aside by force', async () => {
  const app = await openCampaign(2)
  const path = manifestPath(app.dataDir, 'sweep')
  const outsiders = readFileSync(path, 'utf8').replace('precision', 'PRECISION')
  writeFileSync(path, outsiders)
  expectProblem(await app.report('0001', { status: 'running' }), 409, 'campaign-corrupt')
  expect(await listed(app)).toMatchObject([{ campaign_id: 'sweep', state: 'corrupt' }])
  await expectCorrupt(app, 'sweep')
  expect(readFileSync(path, 'utf8')).toBe(outsiders)

  await app.call('POST', '/v1/campaigns', { body: campaignDraft(1, { campaign_id: 'other' }) })
  expect((await app.call('DELETE', `${app.path}?force=true`)).status).toBe(204)
  expect(Object.values(bytesOf(join(app.dataDir, 'campaigns')))).toContain(outsiders)
  expect((await app.call('POST', '/v1/campaigns', { body: campaignDraft(2) })).status).toBe(201)
})

test('force moves a file aside that was changed from outside, also when nobody had noticed yet', async () => {
  const app = await openCampaign(2)
  const path = manifestPath(app.dataDir, 'sweep')
  const outsiders = readFileSync(path, 'utf8').replace('precision', 'PRECISION')
  writeFileSync(path, outsiders)
  expect((await app.call('DELETE', `${app.path}?force=true`)).status).toBe(204)
  expect(Object.values(bytesOf(join(app.dataDir, 'campaigns')))).toEqual([outsiders])
})

test('reports that share the write which finds the change from outside are all refused', async () => {
  const app = await openCampaign(10)
  writeFileSync(manifestPath(app.dataDir, 'sweep'), '{}')
  const ids = Array.from({ length: 10 }, (_, index) => String(index + 1).padStart(4, '0'))
  for (const reply of await Promise.all(ids.map((id) => app.report(id, { status: 'running' })))) {
    expectProblem(reply, 409, 'campaign-corrupt')
  }
  expect(readFileSync(manifestPath(app.dataDir, 'sweep'), 'utf8')).toBe('{}')
})

test('a file of the Python tool that lay there at the start is served, and is ours after its first change', async () => {
  const dataDir = temporaryDirectory()
  layManifest(dataDir, TOOL_ID, sampleText(TOOL_SAMPLE))
  await expectServedAndTakenOver(await openApp({ dataDir }))
})

test('a file of the Python tool that is put there while the service runs is served, and is ours after its first change', async () => {
  const app = await openApp()
  expectProblem(await app.call('GET', `/v1/campaigns/${TOOL_ID}`), 404, 'campaign-not-found')
  expect(await listed(app)).toEqual([])
  layManifest(app.dataDir, TOOL_ID, sampleText(TOOL_SAMPLE))
  await expectServedAndTakenOver(app)
})

test('a file that is put there while the service runs appears in the list', async () => {
  const app = await openApp()
  expect(await listed(app)).toEqual([])
  layManifest(app.dataDir, TOOL_ID, sampleText(TOOL_SAMPLE))
  layManifest(app.dataDir, 'torn', sampleText(TORN_SAMPLE))
  const states = async () =>
    Object.fromEntries((await listed(app)).map(({ campaign_id, state }) => [campaign_id, state]))
  await expect.poll(states).toEqual({ [TOOL_ID]: 'running', torn: 'corrupt' })
})

test('a campaign cannot be created over a file that was put there by hand', async () => {
  const app = await openApp()
  const text = sampleText(TOOL_SAMPLE)
  layManifest(app.dataDir, TOOL_ID, text)
  const reply = await app.call('POST', '/v1/campaigns', { body: campaignDraft(1, { campaign_id: TOOL_ID }) })
  expectProblem(reply, 409, 'campaign-exists')
  expect((await app.call('POST', '/v1/campaigns', { rawBody: text })).status).toBe(200)
  expect(readFileSync(manifestPath(app.dataDir, TOOL_ID), 'utf8')).toBe(text)
})

async function expectServedAndTakenOver(app: TestApp): Promise<void> {
  const text = sampleText(TOOL_SAMPLE)
  const path = `/v1/campaigns/${TOOL_ID}`
  const file = manifestPath(app.dataDir, TOOL_ID)
  const exported = await app.call('GET', `${path}?format=llenergymeasure`)
  expect(exported.text).toBe(text)
  expect((await app.call('GET', path)).json()).toMatchObject({ campaign_id: TOOL_ID, revision: 1 })
  await app.call('PATCH', `${path}/experiments/0056`, { body: { status: 'pending' } })
  expect(readFileSync(file, 'utf8')).toBe(text)

  const changed = await app.call('PATCH', `${path}/experiments/0056`, { body: { status: 'completed' } })
  expect(changed.status).toBe(200)
  const served = await app.call('GET', path)
  expect(served.json()).toMatchObject({ revision: 2 })
  expect(readFileSync(file, 'utf8')).toBe(served.text)
  expect(served.text.split('\n').filter((line) => line.startsWith('    {"exp_id":'))).toHaveLength(18)
  await app.restart()
  expect((await app.call('GET', path)).text).toBe(served.text)
}

function withExperiment(given: object): (manifest: CampaignManifest) => unknown {
  return ({ experiments: [first, ...others], ...manifest }) => ({
    ...manifest,
    experiments: [{ ...first, ...given }, ...others],
  })
}
