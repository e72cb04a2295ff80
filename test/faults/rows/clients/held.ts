import { setTimeout as sleep } from 'node:timers/promises'
import { send } from '../../../support/http/client.js'
import { until } from '../../../support/until.js'
import type { Fault, Findings, Size } from '../../fault.js'
import { createCampaign, expectStatus } from '../../replies.js'
import type { Stage } from '../../stage.js'
import { UnderAttack } from './under-attack.js'

/** Connections of each way to leave; in full twice as many as used up all places. */
const EXTENTS: Readonly<Record<Size, number>> = { short: 20, middle: 66, full: 400 }

const PIPELINED = 64
const STAY = 60
const CAMPAIGN = '/v1/campaigns/left'
const CLAIM = '{"worker":"left","wait_seconds":60}'

const GET = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`
const CLAIMS =
  `POST ${CAMPAIGN}/claims HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
  `Content-Length: ${CLAIM.length}\r\n\r\n${CLAIM}`

const HELD = [GET(`${CAMPAIGN}/events`), GET('/v1/events'), GET(`${CAMPAIGN}/progress?wait=60&until=end`), CLAIMS]

export const held: Fault = {
  name: 'held',
  how: 'clients open streams and long polls in pipelines and leave at once, by a reset or half, beside workers',
  run: attack,
}

async function attack(stage: Stage, size: Size): Promise<Findings> {
  const row = await UnderAttack.begin({ stage, size })
  const { url } = row.service
  await createCampaign(url, 'left', 1)
  await expectStatus(200, send('PATCH', `${url}${CAMPAIGN}`, { settings: { max_retries: 3 } }))
  await expectStatus(200, send('POST', `${url}${CAMPAIGN}/claims`, { worker: 'w1' }))
  const connections = EXTENTS[size]
  const pipelines = [...HELD.map((one) => one.repeat(PIPELINED)), HELD.join('').repeat(PIPELINED / HELD.length)]
  await row.run(async () => {
    for (const bytes of pipelines) {
      for (const leave of ['reset', 'half-close'] as const) {
        await row.attackers.order('visit', { bytes, connections, leave, stay: STAY, pace: 100 })
      }
    }
  })
  await untilNothingIsHeld(row)
  await expectStatus(200, send('PATCH', `${url}${CAMPAIGN}/experiments/0001`, { status: 'pending' }))
  await sleep(500)
  const { text } = await send('GET', `${url}${CAMPAIGN}/experiments/0001`)
  const { worker } = JSON.parse(text) as { readonly worker: string | null }
  if (worker !== null) row.problems.push(`${worker} got an experiment, but has left`)
  return row.end({ connections: 2 * pipelines.length * connections })
}

async function untilNothingIsHeld(row: UnderAttack): Promise<void> {
  const isFree = async () => (await row.metric('campaignd_long_lived_calls_open')) === 0
  await until('places are held for calls of clients that have left', isFree)
}
