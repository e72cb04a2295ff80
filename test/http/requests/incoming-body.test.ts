import { expect, test } from 'vitest'
import { IncomingBody } from '#campaignd/http/requests/incoming-body.js'
import { IncomingBytes } from '#campaignd/http/requests/incoming-bytes.js'
import { residentBytes } from '../../support/memory.js'

const KIB = 1024
const MIB = 1024 * KIB

/** Pieces of many sizes that differ, and what they are together. */
function piecesOf(total: number) {
  const pieces: Buffer[] = []
  for (let length = 0, size = 1; length < total; length += size, size = ((size * 7) % (90 * KIB)) + 1) {
    pieces.push(Buffer.alloc(Math.min(size, total - length), pieces.length))
  }
  return { pieces, whole: Buffer.concat(pieces) }
}

const bodyIn = (together: IncomingBytes, limit = MIB, overhead = 0) =>
  new IncomingBody({ limit, together, overhead, cut: () => undefined })

test('a body is what came, however it came', () => {
  for (const total of [0, 1, 100, 300 * KIB, MIB]) {
    const { pieces, whole } = piecesOf(total)
    const body = bodyIn(new IncomingBytes(MIB))
    expect(pieces.map((piece) => body.add(piece))).toEqual(pieces.map(() => null))
    expect(body.bytes.equals(whole)).toBe(true)
    body.end()
    expect(body.bytes).toHaveLength(0)
  }
})

test('a body takes its limit and no byte more', () => {
  const { pieces } = piecesOf(MIB)
  const body = bodyIn(new IncomingBytes(2 * MIB))
  for (const piece of pieces) expect(body.add(piece)).toBeNull()
  expect(body.add(Buffer.alloc(1))).toBe('too-large')
  body.end()
})

test('bodies share their room, which each gives back once', () => {
  const together = new IncomingBytes(MIB)
  const [one, other] = [bodyIn(together), bodyIn(together)]
  expect(one.add(Buffer.alloc(600 * KIB))).toBeNull()
  expect(other.add(Buffer.alloc(600 * KIB))).toBe('no-room')
  other.end()
  other.end()
  expect(bodyIn(together).add(Buffer.alloc(600 * KIB))).toBe('no-room')
  one.end()
  const small = bodyIn(together)
  expect(small.add(Buffer.alloc(16 * KIB))).toBeNull()
})

test('what the reading of a body takes has its part of the room until all of it has come, also of one that never sends a byte', () => {
  const together = new IncomingBytes(MIB)
  const unpacked = Array.from({ length: 10 }, () => bodyIn(together, MIB, 110 * KIB))
  const report = () => bodyIn(together).add(Buffer.alloc(20 * KIB))
  expect(report()).toBe('no-room')
  for (const body of unpacked.slice(5)) body.finish()
  expect(report()).toBeNull()
  for (const body of unpacked) body.end()
  expect(bodyIn(together).add(Buffer.alloc(900 * KIB))).toBeNull()
})

test('the memory of a body goes back to the system when the body ends, not when garbage is collected', () => {
  const { pieces } = piecesOf(16 * MIB)
  const bodies = Array.from({ length: 8 }, () => bodyIn(new IncomingBytes(16 * MIB), 16 * MIB))
  for (const body of bodies) for (const piece of pieces) body.add(piece)
  const before = residentBytes(process.pid)
  for (const body of bodies) body.end()
  expect(before - residentBytes(process.pid)).toBeGreaterThan(100 * MIB)
})

test('without room a body that hardly grows is cut off, one that grows or is whole is not', () => {
  let now = 0
  const together = new IncomingBytes(MIB, () => now)
  const cut: string[] = []
  const [still, growing, whole] = ['still', 'growing', 'whole'].map((name) => {
    const end = () => {
      cut.push(name)
      body.end()
    }
    const body = new IncomingBody({ limit: 2 * MIB, together, cut: end })
    body.add(Buffer.alloc(400 * KIB))
    return body
  })
  whole?.finish()
  expect(together.hasRoom()).toBe(false)
  now = 4_000
  growing?.add(Buffer.alloc(200 * KIB))
  still?.add(Buffer.alloc(1))
  expect([together.hasRoom(), cut]).toEqual([false, []])
  now = 5_000
  expect([together.hasRoom(), cut]).toEqual([true, ['still']])
})
