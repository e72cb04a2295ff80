import { Type } from '@sinclair/typebox'
import { StudyManifest } from '../../domain/formats/study-manifest.ts'
import { CampaignDraft } from '../../domain/operations/draft.ts'
import { ref } from '../../domain/schema.ts'
import { bodyLimits, type Limits } from '../limits.ts'

/** In any of the formats that are read: the schema of the call has the one into which `otherFormats` brings them. */
const documentedBody = Type.Unsafe<unknown>({
  anyOf: [ref(CampaignDraft), ref(StudyManifest)],
  examples: CampaignDraft.examples as unknown[],
})

/** Options of a route whose body is a whole campaign. */
export function wholeManifest(limits: Limits) {
  return {
    bodyLimit: bodyLimits(limits).create,
    config: { role: 'admin', bodyLimitSetting: 'CAMPAIGND_MAX_CAMPAIGN_BYTES', documentedBody },
  } as const
}
