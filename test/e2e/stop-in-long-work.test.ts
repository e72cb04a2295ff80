import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { send } from '../support/http/client.js'
import { type RawAnswer, RawConnection } from '../support/http/raw-connection.js'
import { AT_THE_LIMITS, creation, largeDraft } from '../support/long-work/large-calls.js'
import { messages, type Service, startService } from '../support/service/service.js'
import { storedManifest } from '../support/store/files.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { until } from '../support/until.js'

const { body = Buffer.of() } = creation(largeDraft(AT_THE_LIMITS, 'large'))
const HEADERS = ['Host: localhost', 'Content-Type: application/json', `Content-Length: ${body.length}`]
const HEAD = ['POST /v1/campaigns HTTP/1.1', ...HEADERS, '', ''].join('\r\n')
const HALF = Math.floor(body.length / 2)

/** The largest import, by a client that decides when its bytes are sent. */
class Import {
  private constructor(
    readonly service: Service,
    private readonly connection: RawConnection,
  ) {}

  static async begin(dataDir: string): Promise<Import> {
    const service = await startService({ dataDir })
    const connection = await RawConnection.open(service.url)
    connection.write(HEAD)
    return new Import(service, connection)
  }

  send(from: number, to: number): void {
    this.connection.write(body.subarray(from, to))
  }

  get answer(): RawAnswer | undefined {
    return this.connection.answers()[0]
  }

  /** Makes short calls, one after the other, which are answered between the slices of the work: how many, at the most. */
  async callBeside(most: number): Promise<number> {
    let count = 0
    for (; count < most && this.answer === undefined; count += 1) await send('GET', `${this.service.url}/healthz`)
    return count
  }

  async stop(): Promise<number | null> {
    const code = await this.service.end('SIGTERM')
    await this.connection.closed
    return code
  }
}

/** How many short calls are answered beside the whole import. */
async function callsBesideAll(): Promise<number> {
  const run = await Import.begin(temporaryDirectory())
  run.send(0, body.length)
  const calls = await run.callBeside(Infinity)
  expect(run.answer?.status).toBe(201)
  expect(await run.stop()).toBe(0)
  return calls
}

function checkRefusal({ status, headers, body }: RawAnswer): void {
  expect([status, (JSON.parse(body) as { code: string }).code]).toEqual([503, 'draining'])
  expect(headers.get('connection')).toBe('close')
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
}

test('a stop while the largest import is sent refuses it once it is whole', async () => {
  const dataDir = temporaryDirectory()
  const run = await Import.begin(dataDir)
  run.send(0, HALF)
  const ended = run.stop()
  await until('the stop has begun', () => messages(run.service).some((line) => line.startsWith('SIGTERM')))
  run.send(HALF, body.length)
  expect(await ended).toBe(0)
  const { answer } = run
  if (answer === undefined) expect.fail('it was not answered')
  checkRefusal(answer)
  expect(existsSync(join(dataDir, 'campaigns', 'large.json'))).toBe(false)
})

test('a stop while the largest import is worked on gives it up, unless it is committed already', async () => {
  const all = await callsBesideAll()
  const statuses: number[] = []
  for (const share of [0.1, 0.5, 0.9]) {
    const dataDir = temporaryDirectory()
    const run = await Import.begin(dataDir)
    run.send(0, body.length)
    await run.callBeside(Math.ceil(all * share))
    expect(await run.stop()).toBe(0)
    const { answer } = run
    if (answer === undefined) expect.fail(`it was not answered, when it was stopped at ${share}`)
    if (answer.status !== 201) checkRefusal(answer)
    statuses.push(answer.status)
    const again = await startService({ dataDir })
    const { status } = await send('GET', `${again.url}/v1/campaigns/large/progress`)
    expect(status).toBe(answer.status === 201 ? 200 : 404)
    if (status === 200) expect(storedManifest(dataDir, 'large').total_experiments).toBe(AT_THE_LIMITS.experiments)
    expect(await again.end('SIGTERM')).toBe(0)
  }
  expect(statuses[0]).toBe(503)
})
