import { expect, test } from 'vitest'
import type { ExperimentWithRun } from '#campaignd/domain/views/experiment-with-run.js'
import { openCampaign } from '../../../support/campaigns/campaign.js'
import { campaignDraft, experimentDraft } from '../../../support/campaigns/drafts.js'
import { expectProblem, verdict } from '../../../support/http/problems.js'
import { openApp } from '../../../support/service/app.js'

const METRICS = { 'tokens/s': 812.4, energy_j: 5.2e4, 'delta t': -0.5 }

test('what was measured comes with the completion, or later, and stays when the first report is repeated', async () => {
  const campaign = await openCampaign(1)
  await campaign.report('0001', { status: 'running' })
  const done = await campaign.report('0001', { status: 'completed', attempt: 1, metrics: null })
  expect(done.json<ExperimentWithRun>().metrics).toBeNull()
  const later = await campaign.report('0001', { metrics: METRICS })
  expect(later.json()).toMatchObject({ status: 'completed', metrics: METRICS })
  expect((await campaign.report('0001', { status: 'completed', attempt: 1, metrics: null })).json()).toEqual(
    later.json(),
  )
  expect((await campaign.report('0001', { metrics: METRICS })).json()).toEqual(later.json())
})

test('an attempt that is put back takes its metrics along into its record', async () => {
  const campaign = await openCampaign(1)
  await campaign.report('0001', { status: 'completed', metrics: METRICS })
  await campaign.call('POST', `${campaign.path}/retry`, { body: { status: 'completed', include_completed: true } })
  const [experiment] = (await campaign.manifest()).experiments
  expect(experiment).toMatchObject({
    status: 'pending',
    metrics: null,
    attempts: [{ metrics: METRICS, closed_by: 'retry' }],
  })
})

test('metrics are numbers by printable names, not too many, and only of what is completed', async () => {
  const campaign = await openCampaign(1)
  const named = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, index]))
  const bad: readonly object[] = [
    { a: '1' },
    { a: null },
    { a: { b: 1 } },
    { '': 1 },
    { ['x'.repeat(65)]: 1 },
    { 'a\nb': 1 },
    { 'a\u200bb': 1 },
    named(33),
    Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`${index}`.padStart(64, 'ä'), 1])),
    [1],
  ]
  for (const metrics of bad) {
    expect(verdict(await campaign.report('0001', { status: 'completed', metrics }))).toMatch(/^400 invalid \/metrics/)
  }
  const infinite = '{"status": "completed", "metrics": {"a": 1e400}}'
  const rawReply = await campaign.call('PATCH', `${campaign.path}/experiments/0001`, { rawBody: infinite })
  expectProblem(rawReply, 400, 'invalid')
  for (const status of ['running', 'failed', 'skipped', 'pending']) {
    expectProblem(await campaign.report('0001', { status, metrics: { a: 1 } }), 400, 'invalid')
  }
  expect((await campaign.manifest()).revision).toBe(1)
  const metrics = Object.fromEntries(
    Array.from({ length: 32 }, (_, index) => [`${index}`.padStart(64, 'x'), -1.2345678901234567e-300]),
  )
  expect((await campaign.report('0001', { status: 'completed', metrics })).json()).toMatchObject({ metrics })
  const others = { ...named(31), ['ä'.repeat(64)]: 1e300 }
  expect((await campaign.report('0001', { metrics: others })).json()).toMatchObject({ metrics: others })
})

test('metrics are imported, and are not exported to the Python tool', async () => {
  const { call } = await openApp()
  const experiments = [experimentDraft('0001', { status: 'completed', metrics: METRICS })]
  const created = await call('POST', '/v1/campaigns', { body: campaignDraft(0, { experiments }) })
  expect(created.json()).toMatchObject({ experiments: [{ metrics: METRICS }] })
  expect((await call('GET', '/v1/campaigns/sweep?format=llenergymeasure')).text).not.toContain('metrics')
})
