import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { campaignDraft } from '../../support/campaigns/drafts.js'
import { type Reply, send } from '../../support/http/client.js'
import type { Service } from '../../support/service/service-process.js'
import { bytesOf, leftovers, manifestPath, readManifest } from '../../support/store/files.js'
import { isUsable } from '../../support/tools.js'
import { until } from '../../support/until.js'
import { Filler, MOUNT, remount } from '../commit-steps/small-disk.js'
import { StrictWriters } from '../commit-steps/strict-writers.js'
import type { Fault, Findings, Size } from '../fault.js'
import { changedNames } from '../replies.js'
import { endInOrder, type Stage } from '../stage.js'

const ROUNDS: Readonly<Record<Size, number>> = { short: 2, middle: 10, full: 60 }
const CAMPAIGNS = ['one', 'two', 'three']
const WRITERS = 9
/** Enough for a manifest of more than one block. */
const EXPERIMENTS = 16
/** There until it is deleted while the disk is full; and asked for while nothing can be written. */
const DELETABLE = 'deletable'
const REFUSED = 'refused'

export const diskFull: Fault = {
  name: 'disk-full',
  how: `a tmpfs of 64 kB filled under ${WRITERS} writers, filled up to within a file, turned read-only, and freed again`,
  whyNot: () =>
    isUsable('unshare with mount', ['unshare', '-Urm', 'sh', '-c', `${MOUNT} /mnt`])
      ? null
      : 'unshare with mount cannot be used here',
  run: async (stage, size) => (await DiskFull.prepare(stage)).run(ROUNDS[size]),
}

/** What a call must be answered with that can write nothing. */
interface Refusal {
  readonly status: number
  readonly code: string
  readonly says: string
}
const FULL: Refusal = { status: 507, code: 'store-full', says: '' }
const READ_ONLY: Refusal = { status: 503, code: 'store-unavailable', says: 'EROFS' }

class DiskFull {
  private readonly writers = new StrictWriters(CAMPAIGNS, WRITERS)
  private readonly problems: string[] = []
  private readonly found = { 'refused when full': 0, 'refused within a file': 0, 'refused when read-only': 0 }
  private readonly filler: Filler

  private constructor(
    private readonly service: Service,
    /** The data directory as seen from here: the file system is the service's own. */
    private readonly inside: string,
  ) {
    this.filler = new Filler(join(inside, 'filler'))
  }

  static async prepare(stage: Stage): Promise<DiskFull> {
    const wrapper = ['unshare', '-Urm', 'sh', '-c', `mkdir "$0" && ${MOUNT} "$0" && exec "$@"`, stage.dataDir]
    const service = await stage.start({ wrapper })
    return new DiskFull(service, join('/proc', String(service.pid), 'root', service.dataDir))
  }

  async run(rounds: number): Promise<Findings> {
    await this.writers.createCampaigns(this.service.url, EXPERIMENTS)
    let done = 0
    for (; done < rounds && this.problems.length === 0; done += 1) {
      await this.fillUnderWriters()
      await this.fillWithinFile()
      await this.turnReadOnly()
    }
    this.problems.push(...(await endInOrder(this.service)))
    const counts = { rounds: done, acknowledged: this.writers.acknowledged, ...this.found }
    return { counts, problems: this.problems }
  }

  private async fillUnderWriters(): Promise<void> {
    const created = await this.call('POST', '', campaignDraft(1, { campaign_id: DELETABLE }))
    if (created.status !== 201) this.problems.push(`a creation was answered ${created.status} ${created.text}`)
    this.found['refused when full'] += await this.refuseWriters(FULL, () => {
      this.filler.leave(0)
      this.parseAll()
    })
    this.filler.leave(0)
    await this.expectRefused(FULL, [
      () => this.call('PATCH', '/one/experiments/0016', { status: 'running', error: 'x'.repeat(8000) }),
      () => this.call('PATCH', '/one/experiments', { updates: [{ exp_id: '0016', status: 'running' }] }),
      () => this.call('PATCH', '/two', { campaign_name: 'other' }),
    ])
    const deleted = await this.call('DELETE', `/${DELETABLE}`)
    if (deleted.status !== 204 || existsSync(manifestPath(this.inside, DELETABLE))) {
      this.problems.push(`a deletion, which needs no space, was answered ${deleted.status} ${deleted.text}`)
    }
    this.filler.remove()
    await this.recover()
  }

  /** With each block more that is free the file gets further, until all of it fits. */
  private async fillWithinFile(): Promise<void> {
    const [writer] = this.writers.writers
    if (writer === undefined) return
    for (let blocks = 0; ; blocks += 1) {
      this.filler.leave(blocks)
      const before = bytesOf(this.inside)
      const reply = await this.writers.report(writer, this.service.url)
      if (reply.status === 200) {
        if (blocks < 2) this.problems.push(`a manifest was written into ${blocks} blocks`)
        break
      }
      this.problems.push(...faultsOf(reply, FULL), ...changesSince(before, this.inside))
      if (this.problems.length > 0) break
      if (blocks > 0) this.found['refused within a file'] += 1
    }
    this.filler.remove()
    await this.recover()
  }

  private async turnReadOnly(): Promise<void> {
    let isReadOnly = false
    this.found['refused when read-only'] += await this.refuseWriters(READ_ONLY, () => {
      if (!isReadOnly) remount(this.service, 'ro')
      isReadOnly = true
    })
    await this.expectRefused(READ_ONLY, [
      () => this.call('PATCH', '/one/experiments/0016', { status: 'running' }),
      () => this.call('DELETE', '/two?force=true'),
    ])
    remount(this.service, 'rw')
    await this.recover()
  }

  /** Has all writers report, and attacks once each was acknowledged, until each was refused. @returns how often they were */
  private async refuseWriters(refusal: Refusal, attack: () => void): Promise<number> {
    const acknowledged = new Set<string>()
    const refused = new Set<string>()
    let refusals = 0
    let over = false
    const runs = this.writers.run(
      this.service.url,
      () => over,
      (outcome, writer) => {
        if (!(outcome instanceof Error) && outcome.status === 200) {
          acknowledged.add(writer.path())
          return
        }
        this.problems.push(...faultsOf(outcome, refusal))
        refused.add(writer.path())
        refusals += 1
      },
    )
    try {
      await until('every writer is acknowledged', () => acknowledged.size === WRITERS)
      await until(`every writer is refused with ${refusal.status}`, () => {
        attack()
        return refused.size === WRITERS
      })
    } finally {
      over = true
      await runs
    }
    return refusals
  }

  /** All at once, with a creation; nothing may change by it, on disk or in what is served. */
  private async expectRefused(refusal: Refusal, calls: readonly (() => Promise<Reply>)[]): Promise<void> {
    const before = bytesOf(this.inside)
    const creation = this.call('POST', '', campaignDraft(5, { campaign_id: REFUSED }))
    const replies = await Promise.all([creation, ...calls.map((call) => call())])
    this.problems.push(...replies.flatMap((reply) => faultsOf(reply, refusal)))
    this.problems.push(...changesSince(before, this.inside))
    const created = await this.call('GET', `/${REFUSED}`)
    if (created.status !== 404) this.problems.push(`a campaign that was refused is served as ${created.status}`)
  }

  /** The writers go on, in the same process, and the files are as they were served. */
  private async recover(): Promise<void> {
    const replies = await Promise.all(
      this.writers.writers.map((writer) => this.writers.report(writer, this.service.url)),
    )
    const others = replies.filter(({ status }) => status !== 200)
    this.problems.push(...others.map(({ status, text }) => `with space again a report was answered ${status} ${text}`))
    this.problems.push(...this.writers.differences(this.inside))
    await until('nothing is left behind', () => leftovers(this.inside).length === 0)
    for (const id of CAMPAIGNS) {
      const read = await this.call('GET', `/${id}`)
      if (read.text !== readManifest(this.inside, id)) this.problems.push(`${id} is served other than it is on disk`)
    }
    const owner = readFileSync(join(this.inside, 'owner.json'), 'utf8')
    if (!owner.includes(`"pid": ${this.service.pid}`)) this.problems.push(`the owner is ${owner}`)
  }

  private parseAll(): void {
    for (const id of CAMPAIGNS) {
      try {
        JSON.parse(readManifest(this.inside, id))
      } catch (error) {
        this.problems.push(`${id} cannot be read while the disk fills: ${(error as Error).message}`)
      }
    }
  }

  private call(method: string, path: string, body?: object): Promise<Reply> {
    return send(method, `${this.service.url}/v1/campaigns${path}`, body)
  }
}

function faultsOf(outcome: Reply | Error, { status, code, says }: Refusal): string[] {
  if (outcome instanceof Error) return [`the connection broke instead of ${status}: ${outcome.message}`]
  const isAsItMustBe =
    outcome.status === status &&
    outcome.json<{ code?: string }>().code === code &&
    outcome.text.includes(says) &&
    (status !== 503 || outcome.headers.has('retry-after'))
  return isAsItMustBe ? [] : [`${outcome.status} instead of ${status} ${code}: ${outcome.text.slice(0, 200)}`]
}

function changesSince(before: Readonly<Record<string, string>>, directory: string): string[] {
  return changedNames(before, bytesOf(directory)).map((name) => `a refused call changed ${name}`)
}
