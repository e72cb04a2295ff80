import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { openCampaign } from '../../support/campaigns/campaign.js'
import { expectProblem } from '../../support/http/problems.js'
import { RawConnection } from '../../support/http/raw-connection.js'
import { bytesOf } from '../../support/store/files.js'

const KIB = 1024
const MIB = 1024 * KIB

test('bodies on their way have a limit together, as they unpack; small ones always fit, and who leaves makes room', async () => {
  // 64 MiB, and one and a half times this; zlib takes 112 KiB for each.
  const campaign = await openCampaign(1, {}, { limits: { maxCampaignBytes: 512 * KIB } })
  const { call, dataDir, path, report } = campaign
  const url = await campaign.listen()
  const batch = () => {
    const updates = [{ exp_id: '0001', status: 'failed', error: 'e'.repeat(200 * KIB) }]
    return call('PATCH', `${path}/experiments`, { body: { updates } })
  }
  /** Sends a body of that size, but for its end. */
  const begin = async (size: number) => {
    const bytes = gzipSync(Buffer.alloc(size, ' '))
    const lines = [`PATCH ${path}/experiments HTTP/1.1`, 'Host: localhost', 'Content-Type: application/json']
    const head = [...lines, 'Content-Encoding: gzip', `Content-Length: ${bytes.length}`, '', ''].join('\r\n')
    const connection = await RawConnection.open(url)
    onTestFinished(() => {
      connection.reset()
    })
    connection.write(Buffer.concat([Buffer.from(head), bytes.subarray(0, -10)]))
    return connection
  }
  const sizes = [15 * MIB, 15 * MIB, 15 * MIB, 15 * MIB, 4.1 * MIB]
  const connections = await Promise.all(sizes.map(begin))
  await expect.poll(async () => (await batch()).status).toBe(503)
  const before = bytesOf(dataDir)
  expectProblem(await batch(), 503, 'too-much-incoming')
  expect(bytesOf(dataDir)).toEqual(before)
  expect((await report('0001', { status: 'failed', error: 'small' })).status).toBe(200)
  expect(connections.map(({ isClosed }) => isClosed)).toEqual(sizes.map(() => false))
  for (const connection of connections) connection.reset()
  await expect.poll(async () => (await batch()).status).toBe(200)
})
