import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { residentBytes } from '../../support/memory.js'
import type { Service } from '../../support/service/service-process.js'
import type { Counts, Fault, Findings, Size } from '../fault.js'
import { OPERATIONS } from '../fuzz/fuzz-request.js'
import { FuzzSession, type Mode } from '../fuzz/session.js'
import { seedOfRun } from '../seed.js'
import { endInOrder, loggedErrors, type Stage } from '../stage.js'

const REQUESTS: Readonly<Record<Size, number>> = { short: 400, middle: 3_000, full: 20_000 }

const SESSIONS = 6

const MODES: readonly Mode[] = [
  ...(['valid', 'nearly valid', 'valid', 'garbage', 'valid'] as const),
  ...(['nearly valid', 'valid', 'garbage', 'valid', 'nearly valid'] as const),
]

/** Percent of the requests of each operation that must be answered with a 2xx, or the fuzzer tests only refusals. */
const LEAST_SHARE = 30
const MOST_GROWTH = 1.1
/** In how many parts a half is made, each of campaigns of its own. */
const PARTS = 4
/** How often the memory is read after each half, and after how many milliseconds of rest each time. */
const READINGS = 3
const SETTLE: Readonly<Record<Size, number>> = { short: 100, middle: 1_000, full: 2_000 }
/** Has the service collect its garbage when it is asked to. */
const COLLECTING = { NODE_OPTIONS: `--import=${new URL('../fuzz/collect-on-signal.mjs', import.meta.url).href}` }
const MIB = 1024 * 1024

export const fuzz: Fault = {
  name: 'fuzz',
  how: `requests to all ${OPERATIONS.length} operations of the OpenAPI document, made up from it: valid, nearly valid and garbage; CAMPAIGND_TEST_SEED repeats a run`,
  run: (stage, size) => new Fuzz(stage, size).run(),
}

class Fuzz {
  private readonly problems: string[] = []
  /** Of each operation, whether each request was answered with a 2xx. */
  private readonly answers = new Map<string, boolean[]>(OPERATIONS.map(({ operationId }) => [operationId, []]))
  private readonly seed = seedOfRun()
  private readonly kinds = new Set<string>()
  private next = 0

  constructor(
    private readonly stage: Stage,
    private readonly size: Size,
  ) {}

  async run(): Promise<Findings> {
    const service = await this.stage.start({ environment: COLLECTING })
    const total = REQUESTS[this.size]
    const first = await this.half(service, 'a', total / 2)
    const second = await this.half(service, 'b', total)
    // A few requests fill what is kept for speed: only many show whether it goes on.
    if (this.size !== 'short' && second > first * MOST_GROWTH) {
      this.problems.push(`${toMib(first)} MiB were in use after the first half, ${toMib(second)} after the second`)
    }
    const shares = this.shares()
    for (const [operationId, share] of shares) {
      // Of the few of a short run the share is chance.
      if (this.size !== 'short' && share < LEAST_SHARE)
        this.problems.push(`only ${share} % of ${operationId} were answered with a 2xx`)
    }
    this.problems.push(...loggedErrors(service), ...(await endInOrder(service)))
    return { counts: this.counts(shares, first, second), problems: this.problems }
  }

  /** @returns the bytes in use at its end, once garbage is collected */
  private async half(service: Service, name: string, until: number): Promise<number> {
    const begin = this.next
    for (let part = 1; part <= PARTS; part += 1) {
      await this.part(service, `${name}${part}`, begin + ((until - begin) * part) / PARTS)
    }
    const resident: number[] = []
    while (resident.length < READINGS) {
      process.kill(service.pid, 'SIGWINCH')
      await sleep(SETTLE[this.size])
      resident.push(residentBytes(service.pid))
    }
    return Math.min(...resident)
  }

  private async part(service: Service, name: string, until: number): Promise<void> {
    const sessions = Array.from(
      { length: SESSIONS },
      (_, index) => new FuzzSession(service, `${name}-${index}`, this.seed, (text) => this.problems.push(text)),
    )
    await Promise.all(sessions.map((session) => this.drive(session, until)))
    this.compareCampaigns(service.dataDir, sessions)
    for (const session of sessions) await session.clear()
  }

  private async drive(session: FuzzSession, until: number): Promise<void> {
    while (this.next < until) {
      const number = this.next++
      const operation = OPERATIONS[number % OPERATIONS.length]
      const mode = MODES[Math.floor(number / OPERATIONS.length) % MODES.length]
      if (operation === undefined || mode === undefined) throw new Error('there is no operation')
      const { status, code } = await session.send({ number, operation, mode })
      this.kinds.add(`${operation.operationId} ${status} ${code}`)
      this.answers.get(operation.operationId)?.push(status >= 200 && status < 300)
    }
  }

  /** There is a file for each campaign whose creation was acknowledged, and none beside. */
  private compareCampaigns(dataDir: string, sessions: readonly FuzzSession[]): void {
    const there = readdirSync(join(dataDir, 'campaigns')).sort()
    const due = sessions.flatMap(({ campaigns }) => campaigns.map((id) => `${id}.json`)).sort()
    if (there.join() !== due.join()) this.problems.push(`there are ${there.join()}, acknowledged were ${due.join()}`)
  }

  private shares(): [operationId: string, percent: number][] {
    const percent = (good: readonly boolean[]) => Math.round((100 * good.filter(Boolean).length) / good.length)
    return [...this.answers]
      .map(([operationId, good]): [string, number] => [operationId, percent(good)])
      .sort(([, a], [, b]) => a - b)
  }

  private counts(shares: readonly [string, number][], first: number, second: number): Counts {
    const lowest = shares.slice(0, this.size === 'short' ? 1 : shares.length)
    return {
      seed: this.seed,
      requests: this.next,
      'kinds of answers': this.kinds.size,
      'MiB after the first half': toMib(first),
      'MiB after the second': toMib(second),
      ...Object.fromEntries(lowest.map(([operationId, share]) => [`% 2xx of ${operationId}`, share])),
    }
  }
}

function toMib(bytes: number): number {
  return Math.round(bytes / MIB)
}
