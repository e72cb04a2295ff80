import { expect, test } from 'vitest'
import { openCampaign, type TestCampaign } from '../../support/campaigns/campaign.js'
import { campaignDraft, experimentDraft } from '../../support/campaigns/drafts.js'
import { checkReply } from '../../support/http/contract.js'
import { expectProblem, verdict } from '../../support/http/problems.js'
import type { CallOptions, Method } from '../../support/service/app.js'
import { openApp } from '../../support/service/app.js'
import { bytesOf } from '../../support/store/files.js'

interface Refused {
  readonly what: string
  readonly call: readonly [method: Method, path: string, options?: CallOptions]
  /** As `verdict` puts it. */
  readonly refusal: string
}

const MIB = 1024 * 1024
const SWEEP = '/v1/campaigns/sweep'
const FIRST = `${SWEEP}/experiments/0001`
const draft = { ...campaignDraft(2), campaign_id: 'other' }

function refusedBody(what: string, method: Method, path: string, body: unknown, pointer: string): Refused {
  return { what, call: [method, path, { body }], refusal: `400 invalid ${pointer}` }
}

/** A creation in which the given fields replace those of a good one; an undefined one is left out. */
function creation(what: string, given: object, pointer: string): Refused {
  return refusedBody(what, 'POST', '/v1/campaigns', { ...draft, ...given }, pointer)
}

function creationWith(what: string, given: object, pointer: string): Refused {
  const experiments = [{ ...experimentDraft('0001'), ...given }, experimentDraft('0002')]
  return creation(what, { experiments }, `/experiments/0/${pointer}`)
}

function rawCreation(what: string, change: (json: string) => string, pointer: string): Refused {
  return {
    what,
    call: ['POST', '/v1/campaigns', { rawBody: change(JSON.stringify(draft)) }],
    refusal: `400 invalid ${pointer}`,
  }
}

function report(what: string, body: unknown, pointer: string): Refused {
  return refusedBody(what, 'PATCH', FIRST, body, pointer)
}

function parameter(path: string, name: string, method: Method = 'GET', body?: unknown): Refused {
  return { what: `${method} ${path}`, call: [method, path, { body }], refusal: `400 invalid query /${name}` }
}

function badId(path: string, name = 'campaign_id'): Refused {
  return { what: path, call: ['GET', path], refusal: `400 invalid path /${name}` }
}

function mediaType(what: string, contentType: string): Refused {
  const options = { rawBody: JSON.stringify(draft), headers: { 'content-type': contentType } }
  return { what, call: ['POST', '/v1/campaigns', options], refusal: '415 unsupported-media-type' }
}

function malformed(what: string, rawBody: string): Refused {
  return { what, call: ['POST', '/v1/campaigns', { rawBody }], refusal: '400 malformed-json' }
}

function nested(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels)
}

const firstCycle = (value: string) => (json: string) => json.replace('"cycle_index":0', `"cycle_index":${value}`)
const withMember = (member: string) => (json: string) => json.replace('{', `{${member},`)

const GROUPS: readonly (readonly [promise: string, rows: readonly Refused[]])[] = [
  [
    'an unknown field is refused by name, wherever it is',
    [
      creation('in the campaign', { colour: 'red' }, '/colour'),
      creation('with / and ~ in its name', { 'a/b~c': 1 }, '/a~1b~0c'),
      creation('in the settings', { settings: { colour: 'red' } }, '/settings/colour'),
      creationWith('in an experiment', { colour: 'red' }, 'colour'),
      creationWith('in a lease', { lease: { seconds: 60, claim_id: null, colour: 1 } }, 'lease/colour'),
      report('in a report', { status: 'running', colour: 'red' }, '/colour'),
      report('a field that only the server sets', { revision: 7 }, '/revision'),
      refusedBody('in a change of the campaign', 'PATCH', SWEEP, { config_hash: 'x' }, '/config_hash'),
      refusedBody('in a retry', 'POST', `${SWEEP}/retry`, { dryrun: true }, '/dryrun'),
      refusedBody('in a resume', 'POST', `${SWEEP}/resume`, { dryrun: true }, '/dryrun'),
      refusedBody(
        'beside appended ones',
        'POST',
        `${SWEEP}/experiments`,
        { experiments: [experimentDraft('9')], x: 1 },
        '/x',
      ),
      refusedBody('beside a batch', 'PATCH', `${SWEEP}/experiments`, { updates: [{ exp_id: '0001' }], x: 1 }, '/x'),
    ],
  ],
  [
    'a missing field is refused by name',
    [
      creation('campaign_name', { campaign_name: undefined }, '/campaign_name'),
      creation('config_hash', { config_hash: undefined }, '/config_hash'),
      creation('experiments', { experiments: undefined }, '/experiments'),
      ...Object.keys(experimentDraft('0001')).map((key) => creationWith(key, { [key]: undefined }, key)),
      refusedBody('experiments to append', 'POST', `${SWEEP}/experiments`, {}, '/experiments'),
      refusedBody('updates of a batch', 'PATCH', `${SWEEP}/experiments`, {}, '/updates'),
      refusedBody(
        'exp_id of an update',
        'PATCH',
        `${SWEEP}/experiments`,
        { updates: [{ status: 'running' }] },
        '/updates/0/exp_id',
      ),
      report('anything at all in a report', {}, ''),
      refusedBody('anything at all in a change', 'PATCH', SWEEP, {}, ''),
      { what: 'a body', call: ['POST', '/v1/campaigns', { rawBody: '' }], refusal: '400 invalid ' },
    ],
  ],
  [
    'a value of another type is refused and never converted',
    [
      creation('a number for a text', { campaign_name: 7 }, '/campaign_name'),
      creation('an object for a list', { experiments: {} }, '/experiments'),
      creation('a text for a truth value', { settings: { paused: 'true' } }, '/settings/paused'),
      creation('a number for a label', { labels: { team: 7 } }, '/labels/team'),
      creation('a number for a label with a line break in its key', { labels: { 'a\nb': 7 } }, '/labels/a\nb'),
      creation('an empty name', { campaign_name: '' }, '/campaign_name'),
      creation('an experiment that is a text', { experiments: ['0001'] }, '/experiments/0'),
      creation('a text for a time', { created_at: 'yesterday' }, '/created_at'),
      creation('a day that does not exist', { created_at: '2026-02-30T00:00:00Z' }, '/created_at'),
      creationWith('a text for a number', { cycle_index: '0' }, 'cycle_index'),
      creationWith('a fraction for a whole number', { cycle_index: 1.5 }, 'cycle_index'),
      creationWith('a negative cycle', { cycle_index: -1 }, 'cycle_index'),
      creationWith('an unknown status', { status: 'done' }, 'status'),
      report('an unknown status in a report', { status: 'done' }, '/status'),
      report('a failure kind that only the server sets', { status: 'failed', failure_kind: 'lost' }, '/failure_kind'),
      report('a lease that is too long', { status: 'running', lease_seconds: 86_401 }, '/lease_seconds'),
      report('a lease without length', { status: 'running', lease_seconds: 0 }, '/lease_seconds'),
      refusedBody('a list for an object', 'POST', '/v1/campaigns', [], ''),
      refusedBody('a text for an object', 'PATCH', FIRST, 'running', ''),
      refusedBody('a list for a resume', 'POST', `${SWEEP}/resume`, [], ''),
    ],
  ],
  [
    'null is refused where a text, a number or an object belongs',
    [
      creation('campaign_id', { campaign_id: null }, '/campaign_id'),
      creation('campaign_name', { campaign_name: null }, '/campaign_name'),
      creation('created_at', { created_at: null }, '/created_at'),
      creation('total_experiments', { total_experiments: null }, '/total_experiments'),
      creation('labels', { labels: null }, '/labels'),
      creation('a label', { labels: { team: null } }, '/labels/team'),
      creation('settings', { settings: { max_retries: null } }, '/settings/max_retries'),
      ...Object.keys(experimentDraft('0001')).map((key) => creationWith(key, { [key]: null }, key)),
      report('status', { status: null }, '/status'),
      report('worker', { status: 'running', worker: null }, '/worker'),
      refusedBody('the body of a creation', 'POST', '/v1/campaigns', null, ''),
      refusedBody('the body of a resume', 'POST', `${SWEEP}/resume`, null, ''),
      refusedBody('the body of a retry', 'POST', `${SWEEP}/retry`, null, ''),
    ],
  ],
  [
    'a campaign that contradicts itself is refused',
    [
      creation(
        'an exp_id given twice',
        { experiments: [experimentDraft('0001'), experimentDraft('0002'), experimentDraft('0001')] },
        '/experiments/2/exp_id',
      ),
      creation('a total that is too large', { total_experiments: 3 }, '/total_experiments'),
      creation('a total of none', { total_experiments: 0 }, '/total_experiments'),
      creationWith('an attempt against its retries', { status: 'running', attempt: 1, retry_count: 1 }, 'attempt'),
      creationWith('a pending one that failed', { failure_kind: 'oom' }, 'failure_kind'),
      refusedBody(
        'an exp_id appended twice',
        'POST',
        `${SWEEP}/experiments`,
        { experiments: [experimentDraft('0009'), experimentDraft('0009')] },
        '/experiments/1/exp_id',
      ),
    ],
  ],
  [
    'an id that could name another file or break a path is refused in a body',
    [
      ...['..', '../sweep', 'a/b', 'a\\b', 'a\0', 'a\n', 'a.json', 'Sweep', '-a', '', 'ä', 'a'.repeat(64)].map((id) =>
        creation(JSON.stringify(id), { campaign_id: id }, '/campaign_id'),
      ),
      ...['..', '.', '../0001', 'a/b', 'a\\b', 'a\0', 'a\n', ' a', 'a\u200b', '', 'ä'.repeat(257)].map((id) =>
        creationWith(`experiment ${JSON.stringify(id)}`, { exp_id: id }, 'exp_id'),
      ),
    ],
  ],
  [
    'an id that could name another file or break a path is refused in a path',
    [
      ...[
        'a..b',
        'a%2fb',
        '..%2fsweep',
        '%2e%2e%2fsweep',
        'a%00',
        'sweep%0a',
        'Sweep',
        'sweep.json',
        'a'.repeat(64),
      ].flatMap((id) => [badId(`/v1/campaigns/${id}`), badId(`/v1/campaigns/${id}/progress`)]),
      ...['a%2fb', '..%2f0001', '%2e%2e%2f0001', '0001%00', 'a%20', '0001%e2%80%8b', '0'.repeat(257)].map((id) =>
        badId(`${SWEEP}/experiments/${id}`, 'exp_id'),
      ),
      { what: 'DELETE', call: ['DELETE', '/v1/campaigns/..%2fsweep'], refusal: '400 invalid path /campaign_id' },
      {
        what: 'PATCH',
        call: ['PATCH', `${SWEEP}/experiments/..%2f0001`, { body: { status: 'running' } }],
        refusal: '400 invalid path /exp_id',
      },
      { what: '513 characters', call: ['GET', `/v1/campaigns/${'a'.repeat(513)}`], refusal: '414 url-too-long' },
      { what: '%zz', call: ['GET', '/v1/campaigns/%zz'], refusal: '400 malformed-url' },
      { what: 'half of a character', call: ['GET', '/v1/campaigns/%f0%9f'], refusal: '400 malformed-url' },
    ],
  ],
  [
    'a number that would be rounded is refused',
    [
      rawCreation('2^53', firstCycle('9007199254740992'), '/experiments/0/cycle_index'),
      rawCreation('2^53 + 1', firstCycle('9007199254740993'), '/experiments/0/cycle_index'),
      rawCreation('1e400', firstCycle('1e400'), '/experiments/0/cycle_index'),
      rawCreation('-1e400', firstCycle('-1e400'), '/experiments/0/cycle_index'),
      rawCreation('1e400 as the total', withMember('"total_experiments":1e400'), '/total_experiments'),
      {
        what: '2^53 as the attempt',
        call: ['PATCH', FIRST, { rawBody: '{"status":"running","attempt":9007199254740992}' }],
        refusal: '400 invalid /attempt',
      },
    ],
  ],
  [
    'JSON of more than 32 levels is refused, and one of 200,000 harms nobody',
    [
      rawCreation('32 levels, which are only no campaign', () => nested(32), ''),
      rawCreation('33 levels', () => nested(33), '/0'.repeat(32)),
      rawCreation(
        '33 levels in a label',
        withMember(`"labels":{"team":${nested(31)}}`),
        `/labels/team${'/0'.repeat(30)}`,
      ),
      rawCreation('200,000 levels', () => nested(200_000), '/0'.repeat(32)),
      rawCreation('as many that stay open', () => '['.repeat(200_000), '/0'.repeat(32)),
      rawCreation(
        '33 levels behind a text that ends with an escape',
        withMember(`"labels":{"a":"\\\\","team":${nested(31)}}`),
        `/labels/team${'/0'.repeat(30)}`,
      ),
      rawCreation('100,000 objects', () => '{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000), '/a'.repeat(32)),
    ],
  ],
  [
    'the key __proto__ is refused like any that is not known',
    [
      rawCreation('in the campaign', withMember('"__proto__":{"x":1}'), '/__proto__'),
      rawCreation(
        'in an experiment',
        (json) => json.replace('"exp_id"', '"__proto__":{"status":"completed"},"exp_id"'),
        '/experiments/0/__proto__',
      ),
      rawCreation('in the labels', withMember('"labels":{"__proto__":"x"}'), '/labels/__proto__'),
      rawCreation('in the settings', withMember('"settings":{"__proto__":{"paused":true}}'), '/settings/__proto__'),
      {
        what: 'in a report',
        call: ['PATCH', FIRST, { rawBody: '{"__proto__":{"status":"running"}}' }],
        refusal: '400 invalid /__proto__',
      },
    ],
  ],
  [
    'a body that is not declared as JSON is refused',
    [
      mediaType('text/plain', 'text/plain'),
      mediaType('a form', 'application/x-www-form-urlencoded'),
      mediaType('another kind of JSON', 'application/merge-patch+json'),
      mediaType('almost JSON', 'application/jsonp'),
      mediaType('nothing that is a type', 'json'),
    ],
  ],
  [
    'a body that is not JSON is refused',
    [
      malformed('a word', 'campaign'),
      malformed('cut short', JSON.stringify(draft).slice(0, -1)),
      malformed('with something behind it', `${JSON.stringify(draft)}x`),
      malformed('a trailing comma', '{"campaign_name":"x",}'),
      malformed('NaN', '{"campaign_name":NaN}'),
      malformed('a line break in a text', '{"campaign_name":"a\nb"}'),
      { what: 'in a report', call: ['PATCH', FIRST, { rawBody: '{' }], refusal: '400 malformed-json' },
      { what: 'in a batch', call: ['PATCH', `${SWEEP}/experiments`, { rawBody: '{' }], refusal: '400 malformed-json' },
    ],
  ],
  [
    'a path or a method that there is not is refused',
    [
      { what: 'no such path', call: ['GET', '/v1/nothing'], refusal: '404 not-found' },
      { what: 'no such path with a body', call: ['POST', '/v1/nothing', { body: {} }], refusal: '404 not-found' },
      { what: 'no such method', call: ['PUT', '/v1/campaigns', { body: {} }], refusal: '405 method-not-allowed' },
      { what: 'another version', call: ['GET', '/v2/campaigns'], refusal: '404 not-found' },
      { what: 'a slash too many', call: ['GET', '/v1/campaigns/'], refusal: '404 not-found' },
      { what: 'no such campaign', call: ['GET', '/v1/campaigns/nothing'], refusal: '404 campaign-not-found' },
    ],
  ],
  [
    'a query parameter that cannot be is refused by name',
    [
      ...['/v1/campaigns', `${SWEEP}/experiments`].flatMap((list) => [
        ...['0', '1001', '-1', 'abc', '1.5', ''].map((limit) => parameter(`${list}?limit=${limit}`, 'limit')),
        parameter(`${list}?limit=1&limit=2`, 'limit'),
        ...['', 'abc', 'bnVsbA', 'LTE', 'W10'].map((token) => parameter(`${list}?page_token=${token}`, 'page_token')),
      ]),
      parameter('/v1/campaigns?sort=size', 'sort'),
      parameter('/v1/campaigns?state=done', 'state'),
      parameter('/v1/campaigns?label=team', 'label'),
      parameter(`${SWEEP}/experiments?status=done`, 'status/0'),
      parameter(`${SWEEP}/experiments?cycle_index=-1`, 'cycle_index'),
      parameter(`${SWEEP}/experiments?cycle_index=x`, 'cycle_index'),
      parameter(`${SWEEP}/experiments?remaining=maybe`, 'remaining'),
      parameter(`${SWEEP}/experiments?remaining=true&status=failed`, 'remaining'),
      parameter(`${SWEEP}/progress?wait=61`, 'wait'),
      parameter(`${SWEEP}/progress?wait=-1`, 'wait'),
      parameter(`${SWEEP}/progress?until=noon`, 'until'),
      parameter(`${SWEEP}?format=xml`, 'format'),
      parameter(`${SWEEP}?force=maybe`, 'force', 'DELETE'),
      parameter(`${SWEEP}?force=maybe`, 'force', 'PUT', draft),
      parameter(`${SWEEP}/experiments?atomic=maybe`, 'atomic', 'PATCH', {
        updates: [{ exp_id: '0001', status: 'running' }],
      }),
      {
        what: 'beside a batch that has an update that is not valid',
        call: [
          'PATCH',
          `${SWEEP}/experiments?atomic=maybe`,
          { body: { updates: [{ exp_id: '0001', status: 'done' }] } },
        ],
        refusal: '400 invalid query /atomic',
      },
    ],
  ],
  [
    'a time zone that there is not is refused wherever one can be given',
    [
      parameter('/v1/campaigns?timezone=Mars/Olympus', 'timezone', 'POST', draft),
      parameter(`${SWEEP}?timezone=Mars/Olympus`, 'timezone'),
      parameter(`${SWEEP}?timezone=Mars/Olympus`, 'timezone', 'PUT', draft),
      parameter(`${SWEEP}/experiments?timezone=Mars/Olympus`, 'timezone', 'POST', {
        experiments: [experimentDraft('9')],
      }),
      parameter(`${SWEEP}/experiments?timezone=Mars/Olympus`, 'timezone', 'PATCH', {
        updates: [{ exp_id: '0001', status: 'running' }],
      }),
      parameter(`${FIRST}?timezone=Mars/Olympus`, 'timezone', 'PATCH', { status: 'running' }),
      parameter(`${FIRST}?timezone=`, 'timezone', 'PATCH', { status: 'running' }),
    ],
  ],
  [
    'an unknown query parameter is refused by every call, since what it should have done would not be done',
    [
      parameter('/v1/campaigns?colour=red', 'colour'),
      parameter(SWEEP + '?colour=red', 'colour'),
      parameter(`${SWEEP}/progress?colour=red`, 'colour'),
      parameter(`${SWEEP}/experiments?colour=red`, 'colour'),
      parameter(`${FIRST}?colour=red`, 'colour'),
      parameter('/v1/campaigns?colour=red', 'colour', 'POST', draft),
      parameter(`${SWEEP}/experiments?colour=red`, 'colour', 'POST', { experiments: [experimentDraft('0009')] }),
      parameter(`${SWEEP}/experiments?colour=red`, 'colour', 'PATCH', {
        updates: [{ exp_id: '0001', status: 'running' }],
      }),
      parameter(`${FIRST}?colour=red`, 'colour', 'PATCH', { status: 'running' }),
      parameter(`${SWEEP}?paused=true`, 'paused', 'PATCH', { settings: { paused: true } }),
      parameter(`${SWEEP}/resume?dry_run=true`, 'dry_run', 'POST', { config_hash: '0', on_config_change: 'accept' }),
      parameter(`${SWEEP}/retry?dry_run=true`, 'dry_run', 'POST', {}),
      parameter(`${SWEEP}?colour=red`, 'colour', 'DELETE'),
      parameter(`${SWEEP}?colour=red`, 'colour', 'PUT', draft),
    ],
  ],
  [
    'an Idempotency-Key that is empty or too long is refused',
    ['', 'k'.repeat(256)].map((key) => ({
      what: `${key.length} characters`,
      call: ['POST', '/v1/campaigns', { body: draft, headers: { 'idempotency-key': key } }] as const,
      refusal: '400 invalid header /idempotency-key',
    })),
  ],
]

test.each(GROUPS)('%s', async (_promise, rows) => {
  const campaign = await openCampaign(3)
  await unharmed(campaign, async () => {
    const replies: [string, string][] = []
    for (const { what, call } of rows) replies.push([what, verdict(await campaign.call(...call))])
    expect(Object.fromEntries(replies)).toEqual(Object.fromEntries(rows.map(({ what, refusal }) => [what, refusal])))
  })
})

test('a body without any content type is refused', async () => {
  const campaign = await openCampaign(3)
  await unharmed(campaign, async () => {
    const reply = await campaign.app.inject({ method: 'POST', url: '/v1/campaigns', payload: JSON.stringify(draft) })
    checkReply('POST', '/v1/campaigns', reply.statusCode, reply.headers, reply.payload)
    expect(reply.statusCode).toBe(415)
    expect(reply.json()).toMatchObject({ code: 'unsupported-media-type' })
  })
})

test('a deletion takes no body, and says so as documented when it is sent one', async () => {
  const { call } = await openApp()
  const reply = await call('DELETE', '/v1/campaigns/nothing', {
    rawBody: 'x',
    headers: { 'content-type': 'text/plain' },
  })
  expect(['404 campaign-not-found', '415 unsupported-media-type']).toContain(verdict(reply))
})

test('JSON with a charset, in capitals and with a byte order mark is taken', async () => {
  const { call } = await openApp()
  const headers = { 'content-type': 'Application/JSON; charset=UTF-8' }
  const created = await call('POST', '/v1/campaigns', { rawBody: `\ufeff${JSON.stringify(draft)}`, headers })
  expect(created.status).toBe(201)
})

test.each<[string, number, Method, string]>([
  ['a report', 4, 'PATCH', FIRST],
  ['a batch', 16, 'PATCH', `${SWEEP}/experiments`],
  ['a change of the campaign', 1, 'PATCH', SWEEP],
  ['a retry', 16, 'POST', `${SWEEP}/retry`],
  ['a resume', 16, 'POST', `${SWEEP}/resume`],
  ['a claim', 16, 'POST', `${SWEEP}/claims`],
  ['a heartbeat', 1, 'POST', `${FIRST}/heartbeat`],
])('%s of more than %i MiB is refused, one of less is read', async (_what, most, method, path) => {
  const campaign = await openCampaign(3)
  await unharmed(campaign, async () => {
    const unknown = JSON.stringify({ unknown: Array.from({ length: most }, () => 'x'.repeat(MIB - 100)) })
    expectProblem(await campaign.call(method, path, { rawBody: unknown }), 400, 'invalid')
    const rawBody = JSON.stringify({ error: 'x'.repeat(most * MIB) })
    expectProblem(await campaign.call(method, path, { rawBody }), 413, 'body-too-large')
  })
})

test('creating takes one and a half times what a campaign may have, appending as much, and no more', async () => {
  const { call, dataDir } = await openApp({ limits: { maxCampaignBytes: 3 * MIB } })
  const ofSize = (size: number) =>
    campaignDraft(1, {
      experiments: numbers(size / 4200).map((n) => experimentDraft(`e${n}`, { config_path: 'x'.repeat(4000) })),
    })
  const empty = bytesOf(dataDir)
  expectProblem(await call('POST', '/v1/campaigns', { body: ofSize(4.7 * MIB) }), 413, 'body-too-large')
  expect(bytesOf(dataDir)).toEqual(empty)
  expect((await call('POST', '/v1/campaigns', { body: ofSize(1 * MIB) })).status).toBe(201)

  const before = bytesOf(dataDir)
  const appended = (count: number) => ({
    experiments: numbers(count).map((n) => experimentDraft(`a${n}`, { config_path: 'x'.repeat(4000) })),
  })
  expectProblem(await call('POST', `${SWEEP}/experiments`, { body: appended(800) }), 413, 'body-too-large')
  expect(bytesOf(dataDir)).toEqual(before)
  expect((await call('POST', `${SWEEP}/experiments`, { body: appended(200) })).status).toBe(201)
})

test('a failure report within the limit is never refused for its length, and keeps its end', async () => {
  const { report } = await openCampaign(1)
  const reply = await report('0001', { status: 'failed', error: `${'x'.repeat(4 * MIB - 200)} the cause` })
  expect(reply.status).toBe(200)
  const { error } = reply.json<{ error: string }>()
  expect(error).toMatch(/^\[\d+ bytes cut\]\n/)
  expect(error).toMatch(/ the cause$/)
  expect(Buffer.byteLength(error)).toBeLessThanOrEqual(8192)
  expect(Buffer.byteLength(error)).toBeGreaterThan(8000)
})

test('an exp_id of any script, of 256 characters, can be created, reported on, read and claimed', async () => {
  const ids = ['größe 試験', '\u{1f600}'.repeat(256), '#%?&;+', 'a..b']
  const { call, report, path } = await openCampaign(0, { experiments: ids.map((id) => experimentDraft(id)) })
  for (const id of ids) {
    const url = `${path}/experiments/${encodeURIComponent(id)}`
    expect((await report(encodeURIComponent(id), { status: 'running', worker: 'w' })).json()).toMatchObject({
      exp_id: id,
    })
    expect((await call('GET', url)).json()).toMatchObject({ exp_id: id, status: 'running' })
  }
  const updates = ids.map((exp_id) => ({ exp_id, status: 'failed' }))
  const batch = await call('PATCH', `${path}/experiments`, { body: { updates } })
  expect(batch.json<{ results: { status: number }[] }>().results.map(({ status }) => status)).toEqual([
    200, 200, 200, 200,
  ])
  const retried = await call('POST', `${path}/retry`, { body: { exp_ids: ids } })
  expect(retried.json()).toMatchObject({ retried: ids })
  const claims = await call('POST', `${path}/claims`, { body: { worker: 'w', limit: 4 } })
  expect(claims.text).toContain(JSON.stringify(ids[1]))
})

test('keys that every object inherits are labels like any other', async () => {
  const labels = { constructor: 'a', toString: 'b', hasOwnProperty: 'c' }
  const { call, manifest } = await openCampaign(1, { labels })
  expect((await manifest()).labels).toEqual(labels)
  const found = await call('GET', '/v1/campaigns?label=constructor:a')
  expect(found.json<{ campaigns: unknown[] }>().campaigns).toHaveLength(1)
  const others = await call('GET', '/v1/campaigns?label=valueOf:a')
  expect(others.json<{ campaigns: unknown[] }>().campaigns).toEqual([])
})

/** Expects that nothing on disk is touched meanwhile, and that the next good call is served. */
async function unharmed({ dataDir, report }: TestCampaign, attack: () => Promise<void>): Promise<void> {
  const before = bytesOf(dataDir)
  await attack()
  expect(bytesOf(dataDir)).toEqual(before)
  expect((await report('0001', { status: 'running' })).status).toBe(200)
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}
