import { CLAIMED_EXPERIMENTS, measureClaims } from '../../load/claims.js'
import { checkGood, CONNECTIONS, RATE } from '../../row.js'
import { SLICE_SECONDS, type Comparison } from '../comparison.js'
import { serving } from '../serving.js'

const NAME = 'claims'

export const claims: Comparison = {
  rows: [
    {
      name: NAME,
      title: `Claims of one, ${CONNECTIONS} connections, N = ${CLAIMED_EXPERIMENTS}`,
      better: 'more',
      words: RATE.words,
    },
  ],
  open: serving(async ({ url }) => {
    const claimAll = () => measureClaims({ url, connections: CONNECTIONS, seconds: SLICE_SECONDS })
    return {
      warmUp: claimAll,
      slice: async () => {
        const result = await claimAll()
        checkGood(result)
        return { [NAME]: RATE.of(result) }
      },
    }
  }),
}
