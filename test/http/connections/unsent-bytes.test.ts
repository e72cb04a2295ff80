import type { Socket } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Backlog } from '#campaignd/http/connections/backlog.js'
import { networkOf } from '#campaignd/http/connections/network.js'
import { type CutConnection, STALLED, UnsentBytes } from '#campaignd/http/connections/unsent-bytes.js'

const KIB = 1024

/** A connection whose client takes what the test says. */
class TestSocket {
  writableLength = 0
  readonly _handle = { bytesWritten: 0, writeQueueSize: 0 }
  isDestroyed = false

  constructor(readonly backlog: (socket: Socket) => Backlog) {}

  write(bytes: number): void {
    this.writableLength += bytes
    this._handle.bytesWritten += bytes
    this._handle.writeQueueSize += bytes
  }

  /** A part of a write: Node counts the whole until all of it is taken. */
  take(bytes: number): void {
    this._handle.writeQueueSize -= bytes
    if (this._handle.writeQueueSize === 0) this.writableLength = 0
  }

  destroy(): void {
    this.isDestroyed = true
  }
}

function open(limit: number) {
  const cut: CutConnection[] = []
  const unsent = new UnsentBytes(limit, (one) => cut.push(one))
  const connect = () => {
    const socket = new TestSocket((one) => new Backlog(one, unsent))
    const backlog = socket.backlog(socket as unknown as Socket)
    unsent.add(backlog)
    const respond = (bytes: number) => {
      if (!backlog.hasRoomFor(bytes)) return false
      const written = backlog.reserve(bytes)
      socket.write(bytes)
      written()
      return true
    }
    return { socket, backlog, respond }
  }
  return { unsent, cut, connect }
}

test('bytes are counted from the moment that they are reserved until they are taken or the connection closes', () => {
  const { unsent, connect } = open(100 * KIB)
  const [one, other] = [connect(), connect()]
  const written = one.backlog.reserve(40 * KIB)
  expect(unsent.bytes).toBe(40 * KIB)
  one.socket.write(30 * KIB)
  written()
  expect(unsent.bytes).toBe(30 * KIB)
  other.respond(20 * KIB)
  other.socket.take(20 * KIB)
  unsent.sweep(0)
  expect(unsent.bytes).toBe(30 * KIB)
  one.backlog.close()
  expect(unsent.bytes).toBe(0)
  // What a connection that is closed is still given is not counted: nothing would take it away.
  one.respond(10 * KIB)
  expect(unsent.bytes).toBe(0)
})

test('what does not fit beside what waits is refused, but for small responses', () => {
  const { connect } = open(100 * KIB)
  const [one, other, third] = [connect(), connect(), connect()]
  expect(one.respond(60 * KIB)).toBe(true)
  expect(other.respond(50 * KIB)).toBe(false)
  expect(other.respond(40 * KIB)).toBe(true)
  expect(third.respond(20 * KIB)).toBe(false)
  expect(third.respond(4 * KIB)).toBe(true)
})

test('a response that is larger than the limit fits while half of that is free', () => {
  const { connect } = open(100 * KIB)
  const [one, other] = [connect(), connect()]
  expect(one.respond(300 * KIB)).toBe(true)
  expect(other.respond(300 * KIB)).toBe(false)
  one.backlog.close()
  expect(other.respond(300 * KIB)).toBe(true)
})

test('at the limit those are cut off that stand still, the largest first and no more than needed; who takes a part is not', () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const { cut, connect } = open(100 * KIB)
  const [small, large, slow] = [connect(), connect(), connect()]
  small.respond(25 * KIB)
  large.respond(40 * KIB)
  slow.respond(30 * KIB)
  for (const { backlog } of [small, large, slow]) backlog.stalledFor(performance.now())
  vi.advanceTimersByTime(6_000)
  slow.socket.take(KIB)
  expect(connect().respond(30 * KIB)).toBe(true)
  expect([small, large, slow].map(({ socket }) => socket.isDestroyed)).toEqual([false, true, false])
  expect(cut).toEqual([{ bytes: 40 * KIB, seconds: 6 }])
})

test('at the limit who takes a byte now and then is cut off too, and who reads is not', () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const { connect } = open(1_000 * KIB)
  const [trickling, reading] = [connect(), connect()]
  trickling.respond(400 * KIB)
  reading.respond(600 * KIB)
  for (let second = 0; second < 8; second += 1) {
    vi.advanceTimersByTime(1_000)
    trickling.socket.take(1)
    reading.socket.take(50 * KIB)
  }
  expect(connect().respond(900 * KIB)).toBe(false)
  expect([trickling, reading].map(({ socket }) => socket.isDestroyed)).toEqual([true, false])
})

test('at the limit who has sent many requests ahead is cut off at once', () => {
  const { connect } = open(100 * KIB)
  const [ahead, other] = [connect(), connect()]
  ahead.backlog.queue(70 * KIB)
  expect(other.respond(50 * KIB)).toBe(true)
  expect([ahead, other].map(({ socket }) => socket.isDestroyed)).toEqual([true, false])
})

test('who takes nothing for long is cut off, though there is room; who takes a byte now and then is not', () => {
  const { unsent, cut, connect } = open(1_000 * KIB)
  const [still, slow, idle] = [connect(), connect(), connect()]
  const began = performance.now()
  for (const { respond } of [still, slow]) respond(50 * KIB)
  for (let passed = 0; passed < 2 * STALLED; passed += 1_000) {
    slow.socket.take(1)
    unsent.sweep(began + passed)
  }
  expect([still, slow, idle].map(({ socket }) => socket.isDestroyed)).toEqual([true, false, false])
  expect(cut).toEqual([{ bytes: 50 * KIB, seconds: expect.closeTo(STALLED / 1_000, -1) as number }])
  expect([unsent.bytes, unsent.cut]).toEqual([50 * KIB, 1])
})

test('a connection that is cut off is counted once, whoever else would cut it off', () => {
  const { unsent, cut, connect } = open(100 * KIB)
  const { respond, backlog } = connect()
  respond(50 * KIB)
  unsent.cutOff(backlog, 1_000)
  unsent.cutOff(backlog, 2_000)
  expect([unsent.cut, cut]).toEqual([1, [{ bytes: 50 * KIB, seconds: 1 }]])
})

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::9', '2001:db8:1:2'],
  ['2001:db8::9', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
])('a limit for each address counts %s as %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})
