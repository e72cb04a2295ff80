import { expect, test } from 'vitest'
import { EventChannel } from '#campaignd/live/event-channel.js'
import { EventFrame } from '#campaignd/live/event-frame.js'

const KIB = 1024

/** A connection whose reader reads nothing. */
class Stalled {
  readonly written: number[] = []
  drops = 0

  get backlog(): number {
    return this.written.reduce((sum, length) => sum + length, 0)
  }

  write(bytes: Buffer): void {
    this.written.push(bytes.length)
  }

  end(): void {
    // Nothing waits for it.
  }

  drop(): void {
    this.drops += 1
  }
}

function openChannel() {
  const found = { dropped: 0 }
  const onDropped = () => {
    found.dropped += 1
  }
  return { channel: new EventChannel({ maxBacklog: 100 * KIB, onDropped }), found }
}

function frame(id: number, size: number): EventFrame {
  return new EventFrame('change', String(id), () => 'x'.repeat(size))
}

const nextTurns = () => new Promise((resolve) => setTimeout(resolve, 20))

test('a reader that is dropped within a delivery gets no more bytes, and counts once', async () => {
  const { channel, found } = openChannel()
  const reader = new Stalled()
  channel.add(reader, [])
  for (const id of [2, 3, 4]) channel.publish(frame(id, 200 * KIB))
  await nextTurns()
  expect(reader.written).toHaveLength(1)
  expect([reader.drops, found.dropped, channel.readers]).toEqual([1, 1, 0])
})

test('a reader that is dropped within its first frames gets no more bytes, and counts once', () => {
  const { channel, found } = openChannel()
  const reader = new Stalled()
  channel.add(reader, [frame(2, 200 * KIB), frame(3, 200 * KIB)])
  expect(reader.written).toHaveLength(1)
  expect([reader.drops, found.dropped, channel.readers]).toEqual([1, 1, 0])
})

test('a reader that leaves after the end of its stream does not remove one that was added since', async () => {
  const { channel } = openChannel()
  const leave = channel.add(new Stalled(), [])
  channel.end()
  expect(channel.readers).toBe(0)
  const reader = new Stalled()
  channel.add(reader, [])
  leave()
  expect(channel.readers).toBe(1)
  channel.publish(frame(2, KIB))
  await nextTurns()
  expect(reader.written).toHaveLength(1)
})
