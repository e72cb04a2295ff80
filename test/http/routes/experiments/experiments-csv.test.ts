import { describe, expect, test } from 'vitest'
import type { ExperimentDraft } from '#campaignd/domain/operations/draft.js'
import { etagOf, openCampaign, openSample, type TestCampaign } from '../../../support/campaigns/campaign.js'
import { experimentDraft } from '../../../support/campaigns/drafts.js'
import { send } from '../../../support/http/client.js'
import { verdict } from '../../../support/http/problems.js'

const FIXED = [
  ...['exp_id', 'config_name', 'config_path', 'config_hash', 'backend', 'container', 'cycle_index', 'status'],
  ...['result_path', 'started_at', 'completed_at', 'error', 'retry_count', 'attempt', 'revision', 'worker', 'actor'],
  ...['failure_kind', 'lease_seconds', 'claim_id', 'claimed_at', 'failures', 'losses', 'duration_seconds'],
]

/** The cells of each row as they are written, quotes included, as RFC 4180 has them. */
function rawRows(text: string): string[][] {
  expect(text.endsWith('\r\n')).toBe(true)
  const rows: string[][] = [[]]
  const cell = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n)/gy
  for (let match = cell.exec(text); match !== null; match = cell.exec(text)) {
    const [, written = '', end] = match
    rows.at(-1)?.push(written)
    if (end === '\r\n') rows.push([])
    if (cell.lastIndex === text.length) return rows.slice(0, -1)
  }
  throw new Error(`no CSV: ${text.slice(0, 500)}`)
}

function valueOf(written: string): string {
  return written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written
}

interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly Readonly<Record<string, string>>[]
}

function tableOf(text: string): Table {
  const [columns = [], ...rows] = rawRows(text).map((row) => row.map(valueOf))
  for (const row of rows) expect(row).toHaveLength(columns.length)
  return { columns, rows: rows.map((row) => Object.fromEntries(row.map((value, at) => [columns[at] ?? '', value]))) }
}

async function csv({ call, path }: TestCampaign, query = ''): Promise<string> {
  const reply = await call('GET', `${path}/experiments?format=csv${query}`)
  expect(reply.status, reply.text).toBe(200)
  return reply.text
}

async function table(campaign: TestCampaign, query = ''): Promise<Table> {
  return tableOf(await csv(campaign, query))
}

async function idsOf(campaign: TestCampaign, query: string): Promise<string> {
  return (await table(campaign, query)).rows.map(({ exp_id }) => exp_id?.slice(-2)).join(' ')
}

/** One experiment with the fields; its row as a record, and as it is written. */
async function oneRow(given: Partial<ExperimentDraft>) {
  const campaign = await openCampaign(0, { experiments: [experimentDraft('0001', given)] })
  const text = await csv(campaign)
  const [columns = [], cells = []] = rawRows(text)
  return {
    value: tableOf(text).rows[0] ?? {},
    written: Object.fromEntries(cells.map((cell, at) => [columns[at] ?? '', cell])),
  }
}

describe('the table', () => {
  test('has the fields of an experiment, the lease in parts, then the duration', async () => {
    const campaign = await openCampaign(3)
    await campaign.call('POST', `${campaign.path}/claims`, { body: { worker: 'gpu-1', claim_id: 'c1' } })
    const { columns, rows } = await table(campaign)
    expect(columns).toEqual(FIXED)
    const { experiments } = await campaign.manifest()
    expect(rows.map(({ exp_id }) => exp_id)).toEqual(experiments.map(({ exp_id }) => exp_id))
    const at = '2026-03-01T12:00:00.000Z'
    const lease = { lease_seconds: '60', claim_id: 'c1', claimed_at: at }
    expect(rows[0]).toMatchObject({ ...lease, status: 'running', worker: 'gpu-1', started_at: at, attempt: '1' })
    expect(rows[1]).toMatchObject({ lease_seconds: '', claim_id: '', claimed_at: '', worker: '', cycle_index: '1' })
  })

  test('has every experiment, however many pages these are, with the values of JSON', async () => {
    const campaign = await openCampaign(2500)
    const { rows } = await table(campaign)
    const { experiments } = await campaign.manifest()
    expect(rows).toHaveLength(2500)
    const simple = FIXED.slice(0, FIXED.indexOf('lease_seconds'))
    const written = experiments.map((experiment) => {
      const values = new Map(Object.entries(experiment) as [string, string | number | null][])
      return Object.fromEntries(simple.map((key) => [key, String(values.get(key) ?? '')]))
    })
    expect(rows).toMatchObject(written)
  })

  test('has only its header where nothing matches', async () => {
    const campaign = await openCampaign(3)
    expect(await csv(campaign, '&status=failed')).toBe(`${FIXED.join(',')}\r\n`)
    expect(await csv(await openCampaign(0))).toBe(`${FIXED.join(',')}\r\n`)
  })

  test('has a column for each metric of those that match, sorted by name', async () => {
    const experiments = [
      experimentDraft('0001', { status: 'completed', metrics: { 'tokens/s': 812.4, b: -0.5 } }),
      experimentDraft('0002', { backend: 'pytorch', status: 'completed', metrics: { a: 1e-7, 'x,"y"': 0 } }),
      experimentDraft('0003'),
    ]
    const campaign = await openCampaign(0, { experiments })
    const all = await table(campaign)
    const metrics = ['metrics.a', 'metrics.b', 'metrics.tokens/s', 'metrics.x,"y"']
    expect(all.columns).toEqual([...FIXED, ...metrics])
    expect(all.rows.map((row) => metrics.map((name) => row[name]))).toEqual([
      ['', '-0.5', '812.4', ''],
      ['1e-7', '', '', '0'],
      ['', '', '', ''],
    ])
    const some = await table(campaign, '&backend=vllm')
    expect(some.columns).toEqual([...FIXED, 'metrics.b', 'metrics.tokens/s'])
    expect(some.rows).toHaveLength(2)
  })

  test('takes names that objects have by themselves for metrics of those that have them only', async () => {
    const named = JSON.parse('{"constructor": 1, "toString": 2, "2": 3, "10": 4}') as Record<string, number>
    const experiments = [experimentDraft('0001', { status: 'completed', metrics: named }), experimentDraft('0002')]
    const { columns, rows } = await table(await openCampaign(0, { experiments }))
    const metrics = columns.slice(FIXED.length)
    expect(metrics).toEqual(['metrics.10', 'metrics.2', 'metrics.constructor', 'metrics.toString'])
    expect(rows.map((row) => metrics.map((name) => row[name]))).toEqual([
      ['4', '3', '1', '2'],
      ['', '', '', ''],
    ])
  })

  test('is refused where it would have more than 10,000 metrics, and is not with a filter', async () => {
    const experiments = Array.from({ length: 313 }, (_, index) => {
      const names = Array.from({ length: 32 }, (_name, at) => [`m${index}-${at}`, at])
      return experimentDraft(`e${index}`, {
        status: 'completed',
        cycle_index: index,
        metrics: Object.fromEntries(names) as Record<string, number>,
      })
    })
    const campaign = await openCampaign(0, { experiments })
    const reply = await campaign.call('GET', `${campaign.path}/experiments?format=csv`)
    expect(verdict(reply)).toBe('400 invalid query /format')
    expect(reply.headers).not.toHaveProperty('etag')
    expect((await table(campaign, '&cycle_index=7')).columns).toHaveLength(FIXED.length + 32)
  })
})

describe('the duration', () => {
  test.each([
    ['2026-02-03T21:00:00Z', '2026-02-03T21:00:01.2345Z', '1.234'],
    ['2026-02-03T21:00:00.123456789Z', '2026-02-03T22:00:00.123Z', '3600'],
    ['2026-02-03T21:00:00Z', '2026-02-03T21:00:00Z', '0'],
    ['2026-02-03T21:00:00Z', '2026-02-03T20:59:59Z', ''],
    [null, '2026-02-03T20:59:59Z', ''],
    ['2026-02-03T21:00:00Z', null, ''],
  ])('from %s to %s it is %j seconds', async (started_at, completed_at, duration) => {
    const status = completed_at === null ? 'running' : 'failed'
    expect((await oneRow({ status, started_at, completed_at })).value['duration_seconds']).toBe(duration)
  })
})

describe('cells', () => {
  test.each([
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\nlines', '"two\nlines"'],
    ['two\r\nlines', '"two\r\nlines"'],
    ['', '""'],
    [' blanks ', ' blanks '],
    ['Grüße 日本 😀', 'Grüße 日本 😀'],
    ['=1+1', "'=1+1"],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t=1"],
    ['=HYPERLINK("http://a,b")', '"\'=HYPERLINK(""http://a,b"")"'],
    ['1-1=0', '1-1=0'],
    ["'=1", "'=1"],
  ])('the text %j is written as %j', async (error, written) => {
    expect((await oneRow({ status: 'failed', error })).written['error']).toBe(written)
  })

  test('each field that is a text is made harmless, ids too', async () => {
    const campaign = await openCampaign(0, { experiments: [experimentDraft('-1', { backend: '@b', container: '=c' })] })
    await campaign.report('-1', { status: 'running', worker: '+w' })
    const [row] = (await table(campaign)).rows
    expect(row).toMatchObject({ exp_id: "'-1", backend: "'@b", container: "'=c", worker: "'+w" })
  })
})

describe('what is asked for', () => {
  test('has the same filters as JSON', async () => {
    const campaign = await openSample('03_shuffled_18_resumed_then_crashed')
    expect(await idsOf(campaign, '&status=pending&status=running')).toBe('55 56 57 58 59')
    expect(await idsOf(campaign, '&backend=pytorch&cycle_index=2')).toBe('55 57')
    expect(await idsOf(campaign, '&remaining=true')).toBe('56 57 58 59')
    expect(await idsOf(campaign, '&worker=none')).toBe('')
    const refused = await campaign.call('GET', `${campaign.path}/experiments?format=csv&remaining=true&status=failed`)
    expect(verdict(refused)).toBe('400 invalid query /remaining')
  })

  test.each([
    ['?format=csv&limit=10', {}, 'query /limit'],
    ['?format=csv&page_token=MQ', {}, 'query /page_token'],
    ['?limit=10', { accept: 'text/csv' }, 'query /limit'],
    ['?page_token=MQ', { accept: 'text/csv' }, 'query /page_token'],
    ['?format=xlsx', {}, 'query /format'],
    ['?format=', {}, 'query /format'],
    ['?format=csv&format=csv', {}, 'query /format'],
    ['?format=csv&failure_kind=bad', {}, 'query /failure_kind'],
  ])('%s with %j is refused at %s', async (query, headers, place) => {
    const { call, path } = await openCampaign(3)
    expect(verdict(await call('GET', `${path}/experiments${query}`, { headers }))).toBe(`400 invalid ${place}`)
  })

  test.each([
    ['text/csv', true],
    ['TEXT/CSV; charset=utf-8', true],
    ['text/csv, application/json;q=0.9', true],
    ['application/json;q=0.5, text/*', true],
    ['text/csv, */*', true],
    ['text/csv;q=0.8, */*;q=0.1', true],
    ['text/csv;header=present;q=0.7,application/json;q=0.3', true],
    ['*/*', false],
    ['application/json', false],
    ['text/csv, application/json', false],
    ['text/csv;q=0.5, application/json', false],
    ['text/csv;q=0.5, */*', false],
    ['text/csv;q=0', false],
    ['text/csv;q=much', false],
    ['text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8', false],
    ['', false],
  ])('Accept: %s, CSV is %j', async (accept, isCsv) => {
    const { call, path } = await openCampaign(1)
    const { headers, status } = await call('GET', `${path}/experiments`, { headers: { accept } })
    const type = isCsv ? 'text/csv; charset=utf-8; header=present' : 'application/json; charset=utf-8'
    expect([status, headers['content-type']]).toEqual([200, type])
    expect((headers['vary'] ?? '').split(', ')).toContain('Accept')
  })

  test('?format=csv holds whatever Accept says', async () => {
    const { call, path } = await openCampaign(1)
    const reply = await call('GET', `${path}/experiments?format=csv`, { headers: { accept: 'application/json' } })
    expect(reply.headers['content-type']).toMatch(/^text\/csv;/)
  })
})

describe('the response', () => {
  test('is a file with the name of the campaign', async () => {
    const { call, path } = await openCampaign(3)
    const { headers } = await call('GET', `${path}/experiments?format=csv`)
    expect(headers['content-disposition']).toBe('attachment; filename="sweep.csv"')
    expect((await call('GET', `${path}/experiments`)).headers).not.toHaveProperty('content-disposition')
  })

  test('has a tag that is not that of JSON, and neither is known by the other', async () => {
    const campaign = await openCampaign(3)
    const path = `${campaign.path}/experiments`
    const asCsv = { accept: 'text/csv' }
    const tags = {
      json: etagOf(await campaign.call('GET', path)),
      csv: etagOf(await campaign.call('GET', path, { headers: asCsv })),
    }
    expect(tags.csv).not.toBe(tags.json)
    const statusOf = async (headers: Readonly<Record<string, string>>) =>
      (await campaign.call('GET', path, { headers })).status
    expect(await statusOf({ 'if-none-match': tags.csv })).toBe(200)
    expect(await statusOf({ ...asCsv, 'if-none-match': tags.json })).toBe(200)
    const known = await campaign.call('GET', path, { headers: { ...asCsv, 'if-none-match': tags.csv } })
    expect([known.status, known.text, known.headers['vary']]).toEqual([304, '', 'Accept, Accept-Encoding'])
    await campaign.report('0001', { status: 'running' })
    expect(await statusOf({ ...asCsv, 'if-none-match': tags.csv })).toBe(200)
  })

  test('a change may require its version by its tag', async () => {
    const { call, path } = await openCampaign(3)
    const tag = etagOf(await call('GET', `${path}/experiments?format=csv`))
    const change = (campaign_name: string) =>
      call('PATCH', path, { body: { campaign_name }, headers: { 'if-match': tag } })
    expect((await change('one')).status).toBe(200)
    expect((await change('two')).status).toBe(412)
  })

  test('of a campaign that is not there, or whose id is bad, is a problem', async () => {
    const { call } = await openCampaign(1)
    expect(verdict(await call('GET', '/v1/campaigns/none/experiments?format=csv'))).toBe('404 campaign-not-found')
    expect(verdict(await call('GET', '/v1/campaigns/N/experiments?format=csv'))).toBe('400 invalid path /campaign_id')
  })

  test('is sent in pieces when it is large, gzip too, and others are answered meanwhile', async () => {
    const experiments = Array.from({ length: 5000 }, (_, index) =>
      experimentDraft(`e${index}`, { status: 'completed', metrics: { [`m${index % 50}`]: index } }),
    )
    const campaign = await openCampaign(0, { experiments })
    const url = await campaign.listen()
    const path = `${url}${campaign.path}/experiments?format=csv`
    const [plain, health] = await Promise.all([send('GET', path), send('GET', `${url}/healthz`)])
    expect([plain.status, health.status]).toEqual([200, 200])
    expect(plain.headers.get('transfer-encoding')).toBe('chunked')
    const { columns, rows } = tableOf(plain.text)
    expect([columns.length, rows.length]).toEqual([FIXED.length + 50, 5000])
    expect(rows.every((row, index) => row[`metrics.m${index % 50}`] === String(index))).toBe(true)
    const packed = await fetch(path, { headers: { 'accept-encoding': 'gzip' } })
    expect(packed.headers.get('content-encoding')).toBe('gzip')
    expect(await packed.text()).toBe(plain.text)
    const head = await send('HEAD', path)
    expect([head.status, head.text, head.headers.get('etag')]).toEqual([200, '', plain.headers.get('etag')])
  })
})

test('experiments are found by why they failed', async () => {
  const campaign = await openCampaign(5)
  await campaign.report('0001', { status: 'failed', failure_kind: 'oom' })
  await campaign.report('0002', { status: 'failed', failure_kind: 'timeout' })
  await campaign.report('0003', { status: 'failed' })
  await campaign.report('0004', { status: 'failed', failure_kind: 'oom', worker: 'gpu-1' })
  const found = async (query: string) => {
    const reply = await campaign.call('GET', `${campaign.path}/experiments?${query}`)
    const { experiments, next_page_token } = reply.json<{
      experiments: { exp_id: string }[]
      next_page_token: string | null
    }>()
    return [experiments.map(({ exp_id }) => exp_id.slice(-2)).join(' '), next_page_token]
  }
  expect(await found('failure_kind=oom')).toEqual(['01 04', null])
  expect(await found('failure_kind=error')).toEqual(['03', null])
  expect(await found('failure_kind=lost')).toEqual(['', null])
  expect(await found('failure_kind=oom&worker=gpu-1')).toEqual(['04', null])
  expect(await found('failure_kind=oom&status=pending')).toEqual(['', null])
  const [first, token] = await found('failure_kind=oom&limit=1')
  expect(first).toBe('01')
  expect(await found(`failure_kind=oom&limit=1&page_token=${token ?? ''}`)).toEqual(['04', null])
  expect(await idsOf(campaign, '&failure_kind=oom')).toBe('01 04')
  for (const bad of ['OOM', '']) {
    const reply = await campaign.call('GET', `${campaign.path}/experiments?failure_kind=${bad}`)
    expect(verdict(reply)).toBe('400 invalid query /failure_kind')
  }
})
