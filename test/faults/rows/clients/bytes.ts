import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { experimentDraft } from '../../../support/campaigns/drafts.js'
import { send } from '../../../support/http/client.js'
import type { Fault, Findings, Size } from '../../fault.js'
import { createCampaign, expectStatus } from '../../replies.js'
import type { Stage } from '../../stage.js'
import { UnderAttack } from './under-attack.js'

interface Extent {
  /** Connections of each kind that read nothing. */
  readonly deaf: number
  /** Experiments of the campaign that is asked for as a whole. */
  readonly experiments: number
}

/** In full twice as many as ended a service that counted responses in place of bytes. */
const EXTENTS: Readonly<Record<Size, Extent>> = {
  short: { deaf: 30, experiments: 10_000 },
  middle: { deaf: 60, experiments: 25_000 },
  full: { deaf: 200, experiments: 25_000 },
}

const LARGE = '/v1/campaigns/large'
const PIPELINED = 64
/** Milliseconds between two versions of the large campaign. */
const PACE = 250

const MIB = 1024 * 1024
const CHUNK = 64 * 1024

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`
const asChunk = (text: string) => text.repeat(Math.floor(CHUNK / text.length))

/** What one connection sends in one piece, each kind by many connections. */
const FLOODS = [
  get('/openapi.json').repeat(PIPELINED),
  get('/docs/json').repeat(PIPELINED),
  get(`${LARGE}/experiments?limit=1000`).repeat(PIPELINED),
  // Thousands of requests behind one whose reply takes a minute.
  get(`${LARGE}/progress?wait=60&until=end`) + asChunk(get('/healthz')),
  asChunk(get('/%')),
  unfinishedBody(),
]

/** 15 MiB in 15 kB, of which the last bytes never come. */
function unfinishedBody(): string {
  const packed = gzipSync(Buffer.alloc(15 * MIB, ' '))
  const lines = [`PATCH ${LARGE}/experiments HTTP/1.1`, 'Host: localhost', 'Content-Type: application/json']
  const head = [...lines, 'Content-Encoding: gzip', `Content-Length: ${packed.length}`, '', ''].join('\r\n')
  return head + packed.subarray(0, -10).toString('latin1')
}

export const bytes: Fault = {
  name: 'bytes',
  how: 'clients ask for much and read nothing, in pipelines and large responses, in a heap of 512 MiB, beside workers',
  run: attack,
}

async function attack(stage: Stage, size: Size): Promise<Findings> {
  const { deaf, experiments } = EXTENTS[size]
  const row = await UnderAttack.begin({ stage, size })
  const { url } = row.service
  const { attackers } = row
  await createLarge(url, experiments)
  const flood = (text: string, connections: number) =>
    attackers.order('deafen', { bytes: text, connections, pace: 100 })
  let refused = 0
  const versions = new Versions(url)
  const act = async (connections: number) => {
    for (const text of FLOODS) await flood(text, connections)
    for (let count = 0; count < connections; count += 1) {
      // Each response is a version of its own.
      await versions.next()
      await flood(get(LARGE), 1)
      const { status } = await send('GET', `${url}${LARGE}/experiments?limit=1000`)
      if (status === 503) refused += 1
    }
  }
  await row.run(
    () => act(deaf),
    () => act(deaf / 10),
  )
  await versions.end()
  const cut = await row.metric('campaignd_connections_cut_total')
  if ((await row.metric('campaignd_unsent_bytes')) > 0)
    row.problems.push('bytes are counted for clients that have left')
  return row.end({ connections: (FLOODS.length + 1) * deaf, 'cut off': cut, 'large calls refused': refused })
}

/** Makes a version of the large campaign now and then, also in quiet: the disk has the same work all the time. */
class Versions {
  private isOver = false
  private count = 0
  private onNext: (() => void)[] = []
  private readonly run: Promise<void>

  constructor(private readonly url: string) {
    this.run = this.make()
    // It shows where it is waited for.
    this.run.catch(() => undefined)
  }

  /** Resolves when there is a new one. */
  next(): Promise<void> {
    return Promise.race([new Promise<void>((resolve) => this.onNext.push(resolve)), this.run])
  }

  async end(): Promise<void> {
    this.isOver = true
    await this.run
  }

  private async make(): Promise<void> {
    while (!this.isOver) {
      this.count += 1
      const change = { status: 'completed', result_path: String(this.count) }
      await expectStatus(200, send('PATCH', `${this.url}${LARGE}/experiments/e0`, change))
      for (const resolve of this.onNext.splice(0)) resolve()
      await sleep(PACE)
    }
  }
}

function createLarge(url: string, count: number): Promise<void> {
  const long = { config_name: 'c'.repeat(200), config_path: 'p'.repeat(200) }
  const experiments = Array.from({ length: count }, (_, index) => ({ ...experimentDraft(`e${index}`), ...long }))
  return createCampaign(url, 'large', 0, { experiments })
}
