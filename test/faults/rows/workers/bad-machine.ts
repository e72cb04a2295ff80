import { setTimeout as sleep } from 'node:timers/promises'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import { send } from '../../../support/http/client.js'
import type { Fault, Findings, Size } from '../../fault.js'
import { FleetLedger } from '../../fleet/ledger.js'
import { startWorker } from '../../fleet/member.js'
import { createCampaign } from '../../replies.js'
import { endInOrder, type Stage } from '../../stage.js'

interface BadMachineSize {
  readonly workers: number
  readonly experiments: number
}

const SIZES: Readonly<Record<Size, BadMachineSize>> = {
  short: { workers: 8, experiments: 60 },
  middle: { workers: 16, experiments: 300 },
  full: { workers: 32, experiments: 1_000 },
}

const CAMPAIGN = 'sweep'
const BAD = 'bad'
const FAILURE_LIMIT = 5
/** Attempts that it may get once it is benched. */
const MOST_AFTER = 10
const LONGEST_WORK = 1_000

/** Everything fails at one of the machines, at once, so that it asks for more than all others together. */
export const badMachine: Fault = {
  name: 'bad-machine',
  how: 'a machine at which everything fails asks for work beside good ones, in a campaign with two retries',
  run: (stage, size) => run(stage, SIZES[size]),
}

async function run(stage: Stage, { workers, experiments: count }: BadMachineSize): Promise<Findings> {
  const service = await stage.start()
  const campaign = `${service.url}/v1/campaigns/${CAMPAIGN}`
  const settings = { max_retries: 2, worker_failure_limit: FAILURE_LIMIT }
  await createCampaign(service.url, CAMPAIGN, count, { settings })
  const ledger = new FleetLedger()
  const start = (name: string, longest: number, failing: number) =>
    startWorker(stage, campaign, name, { longest, failing, onNews: (news) => ledger.add(name, news) })
  const good = Array.from({ length: workers - 1 }, (_, index) => start(`good-${index + 1}`, LONGEST_WORK, 0))
  // Alone it is never benched.
  while (ledger.claims.size === 0) await sleep(20)
  const bad = start(BAD, 0, 1)
  const codes = await Promise.all([...good, bad].map(({ ended }) => ended))
  const { experiments } = JSON.parse((await send('GET', campaign)).text) as CampaignManifest
  const problems = await endInOrder(service)
  problems.push(...ledger.close(experiments, () => false))
  const notEnded = codes.filter((code) => code !== 0).length
  if (notEnded > 0) problems.push(`${notEnded} workers did not end in order`)
  const failed = experiments.filter(({ status }) => status !== 'completed').length
  if (failed > 0) problems.push(`${failed} experiments are not completed`)
  const attempts = [...ledger.claims.values()].filter((worker) => worker === BAD).length
  const after = attempts - FAILURE_LIMIT
  if (after < 0) problems.push(`the bad machine had ${attempts} attempts, and was never benched`)
  if (after > MOST_AFTER) problems.push(`the bad machine had ${after} attempts after it was benched`)
  return {
    counts: { experiments: count, workers, 'attempts on the bad machine': attempts, 'after it was benched': after },
    problems,
  }
}
