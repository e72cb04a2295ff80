import { createWriteStream, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Campaign } from '#campaignd/domain/campaign/campaign.js'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { manifestPieces } from '#campaignd/domain/formats/manifest-json.js'
import { newManifest } from '../../../support/campaigns/decisions.js'
import { experimentDraft } from '../../../support/campaigns/drafts.js'
import { send } from '../../../support/http/client.js'
import { Scrape } from '../../../support/http/metrics.js'
import type { Service } from '../../../support/service/service-process.js'
import { manifestPath } from '../../../support/store/files.js'
import type { Fault, Findings, Size } from '../../fault.js'
import { createCampaign, expectStatus } from '../../replies.js'
import { endInOrder, loggedErrors, type Stage } from '../../stage.js'

interface Extent {
  /** Experiments of the campaign that fails; its limit is in proportion to the default, 64 MiB for 100,000. */
  readonly experiments: number
  /** MiB of a manifest that is above any limit. */
  readonly laid: number
}

const EXTENTS: Readonly<Record<Size, Extent>> = {
  short: { experiments: 1_000, laid: 16 },
  middle: { experiments: 10_000, laid: 128 },
  full: { experiments: 100_000, laid: 560 },
}

const KIB = 1024
const MIB = 1024 * KIB

const FAILING = 'failing'
const LARGE = 'large'
const TIMES = 20
/** Experiments of a batch, each started and failed in it. */
const BATCH = 500
const AT_ONCE = 4
const ERROR = `${'File "bench.py", line 12, in run\n'.repeat(260)}ValueError: the cause`.slice(-8 * KIB)

/** With little memory: what is held must not grow with what is reported. */
const OLD_SPACE = '--max-old-space-size=512'

export const limits: Fault = {
  name: 'limits',
  how: '100,000 experiments fail 20 times each with errors of 8 KiB; and a manifest of 560 MiB, above any limit, lies there at a start',
  run: (stage, size) => new Limits(stage, EXTENTS[size]).run(),
}

class Limits {
  private readonly problems: string[] = []
  private readonly limit: number
  private readonly environment: Readonly<Record<string, string>>
  private largest = 0

  constructor(
    private readonly stage: Stage,
    private readonly extent: Extent,
  ) {
    const kib = Math.ceil((64 * KIB * extent.experiments) / 100_000)
    this.limit = kib * KIB
    // More experiments than there are: what is refused at the end is refused for its bytes.
    this.environment = { CAMPAIGND_MAX_CAMPAIGN_BYTES: `${kib}KiB`, CAMPAIGND_MAX_EXPERIMENTS: '200000' }
  }

  async run(): Promise<Findings> {
    const cut = await this.fail()
    const laid = await this.serveLarge()
    const { extent, largest, problems } = this
    return {
      counts: {
        'reports of failures': extent.experiments * TIMES,
        'experiments cut': cut,
        'KiB at most': Math.ceil(largest / KIB),
        'KiB allowed': this.limit / KIB,
        'MiB above any limit': Math.round(laid / MIB),
      },
      problems,
    }
  }

  private start(environment: Readonly<Record<string, string>> = {}): Promise<Service> {
    return this.stage.start({ environment: { ...this.environment, ...environment } })
  }

  /** @returns how many experiments were cut */
  private async fail(): Promise<number> {
    const { experiments } = this.extent
    const service = await this.start({ NODE_OPTIONS: OLD_SPACE })
    await createCampaign(service.url, FAILING, experiments)
    for (let time = 0; time < TIMES; time += 1) await this.failOnce(service, time)
    const { text } = await send('GET', `${service.url}/metrics`)
    const cut = new Scrape(text).value('campaignd_experiments_shrunk_total') ?? 0
    if (cut === 0) this.problems.push('no experiment was cut')
    const notices = service.log.filter(({ msg }) => String(msg).includes('CAMPAIGND_MAX_CAMPAIGN_BYTES')).length
    if (notices !== 1) this.problems.push(`the log has ${notices} notices`)
    await this.expectFull(service)
    const before = await textOf(service, FAILING)
    this.problems.push(...loggedErrors(service), ...(await endInOrder(service)))
    await this.restart(before)
    return cut
  }

  private async failOnce({ url, dataDir }: Service, time: number): Promise<void> {
    const { experiments } = this.extent
    let next = 0
    const work = async () => {
      while (next < experiments) {
        const ids = Array.from({ length: Math.min(BATCH, experiments - next) }, (_, index) => idOf(next + index))
        next += ids.length
        const updates = ids.flatMap((exp_id) => [
          { exp_id, status: 'running', worker: `gpu-node-${time}` },
          { exp_id, status: 'failed', error: `${time} ${ERROR}` },
        ])
        const reply = await send('PATCH', `${url}/v1/campaigns/${FAILING}/experiments`, { updates })
        const refused = reply.status === 200 ? reply.text.split('"problem":').length - 1 : ids.length
        if (refused > 0)
          this.problems.push(`${refused} reports were refused: ${reply.status} ${reply.text.slice(0, 300)}`)
        this.measure(dataDir)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
  }

  private measure(dataDir: string): void {
    const { size } = statSync(manifestPath(dataDir, FAILING))
    this.largest = Math.max(this.largest, size)
    if (size > this.limit) this.problems.push(`the file has ${size} bytes, and ${this.limit} are allowed`)
  }

  private async expectFull({ url }: Service): Promise<void> {
    const body = { experiments: [experimentDraft('one-more')] }
    const { status, text } = await send('POST', `${url}/v1/campaigns/${FAILING}/experiments`, body)
    if (status !== 409 || !text.includes('campaign-full'))
      this.problems.push(`an append was answered ${status} ${text}`)
  }

  private async restart(before: string): Promise<void> {
    const service = await this.start({ NODE_OPTIONS: OLD_SPACE })
    const after = await textOf(service, FAILING)
    if (after !== before) this.problems.push('the manifest is another after a restart')
    const { experiments } = JSON.parse(after) as { experiments: Experiment[] }
    const failed = experiments.filter(({ status, attempt }) => status === 'failed' && attempt === TIMES)
    if (failed.length !== this.extent.experiments) this.problems.push(`${failed.length} have failed ${TIMES} times`)
    await this.change(service, FAILING)
    this.problems.push(...loggedErrors(service), ...(await endInOrder(service)))
  }

  /** A change of the campaign, whose response is the manifest, and a report. */
  private async change(service: Service, campaign: string): Promise<void> {
    const path = `${service.url}/v1/campaigns/${campaign}`
    const response = await fetch(path, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ labels: { changed: 'yes' } }),
    })
    const bytes = await lengthOf(response)
    if (response.status !== 200) this.problems.push(`a change was answered ${response.status}`)
    await expectStatus(200, send('PATCH', `${path}/experiments/${idOf(0)}`, { status: 'running', worker: 'w' }))
    const { size } = statSync(manifestPath(service.dataDir, campaign))
    const read = await fetch(path)
    const length = await lengthOf(read)
    if (length !== size) this.problems.push(`the manifest was sent in ${length} bytes, and the file has ${size}`)
    if (bytes < size / 2) this.problems.push(`a change was answered in ${bytes} bytes`)
  }

  /** @returns the bytes of the manifest */
  private async serveLarge(): Promise<number> {
    const { dataDir } = this.stage
    await lay(manifestPath(dataDir, LARGE), this.extent.laid * MIB)
    const { size } = statSync(manifestPath(dataDir, LARGE))
    const service = await this.start()
    await this.change(service, LARGE)
    this.problems.push(...loggedErrors(service), ...(await endInOrder(service)))
    return size
  }
}

/** Writes a manifest as an earlier version left it that had no limit. */
async function lay(path: string, bytes: number): Promise<void> {
  const manifest = newManifest(LARGE, Math.ceil(bytes / (ERROR.length + 700)))
  for (const experiment of manifest.experiments) {
    Object.assign(experiment, { status: 'failed', attempt: 1, failure_kind: 'error', error: ERROR })
  }
  mkdirSync(dirname(path), { recursive: true })
  await pipeline(Readable.from(manifestPieces(Campaign.of(manifest))), createWriteStream(path, { mode: 0o600 }))
}

async function textOf({ url }: Service, campaign: string): Promise<string> {
  const { status, text } = await send('GET', `${url}/v1/campaigns/${campaign}`)
  if (status !== 200) throw new Error(`the manifest was answered ${status} ${text}`)
  return text
}

async function lengthOf(response: Response): Promise<number> {
  let bytes = 0
  for await (const piece of response.body ?? []) bytes += (piece as Uint8Array).length
  return bytes
}

function idOf(index: number): string {
  return String(index + 1).padStart(4, '0')
}
