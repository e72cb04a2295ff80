import { expect } from 'vitest'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import type { WholeDraft } from '#campaignd/domain/operations/draft.js'
import { type AppReply, type CallOptions, openApp, type TestApp, type TestAppOptions } from '../service/app.js'
import { campaignDraft } from './drafts.js'
import { type SAMPLES, sampleText } from './samples.js'

/** A campaign in a service of its own. */
export interface TestCampaign extends TestApp {
  /** Its path, such as `/v1/campaigns/sweep`. */
  readonly path: string
  /** PATCHes one of its experiments. */
  report(expId: string, body: object, options?: CallOptions & { readonly query?: string }): Promise<AppReply>
  /** PATCHes several of them in one call. */
  reportBatch(updates: readonly unknown[], query?: string): Promise<AppReply>
  /** The manifest as it stands. */
  manifest(): Promise<CampaignManifest>
}

/** Opens the service with the campaign `sweep` of pending experiments 0001, 0002 and so on. */
export async function openCampaign(
  experiments = 3,
  given: Partial<WholeDraft> = {},
  options?: TestAppOptions,
): Promise<TestCampaign> {
  return createIn(await openApp(options), JSON.stringify(campaignDraft(experiments, given)))
}

/** Opens the service with a manifest of the Python tool imported. */
export async function openSample(name: (typeof SAMPLES)[number]): Promise<TestCampaign> {
  return createIn(await openApp(), sampleText(name))
}

async function createIn(app: TestApp, rawBody: string): Promise<TestCampaign> {
  const created = await app.call('POST', '/v1/campaigns', { rawBody })
  expect(created.status, created.text).toBe(201)
  const path = created.headers['location'] ?? ''
  return {
    ...app,
    path,
    report: (expId, body, { query = '', ...options } = {}) =>
      app.call('PATCH', `${path}/experiments/${expId}${query}`, { ...options, body }),
    reportBatch: (updates, query = '') => app.call('PATCH', `${path}/experiments${query}`, { body: { updates } }),
    manifest: async () => (await app.call('GET', path)).json<CampaignManifest>(),
  }
}

/** The strong ETag of a reply. */
export function etagOf(reply: AppReply): string {
  const tag = reply.headers['etag'] ?? ''
  expect(tag).toMatch(/^"[^"]+"$/)
  return tag
}
