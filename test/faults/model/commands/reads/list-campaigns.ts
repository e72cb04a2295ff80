import fc from 'fast-check'
import { given, sometimes } from '../../arguments/arguments.js'
import { sortable } from '../../arguments/times.js'
import type { PlainCampaign } from '../../campaign/campaign-model.js'
import { stateOf } from '../../campaign/progress-model.js'
import { byName, compare, inPages, summaryOf } from '../../scene.js'
import { command } from '../command.js'

type Sort = '-updated_at' | 'created_at' | 'campaign_name'

const STATES = ['completed', 'paused', 'running', 'failed', 'idle', 'pending', 'corrupt']

/** The campaigns of this run: their names all begin alike. */
export const listCampaigns = command({
  name: 'list-campaigns',
  weight: 30,
  arguments: fc.record({
    state: sometimes(3, fc.constantFrom(...STATES)),
    name: fc.constantFrom('', '', ' SWEEP', ' made'),
    labels: fc.oneof(
      fc.constant<string[]>([]),
      fc.subarray(['team:inference', 'team:training', 'draft:', 'draft:yes']),
    ),
    archived: sometimes(3, fc.constantFrom('true', 'false', 'any')),
    has_failures: sometimes(5, fc.constantFrom('true', 'false')),
    sort: sometimes(2, fc.constantFrom<Sort[]>('-updated_at', 'created_at', 'campaign_name')),
    limit: sometimes(2, fc.integer({ min: 1, max: 2 })),
  }),
  run: (scene, { name, labels, limit, ...filter }) => {
    const { state, sort, archived = 'false', has_failures } = filter
    const { prefix, campaigns } = scene.world
    const sought = `${prefix}${name}`
    const query = new URLSearchParams([['name', sought], ...Object.entries(given(filter))])
    for (const label of labels) query.append('label', label)
    const all = [...campaigns.values()]
      .filter((one) => one.campaign_name.toLowerCase().includes(sought.toLowerCase()))
      .filter((one) => state === undefined || state === stateOf(one))
      .filter((one) => archived === 'any' || String(one.archived) === archived)
      .filter((one) => has_failures === undefined || String(hasFailures(one)) === has_failures)
      .filter((one) => labels.every((label) => isLabelled(one, label)))
      .sort(ORDERS[sort ?? '-updated_at'])
      .map(summaryOf)
    return inPages(scene, { path: '/v1/campaigns', query, limit, key: 'campaigns', all })
  },
})

function hasFailures({ experiments }: PlainCampaign): boolean {
  return experiments.some(({ status }) => status === 'failed')
}

function isLabelled({ labels }: PlainCampaign, label: string): boolean {
  const [key = '', value] = label.split(':')
  return labels[key] === value
}

const ORDERS: Readonly<Record<Sort, (a: PlainCampaign, b: PlainCampaign) => number>> = {
  '-updated_at': (a, b) => compare(sortable(b.updated_at), sortable(a.updated_at)) || byId(a, b),
  created_at: (a, b) => compare(sortable(a.created_at), sortable(b.created_at)) || byId(a, b),
  campaign_name: byName,
}

function byId(a: PlainCampaign, b: PlainCampaign): number {
  return compare(a.campaign_id, b.campaign_id)
}
