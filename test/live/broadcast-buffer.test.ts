import { expect, test } from 'vitest'
import { BroadcastBuffer } from '#campaignd/live/broadcast-buffer.js'

const KIB = 1024

function textFrom(tape: BroadcastBuffer, position: number): string {
  return Buffer.concat(tape.from(position)).toString()
}

test('from any place on it has all that was put on it, in order, however it lies in memory', () => {
  const tape = new BroadcastBuffer()
  let all = ''
  for (let index = 0; index < 60; index += 1) {
    const text = `${index}`.repeat(7 * KIB)
    all += text
    tape.append(Buffer.from(text))
  }
  expect(tape.end).toBe(all.length)
  for (const position of [0, 1, 7 * KIB, 256 * KIB, 300_001, all.length - 1, all.length]) {
    expect(textFrom(tape, position) === all.slice(position), String(position)).toBe(true)
  }
})

test('what was forgotten is gone, and positions go on', () => {
  const tape = new BroadcastBuffer()
  tape.append(Buffer.from('one'))
  tape.append(Buffer.from('two'))
  tape.forget(3)
  expect(textFrom(tape, 3)).toBe('two')
  tape.forget(tape.end)
  expect(tape.from(0)).toEqual([])
  expect(tape.end).toBe(6)
  tape.append(Buffer.from('three'))
  expect(textFrom(tape, 6)).toBe('three')
  expect(tape.end).toBe(11)
})

test('what is put on it is left as it is by what follows', () => {
  const tape = new BroadcastBuffer()
  const first = Buffer.from('one')
  tape.append(first)
  tape.append(Buffer.from('two'))
  expect(first.toString()).toBe('one')
  expect(textFrom(tape, 0)).toBe('onetwo')
})
