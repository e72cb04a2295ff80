import { relative } from 'node:path'
import type { Reply } from '../../support/http/client.js'
import type { Service } from '../../support/service/service-process.js'
import { bytesOf, manifestPath } from '../../support/store/files.js'
import { Attackers } from '../attack/attackers.js'
import type { HostileOrders } from '../attack/hostile-attackers.js'
import { TARGET } from '../attack/hostile-request.js'
import { HOSTILE } from '../attack/hostile-requests.js'
import type { Limit } from '../attack/slow-clients.js'
import { StrictWriters } from '../commit-steps/strict-writers.js'
import type { Fault, Findings, Size } from '../fault.js'
import { changedNames, createCampaign } from '../replies.js'
import { addCounts } from '../rounds.js'
import { Slices } from '../slices.js'
import { endInOrder, loggedErrors, type Stage } from '../stage.js'

interface Extent {
  /** Slices of attack, each between two of quiet, and how often all of it is sent in each. */
  readonly slices: number
  readonly passes: number
  readonly quiet: number
  /** Which limits the slow clients are left to run into. */
  readonly limits: readonly Limit[]
}

const EXTENTS: Readonly<Record<Size, Extent>> = {
  short: { slices: 1, passes: 1, quiet: 200, limits: [] },
  middle: { slices: 15, passes: 2, quiet: 2_000, limits: ['headers'] },
  full: { slices: 25, passes: 4, quiet: 2_000, limits: ['headers', 'request'] },
}

const BUSY = ['busy-1', 'busy-2']
const WRITERS = 8
/** Milliseconds that a writer works between two reports: without, they would wait for one another, also in quiet. */
const WORK = 40
/** Milliseconds that a healthy call may take, on a machine that is busy itself. */
const CALL_LIMIT = 10_000

export const hostileInput: Fault = {
  name: 'hostile-input',
  how: `${HOSTILE.length} hostile requests and slow clients, over sockets, while ${WRITERS} healthy writers go on`,
  run: (stage, size) => new HostileInput(stage, size).run(),
}

class HostileInput {
  private readonly writers = new StrictWriters(BUSY, WRITERS, WORK)
  private readonly problems: string[] = []
  private readonly found: Record<string, number> = {}
  private readonly slices = new Slices()

  constructor(
    private readonly stage: Stage,
    private readonly size: Size,
  ) {}

  async run(): Promise<Findings> {
    // A creation above the limit of bodies, one and a half times this, is then none of a hundred MiB.
    const service = await this.stage.start({ environment: { CAMPAIGND_MAX_CAMPAIGN_BYTES: '8MiB' } })
    const attackers = await Attackers.begin<HostileOrders>(this.stage, './hostile-attackers.ts', service.url)
    await this.writers.createCampaigns(service.url, WRITERS)
    await createCampaign(service.url, TARGET, 2)
    const before = this.untouched()

    await this.attack(service, attackers)
    const left = changedNames(before, this.untouched())
    this.problems.push(...left.map((name) => `the attack changed ${name}`))
    this.problems.push(...this.writers.differences(service.dataDir))
    await this.stop(service, attackers)
    // One slice is too short for a p99.
    if (this.size !== 'short') this.problems.push(...this.slices.problems())
    return { counts: { ...this.found, ...this.slices.counts() }, problems: this.problems }
  }

  private async attack({ url }: Service, attackers: Attackers<HostileOrders>): Promise<void> {
    const { slices, passes, quiet, limits } = EXTENTS[this.size]
    let isOver = false
    const runs = this.writers.run(
      url,
      () => isOver,
      (outcome, _writer, took) => this.noteHealthy(outcome, took),
    )
    // The first attack meets code that no call has been through, and is not counted either.
    this.add(await attackers.order('attack', passes))
    await this.slices.warmUp()
    for (let slice = 0; slice < slices && this.problems.length === 0; slice += 1) {
      await this.slices.rest(quiet / 2)
      this.add(await attackers.order('attack', passes))
      this.slices.endOfAttack()
      await this.slices.rest(quiet / 2)
    }
    this.add(await attackers.order('stall', limits))
    isOver = true
    await runs
  }

  private add({ counts, problems }: Findings): void {
    addCounts(this.found, counts)
    this.problems.push(...problems)
  }

  private noteHealthy(outcome: Reply | Error, took: number): void {
    this.slices.add(took)
    if (outcome instanceof Error) this.problems.push(`a healthy call broke: ${outcome.message}`)
    else if (outcome.status !== 200) this.problems.push(`a healthy call was answered ${outcome.status} ${outcome.text}`)
    if (took > CALL_LIMIT) this.problems.push(`a healthy call took ${Math.round(took)} ms`)
  }

  /** The slow ones that are left do not keep it from ending. */
  private async stop(service: Service, attackers: Attackers<HostileOrders>): Promise<void> {
    this.problems.push(...loggedErrors(service), ...(await endInOrder(service)))
    this.problems.push(...(await attackers.order('leave', undefined)))
    attackers.end()
  }

  /** All there is but the campaigns of the writers: also beside the data directory nothing may appear. */
  private untouched(): Record<string, string> {
    const theirs = BUSY.map((id) => relative(this.stage.root, manifestPath(this.stage.dataDir, id)))
    return Object.fromEntries(Object.entries(bytesOf(this.stage.root)).filter(([name]) => !theirs.includes(name)))
  }
}
