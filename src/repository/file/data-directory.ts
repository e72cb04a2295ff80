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
  /** Of this process alone, see `DurableDirectory`. */
  readonly trash: string
  /** Directories that had to be made: their names are not durable yet. */
  private made: string[] = []

  constructor(readonly root: string) {
    this.campaigns = join(root, 'campaigns')
    this.trash = join(root, `trash-${randomUUID()}`)
  }

  /** Makes what is missing, readable for the owner only. */
  create(): void {
    const topmost = mkdirSync(this.campaigns, { recursive: true, mode: 0o700 })
    for (let path = this.campaigns; topmost !== undefined && path.startsWith(topmost); path = dirname(path)) {
      this.made.push(path)
    }
  }

  /** Closes a directory that was made by hand to other users. @returns what stays open all the same, a sentence each */
  restrictAccess(): string[] {
    const open: string[] = []
    if ((statSync(this.campaigns).mode & 0o077) !== 0) {
      try {
        chmodSync(this.campaigns, 0o700)
      } catch {
        open.push(`${this.campaigns} is open to others and belongs to somebody else: make it 0700`)
      }
    }
    // Not ours to change: it may be a mount.
    if ((statSync(this.root).mode & 0o002) !== 0) open.push(`anybody may write in ${this.root}: make it 0700`)
    return open
  }

  openTrash(): void {
    mkdirSync(this.trash, { mode: 0o700 })
  }

  closeTrash(): void {
    if (existsSync(this.trash)) this.emptyTrash(this.trash)
  }

  /** @throws Error for an invalid id: it must never name another file */
  manifest(id: string): string {
    if (!Value.Check(CampaignId, id)) throw new Error(`${JSON.stringify(id)} is no campaign_id`)
    return join(this.campaigns, `${id}${SUFFIX}`)
  }

  /** Unique names for the next versions of a manifest: random, since in containers every service is process 1. */
  temps(id: string): () => string {
    const manifest = this.manifest(id)
    return () => `${manifest}.${randomUUID()}${TEMP_SUFFIX}`
  }

  /** A name of the same kind for a file that is no manifest's. */
  probeTemp(): string {
    return join(this.campaigns, `probe.${randomUUID()}${TEMP_SUFFIX}`)
  }

  /** Where a corrupt file is moved: beside the others, so that one flush covers both names. */
  aside(id: string): string {
    return `${this.manifest(id)}.${randomUUID()}${ASIDE_SUFFIX}`
  }

  /** The ids of all manifests, corrupt ones too. */
  ids(): string[] {
    return readdirSync(this.campaigns).flatMap((name) => {
      const id = name.slice(0, -SUFFIX.length)
      return name.endsWith(SUFFIX) && Value.Check(CampaignId, id) ? [id] : []
    })
  }

  /** Files that end like manifests, with names that no campaign can have. */
  unrecognisedFiles(): string[] {
    return readdirSync(this.campaigns).filter(
      (name) => name.endsWith(SUFFIX) && !Value.Check(CampaignId, name.slice(0, -SUFFIX.length)),
    )
  }

  /**
   * Removes the unfinished writes of all processes. This is the fence: a process that lost the lock between its last check and its
   * rename then finds nothing to rename. So it must come before anything is read.
   * @returns how many were removed
   */
  sweep(): number {
    const temps = readdirSync(this.campaigns).filter((name) => name.endsWith(TEMP_SUFFIX))
    for (const name of temps) rmSync(join(this.campaigns, name), { force: true })
    for (const name of readdirSync(this.root)) {
      const path = join(this.root, name)
      // `leaving-` is its name in version 0.1.0.
      if (/^(trash|leaving)-/.test(name)) this.emptyTrash(path)
      else if (/^(lock\.stale|owner|probe)-/.test(name) && isOld(path)) rmSync(path, { recursive: true, force: true })
    }
    return temps.length
  }

  /** Completes what was being moved aside, and deletes the rest. */
  private emptyTrash(path: string): void {
    const found = this.renameTrash(path)
    for (const name of readdirSync(found)) {
      if (name.endsWith(ASIDE_SUFFIX)) renameSync(join(found, name), join(this.campaigns, name))
    }
    rmSync(found, { recursive: true })
  }

  /**
   * Under another name no other process puts anything there any more. In a lower layer of an overlayfs, where no directory can be
   * renamed, none of this mount did.
   */
  private renameTrash(path: string): string {
    const renamed = join(this.root, `trash-${randomUUID()}`)
    try {
      renameSync(path, renamed)
      return renamed
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EXDEV') return path
      throw error
    }
  }

  /** Makes names durable that a crashed predecessor did not flush. */
  flush(): void {
    for (const path of new Set([this.campaigns, this.root, ...this.made.map((made) => dirname(made))])) {
      const descriptor = openSync(path, 'r')
      try {
        fsyncSync(descriptor)
      } finally {
        closeSync(descriptor)
      }
    }
  }
}

/** Since it was put there, which a rename does not show in the time of the last modification. Those of a concurrent start are younger. */
function isOld(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat !== undefined && stat.ctimeMs < Date.now() - SCRATCH_AGE_MS
}
