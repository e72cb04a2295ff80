export interface FleetSize {
  readonly workers: number
  readonly experiments: number
  readonly serviceKills: number
  readonly limit: number
}

/** Of the campaign: all disturbances begin before so much of it is done. */
const DISTURBED = 0.8

/** Until its lease ran out, so that its late report may count; until another took over; also after a retry, which closes the attempt. */
const FREEZES = ['freeze until taken over', 'freeze until put back and taken over', 'freeze until lost'] as const
export type Freeze = (typeof FREEZES)[number]

type Disturbance = 'kill the service' | 'kill a worker' | Freeze

export function plan({
  workers,
  experiments,
  serviceKills,
}: FleetSize): { readonly at: number; readonly disturbance: Disturbance }[] {
  const third = Math.ceil(workers / 3)
  const disturbances: Disturbance[] = [
    ...Array.from({ length: third }, (_, index) => FREEZES[index % FREEZES.length] ?? FREEZES[0]),
    ...Array.from({ length: third }, () => 'kill a worker' as const),
    ...Array.from({ length: serviceKills }, () => 'kill the service' as const),
  ]
  return disturbances
    .map((disturbance) => ({ at: Math.floor(Math.random() * DISTURBED * experiments), disturbance }))
    .sort((a, b) => a.at - b.at)
}
