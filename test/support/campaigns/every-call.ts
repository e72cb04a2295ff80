import type { AppReply, TestApp } from '../service/app.js'
import { experimentDraft } from './drafts.js'

/** Every call that names a campaign, but for its creation and its deletion by force. */
export function everyCall({ call }: TestApp, id: string): Promise<AppReply>[] {
  const path = `/v1/campaigns/${id}`
  const first = `${path}/experiments/0001`
  const body = { status: 'running' }
  return [
    call('GET', path),
    call('GET', `${path}?format=llenergymeasure`),
    call('GET', `${path}/progress`),
    call('GET', `${path}/progress?wait=30`),
    call('GET', `${path}/experiments`),
    call('GET', first),
    call('GET', `${path}/workers`),
    call('PATCH', `${path}/workers/w1`, { body: { benched: false } }),
    call('GET', `${path}/events`),
    call('PATCH', path, { body: { campaign_name: 'x' } }),
    call('POST', `${path}/experiments`, { body: { experiments: [experimentDraft('0009')] } }),
    call('PATCH', `${path}/experiments`, { body: { updates: [{ exp_id: '0001', ...body }] } }),
    call('PATCH', first, { body }),
    call('POST', `${first}/heartbeat`, { body: { attempt: 1 } }),
    call('POST', `${path}/claims`, { body: { worker: 'w1', wait_seconds: 30 } }),
    call('POST', `${path}/resume`),
    call('POST', `${path}/retry`),
    call('DELETE', path),
  ]
}
