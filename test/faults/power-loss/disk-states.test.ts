import { describe, expect, it } from 'vitest'
import { cutsOf, diskStates } from './disk-states.js'
import { type Disk, diskKey, type Operation } from './durable.js'

const NOTHING: Disk = new Map()
const OLD: Disk = new Map([['d/a', { file: 'old', bytes: bytes('old') }]])
const FLUSH_DIRECTORY: Operation = { kind: 'flush-directory', path: 'd' }
const FLUSH_FILE: Operation = { kind: 'flush-file', file: 'f' }
const RENAME: Operation = { kind: 'rename', from: 'd/a.tmp', path: 'd/a', file: 'f' }
const OUT: Operation = { kind: 'rename', from: 'd/a', path: 'e/a', file: 'old' }

describe('diskStates', () => {
  it('loses, tears or keeps a write that is not flushed, where zeroes may stand for what is missing', () => {
    expect(after([create('d/a'), FLUSH_DIRECTORY, write('abcd')])).toEqual(
      all('', 'abcd', '....', 'a', 'ab', 'abc', 'a...', 'ab..', 'abc.', '.bcd', '..cd', '...d').map((a) => `a=${a}`),
    )
  })

  it('keeps a flushed file whole', () => {
    expect(after([create('d/a'), write('abcd'), FLUSH_FILE, FLUSH_DIRECTORY])).toEqual(['a=abcd'])
  })

  it('does not save a name by flushing its file', () => {
    expect(after([create('d/a'), write('abcd'), FLUSH_FILE])).toEqual(all('', 'a=abcd'))
  })

  it('does not save a file by flushing its name', () => {
    expect(after([create('d/a'), write('x'), FLUSH_DIRECTORY])).toEqual(all('a=', 'a=x', 'a=.'))
  })

  it('does a rename whole or not at all', () => {
    const before = [create('d/a.tmp'), write('new'), FLUSH_FILE, FLUSH_DIRECTORY]
    expect(after([...before, RENAME], OLD)).toEqual(all('a=new', 'a=old a.tmp=new'))
    expect(after([...before, RENAME, FLUSH_DIRECTORY], OLD)).toEqual(['a=new'])
  })

  it('may keep a rename and lose the bytes, when the file is not flushed', () => {
    expect(after([create('d/a.tmp'), write('n'), RENAME], OLD)).toEqual(
      all('a=old', 'a=old a.tmp=', 'a=old a.tmp=n', 'a=old a.tmp=.', 'a=', 'a=n', 'a=.'),
    )
  })

  it('lets a later change of a name be there without an earlier one', () => {
    const link: Operation = { kind: 'link', path: 'd/b', file: 'f' }
    expect(after([create('d/a'), link])).toEqual(all('', 'a=', 'b=', 'a= b='))
    expect(after([create('d/a'), link, { kind: 'unlink', path: 'd/a' }])).toEqual(all('', 'a=', 'b=', 'a= b='))
  })

  it('removes a name or leaves it', () => {
    const unlink: Operation = { kind: 'unlink', path: 'd/a' }
    expect(after([unlink], OLD)).toEqual(all('', 'a=old'))
    expect(after([unlink, FLUSH_DIRECTORY], OLD)).toEqual([''])
  })

  it('knows that the flush of a directory says nothing about another one', () => {
    expect(after([create('d/a'), { kind: 'flush-directory', path: 'e' }])).toEqual(all('', 'a='))
  })
})

describe('diskStates of renames between directories', () => {
  it('does a rename to another directory whole or not at all', () => {
    expect(after([OUT], OLD)).toEqual(all('a=old', 'e/a=old'))
    expect(after([OUT, FLUSH_DIRECTORY], OLD)).toEqual(['e/a=old'])
  })

  it('does not trust the flush of where it went: the old name may be back', () => {
    expect(after([OUT, { kind: 'flush-directory', path: 'e' }], OLD)).toEqual(all('a=old', 'e/a=old'))
  })

  it('has a file that goes through another directory under one name, wherever it is', () => {
    const back: Operation = { kind: 'rename', from: 'e/a', path: 'd/b', file: 'old' }
    expect(after([OUT, back], OLD)).toEqual(all('a=old', 'e/a=old', 'b=old'))
    expect(after([OUT, back, FLUSH_DIRECTORY], OLD)).toEqual(all('e/a=old', 'b=old'))
  })

  it('keeps the order of two that went by the same name of another directory', () => {
    const gone: Operation = { kind: 'unlink', path: 'e/a' }
    const again: Operation = { kind: 'rename', from: 'd/a', path: 'e/a', file: 'f' }
    const operations = [OUT, FLUSH_DIRECTORY, gone, create('d/a'), again, FLUSH_DIRECTORY]
    expect(after(operations, OLD)).toEqual(['e/a='])
    expect(after([...operations, gone], OLD)).toEqual(all('', 'e/a='))
  })
})

describe('diskStates of torn writes', () => {
  it('decides writes of one file apart: what lies before one that is there reads as zeroes', () => {
    const states = after([create('d/a'), FLUSH_DIRECTORY, write('x'), write('y', 1)])
    expect(states).toEqual(all('a=', 'a=x', 'a=.', 'a=.y', 'a=..', 'a=xy', 'a=x.'))
  })

  it('tears at every multiple of the grain in the file', () => {
    const operations = [create('d/a'), FLUSH_DIRECTORY, write('ab'), FLUSH_FILE, write('cdefghijkl', 2)]
    const cut = { after: operations.length, partial: 0 }
    const lengths = [...diskStates(NOTHING, operations, cut, 5)].map(({ disk }) => disk.get('d/a')?.bytes.length ?? -1)
    expect(new Set(lengths)).toEqual(new Set([2, 3, 5, 7, 10, 11, 12]))
  })

  it('has not seen what comes after the cut, nor the rest of a write that the cut is in', () => {
    const operations = [create('d/a'), FLUSH_DIRECTORY, write('abcd'), FLUSH_FILE]
    expect(texts(NOTHING, operations, 0)).toEqual([''])
    expect(texts(NOTHING, operations, 2)).toEqual(['a='])
    expect(texts(NOTHING, operations, 2, 2)).toEqual(all('a=', 'a=ab', 'a=..', 'a=a', 'a=a.', 'a=.b'))
  })

  it('says what became of each operation', () => {
    const [first] = diskStates(NOTHING, [create('d/a')], { after: 1, partial: 0 })
    expect(first?.fates).toEqual(['create of a undone'])
    const [, second] = diskStates(OLD, [OUT], { after: 1, partial: 0 })
    expect(second?.fates).toEqual(['rename of d/a to e/a there'])
  })
})

describe('cutsOf', () => {
  it('is before and after each operation, and in the middle of a write', () => {
    expect(cutsOf([create('d/a'), write('abcd')])).toEqual([
      { after: 0, partial: 0 },
      { after: 1, partial: 0 },
      { after: 1, partial: 2 },
      { after: 2, partial: 0 },
    ])
  })
})

describe('diskKey', () => {
  it('tells one file with two names from two files with the same bytes', () => {
    const one = { file: 'f', bytes: bytes('x') }
    const other = { file: 'g', bytes: bytes('x') }
    const key = diskKey(new Map([['a', one], ['b', one]])) // prettier-ignore
    expect(key).toBe(diskKey(new Map([['b', other], ['a', other]]))) // prettier-ignore
    expect(key).not.toBe(diskKey(new Map([['a', one], ['b', other]]))) // prettier-ignore
  })
})

function create(path: string): Operation {
  return { kind: 'create', path, file: 'f' }
}

function write(content: string, at = 0): Operation {
  return { kind: 'write', file: 'f', at, bytes: bytes(content) }
}

function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content)
}

function after(operations: readonly Operation[], initial = NOTHING): string[] {
  return texts(initial, operations, operations.length)
}

function texts(initial: Disk, operations: readonly Operation[], cut: number, partial = 0): string[] {
  return all(...[...diskStates(initial, operations, { after: cut, partial })].map(({ disk }) => text(disk)))
}

function all(...texts: string[]): string[] {
  return [...new Set(texts)].sort()
}

/** Names, without the directory that most are in, and what each file holds, a zero byte as a dot. */
function text(disk: Disk): string {
  const paths = [...disk.keys()].sort()
  const decode = (path: string) => new TextDecoder().decode(disk.get(path)?.bytes)
  return paths.map((path) => `${path.replace(/^d\//, '')}=${decode(path).replaceAll('\0', '.')}`).join(' ')
}
