import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Reply } from '../../support/http/client.js'
import { RawConnection } from '../../support/http/raw-connection.js'
import type { Service } from '../../support/service/service-process.js'
import { leftovers } from '../../support/store/files.js'
import { until } from '../../support/until.js'
import { JSON_TYPE, keptOpen } from '../attack/hostile-request.js'
import { holdRequests } from '../commit-steps/held-requests.js'
import { StrictWriters } from '../commit-steps/strict-writers.js'
import type { Fault, Findings, Size } from '../fault.js'
import { createCampaign } from '../replies.js'
import { endInOrder, type Stage } from '../stage.js'

const ROUNDS: Readonly<Record<Size, number>> = { short: 1, middle: 5, full: 30 }
const CAMPAIGNS = ['one', 'two', 'three', 'four']
const QUIET = 'quiet'
const WRITERS = 64
const HELD = 200
/** Of each kind of connection that has nothing in flight, or only half of something. */
const IDLE = 8

const LIMIT = 5000
/** Milliseconds that the service has to read what it has accepted the connection of. */
const ACCEPTING = 300
/** Milliseconds that the writers have before the stop: at least, and at random. */
const LEAST_LIFE = 200
const MORE_LIFE = 400

/** Of a report on an experiment that no writer reports on. */
const LINE = 'PATCH /v1/campaigns/one/experiments/0017'
const HALVES = [
  '',
  'PATCH /v1/camp',
  keptOpen(LINE, [JSON_TYPE]).slice(0, -2),
  keptOpen(LINE, [JSON_TYPE, 'Content-Length: 40'], '{"status":"running"}'),
]

export const shutdown: Fault = {
  name: 'shutdown',
  how: `SIGTERM with ${HELD} open streams, held polls and waiting claims, ${WRITERS} writers, idle connections and half-sent requests`,
  run: (stage, size) => new Shutdown(stage).run(ROUNDS[size]),
}

class Shutdown {
  private readonly writers = new StrictWriters(CAMPAIGNS, WRITERS)
  private readonly problems: string[] = []
  private readonly found = { 'acknowledged after the signal': 0, 'refused with 503': 0, 'ms the slowest stop took': 0 }

  constructor(private readonly stage: Stage) {}

  async run(rounds: number): Promise<Findings> {
    let done = 0
    for (; done < rounds && this.problems.length === 0; done += 1) {
      const service = await this.stage.start()
      const open = openFiles(service.pid)
      if (done === 0) await this.createCampaigns(service.url)
      await this.stopInFlight(service, open)
      this.checkDisk(service.dataDir)
    }
    if (this.found['acknowledged after the signal'] === 0) this.problems.push('no write was in flight')
    return { counts: { rounds: done, acknowledged: this.writers.acknowledged, ...this.found }, problems: this.problems }
  }

  private async createCampaigns(url: string): Promise<void> {
    await this.writers.createCampaigns(url, WRITERS / CAMPAIGNS.length + 1)
    await createCampaign(url, QUIET, 2, { settings: { paused: true } })
  }

  /** @param open how many files the process had open before the first call */
  private async stopInFlight(service: Service, open: number): Promise<void> {
    const { url, pid } = service
    const held = await holdRequests(HELD, url, { quiet: QUIET, busy: 'one' })
    const idle = await openIdle(url)
    await until('all connections are accepted', () => openFiles(pid) >= open + HELD + idle.length)
    await sleep(ACCEPTING)

    let stopped = false
    const runs = this.writers.run(
      url,
      () => false,
      (outcome) => {
        this.note(outcome, stopped)
      },
    )
    await sleep(LEAST_LIFE + Math.random() * MORE_LIFE)
    if (held.ended() > 0) this.problems.push(`${held.ended()} held requests ended before the stop`)
    const began = performance.now()
    stopped = true
    const problems = await endInOrder(service)
    const took = performance.now() - began

    this.found['ms the slowest stop took'] = Math.max(this.found['ms the slowest stop took'], Math.round(took))
    this.problems.push(...problems)
    if (took > LIMIT) this.problems.push(`the service took ${Math.round(took)} ms to end`)
    await runs
    const ends = await Promise.all(held.ends)
    this.problems.push(...ends.filter((end) => end !== null))
    for (const connection of idle) await this.checkIdle(connection)
  }

  /** The report of a writer: with the stop come refusals, and connections that are not taken any more. */
  private note(outcome: Reply | Error, stopped: boolean): void {
    if (outcome instanceof Error) {
      if (!stopped) this.problems.push(`a connection broke before the stop: ${outcome.message}`)
    } else if (outcome.status === 200) {
      if (stopped) this.found['acknowledged after the signal'] += 1
    } else if (stopped && outcome.status === 503 && outcome.headers.has('retry-after')) {
      this.found['refused with 503'] += 1
    } else {
      this.problems.push(`a report was answered ${outcome.status} ${outcome.text}`)
    }
  }

  /** The process has ended, so its connections have; half a request may be refused, but not be done. */
  private async checkIdle(connection: RawConnection): Promise<void> {
    await connection.closed
    const [, ...others] = connection.answers()
    if (others.length > 0) this.problems.push(`half a request was answered ${others[0]?.status}`)
  }

  private checkDisk(dataDir: string): void {
    const left = [...readdirSync(dataDir).filter((name) => name !== 'campaigns'), ...leftovers(dataDir)]
    if (left.length > 0) this.problems.push(`left behind: ${left.join(', ')}`)
    this.problems.push(...this.writers.differences(dataDir))
  }
}

/** Connections that have had an answer and then say nothing, or half of something. */
function openIdle(url: string): Promise<RawConnection[]> {
  return Promise.all(
    Array.from({ length: IDLE * HALVES.length }, async (_, index) => {
      const connection = await RawConnection.open(url)
      connection.write(keptOpen('GET /healthz'))
      await until('a call is answered', () => connection.answers().length === 1)
      connection.write(HALVES[index % HALVES.length] ?? '')
      return connection
    }),
  )
}

function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}
