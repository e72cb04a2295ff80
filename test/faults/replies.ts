import { send, type Reply } from '../support/http/client.js'
import { campaignDraft } from '../support/campaigns/drafts.js'

/** A reply, or the error where the connection broke. */
export function caught(call: Promise<Reply>): Promise<Reply | Error> {
  return call.catch((error: unknown) => error as Error)
}

/** @throws Error when the reply has another status */
export async function expectStatus(status: number, call: Promise<Reply>): Promise<void> {
  const reply = await call
  if (reply.status !== status) throw new Error(`${reply.status} instead of ${status}: ${reply.text}`)
}

/** Creates a campaign of so many experiments. */
export function createCampaign(url: string, campaign_id: string, experiments: number): Promise<void> {
  return expectStatus(201, send('POST', `${url}/v1/campaigns`, campaignDraft(experiments, { campaign_id })))
}
