import { residentBytes } from '../../../support/memory.js'
import { createRunning } from '../../load/campaign.js'
import { measureLive } from '../../load/measure-live.js'
import { P99 } from '../../row.js'
import { SLICE_SECONDS, type Comparison } from '../comparison.js'
import { serving } from '../serving.js'

const READERS = 1000
const RATE = 200
const N = 100
const MIB = 1024 ** 2
const READING = `${READERS} readers under ${RATE} updates a second`

export const live: Comparison = {
  rows: [
    {
      name: 'live-share',
      title: `${READING}: share of changes that a reader sees within 250 ms of their reply`,
      better: 'more',
      words: (figure) => figure.toFixed(4),
    },
    { name: 'live-p99', title: `${READING}: p99 of an update`, better: 'less', words: P99.words },
    {
      name: 'live-memory',
      title: `${READING}: resident after that`,
      better: 'less',
      words: (figure) => `${(figure / MIB).toFixed(0)} MiB`,
    },
  ],
  open: serving(async ({ url, pid }) => {
    const { path, paths } = await createRunning(url, N)
    const watch = () =>
      measureLive({ url, paths, events: `${path}/events`, rate: RATE, readers: READERS, seconds: SLICE_SECONDS })
    return {
      warmUp: watch,
      slice: async () => {
        const { seen, late, missed, p99 } = await watch()
        return {
          'live-share': (seen - late) / (seen + missed),
          'live-p99': p99,
          'live-memory': residentBytes(pid),
        }
      },
    }
  }),
}
