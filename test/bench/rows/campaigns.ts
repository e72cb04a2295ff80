import { againstBaseline } from '../against-baseline.js'
import { MANY_CAMPAIGNS, patchesOverCampaigns } from '../load/workload.js'
import { atLeast, type Row } from '../row.js'

export const campaignsAgainstOne: Row = againstBaseline({
  ...{ workload: patchesOverCampaigns, against: 'the same on one', goal: atLeast(0.15) },
  start: async (_directory, requests) => {
    const paths = requests.paths.filter((_, index) => index % MANY_CAMPAIGNS === 0)
    return { server: null, requests: { ...requests, paths } }
  },
})
