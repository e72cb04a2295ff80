import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { campaignDraft } from '../../support/campaigns/drafts.js'
import { send } from '../../support/http/client.js'
import { readTrace, strace, whyNotTrace } from '../../support/tools.js'
import { until } from '../../support/until.js'
import { type Acknowledgement, acknowledgements, type Commit, commits } from '../commit-steps/order-trace.js'
import type { Fault, Findings, Size } from '../fault.js'
import type { Stage } from '../stage.js'

const ANSWERS: Readonly<Record<Size, number>> = { short: 60, middle: 500, full: 3_000 }
const CAMPAIGNS = ['one', 'two', 'three', 'four']
/** Writers on each campaign, so that commits are shared. */
const WRITERS = 4
const TRACED = 'fsync,fdatasync,rename,renameat,renameat2,link,linkat,write,writev,pwrite64,pwritev,sendto,sendmsg'
const SHOWN_BYTES = 400
/** Begins the ids of our requests: such an id also names the campaign. */
const PREFIX = 'order:'

export const order: Fault = {
  name: 'order',
  how: 'strace under load: fsync(temp) < rename < fsync(directory) < the bytes of the answer',
  whyNot: whyNotTrace,
  run: (stage, size) => trace(stage, ANSWERS[size]),
}

async function trace(stage: Stage, wanted: number): Promise<Findings> {
  const output = join(stage.root, 'trace')
  const options = ['-s', String(SHOWN_BYTES), '-e', `trace=${TRACED}`]
  const service = await stage.start({ wrapper: strace(output, ...options) })
  const load = new Load(service.url, wanted)
  await load.run()
  await service.end('SIGTERM')
  await until('the trace ends', () => readFileSync(output, 'utf8').includes('+++ exited with 0 +++'))
  const calls = readTrace(output)
  return findingsOf(load.answered, acknowledgements(calls, PREFIX), commits(calls, join(stage.dataDir, 'campaigns')))
}

/** Several writers on each campaign, and beside them one that creates campaigns and deletes them. */
class Load {
  readonly answered: string[] = []
  private sent = 0

  constructor(
    private readonly url: string,
    private readonly wanted: number,
  ) {}

  async run(): Promise<void> {
    await Promise.all(CAMPAIGNS.map((id) => this.create(id)))
    const writers = CAMPAIGNS.flatMap((id) => Array.from({ length: WRITERS }, (_, index) => this.write(id, index + 1)))
    await Promise.all([...writers, this.createAndDelete()])
  }

  private async write(campaign: string, experiment: number): Promise<void> {
    const exp_id = String(experiment).padStart(4, '0')
    for (let count = 1; !this.isOver(); count += 1) {
      const body = { status: 'running', worker: exp_id, result_path: String(count) }
      await this.change('PATCH', campaign, `/${campaign}/experiments/${exp_id}`, body)
      // What is known already is acknowledged too.
      if (count % 5 === 0) await this.change('PATCH', campaign, `/${campaign}/experiments/${exp_id}`, body)
    }
  }

  private async createAndDelete(): Promise<void> {
    for (let count = 1; !this.isOver(); count += 1) {
      const campaign = `brief-${count}`
      await this.create(campaign)
      await this.change('DELETE', campaign, `/${campaign}`)
    }
  }

  private create(campaign_id: string): Promise<void> {
    return this.change('POST', campaign_id, '', campaignDraft(WRITERS, { campaign_id }))
  }

  private async change(method: string, campaign: string, path: string, body?: object): Promise<void> {
    this.sent += 1
    const requestId = `${PREFIX}${campaign}:${this.sent}`
    const { status } = await send(method, `${this.url}/v1/campaigns${path}`, body, { 'x-request-id': requestId })
    if (status >= 300) throw new Error(`${method} ${campaign}${path} was answered ${status}`)
    this.answered.push(requestId)
  }

  private isOver(): boolean {
    return this.answered.length >= this.wanted
  }
}

function findingsOf(answered: readonly string[], seen: readonly Acknowledgement[], done: readonly Commit[]): Findings {
  const premature = seen.filter((answer) => !isDurable(answer, done))
  const traced = new Set(seen.map(({ requestId }) => requestId))
  const unseen = answered.filter((requestId) => !traced.has(requestId))
  const problems = [
    ...premature.map(({ requestId, begin }) => `${requestId} was answered before it was durable, at line ${begin + 1}`),
    ...unseen.map((requestId) => `the answer to ${requestId} is not in the trace`),
  ]
  return { counts: { answers: seen.length, commits: done.length, violations: problems.length }, problems }
}

/** True when what it acknowledges, or what came after it, was on disk before its first byte left. */
function isDurable(answer: Acknowledgement, commits: readonly Commit[]): boolean {
  const { requestId, tag, begin } = answer
  const [named] = requestId.slice(PREFIX.length).split(':')
  return commits.some(({ campaign, content, durable }) => {
    if (campaign !== named || durable >= begin) return false
    if (tag === null || content === null) return tag === content
    return content.uid === tag.uid && content.revision >= tag.revision
  })
}
