import type { WholeDraft } from '#campaignd/domain/operations/draft.js'
import { campaignDraft } from '../support/campaigns/drafts.js'
import { type Reply, send } from '../support/http/client.js'

export function caught<T>(call: Promise<T>): Promise<T | Error> {
  return call.catch((error: unknown) => error as Error)
}

/** @throws Error when the reply has another status */
export async function expectStatus(status: number, call: Promise<Reply>): Promise<void> {
  const reply = await call
  if (reply.status !== status) throw new Error(`${reply.status} instead of ${status}: ${reply.text}`)
}

export function createCampaign(
  url: string,
  campaign_id: string,
  experiments: number,
  given: Partial<WholeDraft> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const draft = campaignDraft(experiments, { campaign_id, ...given })
  return expectStatus(201, send('POST', `${url}/v1/campaigns`, draft, headers))
}

/** Which files differ between two readings of a directory. */
export function changedNames(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => before[name] !== after[name])
}
