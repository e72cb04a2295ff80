import { type Static, Type } from '@sinclair/typebox'
import { ClaimId, definitionProperties, LeaseSeconds, Worker } from '../../experiment/experiment.ts'
import { Described, ref, StrictObject } from '../../schema.ts'
import { ExperimentUpdate } from '../report-batch.ts'

const MAX_CLAIMS = 100

/** All but the reports, which are read one by one. */
export const claimProperties = {
  worker: Worker,
  backend: Type.Optional(Described(definitionProperties.backend, 'Only experiments of this backend')),
  container: Type.Optional(Described(definitionProperties.container, 'Only experiments of this container')),
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: MAX_CLAIMS, description: 'How many at most. Default: 1', examples: [1] }),
  ),
  lease_seconds: Type.Optional(
    Described(LeaseSeconds, 'For how many seconds the worker holds them. Default: the setting of the campaign'),
  ),
  wait_seconds: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 60,
      description: 'For how many seconds to wait when nothing can be claimed now. Default: 0',
      examples: [30],
    }),
  ),
  claim_id: Type.Optional(
    Described(
      ClaimId,
      'A new one for each claim. When the response is lost, the same call gets the same claims, until something is heard of their runs',
    ),
  ),
}

/** Reports that a claim may bring along. */
export const MAX_REPORTS = 100

export const ClaimRequest = StrictObject(
  {
    ...claimProperties,
    reports: Type.Optional(
      Type.Array(ref(ExperimentUpdate), {
        maxItems: MAX_REPORTS,
        description: 'What the worker finished: counted first, each by itself, in the same write. They do not wait',
      }),
    ),
  },
  {
    $id: 'ClaimRequest',
    description: 'Which worker claims experiments, which it can run, and what it finished',
    examples: [
      { worker: 'gpu-node-1/vllm', backend: 'vllm', wait_seconds: 30, claim_id: '7d4c1b0e' },
      {
        worker: 'gpu-node-1/vllm',
        claim_id: '0b1e55aa',
        reports: [{ exp_id: '0001', run_id: 'q3VZ5x0nGm0eJt1b2cJp0A', status: 'completed', result_path: 'results/1' }],
      },
    ],
  },
)

export type ClaimRequest = Omit<Static<typeof ClaimRequest>, 'reports'>
