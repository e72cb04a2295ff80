import * as nodeFs from 'node:fs'
import { existsSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { runJobs } from '#campaignd/repository/file/commit/durable-file.js'
import { identityOf } from '#campaignd/repository/file/commit/file-identity.js'
import type { FileChange, FileJob, FileOutcome } from '#campaignd/repository/file/commit/file-job.js'
import { Leftovers } from '#campaignd/repository/file/commit/leftovers.js'
import { commitDirectory, replaceLock } from '../../../support/store/commit-directory.js'

type Fs = typeof nodeFs
type Replaced = (real: Fs) => Partial<Fs>

const OLD = 'the old content'
const NEW = ['the ', 'new', ' content, ', '', 'which is longer']
const TEXT = NEW.join('')
const PARTS = NEW.map((part) => new TextEncoder().encode(part))

/** A directory to commit in. */
function openDirectory() {
  const at = commitDirectory()
  const descriptor = openSync(at.directory, 'r')
  onTestFinished(() => {
    nodeFs.closeSync(descriptor)
  })
  let stopped = false
  const leftovers = new Leftovers()
  const directory = { ...at, descriptor, leftovers, isStopped: () => stopped }
  return {
    ...at,
    /** Carries jobs out to their very end, with some of the file calls replaced. */
    carryOut: (jobs: readonly FileJob[], replaced: Partial<Fs> = {}, flush = true): readonly FileOutcome[] => {
      const { outcomes, clearAway } = runJobs({ ...directory, flush, fs: { ...nodeFs, ...replaced } }, jobs)
      clearAway()
      return outcomes
    },
    names: () => readdirSync(at.directory).toSorted(),
    hasLeftovers: () => !leftovers.isEmpty,
    removeLeftovers: () => {
      leftovers.removeAgain(nodeFs)
    },
    loseLock: () => {
      replaceLock(at)
    },
    /** A job of another thread ends all writing. */
    stop: () => {
      stopped = true
    },
  }
}

/** The same with one file in it, unless the job is to create it. */
function oneFile(kind: FileChange['kind']) {
  const at = openDirectory()
  const path = join(at.directory, 'a.json')
  const temp = `${path}.1.tmp`
  if (kind !== 'create') writeFileSync(path, OLD)
  const job = { path, temp, to: `${path}.aside`, parts: PARTS, expected: identityAt(path) }
  return {
    ...at,
    ...{ path, temp, job },
    run: (what: FileChange['kind'], replaced: Replaced = () => ({})) =>
      at.carryOut([{ kind: what, ...job }], replaced(nodeFs))[0] as FileOutcome,
    /** What the file holds; null when there is none. */
    content: () => (existsSync(path) ? readFileSync(path, 'utf8') : null),
  }
}

/** The same with three files in it that are to be replaced. */
function threeFiles() {
  const at = openDirectory()
  const paths = ['0.json', '1.json', '2.json'].map((name) => join(at.directory, name))
  for (const path of paths) writeFileSync(path, OLD)
  const jobs = paths.map((path): FileChange => {
    return { kind: 'replace', path, temp: `${path}.1.tmp`, parts: PARTS, expected: identityAt(path) }
  })
  return {
    ...at,
    jobs,
    run: (replaced: Replaced, given: readonly FileJob[] = jobs) => at.carryOut(given, replaced(nodeFs)),
    contents: () => paths.map((path) => readFileSync(path, 'utf8')),
  }
}

function identityAt(path: string) {
  return identityOf(nodeFs, path) ?? { inode: 0n, size: 0n, mtimeNs: 0n }
}

function failWith(code: string): never {
  throw Object.assign(new Error(`${code}: as the test wants it`), { code })
}

/** The function, failing at its n-th call. */
function failAt<F extends (...given: never[]) => unknown>(n: number, real: F, code = 'EIO'): F {
  let calls = 0
  return ((...given: never[]) => {
    calls += 1
    return calls === n ? failWith(code) : real(...given)
  }) as F
}

/** Both writes, both removals, and what each leaves when it is done. */
const DONE: Readonly<
  Record<FileChange['kind'], { readonly content: string | null; readonly names: readonly string[] }>
> = {
  create: { content: TEXT, names: ['a.json'] },
  replace: { content: TEXT, names: ['a.json'] },
  delete: { content: null, names: [] },
  move: { content: null, names: ['a.json.aside'] },
}
const KINDS = Object.keys(DONE) as FileChange['kind'][]

function before(kind: FileChange['kind']): string | null {
  return kind === 'create' ? null : OLD
}

describe.each(KINDS)('%s', (kind) => {
  test(`${kind}: the outcome names the file that is left`, () => {
    const at = oneFile(kind)
    const outcome = at.run(kind)
    expect(outcome).toEqual({ kind: 'done', identity: identityOf(nodeFs, at.path) })
    expect(at.content()).toBe(DONE[kind].content)
    expect(at.names()).toEqual(DONE[kind].names)
  })

  test(`${kind}: the directory is flushed after the change, and each descriptor once`, () => {
    const at = oneFile(kind)
    const order: string[] = []
    const note = <F extends (...given: never[]) => unknown>(name: string, real: F): F =>
      ((...given: never[]) => {
        order.push(name)
        return real(...given)
      }) as F
    at.run(kind, ({ fsyncSync, renameSync, linkSync }) => ({
      fsyncSync: note('fsync', fsyncSync),
      renameSync: note('change', renameSync),
      linkSync: note('change', linkSync),
    }))
    const writes = kind === 'create' || kind === 'replace'
    const changes = kind === 'move' ? ['change', 'change'] : ['change']
    expect(order).toEqual([...(writes ? ['fsync'] : []), ...changes, 'fsync'])
  })

  test(`${kind}: nothing is done once the lock is lost`, () => {
    const at = oneFile(kind)
    at.loseLock()
    expect(at.run(kind)).toEqual({ kind: 'lock-lost' })
    expect(at.content()).toBe(before(kind))
    expect(existsSync(at.temp)).toBe(false)
  })

  test(`${kind}: the outcome is unknown when the lock was lost after the change`, () => {
    const at = oneFile(kind)
    let changed = false
    const outcome = at.run(kind, ({ renameSync, linkSync, unlinkSync, fsyncSync }) => ({
      renameSync: (...given) => {
        renameSync(...given)
        changed = true
      },
      linkSync: (...given) => {
        linkSync(...given)
        changed = true
      },
      unlinkSync: (...given) => {
        unlinkSync(...given)
        changed = true
      },
      fsyncSync: (descriptor) => {
        fsyncSync(descriptor)
        if (changed) at.loseLock()
      },
    }))
    expect(outcome.kind).toBe('unknown')
  })

  test(`${kind}: the outcome is unknown when the directory could not be flushed`, () => {
    const at = oneFile(kind)
    let flushes = 0
    const outcome = at.run(kind, ({ fsyncSync }) => ({
      fsyncSync: (descriptor) => {
        if (nodeFs.fstatSync(descriptor).isDirectory()) {
          flushes += 1
          failWith('EIO')
        }
        fsyncSync(descriptor)
      },
    }))
    expect(outcome.kind).toBe('unknown')
    expect(flushes).toBe(1)
  })

  test(`${kind}: nothing is touched once a job of another thread ended all writing`, () => {
    const at = oneFile(kind)
    at.stop()
    const touch = () => failWith('EIO')
    expect(at.run(kind, () => ({ openSync: touch, renameSync: touch, unlinkSync: touch }))).toEqual({ kind: 'stopped' })
    expect(at.content()).toBe(before(kind))
  })

  test(`${kind}: the outcome is unknown when a job of another thread ends all writing after the change`, () => {
    const at = oneFile(kind)
    const outcome = at.run(kind, ({ fsyncSync }) => ({
      fsyncSync: (descriptor) => {
        fsyncSync(descriptor)
        if (nodeFs.fstatSync(descriptor).isDirectory()) at.stop()
      },
    }))
    expect(outcome.kind).toBe('unknown')
  })

  // The fence: what a process does that was stopped between its look at the lock and its change, and goes on after a
  // successor took the lock, swept the temp files, read the manifest and acknowledged a change of it.
  test(`${kind}: what a successor acknowledged since the last check of the lock is not changed`, () => {
    const at = oneFile(kind)
    const succeed = <F extends (...given: never[]) => unknown>(real: F): F =>
      ((...given: never[]) => {
        at.loseLock()
        for (const name of at.names().filter((one) => one.endsWith('.tmp'))) nodeFs.rmSync(join(at.directory, name))
        nodeFs.rmSync(at.trash, { recursive: true, force: true })
        nodeFs.rmSync(at.path, { force: true })
        writeFileSync(at.path, 'acknowledged by the successor')
        return real(...given)
      }) as F
    const outcome = at.run(kind, ({ renameSync, linkSync, unlinkSync }) => ({
      renameSync: succeed(renameSync),
      linkSync: succeed(linkSync),
      unlinkSync,
    }))
    expect(outcome.kind).not.toBe('done')
    expect(at.content()).toBe('acknowledged by the successor')
  })
})

test.each(['create', 'replace'] as const)(
  '%s: nothing is changed when a job of another thread ends all writing during the flush',
  (kind) => {
    const at = oneFile(kind)
    const outcome = at.run(kind, ({ fsyncSync }) => ({
      fsyncSync: (descriptor) => {
        fsyncSync(descriptor)
        at.stop()
      },
    }))
    expect(outcome).toEqual({ kind: 'stopped' })
    expect(at.content()).toBe(before(kind))
    expect(existsSync(at.temp)).toBe(false)
  },
)

const STEPS = {
  create: ['openSync', 'writevSync', 'fsyncSync', 'fstatSync', 'closeSync', 'linkSync'],
  replace: ['openSync', 'writevSync', 'fsyncSync', 'fstatSync', 'closeSync', 'lstatSync', 'renameSync'],
  delete: ['lstatSync', 'renameSync'],
  move: ['renameSync'],
} as const satisfies Record<FileChange['kind'], readonly (keyof Fs)[]>

const FAULTS = KINDS.flatMap((kind) =>
  STEPS[kind].flatMap((step) => (['EIO', 'ENOSPC', 'EROFS', 'EMFILE'] as const).map((code) => ({ kind, step, code }))),
)

test.each(FAULTS)(
  '$kind: $code from $step is a refusal; the old file is whole and no temp file left',
  ({ kind, step, code }) => {
    const at = oneFile(kind)
    const outcome = at.run(kind, (real) => {
      // A close that reports an error has closed all the same.
      const closeSync: Fs['closeSync'] = (descriptor) => {
        real.closeSync(descriptor)
        failWith(code)
      }
      return step === 'closeSync' ? { closeSync } : { [step]: failAt(1, real[step] as () => unknown, code) }
    })
    expect(outcome).toMatchObject({ kind: 'refused', because: 'error', errno: code })
    expect(at.content()).toBe(before(kind))
    expect(existsSync(at.temp)).toBe(false)
    expect(at.run(kind).kind).toBe('done')
  },
)

/** A disk that turns read-only, or dies, within a job: what the job would remove is not removed either. */
const STUCK = [
  { kind: 'create', step: 'fsyncSync', outcome: 'refused' },
  { kind: 'create', step: 'linkSync', outcome: 'refused' },
  { kind: 'create', step: 'unlinkSync', outcome: 'done' },
  { kind: 'replace', step: 'writevSync', outcome: 'refused' },
  { kind: 'replace', step: 'fsyncSync', outcome: 'refused' },
  { kind: 'replace', step: 'renameSync', outcome: 'refused' },
  { kind: 'delete', step: 'unlinkSync', outcome: 'done' },
  { kind: 'probe', step: 'fsyncSync', outcome: 'refused' },
  { kind: 'probe', step: 'unlinkSync', outcome: 'refused' },
] as const

test.each(STUCK)('$kind: what cannot be removed after $step failed is removed later', ({ kind, step, outcome }) => {
  const at = oneFile(kind === 'probe' ? 'replace' : kind)
  const fail = () => failWith('EROFS')
  const outcomes = at.carryOut([{ kind, ...at.job }], { [step]: fail, unlinkSync: fail })
  expect(outcomes[0]?.kind).toBe(outcome)
  expect(existsSync(at.temp) || readdirSync(at.trash).length > 0).toBe(true)
  at.removeLeftovers()
  expect(existsSync(at.temp)).toBe(false)
  expect(readdirSync(at.trash)).toEqual([])
})

test('what was never made is not removed for ever', () => {
  const at = oneFile('replace')
  const fail = () => failWith('EROFS')
  expect(at.run('replace', () => ({ openSync: fail, unlinkSync: fail })).kind).toBe('refused')
  expect(at.hasLeftovers()).toBe(false)
})

describe('short writes', () => {
  test.each([1, 2, 3, 7, 1000])('short writes of %i bytes at a time end in the whole content', (most) => {
    const at = oneFile('replace')
    const outcome = at.run('replace', ({ writeSync }) => ({
      writevSync: (descriptor: number, parts: readonly NodeJS.ArrayBufferView[]) => {
        const whole = Buffer.concat(parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength)))
        return writeSync(descriptor, whole.subarray(0, most))
      },
    }))
    expect(outcome).toMatchObject({ kind: 'done', identity: { size: BigInt(TEXT.length) } })
    expect(at.content()).toBe(TEXT)
  })

  test('short writes that end in a full disk are a refusal', () => {
    const at = oneFile('replace')
    const outcome = at.run('replace', ({ writeSync }) => {
      let calls = 0
      return {
        writevSync: (descriptor: number) => {
          calls += 1
          return calls === 1 ? writeSync(descriptor, 'half') : failWith('ENOSPC')
        },
      }
    })
    expect(outcome).toMatchObject({ kind: 'refused', because: 'error', errno: 'ENOSPC' })
    expect(at.content()).toBe(OLD)
    expect(at.names()).toEqual(['a.json'])
  })

  test('more parts than one call takes are written in order', () => {
    const at = oneFile('create')
    const text = Array.from({ length: 5000 }, (_, index) => `${index},`)
    const parts = text.map((part) => new TextEncoder().encode(part))
    expect(at.carryOut([{ kind: 'create', path: at.path, temp: at.temp, parts }])[0]?.kind).toBe('done')
    expect(at.content()).toBe(text.join(''))
  })
})

describe('what is in the way', () => {
  test('a creation leaves a file that is there as it is', () => {
    const at = oneFile('create')
    writeFileSync(at.path, OLD)
    expect(at.run('create')).toEqual({ kind: 'refused', because: 'exists' })
    expect(at.content()).toBe(OLD)
    expect(at.names()).toEqual(['a.json'])
  })

  test.each(['replace', 'delete'] as const)('a %s leaves a file that is not the one it was to be', (kind) => {
    const at = oneFile(kind)
    writeFileSync(at.path, 'changed from outside')
    expect(at.run(kind)).toEqual({ kind: 'refused', because: 'changed-outside' })
    expect(at.content()).toBe('changed from outside')
    expect(at.names()).toEqual(['a.json'])
  })

  test.each(['replace', 'delete'] as const)('a %s of a file that is gone does nothing', (kind) => {
    const at = oneFile(kind)
    nodeFs.unlinkSync(at.path)
    expect(at.run(kind)).toEqual({ kind: 'refused', because: 'changed-outside' })
    expect(at.names()).toEqual([])
  })
})

describe('of jobs that are carried out together', () => {
  test('of jobs that are carried out together all are done with one flush of the directory, after every name was changed', () => {
    const at = threeFiles()
    const steps: string[] = []
    const outcomes = at.run((real) => ({
      fsyncSync: (descriptor) => {
        steps.push(real.fstatSync(descriptor).isDirectory() ? 'flush of the directory' : 'flush')
        real.fsyncSync(descriptor)
      },
      renameSync: (from, to) => {
        steps.push('rename')
        real.renameSync(from, to)
      },
    }))
    expect(outcomes.map(({ kind }) => kind)).toEqual(['done', 'done', 'done'])
    expect(steps).toEqual(['flush', 'flush', 'flush', 'rename', 'rename', 'rename', 'flush of the directory'])
    expect(at.contents()).toEqual([TEXT, TEXT, TEXT])
  })

  test('of jobs that are carried out together one that cannot be written fails alone, and leaves nothing behind', () => {
    const at = threeFiles()
    let written = 0
    const outcomes = at.run((real) => ({
      writevSync: (...given: Parameters<Fs['writevSync']>) => {
        written += 1
        return written === 2 ? failWith('ENOSPC') : real.writevSync(...given)
      },
    }))
    expect(outcomes.map(({ kind }) => kind)).toEqual(['done', 'refused', 'done'])
    expect(at.contents()).toEqual([TEXT, OLD, TEXT])
    expect(at.names()).toEqual(['0.json', '1.json', '2.json'])
  })

  const HURRIED = [
    { what: 'is not made', call: 'openSync', nth: 3 },
    { what: 'is not emptied', call: 'ftruncateSync', nth: 2 },
    { what: 'is not opened to be flushed', call: 'openSync', nth: 4 },
    { what: 'is not closed', call: 'closeSync', nth: 2 },
    { what: 'is not flushed', call: 'fsyncSync', nth: 2 },
  ] as const

  test.each(HURRIED)(
    'of jobs that are carried out together one whose file $what fails alone, and leaves nothing behind or open',
    ({ call, nth }) => {
      const at = threeFiles()
      const calls: string[] = []
      const open = new Set<number>()
      const failsNow = (name: string) => {
        calls.push(name)
        return name === call && calls.filter((one) => one === name).length === nth
      }
      const outcomes = at.run((real) => ({
        openSync: (...given: Parameters<Fs['openSync']>) => {
          if (failsNow('openSync')) failWith('EIO')
          const descriptor = real.openSync(...given)
          open.add(descriptor)
          return descriptor
        },
        closeSync: (descriptor) => {
          real.closeSync(descriptor)
          open.delete(descriptor)
          if (failsNow('closeSync')) failWith('EIO')
        },
        ftruncateSync: (...given: Parameters<Fs['ftruncateSync']>) => {
          if (failsNow('ftruncateSync')) failWith('EIO')
          real.ftruncateSync(...given)
        },
        fsyncSync: (descriptor) => {
          if (failsNow('fsyncSync')) failWith('EIO')
          real.fsyncSync(descriptor)
        },
      }))
      expect(outcomes.map(({ kind }) => kind)).toEqual(['done', 'refused', 'done'])
      expect(at.contents()).toEqual([TEXT, OLD, TEXT])
      expect(at.names()).toEqual(['0.json', '1.json', '2.json'])
      expect(open).toEqual(new Set())
    },
  )

  test('of jobs that are carried out together none is known to be done when the flush of the directory fails', () => {
    const at = threeFiles()
    writeFileSync(join(at.directory, '1.json'), 'changed from outside')
    const outcomes = at.run((real) => ({
      fsyncSync: (descriptor) => {
        if (real.fstatSync(descriptor).isDirectory()) failWith('EIO')
        real.fsyncSync(descriptor)
      },
    }))
    expect(outcomes.map(({ kind }) => kind)).toEqual(['unknown', 'refused', 'unknown'])
  })

  test('of jobs that are carried out together those behind a loss of the lock are not changed any more', () => {
    const at = threeFiles()
    let renamed = 0
    const outcomes = at.run((real) => ({
      renameSync: (from, to) => {
        real.renameSync(from, to)
        renamed += 1
        if (renamed === 1) at.loseLock()
      },
    }))
    expect(outcomes.map(({ kind }) => kind)).toEqual(['unknown', 'lock-lost', 'stopped'])
    expect(at.contents()).toEqual([TEXT, OLD, OLD])
    expect(at.names()).toEqual(['0.json', '1.json', '2.json'])
  })
})

test('of jobs that are carried out together those behind a move that was left half-way are not changed any more', () => {
  const at = threeFiles()
  const path = join(at.directory, '1.json')
  const move: FileJob = { kind: 'move', path, to: `${path}.aside` }
  let renames = 0
  const outcomes = at.run(
    ({ renameSync }) => ({
      renameSync: (from, to) => {
        renames += 1
        // That of the first file, then the move: out of the way, on to its new name, and back.
        if (renames > 2) failWith('EIO')
        renameSync(from, to)
      },
    }),
    [...at.jobs.slice(0, 1), move, ...at.jobs.slice(2)],
  )
  expect(outcomes.map(({ kind }) => kind)).toEqual(['done', 'unknown', 'stopped'])
  expect(renames).toBe(4)
  expect(at.names()).toEqual(['0.json', '2.json'])
})

describe('a flush of files', () => {
  /** Notes what is flushed, files by their names. The n-th flush fails. */
  function flushes(directory: string, order: string[], failing: number) {
    return (real: Fs): Partial<Fs> => ({
      fsyncSync: (descriptor) => {
        const { ino } = real.fstatSync(descriptor)
        const name = readdirSync(directory).find((one) => real.statSync(join(directory, one)).ino === ino)
        order.push(name ?? 'directory')
        if (order.length === failing) failWith('EIO')
        real.fsyncSync(descriptor)
      },
    })
  }

  const flushOf = (directory: string, ...names: string[]): FileJob => ({
    kind: 'flush',
    paths: names.map((name) => join(directory, name)),
  })

  test('a flush of files flushes each, then the directory', () => {
    const at = threeFiles()
    const order: string[] = []
    const outcomes = at.run(flushes(at.directory, order, 0), [flushOf(at.directory, '0.json', '1.json')])
    expect(outcomes).toEqual([{ kind: 'done', identity: null }])
    expect(order).toEqual(['0.json', '1.json', 'directory'])
  })

  test('a flush of files promises nothing once the lock is lost', () => {
    const at = threeFiles()
    at.loseLock()
    expect(at.run(() => ({}), [flushOf(at.directory, '0.json')])).toMatchObject([{ kind: 'unknown' }])
  })

  test('a flush of files ends at the first that fails, and names it: the system would report success for it the next time', () => {
    const at = threeFiles()
    const order: string[] = []
    const open = new Set<number>()
    const outcomes = at.run(
      (real) => ({
        ...flushes(at.directory, order, 2)(real),
        openSync: (...given: Parameters<Fs['openSync']>) => {
          const descriptor = real.openSync(...given)
          open.add(descriptor)
          return descriptor
        },
        // A close that reports an error must not hide the flush that did.
        closeSync: (descriptor) => {
          real.closeSync(descriptor)
          open.delete(descriptor)
          failWith('EIO')
        },
      }),
      [flushOf(at.directory, '0.json', '1.json', '2.json')],
    )
    const path = join(at.directory, '1.json')
    expect(outcomes).toMatchObject([{ kind: 'refused', because: 'unflushed', path, errno: 'EIO' }])
    expect(order).toEqual(['0.json', '1.json'])
    expect(open).toEqual(new Set())
  })

  test('a flush of files that cannot be opened may be repeated', () => {
    const at = threeFiles()
    const outcomes = at.run(() => ({}), [flushOf(at.directory, '0.json', 'missing.json')])
    expect(outcomes).toMatchObject([{ kind: 'refused', because: 'error', errno: 'ENOENT' }])
  })

  test('of a flush of files and the changes beside it none is done when the flush of the directory fails, which is not repeated', () => {
    const at = threeFiles()
    const order: string[] = []
    const jobs = [...at.jobs.slice(0, 1), flushOf(at.directory, '1.json'), flushOf(at.directory, '2.json')]
    // Those of three files come before it.
    const outcomes = at.run(flushes(at.directory, order, 4), jobs)
    expect(outcomes.map(({ kind }) => kind)).toEqual(['unknown', 'unknown', 'unknown'])
    expect(order.filter((name) => name === 'directory')).toEqual(['directory'])
  })

  test('of a flush of files and the changes beside it the changes are done when a file cannot be flushed', () => {
    const at = threeFiles()
    const order: string[] = []
    const jobs = [flushOf(at.directory, '2.json'), ...at.jobs.slice(0, 2)]
    const outcomes = at.run(flushes(at.directory, order, 1), jobs)
    expect(outcomes.map(({ kind }) => kind)).toEqual(['refused', 'done', 'done'])
    expect(at.contents()).toEqual([TEXT, TEXT, OLD])
  })
})

test('a replaced file that cannot be closed changes nothing: what replaced it is durable', () => {
  const at = oneFile('replace')
  let closed = 0
  const outcome = at.run('replace', (real) => ({
    closeSync: (descriptor) => {
      real.closeSync(descriptor)
      closed += 1
      if (closed === 2) failWith('EIO')
    },
  }))
  expect({ kind: outcome.kind, closed }).toEqual({ kind: 'done', closed: 2 })
  expect(at.content()).toBe(TEXT)
})

test('without flushes nothing is flushed', () => {
  const at = oneFile('replace')
  const [outcome] = at.carryOut([{ kind: 'replace', ...at.job }], { fsyncSync: () => failWith('EIO') }, false)
  expect(outcome?.kind).toBe('done')
  expect(at.content()).toBe(TEXT)
})
