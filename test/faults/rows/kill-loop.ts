import { setTimeout as sleep } from 'node:timers/promises'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import { send, type Writer, writersOn } from '../../support/http/client.js'
import type { Service } from '../../support/service/service-process.js'
import { leftovers, readManifest } from '../../support/store/files.js'
import type { Fault, Findings, Size } from '../fault.js'
import { createCampaign } from '../replies.js'
import type { Stage } from '../stage.js'

const KILLS: Readonly<Record<Size, number>> = { short: 4, middle: 30, full: 500 }
const CAMPAIGNS = ['one', 'two', 'three', 'four']
const WRITERS = 64
/** Milliseconds that the writers have before the kill: at least, and at random. */
const LEAST_LIFE = 50
const MORE_LIFE = 400

export const killLoop: Fault = {
  name: 'kill-loop',
  how: `SIGKILL at random under ${WRITERS} writers on ${CAMPAIGNS.length} campaigns, restart, verify`,
  run: (stage, size) => new KillLoop(stage).run(KILLS[size]),
}

class KillLoop {
  private readonly writers = writersOn(CAMPAIGNS, WRITERS)
  private readonly ledgers = new Map(CAMPAIGNS.map((id) => [id, new Ledger(id)]))
  private readonly problems: string[] = []
  private readonly found = { kills: 0, acknowledged: 0, unknown: 0, lost: 0, unreadable: 0 }

  constructor(private readonly stage: Stage) {}

  async run(kills: number): Promise<Findings> {
    let service = await this.stage.start()
    const environment = { CAMPAIGND_PORT: new URL(service.url).port }
    for (const id of CAMPAIGNS) {
      await createCampaign(service.url, id, WRITERS / CAMPAIGNS.length)
    }
    while (this.found.kills < kills && this.problems.length === 0) {
      await this.writeUntilKilled(service)
      service = await this.stage.start({ environment })
      await this.verify(service)
    }
    if (this.found.acknowledged < kills) this.problems.push(`only ${this.found.acknowledged} were acknowledged`)
    return { counts: { ...this.found }, problems: this.problems }
  }

  private async writeUntilKilled(service: Service): Promise<void> {
    let killed = false
    const runs = this.writers.map((writer) => this.write(writer, service.url, () => killed))
    await sleep(LEAST_LIFE + Math.random() * MORE_LIFE)
    killed = true
    const code = await service.end('SIGKILL')
    await Promise.all(runs)
    if (code !== null) this.problems.push(`the service ended by itself, with ${code}`)
    this.found.kills += 1
  }

  private async write(writer: Writer, url: string, isKilled: () => boolean): Promise<void> {
    for (;;) {
      const reply = await writer.report(url).catch(() => null)
      if (reply?.status === 200) {
        this.found.acknowledged += 1
        this.ledgers.get(writer.campaign)?.explain(writer.revision, `the answer to ${writer.sent} of ${writer.expId}`)
      } else if (reply !== null) {
        this.problems.push(`${writer.path()} was answered ${reply.status} ${reply.text}`)
        return
      } else {
        if (!isKilled()) this.problems.push(`${writer.path()}: the connection broke before the kill`)
        return
      }
    }
  }

  private async verify(service: Service): Promise<void> {
    const temps = leftovers(service.dataDir)
    if (temps.length > 0) this.problems.push(`left behind: ${temps.join(', ')}`)
    for (const [id, ledger] of this.ledgers) {
      const manifest = await this.manifestOf(service, id)
      if (manifest === null) continue
      const writers = this.writers.filter(({ campaign }) => campaign === id)
      for (const writer of writers) this.compare(writer, manifest, ledger)
      this.problems.push(...ledger.close(manifest.revision))
    }
  }

  /** As it lies on disk, when that is whole and the service serves the same. */
  private async manifestOf(service: Service, id: string): Promise<CampaignManifest | null> {
    try {
      const text = readManifest(service.dataDir, id)
      const read = await send('GET', `${service.url}/v1/campaigns/${id}`)
      if (read.status !== 200 || read.text !== text)
        throw new Error(`served as ${read.status} ${read.text.slice(0, 200)}`)
      return JSON.parse(text) as CampaignManifest
    } catch (error) {
      this.found.unreadable += 1
      this.problems.push(`${id} cannot be read: ${(error as Error).message}`)
      return null
    }
  }

  /** The writer goes on from what is there: what was not acknowledged may be, or not. */
  private compare(writer: Writer, { experiments }: CampaignManifest, ledger: Ledger): void {
    const experiment = experiments.find(({ exp_id }) => exp_id === writer.expId)
    const there = Number(experiment?.result_path ?? 0)
    if (writer.sent > writer.acknowledged) this.found.unknown += 1
    if (there < writer.acknowledged) {
      this.found.lost += writer.acknowledged - there
      this.problems.push(`${writer.path()} is at ${there}, but ${writer.acknowledged} was acknowledged`)
    } else if (there > writer.sent) {
      this.problems.push(`${writer.path()} is at ${there}, but only ${writer.sent} was sent`)
    } else if (there > writer.acknowledged) {
      ledger.explain(experiment?.revision ?? 0, `${there} of ${writer.expId}, never answered`)
    } else if (experiment !== undefined && there > 0 && experiment.revision !== writer.revision) {
      this.problems.push(`${writer.path()} has revision ${experiment.revision}, answered was ${writer.revision}`)
    }
    writer.sent = writer.acknowledged = there
    writer.revision = experiment?.revision ?? 0
  }
}

/** What each revision of a campaign was given to. */
class Ledger {
  private readonly explained = new Map<number, string>()
  private readonly problems: string[] = []
  private closed = 1

  constructor(private readonly campaign: string) {}

  explain(revision: number, by: string): void {
    const other = this.explained.get(revision)
    if (other !== undefined || revision <= this.closed) {
      this.problems.push(`${this.campaign}: revision ${revision} for ${by} and for ${other ?? 'an earlier change'}`)
    }
    this.explained.set(revision, by)
  }

  /** @returns what is wrong: revisions that were given twice, that nothing explains, or that the campaign has not */
  close(newest: number): string[] {
    if (newest < this.closed) this.problems.push(`${this.campaign}: was at revision ${this.closed}, is at ${newest}`)
    for (let revision = this.closed + 1; revision <= newest; revision += 1) {
      if (!this.explained.delete(revision)) this.problems.push(`${this.campaign}: nothing explains ${revision}`)
    }
    for (const [revision, by] of this.explained) {
      this.problems.push(`${this.campaign}: revision ${revision} for ${by}, but the newest is ${newest}`)
    }
    this.explained.clear()
    this.closed = newest
    return this.problems.splice(0)
  }
}
