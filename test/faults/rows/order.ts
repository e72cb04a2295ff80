import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { campaignDraft } from '../../support/campaigns/drafts.js'
import { send } from '../../support/http/client.js'
import { readTrace, strace, type SystemCall, whyNotTrace } from '../../support/tools.js'
import { until } from '../../support/until.js'
import type { Fault, Findings, Size } from '../fault.js'
import type { Stage } from '../stage.js'

const ANSWERS: Readonly<Record<Size, number>> = { short: 60, middle: 500, full: 3_000 }
const CAMPAIGNS = ['one', 'two', 'three', 'four']
/** Writers on each campaign, so that commits are shared. */
const WRITERS = 4
const TRACED = 'fsync,fdatasync,rename,renameat,renameat2,link,linkat,write,writev,pwrite64,pwritev,sendto,sendmsg'
const SHOWN_BYTES = 400
const WRITES = /^p?writev?2?$|^pwrite64$|^send(to|msg)$/
const RENAMES = /^(rename|link)(at|at2)?$/
/** Begins the ids of our requests: such an id also names the campaign. */
const PREFIX = 'order:'

/** An answer to a change, as its bytes were written to a socket. */
interface Acknowledgement {
  readonly requestId: string
  /** Of the creation or update that it acknowledges; null for a deletion. */
  readonly tag: { readonly uid: string; readonly revision: number } | null
  readonly begin: number
}

/** A change of one file that was brought to the disk; where a step failed or is missing there is none. */
interface Commit {
  readonly campaign: string
  /** What the file holds; null when it was removed. */
  readonly content: { readonly uid: string; readonly revision: number } | null
  readonly durable: number
}

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

/** Every 2xx that was written for a call whose `x-request-id` begins with the prefix. */
function acknowledgements(calls: readonly SystemCall[], prefix: string): Acknowledgement[] {
  return calls.flatMap(({ name, text, begin }) => {
    if (!WRITES.test(name) || !/HTTP\/1\.1 2\d\d /.test(text)) return []
    const requestId = /x-request-id: ([^\\]+)\\r/.exec(text)?.[1] ?? ''
    if (!requestId.startsWith(prefix)) return []
    const [, uid = '', revision] = /etag: \\"([^"\\]+)-(\d+)\\"/.exec(text) ?? []
    return [{ requestId, tag: revision === undefined ? null : { uid, revision: Number(revision) }, begin }]
  })
}

/** Every commit whose steps all succeeded, one after the other had ended: temp file flushed, name changed, directory flushed. */
function commits(calls: readonly SystemCall[], directory: string): Commit[] {
  const succeeded = calls.filter(({ text }) => /= \d+$/.test(text))
  const flushes = succeeded.filter(({ name }) => name === 'fsync')
  const directoryFlushes = flushes.filter(({ text }) => text.includes(`<${directory}>`))
  const contents = contentsByTemp(calls)
  return succeeded.flatMap((call): Commit[] => {
    const change = RENAMES.test(call.name) ? readChange(call, directory) : null
    const durable = directoryFlushes.find(({ begin }) => begin > call.end)?.end
    if (change === null || durable === undefined) return []
    const { campaign, temp } = change
    if (temp === null) return [{ campaign, content: null, durable }]
    const content = contents.get(temp)
    const isFlushed = flushes.some(({ text, end }) => text.includes(`<${temp}>`) && end < call.begin)
    return content !== undefined && content.begin < call.begin && isFlushed ? [{ campaign, content, durable }] : []
  })
}

/** The campaign whose name the call gives to a temp file, or takes from its file. */
function readChange({ text }: SystemCall, directory: string): { campaign: string; temp: string | null } | null {
  const [from = '', to = ''] = [...text.matchAll(/"([^"]+)"/g)].map(([, path]) => path)
  const nameOf = (path: string) => (path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : null)
  const given = /^([^.]+)\.json$/.exec(nameOf(to) ?? '')?.[1]
  if (given !== undefined) return { campaign: given, temp: from }
  const taken = /^([^.]+)\.json$/.exec(nameOf(from) ?? '')?.[1]
  return taken === undefined ? null : { campaign: taken, temp: null }
}

function contentsByTemp(calls: readonly SystemCall[]): Map<string, { uid: string; revision: number; begin: number }> {
  const contents = new Map<string, { uid: string; revision: number; begin: number }>()
  for (const { name, text, begin } of calls) {
    if (!WRITES.test(name)) continue
    const temp = /^\d+<([^>]+\.tmp)>/.exec(text)?.[1]
    const revision = /\\"revision\\": (\d+)/.exec(text)?.[1]
    const uid = /\\"uid\\": \\"([^"\\]+)\\"/.exec(text)?.[1]
    if (temp === undefined || revision === undefined || uid === undefined || contents.has(temp)) continue
    contents.set(temp, { uid, revision: Number(revision), begin })
  }
  return contents
}
