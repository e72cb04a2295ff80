import { expect, test } from 'vitest'
import { openCampaign } from '../../support/campaigns/campaign.js'
import { expectProblem } from '../../support/http/problems.js'
import { bytesOf } from '../../support/store/files.js'

const MIB = 1024 * 1024
const many = (count: number, item: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => item(index))

const BODIES: Readonly<Record<string, () => string>> = {
  'millions of empty objects': () => `{"campaign_name":"x","experiments":[${'{},'.repeat(3 * MIB)}{}]}`,
  'millions of empty arrays': () => `{"campaign_name":"x","experiments":[${'[],'.repeat(3 * MIB)}[]]}`,
  'hundreds of thousands of keys': () => `{"labels":{${many(200_000, (index) => `"${index}x":""`).join(',')}}}`,
  'a text of 8 MiB': () => `{"campaign_name":"${'x'.repeat(8 * MIB)}"}`,
  'a key of 8 MiB': () => `{"${'x'.repeat(8 * MIB)}":1}`,
  'a text of 8 MiB that consists of escapes': () => `{"campaign_name":"${'\\n'.repeat(4 * MIB)}"}`,
}

test('the longest list that any call takes is read, however short its items are', async () => {
  const { call, path } = await openCampaign(1)
  const experiments = many(100_000, (index) => `{"exp_id":"${index}","config_hash":"1"}`).join(',')
  const rawBody = `{"config_hash":"1","experiments":[${experiments}]}`
  const headers = { 'content-type': 'application/json' }
  expectProblem(await call('POST', `${path}/resume`, { rawBody, headers }), 409, 'config-changed')
})

test.each(Object.entries(BODIES))(
  'a body of %s is refused before it is parsed, and changes nothing',
  async (_name, body) => {
    const { call, dataDir } = await openCampaign(1)
    const before = bytesOf(dataDir)
    const headers = { 'content-type': 'application/json' }
    expectProblem(await call('POST', '/v1/campaigns', { rawBody: body(), headers }), 413, 'body-too-large')
    expect(bytesOf(dataDir)).toEqual(before)
  },
)
