import { AT_THE_LIMITS } from '../../support/long-work/large-calls.js'
import { LongestBlocks } from '../../support/long-work/longest-blocks.js'
import { startWatched } from '../../support/long-work/watched-service.js'
import { atMost, type Row } from '../row.js'

const { experiments, campaignBytes } = AT_THE_LIMITS

/** A figure of one round: it is the longest of some hundred calls. */
export const longestBlock: Row = {
  lines: [
    {
      name: 'longest-block',
      title:
        `For how long any call at the limits holds the event loop, N = ${experiments}, ` +
        `${campaignBytes / 1024 / 1024} MiB; without the time for which others had the processor; of each call: ms in all / on a processor / for garbage`,
      goal: atMost(50),
    },
  ],
  measure: async (dataDir) => {
    const blocks = new LongestBlocks({ start: () => startWatched({ dataDir }), largest: AT_THE_LIMITS })
    await blocks.measure()
    const longest = [...blocks.byName].sort(([, a], [, b]) => b.held - a.held)
    const ours = longest
      .map(
        ([name, { milliseconds, busy, garbage }]) =>
          `${name} ${[milliseconds, busy, garbage].map(Math.round).join(' / ')}`,
      )
      .join('; ')
    return [{ figures: [longest[0]?.[1].held ?? Infinity], unit: ' ms', ours, baseline: 'none' }]
  },
}
