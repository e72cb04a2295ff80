import { invalid } from '../errors.ts'

/** How large a campaign may become. */
export interface CampaignSize {
  readonly maxExperiments: number
  readonly maxLabels: number
}

interface Sized {
  readonly experiments?: { readonly length: number }
  readonly labels?: Readonly<Record<string, string>>
}

/** @throws DomainError `invalid` at the field that would be larger than allowed */
export function refuseTooMany({ experiments = [], labels = {} }: Sized, most: CampaignSize): void {
  const { maxExperiments, maxLabels } = most
  if (experiments.length > maxExperiments) {
    throw invalid({ pointer: '/experiments', detail: `would make more than ${maxExperiments} experiments` })
  }
  const count = Object.keys(labels).length
  if (count > maxLabels) throw invalid({ pointer: '/labels', detail: `would make more than ${maxLabels} labels` })
}
