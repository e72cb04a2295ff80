import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Campaign, type Changes } from '#campaignd/domain/campaign/campaign.js'
import { atOnce } from '#campaignd/domain/long-work.js'
import { draftExperiments } from '#campaignd/domain/operations/draft-experiment.js'
import { ManifestBytes } from '#campaignd/repository/file/encoding/manifest-bytes.js'
import { newManifest, NOW } from '../../../support/campaigns/decisions.js'
import { experimentDraft } from '../../../support/campaigns/drafts.js'

const anyText = fc.string({ unit: 'binary', maxLength: 30 })

/** What one commit changes: experiments by position (modulo the length), how many are appended, and a label. */
const anyCommit = fc.record({
  changed: fc.dictionary(fc.nat(400).map(String), anyText, { maxKeys: 12 }),
  appended: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 70 }) },
  ),
  label: anyText,
})

test('splicing the changed lines gives the bytes of encoding the whole', () => {
  const property = fc.property(
    fc.integer({ min: 1, max: 200 }),
    fc.array(anyCommit, { minLength: 1, maxLength: 6 }),
    (experiments, commits) => {
      let campaign = Campaign.of(newManifest('sweep', experiments))
      let bytes = encoded(campaign)
      for (const commit of commits) {
        const [next, lines] = apply(campaign, commit)
        const before = text(bytes)
        const spliced = atOnce(bytes.with(next, lines))
        expect(text(spliced)).toBe(text(encoded(next)))
        expect(JSON.parse(text(spliced))).toEqual(next.toManifest())
        expect(text(bytes)).toBe(before)
        campaign = next
        bytes = spliced
      }
    },
  )
  fc.assert(property, { numRuns: 150 })
})

test('a change keeps the blocks that it does not touch', () => {
  const campaign = Campaign.of(newManifest('sweep', 1000))
  const bytes = encoded(campaign)
  const [next, lines] = apply(campaign, { changed: { '500': 'new' }, appended: 0, label: '' })
  const before = new Set(bytes.parts)
  const fresh = atOnce(bytes.with(next, lines)).parts.filter((part) => !before.has(part))
  // The header, and the block around the experiment.
  expect(fresh).toHaveLength(2)
})

test('the parts can go to another thread without taking more memory along than they hold', () => {
  const campaign = Campaign.of(newManifest('sweep', 200))
  const [next, lines] = apply(campaign, { changed: { '5': 'new', '70': 'new' }, appended: 70, label: 'ü' })
  for (const part of atOnce(encoded(campaign).with(next, lines)).parts) {
    expect(part.buffer.byteLength).toBeLessThanOrEqual(part.byteLength + 16)
  }
})

function apply(
  campaign: Campaign,
  { changed, appended, label }: { changed: Record<string, string>; appended: number; label: string },
): [Campaign, Map<number, string>] {
  const byPosition = new Map(
    Object.entries(changed).map(([at, path]) => [Number(at) % campaign.experiments.length, path] as const),
  )
  const changes: Changes = {
    at: NOW,
    header: { labels: { label } },
    changed: [...byPosition].map(([position, result_path]) => ({
      ...campaign.experiments.at(position),
      result_path,
      revision: campaign.nextRevision,
    })),
    appended: atOnce(
      draftExperiments(
        Array.from({ length: appended }, (_, index) => experimentDraft(`new-${campaign.nextRevision}-${index}`)),
        { revision: campaign.nextRevision, timezone: 'UTC', pointer: '' },
      ),
    ),
  }
  const next = campaign.with(changes)
  const positions = [
    ...byPosition.keys(),
    ...Array.from({ length: appended }, (_, at) => campaign.experiments.length + at),
  ]
  return [next, new Map(positions.map((at) => [at, JSON.stringify(next.experiments.at(at))]))]
}

function encoded(campaign: Campaign): ManifestBytes {
  return atOnce(ManifestBytes.of(campaign))
}

function text(bytes: ManifestBytes): string {
  return Buffer.concat([...bytes.parts]).toString()
}
