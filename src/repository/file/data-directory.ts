import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { Value } from '@sinclair/typebox/value'
import { CampaignId } from '../../domain/manifest.ts'

const SUFFIX = '.json'
const TEMP_SUFFIX = '.tmp'
const ASIDE_SUFFIX = '.set-aside'

/** Where everything lies below the data directory. */
export class DataDirectory {
  readonly campaigns: string

  constructor(readonly root: string) {
    this.campaigns = join(root, 'campaigns')
  }

  /** Makes what is missing; only the owner may look inside. */
  create(): void {
    mkdirSync(this.root, { recursive: true, mode: 0o700 })
    mkdirSync(this.campaigns, { recursive: true, mode: 0o700 })
  }

  /** @throws Error for an id that is none: it must never be able to name another file */
  manifest(id: string): string {
    if (!Value.Check(CampaignId, id)) throw new Error(`${JSON.stringify(id)} is no campaign_id`)
    return join(this.campaigns, `${id}${SUFFIX}`)
  }

  /** Unique, since process ids are not: in a container every service is process 1. */
  temp(id: string): string {
    return `${this.manifest(id)}.${randomUUID()}${TEMP_SUFFIX}`
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
  strangers(): string[] {
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
    const leftovers = readdirSync(this.root).filter((name) => /^(lock\.stale|owner|probe)-/.test(name))
    for (const name of leftovers) removeScratch(join(this.root, name))
    return temps.length
  }

  /** Makes names durable that a crashed predecessor may have left in memory only. */
  flush(): void {
    for (const path of [this.campaigns, this.root]) {
      const descriptor = openSync(path, 'r')
      fsyncSync(descriptor)
      closeSync(descriptor)
    }
  }
}

function removeScratch(path: string): void {
  try {
    rmSync(join(path, 'owner.json'), { force: true })
    rmdirSync(path)
  } catch {
    // Somebody else's, and just now: it is removed by the next start.
  }
}
