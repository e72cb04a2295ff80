import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { EventChannel } from '#campaignd/live/event-channel.js'
import { EventFrame } from '#campaignd/live/event-frame.js'
import { EventSequence, type ToldState } from '#campaignd/live/event-sequence.js'
import { HeldStates } from '#campaignd/live/held-states.js'
import { withoutChunks } from '#campaignd/live/http-chunk.js'
import type { SinkListener } from '#campaignd/live/stream-reader.js'
import { committedState, StateFeed } from '../support/campaigns/committed.js'

const KIB = 1024
const MAX_BACKLOG = 100 * KIB

/** A connection that sends when it is told to. */
class Connection {
  readonly written: Buffer[] = []
  backlog = 0
  drops = 0
  ended = false
  private listener: SinkListener | null = null

  /** The data of the events that were written. */
  get events(): string[] {
    const text = Buffer.concat(this.written.flatMap((bytes) => [...withoutChunks(bytes)])).toString()
    return [...text.matchAll(/data: (\w+)/g)].map(([, data = '']) => data.slice(0, 8))
  }

  write(bytes: Buffer): boolean {
    this.written.push(bytes)
    this.backlog += bytes.length
    return this.backlog < 16 * KIB
  }

  listen(listener: SinkListener): void {
    this.listener = listener
  }

  /** Everything that was written is sent. */
  async drain(): Promise<void> {
    this.backlog = 0
    this.listener?.onDrain()
    await nextTurns()
  }

  /** Nothing was sent for some seconds. */
  standStill(): void {
    this.listener?.onStandstill()
  }

  end(): void {
    this.ended = true
  }

  drop(): void {
    this.drops += 1
  }
}

/** A channel whose events are numbers; what was missed is one event for each. */
function openChannel({ heldBytes = Infinity } = {}) {
  const found = { dropped: 0, asked: [] as number[] }
  const frames: EventFrame[] = []
  const store = new StateFeed()
  const channel: EventChannel = new EventChannel({
    maxBacklog: MAX_BACKLOG,
    held: new HeldStates(store, heldBytes),
    onDropped: () => {
      found.dropped += 1
    },
    catchUp: (mark) => {
      found.asked.push(mark)
      return new EventSequence(frames.slice(mark), frames.length)
    },
    beginAnew: () => new EventSequence([frameOf('anew', 10)], frames.length),
  })
  const publish = (size = 10) => {
    const frame = frameOf(`event${frames.length + 1}`, size)
    frames.push(frame)
    channel.publish(frame, frames.length)
  }
  /** A change in parts, each of a size. */
  const publishParts = (count: number, size: number) => {
    const parts = Array.from({ length: count }, (_, index) => frameOf(`part${index + 1}`, size))
    frames.push(frameOf(`event${frames.length + 1}`, 10))
    const change = told(count * size, frames.length)
    store.commit(change.state)
    channel.publishSequence(new EventSequence(parts, frames.length, change))
  }
  const join = (first: readonly EventFrame[] = []) => {
    const connection = new Connection()
    const leave = channel.add(connection, new EventSequence(first, frames.length))
    return { connection, leave }
  }
  return { channel, found, publish, publishParts, join }
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}

/** A state that shares nothing with another. */
function told(size: number, revision = 1): ToldState {
  return { size, state: committedState('sweep', [new Uint8Array(size)], { revision }) }
}

function frameOf(name: string, size: number): EventFrame {
  return new EventFrame('change', null, () => `${name} ${'x'.repeat(size)}`)
}

const nextTurns = () => new Promise((resolve) => setTimeout(resolve, 20))

test('a reader that keeps up gets every event, whatever the size of one', async () => {
  const { channel, found, publish, join } = openChannel()
  const { connection } = join()
  for (const size of [10, 5000 * KIB, 10, 200 * KIB, 200 * KIB, 10]) {
    publish(size)
    await nextTurns()
    await connection.drain()
  }
  expect(connection.events).toEqual(['event1', 'event2', 'event3', 'event4', 'event5', 'event6'])
  expect([connection.drops, found.dropped, channel.readers]).toEqual([0, 0, 1])
})

test('a slow reader is written to no more above the limit, gets what it missed once it has read, and is live then', async () => {
  const { publish, join, found } = openChannel()
  const { connection } = join()
  publish(200 * KIB)
  await nextTurns()
  for (let count = 0; count < 5; count += 1) publish()
  await nextTurns()
  expect(connection.events).toEqual(['event1'])
  await connection.drain()
  expect(connection.events).toEqual(['event1', 'event2', 'event3', 'event4', 'event5', 'event6'])
  publish()
  await nextTurns()
  expect(connection.events.at(-1)).toBe('event7')
  expect(found).toEqual({ dropped: 0, asked: [1] })
})

test('what is told to live readers alone is not caught up on, and does not wait for a reader that is behind', async () => {
  const { channel, publish, join, found } = openChannel()
  const [live, behind] = [join().connection, join().connection]
  publish(101 * KIB)
  await nextTurns()
  await live.drain()
  for (let count = 0; count < 3; count += 1) channel.publishToLive(frameOf('passing', 50 * KIB))
  await nextTurns()
  await live.drain()
  behind.backlog = 60 * KIB
  behind.standStill()
  expect(found.dropped).toBe(0)
  await behind.drain()
  publish()
  await nextTurns()
  expect(live.events).toEqual(['event1', 'passing', 'passing', 'passing', 'event2'])
  expect(behind.events).toEqual(['event1', 'event2'])
})

test('a reader that stands still is dropped above the limit and not below it, and counts once', async () => {
  const { channel, publish, join, found } = openChannel()
  const [still, slow] = [join(), join()]
  publish(60 * KIB)
  await nextTurns()
  still.connection.standStill()
  expect(found.dropped).toBe(0)
  await slow.connection.drain()
  publish(60 * KIB)
  await nextTurns()
  still.connection.standStill()
  slow.connection.standStill()
  still.leave()
  expect([still.connection.drops, slow.connection.drops, found.dropped, channel.readers]).toEqual([1, 0, 1, 1])
  const { length } = still.connection.written
  publish()
  await nextTurns()
  expect(still.connection.written).toHaveLength(length)
})

test('a reader that stands still is dropped for what it has still to get too', async () => {
  const { publish, publishParts, join, found } = openChannel()
  const waiting = join()
  publishParts(2, 40 * KIB)
  await nextTurns()
  waiting.connection.standStill()
  expect(found.dropped).toBe(0)
  publish(60 * KIB)
  waiting.connection.standStill()
  expect(found.dropped).toBe(1)
  const early = join([1, 2, 3].map((part) => frameOf(`first${part}`, 40 * KIB)))
  early.connection.standStill()
  expect(found.dropped).toBe(2)
})

test('parts are written as each reader takes them, and all readers share their bytes', async () => {
  const { publish, publishParts, join } = openChannel()
  const [quick, slow, third] = [join().connection, join().connection, join().connection]
  publish()
  publishParts(3, 70 * KIB)
  await nextTurns()
  expect([quick.events, slow.events]).toEqual([
    ['event1', 'part1'],
    ['event1', 'part1'],
  ])
  await quick.drain()
  await third.drain()
  publish()
  await quick.drain()
  await quick.drain()
  expect(quick.events).toEqual(['event1', 'part1', 'part2', 'part3', 'event3'])
  expect(slow.events).toEqual(['event1', 'part1'])
  for (let count = 0; count < 3; count += 1) await slow.drain()
  expect(slow.events).toEqual(quick.events)
  expect(slow.written[1]).toBe(quick.written[1])
  expect(third.written[2]).toBe(quick.written[2])
})

test('a reader in the middle of a change that was given up begins anew', async () => {
  const { channel, publishParts, join } = openChannel({ heldBytes: 800 * KIB })
  const { connection } = join()
  publishParts(3, 300 * KIB)
  await nextTurns()
  const later = join().connection
  publishParts(3, 300 * KIB)
  await nextTurns()
  expect(later.events).toEqual(['part1'])
  await connection.drain()
  expect(connection.events).toEqual(['part1', 'anew'])
  await connection.drain()
  for (let count = 0; count < 3; count += 1) await later.drain()
  expect(later.events).toEqual(['part1', 'part2', 'part3'])
  expect(channel.readers).toBe(2)
})

/** A channel that publishes nothing, and readers that take nothing. */
function openSilent(heldBytes = Infinity) {
  const held = new HeldStates(new StateFeed(), heldBytes)
  const channel = new EventChannel({
    ...{ maxBacklog: MAX_BACKLOG, held, onDropped: () => undefined },
    catchUp: () => new EventSequence([], 1),
    beginAnew: () => new EventSequence([], 1),
  })
  const add = (frames: EventFrame[], revision: number) => {
    const { state, size } = told(600, revision)
    const sequence = new EventSequence(frames, 1, { state, size })
    channel.add(new Connection(), sequence)
    const [part] = state.encoded?.parts ?? []
    if (part === undefined) throw new Error('the state has no bytes')
    return { sequence, bytes: new WeakRef(part) }
  }
  return { held, channel, add }
}

test('a sequence of which all was written is not kept for a reader whose connection still has to take it', async () => {
  const { held, channel, add } = openSilent()
  const bytes = [
    add([frameOf('event', 200 * KIB)], 1).bytes,
    add([frameOf('event', 10), frameOf('next', 20 * KIB)], 2).bytes,
  ]
  expect(held.bytes).toBe(0)
  await nextTurns()
  collectGarbage()
  expect(bytes.map((one) => one.deref())).toEqual([undefined, undefined])
  expect(channel.readers).toBe(2)
})

test('a change that was given up is in memory no more, though a reader is still in the middle of it', async () => {
  const { held, channel, add } = openSilent(1000)
  const twoParts = () => [frameOf('event', 20 * KIB), frameOf('next', 20 * KIB)]
  const added = [1, 2, 3].map((revision) => add(twoParts(), revision))
  expect(added.map(({ sequence }) => [sequence.frames.length, sequence.state === null])).toEqual([
    [0, true],
    [2, false],
    [2, false],
  ])
  expect(held.bytes).toBe(600)
  await nextTurns()
  collectGarbage()
  expect(added[0]?.bytes.deref()).toBeUndefined()
  expect(channel.readers).toBe(3)
})

test('the end of a stream comes in the middle of a change too', async () => {
  const { channel, publishParts, join } = openChannel()
  const { connection } = join()
  publishParts(3, 300 * KIB)
  await nextTurns()
  channel.end(() => frameOf('last', 1).bytes)
  await connection.drain()
  expect(connection.events).toEqual(['part1', 'last'])
  expect([connection.ended, channel.readers]).toEqual([true, 0])
  connection.standStill()
  expect(connection.drops).toBe(1)
})

test('a comment keeps alive those that wait for events, and is not sent to those that are behind', async () => {
  const { channel, publish, join } = openChannel()
  const [idle, behind] = [join().connection, join().connection]
  publish(200 * KIB)
  await nextTurns()
  await idle.drain()
  channel.keepAlive()
  expect([idle.written.length, behind.written.length]).toEqual([2, 1])
})

test('a reader that leaves after the end of its stream does not remove one that was added since', async () => {
  const { channel, publish, join } = openChannel()
  const { leave } = join()
  channel.end()
  expect(channel.readers).toBe(0)
  const { connection } = join()
  leave()
  expect(channel.readers).toBe(1)
  publish()
  await nextTurns()
  expect(connection.events).toEqual(['event1'])
})
