import { signal } from '@preact/signals'

/** Milliseconds that the service's clock is ahead of ours: ages and times left are told by its clock. */
let ahead = 0

/** The service's time, ticking every second. */
export const seconds = signal(Math.floor(Date.now() / 1000))

/** Learns from the Date header of an answer, which has whole seconds: less than two of difference say nothing. */
export function hearTime(header: string | null): void {
  const heard = header === null ? NaN : Date.parse(header) + 500
  if (Number.isNaN(heard)) return
  const difference = heard - Date.now()
  if (Math.abs(difference - ahead) > 1500) ahead = difference
}

/** The present by the service's clock, in milliseconds. */
export function serverNow(): number {
  return Date.now() + ahead
}

setInterval(() => {
  if (document.visibilityState === 'visible') seconds.value = Math.floor(serverNow() / 1000)
}, 1000)
