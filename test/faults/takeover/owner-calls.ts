import { campaignDraft } from '../../support/campaigns/drafts.js'
import { send, type Reply } from '../../support/http/client.js'
import { caught } from '../replies.js'

/** Written by the successor; never; only by the owner before it was stopped; there to be deleted; and asked for what changes nothing. */
export const SUCCEEDED = 'succeeded'
export const UNTOUCHED = 'untouched'
export const EARLIER = 'earlier'
export const DELETABLE = 'deletable'
export const UNCHANGED = 'unchanged'
export const CAMPAIGNS = [SUCCEEDED, UNTOUCHED, EARLIER, DELETABLE, UNCHANGED]
/** What everything has in it that is sent to the zombie. */
export const MARK = 'from-the-zombie'

/** A repetition, a refusal, a deletion that is refused while an experiment runs, and a creation of what is there. */
export const UNCHANGING = [
  (campaigns: string) => send('PATCH', `${campaigns}/${UNCHANGED}/experiments/0001`, { status: 'pending' }),
  (campaigns: string) => send('PATCH', `${campaigns}/${UNCHANGED}/experiments/0001`, { attempt: 7 }),
  (campaigns: string) => send('DELETE', `${campaigns}/${UNCHANGED}`),
  (campaigns: string) => send('POST', campaigns, campaignDraft(3, { campaign_id: UNCHANGED })),
] as const

/** Changes of every kind, and what changes nothing or is refused, sent to the zombie all at once: it can answer for none. */
export async function tempt(url: string): Promise<(Reply | Error)[]> {
  const campaigns = `${url}/v1/campaigns`
  const calls = [
    send('PATCH', `${campaigns}/${UNTOUCHED}/experiments/0001`, running(MARK)),
    send('PATCH', `${campaigns}/${UNTOUCHED}/experiments/0002`, running(MARK)),
    send('PATCH', `${campaigns}/${SUCCEEDED}/experiments/0002`, running(MARK)),
    send('POST', campaigns, campaignDraft(1, { campaign_id: MARK })),
    send('DELETE', `${campaigns}/${DELETABLE}`),
    ...UNCHANGING.map((ask) => ask(campaigns)),
  ]
  return Promise.all(calls.map(caught))
}

/** What a store that does not know whether it still owns its files must not tell. */
export function isTrusted(told: Reply | Error): boolean {
  return !(told instanceof Error) && told.status !== 503
}

export function textOf(told: Reply | Error): string {
  return told instanceof Error ? told.message : `${told.status} ${told.text.slice(0, 200)}`
}

export function running(worker: string): object {
  return { status: 'running', worker }
}
