import * as nodeFs from 'node:fs'
import { join } from 'node:path'
import { atOnce } from '#campaignd/domain/long-work.js'
import { type DurableDirectory, runJobs } from '#campaignd/repository/file/commit/durable-file.js'
import { type FileIdentity, identityOf } from '#campaignd/repository/file/commit/file-identity.js'
import type { FileJob } from '#campaignd/repository/file/commit/file-job.js'
import { Leftovers } from '#campaignd/repository/file/commit/leftovers.js'
import { DataDirectory } from '#campaignd/repository/file/data-directory.js'
import { ManifestBytes } from '#campaignd/repository/file/encoding/manifest-bytes.js'
import { lockIdentity } from '#campaignd/repository/file/lock/lock-identity.js'
import { campaignOf } from '../../support/campaigns/drafts.js'
import { liveDisk } from './disk-states.js'
import { type Cut, type Disk, type DiskFile, diskKey, type Operation } from './durable.js'
import { type Allowed, EMPTY, sightOf, type Slot } from './reading.js'
import { RecordingFs } from './recording-fs.js'
import type { Commit, Scenario } from './scenarios.js'

export interface Recording {
  readonly name: string
  readonly initial: Disk
  readonly operations: readonly Operation[]
  allowedAt(cut: Cut): ReadonlyMap<string, Allowed>
}

/** A commit was not done, or the recording does not explain what then lies on the disk. */
export class RecordingFailed extends Error {}

const BYSTANDER = 'bystander'

/**
 * Carries out a scenario.
 * @param directory in which each run makes one of its own
 * @returns one recording; for nested commits one for each place where the second can begin
 * @throws RecordingFailed
 */
export function record(scenario: Scenario, directory: string): Recording[] {
  const recordings: Recording[] = []
  for (let place = 1; ; place += 1) {
    const run = new ScenarioRun(nodeFs.mkdtempSync(join(directory, 'recording-')), scenario)
    const recording = run.record(place)
    if (scenario.nested !== true) return [recording]
    if (!run.nested) return recordings
    recordings.push(recording)
  }
}

/** The data directory in which a scenario runs, and what each commit of it should leave. */
class ScenarioRun {
  private readonly directory: DataDirectory
  private readonly ids: readonly string[]
  /** The newest state of each campaign, while the scenario is prepared. */
  private readonly slots = new Map<string, Slot>()
  /** What may be seen of each campaign before the first commit. */
  private readonly first: ReadonlyMap<string, Allowed>
  /** Campaigns that another program writes, and does not flush. */
  private readonly foreign: ReadonlySet<string>
  /** By commit: what its campaign should be afterwards. */
  private readonly results: readonly Slot[]
  private readonly identities = new Map<string, FileIdentity>()
  /** The second commit ran in the middle of the first. */
  nested = false

  constructor(
    private readonly root: string,
    private readonly scenario: Scenario,
  ) {
    this.directory = new DataDirectory(root)
    this.directory.create()
    this.directory.openTrash()
    nodeFs.mkdirSync(join(root, 'lock'))
    const { commits } = scenario
    this.ids = [...new Set([...commits.map(({ id }) => id), BYSTANDER])]
    const firstOf = (id: string) => commits.find((commit) => commit.id === id)?.kind ?? 'replace'
    this.foreign = new Set(this.ids.filter((id) => firstOf(id) === 'flush'))
    for (const id of this.ids) this.lay(id, firstOf(id))
    this.first = new Map(
      this.ids.map((id) => [id, this.foreign.has(id) ? 'anything' : new Set([sightOf(this.slots.get(id) ?? EMPTY)])]),
    )
    this.results = commits.map((commit, index) => this.resultOf(commit, index + 2))
  }

  /** @param place after so many operations of the first commit the second begins, where they are nested */
  record(place: number): Recording {
    const onOperation = (count: number) => {
      // One operation more than asked for: the first is the mark that the commit has begun.
      if (this.scenario.nested !== true || this.nested || count !== place + 1 || this.isOver(recorder.operations))
        return
      this.nested = true
      this.commit(target, recorder, [1])
    }
    const { shortWrites = false, forgotten = 'none' } = this.scenario
    const recorder = new RecordingFs(this.directory, { shortWrites, forgotten, onOperation })
    const target = this.target(recorder.fs)
    try {
      for (const id of this.foreign) this.writeForeign(id, target)
      if (this.scenario.together) this.commit(target, recorder, [...this.scenario.commits.keys()])
      else
        for (const index of this.scenario.commits.keys())
          if (index !== 1 || !this.nested) this.commit(target, recorder, [index])
    } finally {
      recorder.fs.closeSync(target.descriptor)
    }
    this.verify(recorder)
    const name = this.nested ? `${this.scenario.name} after its operation ${place}` : this.scenario.name
    const { initial, operations } = recorder
    return { name, initial, operations, allowedAt: this.allowedAt(operations) }
  }

  private target(fs: typeof nodeFs): DurableDirectory {
    const lockPath = join(this.root, 'lock')
    const lock = lockIdentity(lockPath, true)
    if (lock === null) throw new Error('there is no lock')
    const { campaigns, trash } = this.directory
    const descriptor = fs.openSync(campaigns, 'r')
    return { fs, descriptor, flush: true, trash, lockPath, lock, isStopped: () => false, leftovers: new Leftovers() }
  }

  private isOver(operations: readonly Operation[]): boolean {
    return operations.some((operation) => operation.kind === 'mark' && operation.mark === 'acknowledged')
  }

  /** Puts there what the first commit of a campaign begins with. */
  private lay(id: string, firstCommit: Commit['kind']): void {
    if (firstCommit === 'create' || firstCommit === 'flush') return
    const whole = manifestOf(id, 1)
    const corrupt = firstCommit === 'move'
    const manifest = corrupt ? whole.subarray(0, whole.length / 2) : whole
    const path = this.directory.manifest(id)
    nodeFs.writeFileSync(path, manifest, { mode: 0o600 })
    this.slots.set(id, { manifest, kind: corrupt ? 'corrupt' : 'manifest', aside: [] })
    this.identify(id)
  }

  /** As a tool does that flushes nothing. Its name is another matter, of `DataDirectory.flush`, and durable here. */
  private writeForeign(id: string, { fs, descriptor: directory }: DurableDirectory): void {
    const descriptor = fs.openSync(this.directory.manifest(id), 'wx', 0o600)
    fs.fsyncSync(directory)
    fs.writevSync(descriptor, [manifestOf(id, 1)])
    fs.closeSync(descriptor)
    this.identify(id)
  }

  private identify(id: string): void {
    const identity = identityOf(nodeFs, this.directory.manifest(id))
    if (identity !== null) this.identities.set(id, identity)
  }

  private resultOf({ kind, id }: Commit, revision: number): Slot {
    const before = this.slots.get(id) ?? EMPTY
    const isGone = kind === 'delete' || kind === 'move'
    const manifest = isGone ? null : manifestOf(id, kind === 'flush' ? 1 : revision)
    const aside = kind === 'move' && before.manifest !== null ? [before.manifest] : before.aside
    const slot: Slot = { manifest, kind: 'manifest', aside }
    this.slots.set(id, slot)
    return slot
  }

  private commit(target: DurableDirectory, recorder: RecordingFs, indexes: readonly number[]): void {
    const known = indexes.filter((index) => index in this.scenario.commits)
    const commits = known.map((index) => this.scenario.commits[index] as Commit)
    const jobs = commits.map((commit, at) => this.jobOf(commit, this.results[known[at] ?? -1] ?? EMPTY))
    for (const index of known) recorder.mark('begun', index)
    const { outcomes, clearAway } = runJobs(target, jobs)
    for (const [at, { kind, id }] of commits.entries()) {
      const outcome = outcomes[at]
      if (outcome?.kind !== 'done') {
        throw new RecordingFailed(`${this.scenario.name}: ${kind} ${id} ended as ${JSON.stringify(outcome)}`)
      }
      recorder.mark('acknowledged', known[at] ?? -1)
      if (outcome.identity !== null) this.identities.set(id, outcome.identity)
    }
    clearAway()
  }

  private jobOf({ kind, id }: Commit, { manifest }: Slot): FileJob {
    const path = this.directory.manifest(id)
    if (kind === 'move') return { kind, path, to: this.directory.aside(id) }
    if (kind === 'flush') return { kind, paths: [path] }
    const expected = this.identities.get(id)
    const parts = manifest === null ? [] : partsOf(manifest)
    if (kind === 'create') return { kind, path, temp: this.directory.temps(id)(), parts }
    if (expected === undefined) throw new Error(`${this.scenario.name}: there is no ${id} to ${kind}`)
    if (kind === 'delete') return { kind, path, expected }
    return { kind, path, temp: this.directory.temps(id)(), parts, expected }
  }

  /** A recording that missed something would prove nothing. */
  private verify({ initial, operations }: RecordingFs): void {
    const onDisk = new RecordingFs(this.directory).initial
    if (diskKey(onlyBytes(liveDisk(initial, operations))) !== diskKey(onlyBytes(onDisk))) {
      throw new RecordingFailed(`${this.scenario.name}: what was recorded does not add up to what lies on the disk`)
    }
  }

  /** The newest acknowledged state of each campaign, and those of the commits in flight. */
  private allowedAt(operations: readonly Operation[]): Recording['allowedAt'] {
    return ({ after }) => {
      const allowed = new Map(this.first)
      for (const operation of operations.slice(0, after)) {
        if (operation.kind !== 'mark') continue
        const id = this.scenario.commits[operation.commit]?.id ?? BYSTANDER
        const sight = sightOf(this.results[operation.commit] ?? EMPTY)
        const before = operation.mark === 'acknowledged' ? [] : (allowed.get(id) ?? [])
        allowed.set(id, before === 'anything' ? before : new Set([...before, sight]))
      }
      return allowed
    }
  }
}

/** A manifest of more than one page, every revision of another length. */
function manifestOf(id: string, revision: number): Uint8Array {
  const experiments = Array.from({ length: 12 }, (_, index) =>
    index < revision
      ? ({ status: 'completed', result_path: `results/${id}/${'r'.repeat(revision * 7)}.json`, revision } as const)
      : {},
  )
  const header = { campaign_id: id, revision }
  return Buffer.concat(atOnce(ManifestBytes.of(campaignOf(experiments, header))).parts)
}

/** As the repository hands them over: some parts, not one. */
function partsOf(manifest: Uint8Array): Uint8Array[] {
  return [manifest.subarray(0, 300), manifest.subarray(300, -2), manifest.subarray(-2)]
}

function onlyBytes(disk: Disk): Disk {
  return new Map([...disk].map(([path, { bytes }]): [string, DiskFile] => [path, { file: path, bytes }]))
}
