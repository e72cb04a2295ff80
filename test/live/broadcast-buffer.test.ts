import { expect, test } from 'vitest'
import { BroadcastBuffer } from '#campaignd/live/broadcast-buffer.js'

const KIB = 1024

function textFrom(buffer: BroadcastBuffer, position: number): string {
  return Buffer.concat(buffer.from(position)).toString()
}

test('a broadcast buffer returns from any position everything that was appended, in order', () => {
  const buffer = new BroadcastBuffer()
  let all = ''
  for (let index = 0; index < 60; index += 1) {
    const text = `${index}`.repeat(7 * KIB)
    all += text
    buffer.append(Buffer.from(text))
  }
  expect(buffer.end).toBe(all.length)
  for (const position of [0, 1, 7 * KIB, 256 * KIB, 300_001, all.length - 1, all.length]) {
    expect(textFrom(buffer, position) === all.slice(position), String(position)).toBe(true)
  }
})

test('a broadcast buffer frees what is discarded, and its positions go on', () => {
  const buffer = new BroadcastBuffer()
  buffer.append(Buffer.from('one'))
  buffer.append(Buffer.from('two'))
  buffer.discardBefore(3)
  expect(textFrom(buffer, 3)).toBe('two')
  buffer.discardBefore(buffer.end)
  expect(buffer.from(0)).toEqual([])
  expect(buffer.end).toBe(6)
  buffer.append(Buffer.from('three'))
  expect(textFrom(buffer, 6)).toBe('three')
  expect(buffer.end).toBe(11)
})

test('a broadcast buffer leaves appended bytes as they are when more is appended', () => {
  const buffer = new BroadcastBuffer()
  const first = Buffer.from('one')
  buffer.append(first)
  buffer.append(Buffer.from('two'))
  expect(first.toString()).toBe('one')
  expect(textFrom(buffer, 0)).toBe('onetwo')
})

test('what a reader has of a broadcast buffer keeps little more in memory than its bytes', () => {
  const buffer = new BroadcastBuffer()
  const held = new Map<ArrayBufferLike, number>()
  for (let round = 0; round < 50; round += 1) {
    const position = buffer.end
    for (let count = 0; count <= round % 5; count += 1) buffer.append(Buffer.alloc(5 * KIB))
    for (const { buffer: memory, length } of buffer.from(position)) held.set(memory, (held.get(memory) ?? 0) + length)
    buffer.discardBefore(buffer.end)
  }
  const kept = [...held.keys()].reduce((sum, { byteLength }) => sum + byteLength, 0)
  const shown = [...held.values()].reduce((sum, length) => sum + length, 0)
  expect(kept).toBeLessThan(3 * shown)
})
