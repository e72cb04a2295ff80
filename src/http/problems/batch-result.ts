import { Type } from '@sinclair/typebox'
import { CampaignManifestEntry, ExpId } from '../../domain/experiment/experiment.ts'
import type { BatchResult as Result } from '../../domain/operations/report-batch.ts'
import { ref, StrictObject } from '../../domain/schema.ts'
import { Problem, problemOf } from './problem.ts'

export const BatchResult = StrictObject(
  {
    exp_id: ExpId,
    status: Type.Unsafe<200 | 404 | 409 | 422>(
      Type.Integer({ enum: [200, 404, 409, 422], description: 'The status that the update alone would have got' }),
    ),
    experiment: Type.Optional(ref(CampaignManifestEntry)),
    problem: Type.Optional(ref(Problem)),
  },
  {
    $id: 'BatchResult',
    description: 'The experiment after the update, or why it is refused. 422: the update itself is not valid',
  },
)

/** @param batch path of the batch, below which the experiment's problem is */
export function batchResult(result: Result, batch: string): typeof BatchResult.static {
  const { exp_id } = result
  if ('experiment' in result) return { exp_id, status: 200, experiment: result.experiment }
  const refused = problemOf(result.refused, `${batch}/${encodeURIComponent(exp_id)}`)
  const status = refused.code === 'invalid' ? 422 : refused.status === 404 ? 404 : 409
  return { exp_id, status, problem: { ...refused, status } }
}
