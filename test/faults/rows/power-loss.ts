import { createHash } from 'node:crypto'
import { linkSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DataDirectory } from '#campaignd/repository/file/data-directory.js'
import type { Counts, Fault, Findings, Size } from '../fault.js'
import { cutsOf, diskStates, liveDisk } from '../power-loss/disk-states.js'
import { type Cut, type Disk, diskKey, type Operation } from '../power-loss/durable.js'
import { type Allowed, openAndRead, type Reading, sweepAndRead } from '../power-loss/reading.js'
import { record, type Recording, RecordingFailed } from '../power-loss/recording.js'
import { brokenScenarios, scenarios } from '../power-loss/scenarios.js'

export const powerLoss: Fault = {
  name: 'power-loss',
  how: 'commits recorded, every disk state that a cut may leave built and read',
  run: (stage, size) => run(stage.root, EXTENTS[size]),
}

interface Extent {
  /** How many disks are read, at most. */
  readonly sample: number
  /** One in so many is read by opening the whole store. */
  readonly wholeEvery: number
  readonly grain: number
}

const EXTENTS: Readonly<Record<Size, Extent>> = {
  short: { sample: 60, wholeEvery: 20, grain: 4096 },
  middle: { sample: Infinity, wholeEvery: 100, grain: 4096 },
  full: { sample: Infinity, wholeEvery: 100, grain: 512 },
}

const SEED = 'power loss 1'

async function run(root: string, extent: Extent): Promise<Findings> {
  const check = new PowerLossCheck(root, extent)
  try {
    await check.all(scenarios().flatMap((scenario) => record(scenario, root)))
    const unseen = await check.whatItCannotSee(brokenScenarios().flatMap((scenario) => record(scenario, root)))
    return { counts: check.counts, problems: [...check.violations, ...unseen] }
  } catch (error) {
    if (error instanceof RecordingFailed) return { counts: check.counts, problems: [error.message] }
    throw error
  }
}

/** A disk that a cut may leave, and what may be seen on it: more than once when several cuts leave it. */
interface Candidate {
  readonly key: string
  readonly disk: Disk
  readonly claims: Map<string, Claim>
}

interface Claim {
  readonly where: string
  readonly allowed: ReadonlyMap<string, Allowed>
}

class PowerLossCheck {
  readonly violations: string[] = []
  private readonly readings = new Map<string, Reading>()
  private readonly distinct = new Set<string>()
  private readonly found = { recordings: 0, operations: 0, cuts: 0, states: 0, whole: 0, broken: 0 }

  constructor(
    private readonly root: string,
    private readonly extent: Extent,
  ) {}

  get counts(): Counts {
    const { recordings, operations, cuts, states, whole, broken } = this.found
    return {
      sequences: recordings,
      operations,
      cuts,
      states,
      'distinct states': this.distinct.size,
      opened: [...this.distinct].filter((key) => this.readings.has(key)).length,
      'opened whole': whole,
      violations: this.violations.length,
      'broken stores found out': broken,
    }
  }

  async all(recordings: readonly Recording[]): Promise<void> {
    const share = this.extent.sample / recordings.length
    for (const [index, recording] of recordings.entries()) {
      const candidates = this.candidatesOf(recording)
      const quota = share === Infinity ? Infinity : Math.floor((index + 1) * share) - Math.floor(index * share)
      const known = candidates.filter(({ key }) => this.readings.has(key))
      const unread = candidates.filter(({ key }) => !this.readings.has(key))
      const end = keyOf(liveDisk(recording.initial, recording.operations))
      for (const candidate of [...known, ...sampled(unread, quota, end)]) {
        this.violations.push(...(await this.violationsOf(candidate)))
      }
    }
  }

  /** @returns those of the stores, each without some flush, that the check takes for sound */
  async whatItCannotSee(broken: readonly Recording[]): Promise<string[]> {
    const unseen: string[] = []
    for (const recording of broken) {
      if (await this.findsOut(recording)) this.found.broken += 1
      else unseen.push(`the check cannot see a store that does "${recording.name}"`)
    }
    return unseen
  }

  private async findsOut({ initial, operations, allowedAt }: Recording): Promise<boolean> {
    // From the end, where the acknowledged commit is most in danger.
    for (const cut of cutsOf(operations).reverse()) {
      for (const { disk } of diskStates(initial, operations, cut)) {
        const claims = new Map([['', { where: '', allowed: allowedAt(cut) }]])
        if ((await this.violationsOf({ key: keyOf(disk), disk, claims })).length > 0) return true
      }
    }
    return false
  }

  private candidatesOf({ name, initial, operations, allowedAt }: Recording): Candidate[] {
    const candidates = new Map<string, Candidate>()
    const cuts = cutsOf(operations)
    this.found.recordings += 1
    this.found.operations += operations.filter(({ kind }) => kind !== 'mark').length
    this.found.cuts += cuts.length
    for (const cut of cuts) {
      const allowed = allowedAt(cut)
      const claim = JSON.stringify(
        [...allowed].map(([id, sights]) => [id, sights === 'anything' ? sights : [...sights]]),
      )
      for (const { disk, fates } of diskStates(initial, operations, cut, this.extent.grain)) {
        this.found.states += 1
        const key = keyOf(disk)
        this.distinct.add(key)
        const candidate = candidates.get(key) ?? { key, disk, claims: new Map<string, Claim>() }
        candidates.set(key, candidate)
        if (candidate.claims.has(claim)) continue
        candidate.claims.set(claim, { where: `${name}: ${placeOf(operations, cut)} [${fates.join(', ')}]`, allowed })
      }
    }
    return [...candidates.values()]
  }

  private async violationsOf({ key, disk, claims }: Candidate): Promise<string[]> {
    const { sights, problems } = await this.read(key, disk)
    return [...claims.values()].flatMap(({ where, allowed }) => {
      const unexpected = [...sights.keys()].filter((id) => !allowed.has(id)).map((id) => `there is a campaign ${id}`)
      const wrong = [...allowed].flatMap(([id, right]) => {
        const seen = sights.get(id) ?? 'nothing'
        return right === 'anything' || right.has(seen)
          ? []
          : [`${id} reads as ${seen}, allowed: ${[...right].join(' or ')}`]
      })
      return [...problems, ...unexpected, ...wrong].map((what) => `${where}: ${what}`)
    })
  }

  /** Identical disks are read once. */
  private async read(key: string, disk: Disk): Promise<Reading> {
    const known = this.readings.get(key)
    if (known !== undefined) return known
    const whole = this.readings.size % this.extent.wholeEvery === 0
    const dataDir = join(this.root, String(this.readings.size))
    try {
      build(dataDir, disk)
      const reading = whole ? await openAndRead(dataDir) : await sweepAndRead(dataDir)
      this.readings.set(key, reading)
      if (whole) this.found.whole += 1
      return reading
    } finally {
      rmSync(dataDir, { recursive: true, force: true })
    }
  }
}

/** Always the same ones: what lies there in the end, and then in an order that has nothing to do with the cuts. */
function sampled(candidates: readonly Candidate[], count: number, end: string): readonly Candidate[] {
  if (count >= candidates.length) return candidates
  const lots = candidates.map((candidate) => {
    const lot = createHash('sha256').update(`${SEED} ${candidate.key}`).digest('hex')
    return { candidate, lot: candidate.key === end ? '' : lot }
  })
  lots.sort((a, b) => (a.lot < b.lot ? -1 : 1))
  return lots.slice(0, count).map(({ candidate }) => candidate)
}

/** Temp names, and those set aside, are unique to a run: the same disk is the same under any of them. */
function keyOf(disk: Disk): string {
  return diskKey(disk, (path) => path.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/, 'unique'))
}

function placeOf(operations: readonly Operation[], { after, partial }: Cut): string {
  const last = operations[after - 1]
  const where = last === undefined ? 'before the first operation' : `after operation ${after}, ${describe(last)}`
  return partial > 0 ? `${where}, and ${partial} bytes of the next` : where
}

function describe(operation: Operation): string {
  if (operation.kind === 'mark') return `commit ${operation.commit + 1} ${operation.mark}`
  return `${operation.kind} ${'path' in operation ? operation.path : operation.file}`
}

/** What the process that is gone left: also its trash, with what is in it, or empty. */
function build(dataDir: string, disk: Disk): void {
  const directory = new DataDirectory(dataDir)
  directory.create()
  directory.openTrash()
  const built = new Map<string, string>()
  for (const [name, { file, bytes }] of disk) {
    const path = join(dirname(name) === 'trash' ? directory.trash : directory.campaigns, basename(name))
    const other = built.get(file)
    if (other === undefined) writeFileSync(path, bytes, { mode: 0o600 })
    else linkSync(other, path)
    built.set(file, path)
  }
}
