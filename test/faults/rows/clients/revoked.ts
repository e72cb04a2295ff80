import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createToken } from '#campaignd/auth/tokens.js'
import { send } from '../../../support/http/client.js'
import { until } from '../../../support/until.js'
import type { Fault, Findings, Size } from '../../fault.js'
import { createCampaign, expectStatus } from '../../replies.js'
import type { Stage } from '../../stage.js'
import { UnderAttack } from './under-attack.js'

interface Extent {
  /** Streams, and as many calls that wait. */
  readonly held: number
  /** Tokens of others in the file. */
  readonly others: number
  /** Milliseconds from the change of the file in which all must have ended: a second, but on a machine that is busy itself. */
  readonly within: number
  /** How often the token is given back, used and revoked again. */
  readonly rounds: number
}

const EXTENTS: Readonly<Record<Size, Extent>> = {
  short: { held: 30, others: 1_000, within: 10_000, rounds: 1 },
  middle: { held: 200, others: 6_000, within: 10_000, rounds: 2 },
  full: { held: 800, others: 6_000, within: 1_500, rounds: 3 },
}

const CAMPAIGN = '/v1/campaigns/guarded'
const [admin, gone] = [createToken('admin', 'admin'), createToken('gone', 'work')]
const ADMIN = { authorization: `Bearer ${admin.token}` }
const REVOKED = `Host: localhost\r\nAuthorization: Bearer ${gone.token}\r\n`
const CLAIM = '{"worker":"revoked","wait_seconds":60}'

const STREAM = `GET ${CAMPAIGN}/events HTTP/1.1\r\n${REVOKED}\r\n`
const WAIT =
  `POST ${CAMPAIGN}/claims HTTP/1.1\r\n${REVOKED}Connection: close\r\nContent-Type: application/json\r\n` +
  `Content-Length: ${CLAIM.length}\r\n\r\n${CLAIM}`

export const revoked: Fault = {
  name: 'revoked',
  how: 'a token among thousands is taken out of the file while its streams and calls are held, beside workers',
  run: attack,
}

async function attack(stage: Stage, size: Size): Promise<Findings> {
  const { held, others, within, rounds } = EXTENTS[size]
  const file = join(stage.root, 'tokens')
  const rest = Array.from({ length: others }, (_, index) => createToken(`other-${index}`, 'work').line)
  const write = (...lines: string[]) => {
    writeFileSync(file, [...rest, ...lines].join('\n'), { mode: 0o600 })
  }
  write(gone.line, admin.line)
  const row = await UnderAttack.begin({ stage, size, environment: { CAMPAIGND_TOKENS_FILE: file }, headers: ADMIN })
  const { url } = row.service
  await createCampaign(url, 'guarded', 1, {}, ADMIN)
  await expectStatus(
    200,
    send('PATCH', `${url}${CAMPAIGN}`, { settings: { max_retries: 3, lease_seconds: 3600 } }, ADMIN),
  )
  await expectStatus(200, send('POST', `${url}${CAMPAIGN}/claims`, { worker: 'w1' }, ADMIN))
  let took = 0
  await row.run(async () => {
    for (let round = 0; round < rounds; round += 1) {
      write(gone.line, admin.line)
      await until('the token is valid', () => isValid(url))
      for (const bytes of [STREAM, WAIT]) await row.attackers.order('listen', { bytes, connections: held, pace: 100 })
      await allHeld(row, 2 * held)
      write(admin.line)
      took = Math.max(took, await untilClosed(row, 2 * held, within))
      const { statuses } = await row.attackers.order('look', undefined)
      if ((statuses[401] ?? 0) !== held) row.problems.push(`calls were answered ${JSON.stringify(statuses)}`)
      await row.attackers.order('end', undefined)
    }
  })
  return row.end({ held: 2 * held * rounds, tokens: others + 2, 'ms until all had ended': Math.round(took) })
}

async function isValid(url: string): Promise<boolean> {
  const headers = { authorization: `Bearer ${gone.token}` }
  return (await send('GET', `${url}${CAMPAIGN}/progress`, undefined, headers)).status === 200
}

async function allHeld(row: UnderAttack, count: number): Promise<void> {
  await until('all calls are held', async () => (await row.metric('campaignd_long_lived_calls_open')) >= count)
}

/** Milliseconds until all connections were closed. */
async function untilClosed(row: UnderAttack, count: number, within: number): Promise<number> {
  const began = performance.now()
  for (;;) {
    const { closed } = await row.attackers.order('look', undefined)
    const took = performance.now() - began
    if (closed === count) return took
    if (took > within) {
      row.problems.push(`${count - closed} of ${count} go on ${Math.round(took)} ms after their token was revoked`)
      return took
    }
    await sleep(20)
  }
}
