import { expect, test } from 'vitest'
import { Campaign } from '#campaignd/domain/campaign/campaign.js'
import type { Committed } from '#campaignd/repository/campaign-store.js'
import type { CommitTarget } from '#campaignd/repository/commit-target.js'
import { CampaignCommits } from '#campaignd/repository/group-commit/campaign-commits.js'
import { unavailable } from '#campaignd/repository/repository-error.js'
import { newManifest, NOW, repeat } from '../../support/campaigns/decisions.js'
import { RUNNING } from '../../support/store/running.js'

function open(confirm: CommitTarget<Committed>['confirm']): CampaignCommits<Committed> {
  const ignore = () => undefined
  return new CampaignCommits({
    committed: { campaign: Campaign.of(newManifest('sweep', 1)), encoded: null },
    target: {
      confirm,
      commit: () => Promise.reject(new Error('nothing is to be committed')),
      remove: () => Promise.reject(new Error('nothing is to be removed')),
    },
    now: () => NOW,
    stopping: RUNNING,
    events: { onChange: ignore, onRemoved: ignore, onQuarantined: ignore, onLost: ignore, onInDoubt: ignore },
  })
}

test.each(['newest', 'lost'] as const)(
  'a removal that is refused while the store fails is answered, when the state is found to be %s',
  async (found) => {
    const commits = open(() => {
      commits.end(unavailable('it failed'))
      return Promise.resolve(found)
    })
    const removed = commits.remove(() => {
      throw new Error('not now')
    })
    await expect(removed).rejects.toMatchObject({ code: 'store-unavailable' })
  },
)

test('a call that comes while another state is found is decided on that one', async () => {
  const first = Campaign.of(newManifest('sweep', 1))
  const head = { campaign: first.with({ at: NOW }), encoded: null }
  const late: Promise<number>[] = []
  const commits = open(async (base) => {
    if (base.campaign === head.campaign) return 'newest'
    late.push(commits.update(repeat))
    await Promise.resolve()
    return head
  })
  expect(await commits.update(repeat)).toBe(2)
  expect(await Promise.all(late)).toEqual([2])
})
