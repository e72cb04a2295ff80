import { expect, test } from 'vitest'
import { campaignDraft } from '../../support/campaigns/drafts.js'
import { openApp } from '../../support/service/app.js'
import { testTokens } from '../../support/service/tokens.js'

interface Manifest {
  readonly experiments: readonly {
    readonly actor: string | null
    readonly attempts: readonly { readonly actor: string | null }[]
  }[]
}

const PATH = '/v1/campaigns/sweep'

test('an experiment names the token that changed it last, and so does each of its attempts', async () => {
  const { tokens, as } = testTokens()
  const { call, elapse } = await openApp({ access: { tokens: () => tokens } })
  const post = (path: string, body: object, role: 'work' | 'admin') => call('POST', path, { body, headers: as(role) })
  const actors = async () => {
    const { experiments } = (await call('GET', PATH, { headers: as('read') })).json<Manifest>()
    return experiments.map(({ actor, attempts }) => [actor, ...attempts.map((past) => past.actor)])
  }
  await post('/v1/campaigns', campaignDraft(3, { settings: { lease_seconds: 10 } }), 'admin')
  expect(await actors()).toEqual([[null], [null], [null]])
  await post(`${PATH}/claims`, { worker: 'w', limit: 2 }, 'work')
  const updates = [{ exp_id: '0003', status: 'failed' }]
  await call('PATCH', `${PATH}/experiments`, { body: { updates }, headers: as('work') })
  await call('PATCH', `${PATH}/experiments/0001`, { body: { status: 'completed' }, headers: as('work') })
  expect(await actors()).toEqual([['a-work'], ['a-work'], ['a-work']])
  await post(`${PATH}/retry`, { exp_ids: ['0003'] }, 'admin')
  await elapse(11)
  // The service itself found that the second one was lost.
  expect(await actors()).toEqual([['a-work'], [null], ['a-admin', 'a-work']])
})

test('without tokens nobody is named', async () => {
  const { call } = await openApp()
  await call('POST', '/v1/campaigns', { body: campaignDraft(1) })
  const reply = await call('PATCH', `${PATH}/experiments/0001`, { body: { status: 'running' } })
  expect(reply.json()).toMatchObject({ actor: null })
})
