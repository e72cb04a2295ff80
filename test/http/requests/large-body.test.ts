import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { campaignDraft, experimentDraft } from '../../support/campaigns/drafts.js'
import { send } from '../../support/http/client.js'
import { RawConnection } from '../../support/http/raw-connection.js'
import { type AppReply, openApp, type TestApp } from '../../support/service/app.js'

/** White space behind a body: that much makes any one that is parsed in slices, and so much one that is looked at for its depth. */
const MUCH = ' '.repeat(300 * 1024)
const LITTLE = ' '.repeat(5000)

/** Experiments of which the list is checked in slices. */
const MANY = 1500

interface Problem {
  readonly code: string
  readonly detail: string
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[]
}

function create(app: TestApp, rawBody: string | Buffer): Promise<AppReply> {
  const headers = { 'content-type': 'application/json' }
  return app.call('POST', '/v1/campaigns', { rawBody, headers })
}

function problemOf({ json, status }: AppReply): unknown {
  const { code, detail, errors } = json<Problem & object>()
  return { status, code, detail, errors }
}

const VALID = JSON.stringify(campaignDraft(2, { labels: { 'Größe "1"\\': '🎈\u0000' } }))
const edited = (from: string | RegExp, to: string) => {
  const body = VALID.replace(from, to)
  expect(body).not.toBe(VALID)
  return body
}

const BODIES: Readonly<Record<string, string | Buffer>> = {
  valid: VALID,
  'with a byte order mark': `\ufeff${VALID}`,
  'with two byte order marks': `\ufeff\ufeff${VALID}`,
  'with experiments given twice': edited('"experiments":', '"experiments":[1],"experiments":'),
  'with experiments given twice, the last wrong': edited(/\}$/, ',"experiments":[1]}'),
  'with a key given twice': edited('"exp_id":"0001"', '"exp_id":7,"exp_id":"0001"'),
  'with something behind it': `${VALID}x`,
  'that is no UTF-8': Buffer.from(VALID.replace('sweep', 'sw\u00e4ep'), 'latin1'),
  'with half a surrogate pair in a name': edited('"sweep"', '"sw\\ud800p"'),
  'with half a surrogate pair in a free text': edited('"cycle_index":0', '"cycle_index":0,"error":"\\ud800"'),
  'nested too deep': edited('"cycle_index":0', `"cycle_index":${'['.repeat(40)}${']'.repeat(40)}`),
  'nested too deep, and no JSON behind that': edited('"cycle_index":0', `"cycle_index":${'['.repeat(40)}`),
  'no JSON, and nested too deep behind that': edited('"cycle_index":0', `"cycle_index":, ${'['.repeat(40)}`),
  'nested as deep as may be': `${'['.repeat(32)}${']'.repeat(32)}`,
  'with a number that is not exact': edited('"cycle_index":1', '"cycle_index":9007199254740993'),
  'with a number that is not exact, and no JSON behind it': `${edited('"cycle_index":1', '"cycle_index":1e999')},`,
  'with the key __proto__': edited('"cycle_index":1', '"cycle_index":1,"__proto__":{}'),
  'with the key __proto__ at the top': edited('{"campaign_id"', '{"__proto__":[],"campaign_id"'),
  'with a key that is not known': edited('"cycle_index":1', '"cycle_index":1,"cycle":1'),
  'without a key': edited('"backend":"vllm",', ''),
  'that is a list': `[${VALID}]`,
  'that is null': 'null',
  'that is a text': '"x"',
  'that is empty': '',
  'that is blank': '\n\t',
}

test.each(Object.entries(BODIES))('a body %s is taken or refused alike in slices', async (_name, body) => {
  const app = await openApp()
  const padded = (padding: string) => Buffer.concat([Buffer.from(body), Buffer.from(padding)])
  const small = await create(app, padded(LITTLE))
  if (small.status === 201) await app.call('DELETE', '/v1/campaigns/sweep')
  const large = await create(app, padded(MUCH))
  expect(large.status).toBe(small.status)
  const content = (reply: AppReply) => {
    if (reply.status !== 201) return problemOf(reply)
    const { uid: _uid, ...campaign } = reply.json<{ uid?: string }>()
    return campaign
  }
  expect(content(large)).toEqual(content(small))
})

describe('a fault in a long list', () => {
  /** The same experiments, with one at the place that is not as it should be. */
  const drafts = (count: number, at: number, given: object) => {
    const { experiments } = campaignDraft(count)
    return experiments.with(at, { ...experimentDraft(String(at + 1).padStart(4, '0')), ...given })
  }
  const without = (key: string) => ({ [key]: undefined })

  const FAULTS: Readonly<Record<string, object>> = {
    'a missing key': without('backend'),
    'an unknown key': { cycle: 1 },
    'a wrong type': { cycle_index: '1' },
    'a number out of range': { cycle_index: -1 },
    'a status that there is not': { status: 'lost' },
    'a value of neither type': { failure_kind: 7 },
    'a name that is none': { exp_id: 'a/b' },
    'half a surrogate pair': { config_name: '\ud800' },
    'a fault in an attempt': { attempts: [{}] },
    'a time that is none': { started_at: 'yesterday' },
    'fields that contradict each other': { status: 'running', attempt: 0 },
  }

  const refusal = async (app: TestApp, draft: object) => {
    const reply = await app.call('POST', '/v1/campaigns', { body: draft })
    return problemOf(reply)
  }
  /** As it would be with the fault in another place. */
  const moved = (problem: unknown, from: number, to: number) =>
    JSON.parse(JSON.stringify(problem).replaceAll(`/experiments/${from}`, `/experiments/${to}`)) as unknown

  test.each(Object.entries(FAULTS))('%s is reported as in a short one', async (_name, fault) => {
    const app = await openApp()
    const few = await refusal(app, campaignDraft(0, { experiments: drafts(3, 2, fault) }))
    const many = await refusal(app, campaignDraft(0, { experiments: drafts(MANY, 1234, fault) }))
    expect(few).toMatchObject({ status: 400 })
    expect(many).toEqual(moved(few, 2, 1234))
  })

  test.each([
    { name: 'missing', header: { campaign_name: undefined } },
    { name: 'unknown', header: { unknown: 1 } },
    { name: 'wrong', header: { labels: { team: 1 } } },
  ])('comes after a key of the body that is $name', async ({ header }) => {
    const app = await openApp()
    const body = (count: number, at: number) => ({
      ...campaignDraft(0, { experiments: drafts(count, at, { cycle: 1 }) }),
      ...header,
    })
    expect(await refusal(app, body(MANY, 1234))).toEqual(await refusal(app, body(3, 2)))
  })

  test.each([{ config_hash: 7 }, { on_config_change: 'never' }, {}])('comes in its turn among %j', async (others) => {
    const app = await openApp()
    await app.call('POST', '/v1/campaigns', { body: campaignDraft(1) })
    const body = (count: number, at: number) => ({
      config_hash: 'x',
      experiments: Array.from({ length: count }, (_, index) => ({
        exp_id: `e${index}`,
        config_hash: index === at ? 7 : 'x',
      })),
      ...others,
    })
    const resume = async (count: number, at: number) =>
      problemOf(await app.call('POST', '/v1/campaigns/sweep/resume', { body: body(count, at) }))
    const few = await resume(3, 2)
    expect(few).toMatchObject({ status: 400 })
    expect(await resume(MANY, 1234)).toEqual(moved(few, 2, 1234))
    // Without a fault in the list.
    if (Object.keys(others).length > 0) expect(await resume(MANY, -1)).toEqual(await resume(3, -1))
  })

  test('a list that is too long is refused for that', async () => {
    const app = await openApp()
    await app.call('POST', '/v1/campaigns', { body: campaignDraft(1) })
    const exp_ids = Array.from({ length: 100_001 }, () => '')
    const reply = await app.call('POST', '/v1/campaigns/sweep/retry', { body: { exp_ids } })
    expect(problemOf(reply)).toMatchObject({ status: 400, errors: [{ pointer: '/exp_ids' }] })
    expect(reply.text).toContain('100000')
  })

  test('a valid one is stored as it is', async () => {
    const app = await openApp()
    const draft = campaignDraft(MANY)
    const created = await app.call('POST', '/v1/campaigns', { body: draft })
    expect(created.status).toBe(201)
    expect(created.json<{ experiments?: object[] }>().experiments).toMatchObject(draft.experiments)
  })
})

test('large bodies that come together are taken one after the other, whoever leaves', async () => {
  const app = await openApp()
  const url = await app.listen()
  const bodyOf = (id: string) => campaignDraft(7000, { campaign_id: id })
  const left = Array.from({ length: 3 }, (_, index) => {
    const body = JSON.stringify(bodyOf(`left-${index}`))
    expect(body.length).toBeGreaterThan(1024 * 1024)
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const call = request(`${url}/v1/campaigns`, { method: 'POST', headers, agent: false })
    call.on('error', () => undefined).end(body)
    return call
  })
  const kept = ['a', 'b', 'c'].map((id) => send('POST', `${url}/v1/campaigns`, bodyOf(id)))
  // A refused one makes room too.
  const refused = send('POST', `${url}/v1/campaigns`, { ...bodyOf('d'), unknown: 1 })
  for (const call of left) call.destroy()
  const last = send('POST', `${url}/v1/campaigns`, bodyOf('e'))
  const statuses = (await Promise.all([...kept, refused, last])).map(({ status }) => status)
  expect(statuses).toEqual([201, 201, 201, 400, 201])
})

test('clients that leave once they have sent all of a large body hold up nobody', async () => {
  const app = await openApp()
  const url = await app.listen()
  const body = JSON.stringify(campaignDraft(2)) + ' '.repeat(2 * 1024 * 1024)
  const packed = gzipSync(body)
  const lines = ['POST /v1/campaigns HTTP/1.1', 'Host: localhost', 'Content-Type: application/json']
  const head = [...lines, 'Content-Encoding: gzip', `Content-Length: ${packed.length}`, '', ''].join('\r\n')
  for (let count = 0; count < 20; count += 1) {
    const connection = await RawConnection.open(url)
    connection.write(Buffer.concat([Buffer.from(head), packed]))
    await sleep(count % 10)
    connection.reset()
  }
  // One of them may have created it.
  expect([200, 201]).toContain((await create(app, body)).status)
})
