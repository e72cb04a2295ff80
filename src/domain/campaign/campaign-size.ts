import { invalid } from '../errors.ts'

/** How large a campaign may become. */
export interface CampaignSize {
  readonly maxExperiments: number
  readonly maxLabels: number
}

/** @throws DomainError `invalid` at what there is too much of */
export function refuseTooMany(
  {
    experiments = [],
    labels = {},
  }: { readonly experiments?: { readonly length: number }; readonly labels?: Readonly<Record<string, string>> },
  { maxExperiments, maxLabels }: CampaignSize,
): void {
  if (experiments.length > maxExperiments) {
    throw invalid({ pointer: '/experiments', detail: `would make more than ${maxExperiments} experiments` })
  }
  const count = Object.keys(labels).length
  if (count > maxLabels) throw invalid({ pointer: '/labels', detail: `would make more than ${maxLabels} labels` })
}
