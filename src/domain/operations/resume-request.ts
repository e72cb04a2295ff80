import { Type, type Static } from '@sinclair/typebox'
import { ExpId } from '../experiment/experiment.ts'
import { ConfigHash } from '../campaign/manifest.ts'
import { StringEnum } from '../schema.ts'

export const ResumeRequest = Type.Object(
  {
    config_hash: Type.Optional(ConfigHash),
    experiments: Type.Optional(
      Type.Array(Type.Object({ exp_id: ExpId, config_hash: ConfigHash }, { additionalProperties: false }), {
        maxItems: 100_000,
        description: 'The experiments as the caller has them now. Compared only when config_hash is given too',
      }),
    ),
    on_config_change: Type.Optional(
      StringEnum(['refuse', 'rerun_changed', 'accept'], {
        description:
          'What to do when a hash is another one. `refuse`: nothing, 409. `rerun_changed`: run the experiments whose own ' +
          'hash changed again, completed or not. `accept`: go on as before. The last two store the new hashes. Default: refuse',
      }),
    ),
    retry_failed: Type.Optional(Type.Boolean({ description: 'Run failed ones again. Default: true' })),
    unleased: Type.Optional(
      StringEnum(['requeue', 'keep'], {
        description:
          'What to do with running experiments that nobody holds a lease on. `requeue`: back to pending, since calling ' +
          'resume says that their orchestrator is gone. Default: requeue',
      }),
    ),
    dry_run: Type.Optional(Type.Boolean({ description: 'Only tell what would happen. Default: false' })),
  },
  {
    $id: 'ResumeRequest',
    additionalProperties: false,
    description: 'How to go on with a campaign that was interrupted',
    examples: [{ config_hash: '0099efaa28b0', on_config_change: 'rerun_changed' }],
  },
)

export type ResumeRequest = Static<typeof ResumeRequest>
