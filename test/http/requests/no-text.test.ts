import { gzipSync } from 'node:zlib'
import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import type { ExperimentDraft } from '#campaignd/domain/operations/draft.js'
import { FREE_TEXT } from '#campaignd/domain/schema.js'
import { TEXT_FORMATS } from '#campaignd/domain/text-format.js'
import type { ProblemCode } from '#campaignd/http/problems/catalog.js'
import type { Problem } from '#campaignd/http/problems/problem.js'
import { openCampaign } from '../../support/campaigns/campaign.js'
import { campaignDraft, experimentDraft } from '../../support/campaigns/drafts.js'
import { BODY_DOORS, type Door, DOORS } from '../../support/http/doors.js'
import { type JsonSchema, openApiDocument } from '../../support/http/open-api-document.js'
import { verdict } from '../../support/http/problems.js'
import type { CallOptions } from '../../support/service/app.js'
import { openApp } from '../../support/service/app.js'
import { bytesOf } from '../../support/store/files.js'

const MIB = 1024 * 1024
const SWEEP = '/v1/campaigns/sweep'
const FIRST = `${SWEEP}/experiments/0001`

/** Makes the call at every door; nothing on disk may change. */
async function atEveryDoor(
  doors: readonly Door[],
  optionsOf: (door: Door) => CallOptions,
  expected: `${number} ${ProblemCode}`,
): Promise<void> {
  const { call, dataDir } = await openCampaign(3)
  const before = bytesOf(dataDir)
  for (const door of doors) {
    const reply = await call(door.method, door.path, optionsOf(door))
    expect(`${door.id} ${verdict(reply)}`).toBe(`${door.id} ${expected}`)
  }
  expect(bytesOf(dataDir)).toEqual(before)
}

function text(bytes: string): Buffer {
  return Buffer.from(`{"worker":"${bytes}"}`, 'latin1')
}

test.each([
  ['Latin-1', text('caf\xe9')],
  ['UTF-8 of half of a surrogate pair', text('\xed\xa0\x80')],
  ['a character in more bytes than it needs', text('\xc0\xaf')],
  ['a character beyond Unicode', text('\xf4\x90\x80\x80')],
  ['a character that is cut short', text('\xf0\x9f\x98')],
  ['UTF-16', Buffer.from('\ufeff{"worker":"w1"}', 'utf16le')],
  ['a byte behind the end', Buffer.from('{}\xff', 'latin1')],
])('a body that is no UTF-8, %s, is refused at every door, also compressed', async (_what, rawBody) => {
  await atEveryDoor(BODY_DOORS, () => ({ rawBody }), '400 malformed-json')
  const headers = { 'content-encoding': 'gzip' }
  await atEveryDoor(BODY_DOORS, () => ({ rawBody: gzipSync(rawBody), headers }), '400 malformed-json')
})

test.each([
  'application/json; charset=iso-8859-1',
  'application/json;charset="windows-1252"',
  'application/json; version=1; Charset=UTF-16',
  'application/json; charset=',
  'text/json',
  'application/merge-patch+json',
  'application/jsonp',
  'text/plain; charset=utf-8',
])('a body of the type %s is refused at every door', async (type) => {
  await atEveryDoor(
    BODY_DOORS,
    () => ({ rawBody: '{}', headers: { 'content-type': type } }),
    '415 unsupported-media-type',
  )
})

test.each(['application/json', 'Application/JSON; charset=UTF-8', 'application/json;charset="utf8";x=1'])(
  'a body of the type %s is taken',
  async (type) => {
    const { report } = await openCampaign(1)
    const reply = await report('0001', { status: 'running' }, { headers: { 'content-type': type } })
    expect(reply.status).toBe(200)
  },
)

test.each(['br', 'deflate', 'zstd', 'compress', 'gzip, gzip', 'utf-8'])(
  'a body that is sent as %s is refused at every door, which says what is taken',
  async (coding) => {
    const options = { rawBody: '{}', headers: { 'content-encoding': coding } }
    await atEveryDoor(BODY_DOORS, () => options, '415 unsupported-encoding')
    const { call } = await openApp()
    expect((await call('POST', '/v1/campaigns', options)).headers['accept-encoding']).toBe('gzip')
  },
)

/** Of a format that creations read too, with a fault. */
const BODY = '{"no_such_field":1,"config_hash":"1"}'
const packed = gzipSync(BODY)
const damaged = Buffer.from(packed).fill(0xff, 14, 20)

test.each([
  ['is damaged', damaged],
  ['is cut short', packed.subarray(0, -6)],
  ['is not compressed at all', Buffer.from('{}')],
])('a body that is called gzip and %s is refused at every door', async (_what, rawBody) => {
  await atEveryDoor(BODY_DOORS, () => ({ rawBody, headers: { 'content-encoding': 'gzip' } }), '400 malformed-encoding')
})

test('gzip is unpacked at every door', async () => {
  const { call } = await openCampaign(1)
  for (const { method, path } of BODY_DOORS) {
    for (const coding of ['gzip', 'GZIP', 'x-gzip', 'identity']) {
      const rawBody = coding === 'identity' ? BODY : packed
      const reply = await call(method, path, { rawBody, headers: { 'content-encoding': coding } })
      expect(`${method} ${path} ${verdict(reply)}`).toMatch(/ 400 invalid \/(no_such_field|\w+)$/)
    }
  }
})

test('gzip that unpacks to more than its door takes is refused, however small it is', async () => {
  const rawBody = gzipSync(Buffer.alloc(97 * MIB, ' '))
  expect(rawBody.length).toBeLessThan(MIB / 8)
  await atEveryDoor(BODY_DOORS, () => ({ rawBody, headers: { 'content-encoding': 'gzip' } }), '413 body-too-large')
})

test('a campaign may be created by gzip, and gzip in pieces', async () => {
  const { call } = await openApp()
  const json = JSON.stringify(campaignDraft(500))
  const rawBody = Buffer.concat([gzipSync(json.slice(0, 5000)), gzipSync(json.slice(5000))])
  const created = await call('POST', '/v1/campaigns', { rawBody, headers: { 'content-encoding': 'gzip' } })
  expect(created.status).toBe(201)
})

test('percent-encoded bytes that are no UTF-8 are refused at every door, in the path and in the query', async () => {
  const { call, dataDir } = await openCampaign(1)
  const before = bytesOf(dataDir)
  for (const { method, path } of DOORS) {
    for (const bytes of ['%ff', '%ed%a0%80', '%c0%af', '%f0%9f%98', '%c3x%a9', '%e9', '%', '%zz']) {
      for (const url of [`${path}?worker=${bytes}`, `${path}?${bytes}=1`, path.replace(/[^/]+$/, bytes)]) {
        expect(`${method} ${url} ${verdict(await call(method, url))}`).toBe(`${method} ${url} 400 malformed-url`)
      }
    }
  }
  expect(bytesOf(dataDir)).toEqual(before)
})

test('a header that is no UTF-8 is refused wherever a header is read; UTF-8 is taken', async () => {
  const { call } = await openCampaign(1)
  const read = DOORS.flatMap((door) =>
    (door.operation.parameters ?? [])
      .filter(({ in: place }) => place === 'header')
      .map(({ name }) => ({ ...door, name })),
  )
  expect(new Set(read.map(({ name }) => name)).size).toBe(4)
  for (const { method, path, name } of read) {
    const body = BODIES[`${method} ${path}`]
    const reply = await call(method, path, { ...(body && { body }), headers: { [name]: '"\xe9"' } })
    expect(`${method} ${path} ${verdict(reply)}`).toBe(`${method} ${path} 400 invalid header /${name}`)
  }
  const key = { 'idempotency-key': Buffer.from('läufe').toString('latin1') }
  const { campaign_id: _id, ...draft } = campaignDraft(1)
  expect((await call('POST', '/v1/campaigns', { body: draft, headers: key })).status).toBe(201)
})

/** Good bodies, with every text that their schema has. */
const BODIES: Readonly<Record<string, object>> = {
  'POST /v1/campaigns': {
    ...campaignDraft(0, { campaign_id: 'other', labels: { team: 'a' } }),
    experiments: [imported('0001')],
  },
  [`PUT ${SWEEP}`]: campaignDraft(3, {
    labels: { team: 'a' },
    experiments: [...campaignDraft(3).experiments, imported('0009') as ExperimentDraft],
  }),
  [`PATCH ${SWEEP}`]: { campaign_name: 'another', labels: { team: 'a' } },
  [`POST ${SWEEP}/experiments`]: { experiments: [imported('0009')] },
  [`PATCH ${FIRST}`]: { status: 'failed', worker: 'w1', result_path: 'r', error: 'it broke' },
  [`PATCH ${SWEEP}/experiments`]: {
    updates: [{ exp_id: '0001', status: 'failed', worker: 'w1', result_path: 'r', error: 'it broke' }],
  },
  [`POST ${SWEEP}/claims`]: { worker: 'w1', backend: 'vllm', container: 'vllm', claim_id: 'c1' },
  [`POST ${FIRST}/heartbeat`]: { attempt: 1, worker: 'w1' },
  [`PATCH ${SWEEP}/workers/w1`]: { benched: false },
  [`POST ${SWEEP}/retry`]: { exp_ids: ['0001'] },
  [`POST ${SWEEP}/resume`]: { config_hash: '0', experiments: [{ exp_id: '0001', config_hash: '0' }] },
}

function imported(expId: string): object {
  const past = {
    attempt: 1,
    worker: 'w1',
    status: 'failed',
    failure_kind: 'error',
    error: 'it broke',
    result_path: 'r',
  }
  const attempts = [{ ...past, started_at: null, completed_at: null }]
  const now = { status: 'failed', attempt: 2, worker: 'w1', result_path: 'r', error: 'it broke' }
  return { ...experimentDraft(expId), ...now, attempts }
}

/** Every text of a value, and every key of `labels`: its pointer, and the value with `\ud800` behind that text. */
function* spoiled(value: unknown, pointer = ''): Generator<[pointer: string, spoiled: unknown]> {
  if (typeof value === 'string') yield [pointer, `${value}\ud800`]
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      for (const [at, changed] of spoiled(item, `${pointer}/${index}`)) yield [at, value.with(index, changed)]
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value as Readonly<Record<string, unknown>>)) {
      for (const [at, changed] of spoiled(item, `${pointer}/${key}`)) yield [at, { ...value, [key]: changed }]
      if (pointer === '/labels') yield [`${pointer}/${key}\ud800`, { [`${key}\ud800`]: item }]
    }
  }
}

test('half of a surrogate pair is refused in every name of every body', async () => {
  expect(Object.keys(BODIES).sort()).toEqual(BODY_DOORS.map(({ method, path }) => `${method} ${path}`).sort())
  const { call, dataDir } = await openCampaign(3)
  const before = bytesOf(dataDir)
  for (const [door, good] of Object.entries(BODIES)) {
    for (const [pointer, body] of spoiled(good)) {
      if (pointer.endsWith('/error')) continue
      const reply = await call(...partsOf(door), { body })
      expect(placesOf(reply.json()), `${door} ${reply.text}`).toEqual([pointer])
    }
  }
  expect(bytesOf(dataDir)).toEqual(before)
})

test('half of a surrogate pair in a free text becomes U+FFFD', async () => {
  const { call } = await openCampaign(3)
  let count = 0
  for (const [door, good] of Object.entries(BODIES)) {
    for (const [pointer, body] of spoiled(good)) {
      if (!pointer.endsWith('/error')) continue
      count += 1
      await call('DELETE', `${SWEEP}?force=true`)
      await call('DELETE', '/v1/campaigns/other?force=true')
      await call('POST', '/v1/campaigns', { body: campaignDraft(3) })
      const reply = await call(...partsOf(door), { body, headers: { 'if-match': '*' } })
      expect(reply.status, `${door} ${reply.text}`).toBeLessThan(300)
      expect(reply.text).toContain('it broke\ufffd')
    }
  }
  expect(count).toBe(8)
})

function partsOf(door: string): ['POST' | 'PUT' | 'PATCH', string] {
  return door.split(' ') as ['POST' | 'PUT' | 'PATCH', string]
}

/** Where the faults are, of a refusal or of the results of a batch. */
function placesOf(body: Problem | { readonly results: readonly { readonly problem?: Problem }[] }): string[] {
  const problems = 'code' in body ? [body] : body.results.map(({ problem }) => problem)
  return problems.flatMap((problem) => problem?.errors ?? []).map(({ pointer }) => pointer)
}

test('two workers whose names are half of a surrogate pair do not become one', async () => {
  const { call } = await openCampaign(3)
  for (const half of ['\\ud800', '\\ud801']) {
    const rawBody = `{"worker":"n${half}","claim_id":"n${half}/1"}`
    expect(verdict(await call('POST', `${SWEEP}/claims`, { rawBody }))).toBe('400 invalid /worker')
  }
})

/** The schemas of texts that a schema has, each once. */
function textsOf(schema: JsonSchema, place: string, seen = new Set<JsonSchema>()): [string, JsonSchema][] {
  if (seen.has(schema)) return []
  seen.add(schema)
  const inside = (one: JsonSchema | undefined, at: string) => (one === undefined ? [] : textsOf(one, place + at, seen))
  const { $ref, anyOf, type, items, properties, additionalProperties } = schema
  const named = $ref === undefined ? undefined : openApiDocument.components.schemas[$ref.split('/').at(-1) ?? '']
  return [
    ...([type].flat().includes('string') ? [[place, schema] as [string, JsonSchema]] : []),
    ...inside(named, ''),
    ...(anyOf ?? []).flatMap((one) => inside(one, '')),
    ...inside(items, '/0'),
    ...Object.entries(properties ?? {}).flatMap(([key, one]) => inside(one, `/${key}`)),
    ...(typeof additionalProperties === 'object' ? inside(additionalProperties, '/*') : []),
  ]
}

test('every text of every body is a name or a free text by its schema', () => {
  const ajv = new Ajv({ strict: false, formats: { ...TEXT_FORMATS } })
  for (const { id, operation } of BODY_DOORS) {
    const body = operation.requestBody?.content['application/json']?.schema ?? {}
    const texts = textsOf(body, '')
    expect(texts.length > 0, id).toBe(id !== 'patchWorker')
    const careless = texts.filter(([, schema]) => !(FREE_TEXT in schema) && ajv.validate(schema, 'a\ud800'))
    expect(careless.map(([place]) => `${id} ${place}`)).toEqual([])
    const free = texts.filter(([, schema]) => FREE_TEXT in schema).map(([place]) => place)
    expect(free.filter((place) => !/\/(error(_type|_message)?|note)$/.test(place))).toEqual([])
  }
})
