import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import type { Campaign } from '#campaignd/domain/campaign/campaign.js'
import type { RunProgress } from '#campaignd/domain/experiment/run-progress.js'
import { HeartbeatDigest } from '#campaignd/live/heartbeats/heartbeat-digest.js'
import { withoutChunks } from '#campaignd/live/http-chunk.js'
import type { LiveLease } from '#campaignd/repository/lease-book.js'
import { campaignOf } from '../../support/campaigns/drafts.js'

beforeEach(() => {
  vi.useFakeTimers()
  onTestFinished(() => {
    vi.useRealTimers()
  })
})

const idOf = (nth: number) => String(nth).padStart(4, '0')

/** A campaign of so many running experiments, each in its first attempt under a lease. */
function running(count: number): Campaign {
  return campaignOf(Array.from({ length: count }, () => ({ status: 'running', attempt: 1, worker: 'w1' }) as const))
}

function openDigest(campaign: Campaign | null) {
  const leases = new Map<string, LiveLease>()
  const known = { campaign, isDown: false, watchers: 0 }
  const events: string[][] = []
  const sizes: number[] = []
  let onNews: (expId: string) => void = () => undefined
  const digest = new HeartbeatDigest({
    campaignId: 'sweep',
    leases: {
      look: (_, expIds) => {
        if (known.isDown) return Promise.reject(new Error('down'))
        return new Map([...leases].filter(([expId]) => expIds.includes(expId)))
      },
      watch: (_, listener) => {
        known.watchers += 1
        onNews = listener
        return () => {
          known.watchers -= 1
        }
      },
    },
    newest: () => known.campaign,
    publish: ({ bytes }) => {
      const data = /data: (.*)/.exec(Buffer.concat([...withoutChunks(bytes)]).toString())?.[1] ?? ''
      const { experiments } = JSON.parse(data) as { readonly experiments: readonly { readonly exp_id: string }[] }
      events.push(experiments.map(({ exp_id }) => exp_id))
      sizes.push(bytes.length)
    },
  })
  const beat = (expId: string, news: Partial<RunProgress> = {}, attempt = 1) => {
    const latest = { progress: 0.5, note: null, ...news }
    leases.set(expId, { attempt, seconds: 60, idle_seconds: 0, heard: true, cancel: false, latest })
    onNews(expId)
  }
  return { digest, leases, known, events, sizes, beat, second: () => vi.advanceTimersByTimeAsync(1000) }
}

test('what comes within a second is one event, and the next comes a second later at least', async () => {
  const { events, beat } = openDigest(running(2))
  for (let milliseconds = 0; milliseconds < 3000; milliseconds += 100) {
    beat('0001')
    if (milliseconds === 900) beat('0002')
    await vi.advanceTimersByTimeAsync(100)
  }
  expect(events).toEqual([['0001', '0002'], ['0001'], ['0001']])
})

test('one event tells at most 1,000 runs; the others are told in the next ones, those that wait longest first', async () => {
  const { events, beat, second } = openDigest(running(2500))
  for (let nth = 1; nth <= 2500; nth += 1) beat(idOf(nth))
  await second()
  beat('0001')
  await second()
  await second()
  await second()
  expect(events.map(({ length }) => length)).toEqual([1000, 1000, 501])
  expect(events.map(([first]) => first)).toEqual(['0001', '1001', '2001'])
  expect(events.at(-1)?.at(-1)).toBe('0001')
})

test('an event of long notes ends above 256 KiB, and each run is told once', async () => {
  const { events, sizes, beat, second } = openDigest(running(900))
  for (let nth = 1; nth <= 900; nth += 1) beat(idOf(nth), { note: '\u0001'.repeat(200) })
  for (let seconds = 0; seconds < 10; seconds += 1) await second()
  expect(events.length).toBeGreaterThan(3)
  expect(Math.max(...sizes)).toBeLessThan(260 * 1024)
  expect(events.flat().sort()).toEqual(Array.from({ length: 900 }, (_, index) => idOf(index + 1)))
})

test('a run is told once its start was; one that ended since is not', async () => {
  const { known, leases, events, beat, second } = openDigest(null)
  beat('0001')
  beat('0002')
  beat('0003')
  beat('0004', {}, 2)
  await second()
  expect(events).toEqual([])
  known.campaign = running(2)
  leases.delete('0001')
  await second()
  expect(events).toEqual([['0002']])
  known.campaign = running(4)
  await second()
  expect(events).toEqual([['0002'], ['0003']])
  known.campaign = campaignOf(Array.from({ length: 4 }, () => ({ status: 'running', attempt: 2 }) as const))
  beat('0003')
  await second()
  await second()
  expect(events).toEqual([['0002'], ['0003'], ['0004']])
})

test('a store that cannot be asked is asked again a second later', async () => {
  const { known, events, beat, second } = openDigest(running(2))
  known.isDown = true
  beat('0001')
  await second()
  beat('0002')
  await second()
  expect(events).toEqual([])
  known.isDown = false
  await second()
  expect(events).toEqual([['0001', '0002']])
})

test('at its end it tells nothing more, and watches nothing', async () => {
  const { digest, known, events, beat, second } = openDigest(running(1))
  beat('0001')
  expect(known.watchers).toBe(1)
  digest.end()
  await second()
  expect(events).toEqual([])
  expect(known.watchers).toBe(0)
  expect(vi.getTimerCount()).toBe(0)
})
