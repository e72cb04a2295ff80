import { DomainError, invalid, jsonPointer } from '../errors.ts'
import type { CampaignHeader } from './manifest.ts'

/** The highest limit of the experiments of a campaign that can be set. */
export const MAX_EXPERIMENTS = 1_000_000

/** How large a campaign may become. */
export interface CampaignSize {
  readonly maxExperiments: number
  readonly maxLabels: number
  /** Bytes of its manifest. */
  readonly maxCampaignBytes: number
}

/** Shares of `maxCampaignBytes`: up to which experiments are added, and from which on errors are cut. */
const GROWTH = 0.8
const FULL = 0.9

/** All labels of a campaign together, as JSON: what a name, settings and labels add never matters beside its experiments. */
const MAX_LABELS_BYTES = 128 * 1024

interface Sized {
  readonly experiments?: { readonly length: number }
  readonly labels?: Readonly<Record<string, string>>
}

/**
 * @param place JSON pointer to what says how many experiments there are
 * @throws DomainError `invalid` at the field that would be larger than allowed
 */
export function refuseTooMany(
  { experiments = [], labels = {} }: Sized,
  most: CampaignSize,
  place = '/experiments',
): void {
  const { maxExperiments, maxLabels } = most
  if (experiments.length > maxExperiments) {
    throw invalid({ pointer: place, detail: `would make more than ${maxExperiments} experiments` })
  }
  const count = Object.keys(labels).length
  if (count > maxLabels) throw invalid({ pointer: '/labels', detail: `would make more than ${maxLabels} labels` })
  const bytes = labelBytes(labels)
  if (bytes > MAX_LABELS_BYTES) {
    const detail = `would be ${bytes} bytes of labels, more than ${MAX_LABELS_BYTES}`
    throw invalid({ pointer: jsonPointer('labels'), detail })
  }
}

export function labelBytes(labels: Readonly<Record<string, string>>): number {
  return Buffer.byteLength(JSON.stringify(labels))
}

/** From so many bytes on errors are cut, to leave room for what is still reported. */
export function shrinkGoal(limit: number): number {
  return limit * FULL
}

/** Whether experiments may still be added to a campaign of so many bytes. */
export function hasRoomToGrow(bytes: number, limit: number): boolean {
  return bytes <= limit * GROWTH
}

/** @param what the campaign and what it would hold, such as `Campaign sweep with its 900 experiments` */
export function campaignFull(what: string, bytes: number, limit: number): DomainError {
  const detail =
    `${what} would have ${readable(bytes)}, more than ${GROWTH * 100} % of the ${readable(limit)} that a campaign may have ` +
    '(CAMPAIGND_MAX_CAMPAIGN_BYTES): the rest is for what its workers report. Nothing was changed.'
  return new DomainError('campaign-full', detail)
}

/**
 * Bytes of a manifest beside the lines of its experiments. Those numbers and times that each change makes anew are counted at their
 * greatest length.
 */
export function headerSize(header: CampaignHeader): number {
  let bytes = BESIDE_HEADER
  for (const [key, value] of Object.entries({ ...header, ...LONGEST })) {
    bytes += Buffer.byteLength(JSON.stringify(value)) + key.length + BESIDE_VALUE
  }
  return bytes
}

const LONGEST = {
  updated_at: '9999-12-31T23:59:59.999999999Z',
  total_experiments: Number.MAX_SAFE_INTEGER,
  revision: Number.MAX_SAFE_INTEGER,
}

/** Indent, quotation marks, colon, blank, comma and line break of a line of the header. */
const BESIDE_VALUE = 8

/** The first and the last lines, and the one that opens the list. */
const BESIDE_HEADER = 32

function readable(bytes: number): string {
  const mib = bytes / 1024 / 1024
  return mib < 10 ? `${Math.ceil(bytes / 1024)} KiB` : `${mib.toFixed(1)} MiB`
}
