import { onTestFinished } from 'vitest'
import { EventReader } from './event-reader.js'

/** Reads a stream of events until the test ends. */
export function openReader(url: string, lastEventId?: string): EventReader {
  const reader = new EventReader(url, lastEventId)
  onTestFinished(() => {
    reader.close()
  })
  return reader
}

/** The same, once the first event has come. */
export async function follow(url: string, lastEventId?: string): Promise<EventReader> {
  const reader = openReader(url, lastEventId)
  await reader.count(1)
  return reader
}
