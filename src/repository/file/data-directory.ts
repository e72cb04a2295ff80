import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { Value } from '@sinclair/typebox/value'
import { CampaignId } from '../../domain/campaign/manifest.ts'

const SUFFIX = '.json'
const TEMP_SUFFIX = '.tmp'
const ASIDE_SUFFIX = '.set-aside'
const SCRATCH_AGE_MS = 60_000

/** Where everything lies below the data directory. */
export class DataDirectory {
  readonly campaigns: string
  /** Through it goes what is deleted or moved aside; of this process alone, see `DurableDirectory`. */
  readonly trash: string
  /** Directories that had to be made: their names are not durable yet. */
  private made: string[] = []

  constructor(readonly root: string) {
    this.campaigns = join(root, 'campaigns')
    this.trash = join(root, `trash-${randomUUID()}`)
  }

  /** Makes what is missing; only the owner may look inside. */
  create(): void {
    const topmost = mkdirSync(this.campaigns, { recursive: true, mode: 0o700 })
    for (let path = this.campaigns; topmost !== undefined && path.startsWith(topmost); path = dirname(path)) {
      this.made.push(path)
    }
  }

  /**
   * Shuts out others where they could look inside: a directory that was there already may have been made by hand.
   * @returns what stays open all the same, a sentence each
   */
  restrictAccess(): string[] {
    const open: string[] = []
    if ((statSync(this.campaigns).mode & 0o077) !== 0) {
      try {
        chmodSync(this.campaigns, 0o700)
      } catch {
        open.push(`${this.campaigns} is open to others and belongs to somebody else: make it 0700`)
      }
    }
    // Not ours to change: it may be a mount, and what a mount allows is decided where it is made.
    if ((statSync(this.root).mode & 0o002) !== 0) open.push(`anybody may write in ${this.root}: make it 0700`)
    return open
  }

  /** Makes the way out, once the directory is ours. */
  openTrash(): void {
    mkdirSync(this.trash, { mode: 0o700 })
  }

  closeTrash(): void {
    if (existsSync(this.trash)) this.emptyTrash(this.trash)
  }

  /** @throws Error for an id that is none: it must never be able to name another file */
  manifest(id: string): string {
    if (!Value.Check(CampaignId, id)) throw new Error(`${JSON.stringify(id)} is no campaign_id`)
    return join(this.campaigns, `${id}${SUFFIX}`)
  }

  /**
   * Names for the next versions of a manifest, each another one: unique by themselves, since process ids are not; in a container
   * every service is process 1. The id is checked once for all of them.
   */
  temps(id: string): () => string {
    const manifest = this.manifest(id)
    return () => `${manifest}.${randomUUID()}${TEMP_SUFFIX}`
  }

  /** Where a file is moved that is not to be trusted: beside the others, so that one flush covers both names. */
  aside(id: string): string {
    return `${this.manifest(id)}.${randomUUID()}${ASIDE_SUFFIX}`
  }

  /** The ids of all manifests that lie there, trusted or not. */
  ids(): string[] {
    return readdirSync(this.campaigns).flatMap((name) => {
      const id = name.slice(0, -SUFFIX.length)
      return name.endsWith(SUFFIX) && Value.Check(CampaignId, id) ? [id] : []
    })
  }

  /** Files that look like manifests, but whose names no campaign can have. */
  unrecognisedFiles(): string[] {
    return readdirSync(this.campaigns).filter(
      (name) => name.endsWith(SUFFIX) && !Value.Check(CampaignId, name.slice(0, -SUFFIX.length)),
    )
  }

  /**
   * Removes what unfinished writes left, whoever began them. This is the fence: a process that lost the lock between
   * its last look at it and its rename then finds nothing to rename. So it must come before anything is read.
   *
   * @returns how many were removed
   */
  sweep(): number {
    const temps = readdirSync(this.campaigns).filter((name) => name.endsWith(TEMP_SUFFIX))
    for (const name of temps) rmSync(join(this.campaigns, name), { force: true })
    for (const name of readdirSync(this.root)) {
      const path = join(this.root, name)
      // `leaving-` is what versions before 0.2 called it.
      if (/^(trash|leaving)-/.test(name)) this.emptyTrash(path)
      else if (/^(lock\.stale|owner|probe)-/.test(name) && isOld(path)) rmSync(path, { recursive: true, force: true })
    }
    return temps.length
  }

  /** What was on its way to another name gets there; what was to be deleted is. */
  private emptyTrash(path: string): void {
    // Under another name first: whoever still means to put something there does not find it any more.
    const found = join(this.root, `trash-${randomUUID()}`)
    renameSync(path, found)
    for (const name of readdirSync(found)) {
      if (name.endsWith(ASIDE_SUFFIX)) renameSync(join(found, name), join(this.campaigns, name))
    }
    rmSync(found, { recursive: true })
  }

  /** Makes names durable that a crashed predecessor may have left in memory only. */
  flush(): void {
    const parents = this.made.map((path) => dirname(path))
    for (const path of new Set([this.campaigns, this.root, ...parents])) {
      const descriptor = openSync(path, 'r')
      fsyncSync(descriptor)
      closeSync(descriptor)
    }
  }
}

/** Those of a start that goes on just now are seconds old. */
function isOld(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat !== undefined && stat.mtimeMs < Date.now() - SCRATCH_AGE_MS
}
