import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import { campaignDraft } from '../../support/campaigns/drafts.js'
import { type Reply, send } from '../../support/http/client.js'
import type { Service } from '../../support/service/service-process.js'

export type CommitKind = 'report' | 'creation' | 'deletion'

/** Of each campaign. */
export const EXPERIMENTS = 3

export class Change {
  constructor(
    readonly kind: CommitKind,
    readonly campaign: string,
    /** The bytes on disk before it, null when there is no such file. */
    readonly before: string | null,
    private readonly value: string,
  ) {}

  send(service: Service): Promise<Reply> {
    const campaigns = `${service.url}/v1/campaigns`
    switch (this.kind) {
      case 'report': {
        const body = { status: 'running', worker: 'w', result_path: this.value }
        return send('PATCH', `${campaigns}/${this.campaign}/experiments/0001`, body)
      }
      case 'creation':
        return send('POST', campaigns, campaignDraft(EXPERIMENTS, { campaign_id: this.campaign }))
      case 'deletion':
        return send('DELETE', `${campaigns}/${this.campaign}`)
    }
  }

  /** Which of the two it is on disk; of what is neither, null. */
  stateOf(now: string | null): 'old' | 'new' | null {
    if (now === this.before) return 'old'
    if (this.kind === 'deletion' || now === null) return now === null && this.kind === 'deletion' ? 'new' : null
    const manifest = parsed(now)
    if (manifest === null) return null
    if (this.kind === 'creation')
      return manifest.revision === 1 && manifest.experiments.length === EXPERIMENTS ? 'new' : null
    const before = parsed(this.before ?? '')
    const isNext =
      before !== null &&
      manifest.revision === before.revision + 1 &&
      manifest.experiments[0]?.result_path === this.value &&
      JSON.stringify(manifest.experiments.slice(1)) === JSON.stringify(before.experiments.slice(1))
    return isNext ? 'new' : null
  }

  describe(): string {
    return `${this.kind} of ${this.campaign}`
  }
}

function parsed(text: string): CampaignManifest | null {
  try {
    return JSON.parse(text) as CampaignManifest
  } catch {
    return null
  }
}
