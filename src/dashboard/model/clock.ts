import { signal } from '@preact/signals'

/** Milliseconds that the service's clock is ahead of the browser's: ages and times left use the service's clock. */
let ahead = 0

/** The service's time, ticking every second. */
export const seconds = signal(Math.floor(Date.now() / 1000))

/** Sets the clock by the Date header of a response. It has whole seconds, so a small difference says nothing. */
export function syncClock(header: string | null): void {
  const served = header === null ? NaN : Date.parse(header) + 500
  if (Number.isNaN(served)) return
  const difference = served - Date.now()
  if (Math.abs(difference - ahead) > 1500) ahead = difference
}

/** The present by the service's clock, in milliseconds. */
export function serverNow(): number {
  return Date.now() + ahead
}

setInterval(() => {
  if (document.visibilityState === 'visible') seconds.value = Math.floor(serverNow() / 1000)
}, 1000)
