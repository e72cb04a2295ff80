import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { DataDirectory } from '#campaignd/repository/file/data-directory.js'
import { DirectoryLock, lockDirectory } from '#campaignd/repository/file/lock/directory-lock.js'
import { LockObservation, WakingClock } from '#campaignd/repository/file/lock/lock-observation.js'
import { OwnedLockFs } from '#campaignd/repository/file/lock/owned-lock-fs.js'
import { OwnerFile } from '#campaignd/repository/file/lock/owner-file.js'
import { describeThisProcess, type OwnerRecord, readOwnerRecord } from '#campaignd/repository/file/lock/owner-record.js'
import { isBad, type LockProcess, spawnLockProcess } from '../../../support/service/lock-process.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { TIME_LIMIT } from '../../../support/time-limit.js'
import { attach, canTrace } from '../../../support/tools.js'

/** Milliseconds after which a holder gives up its lock: what is had at once is had much sooner. */
const STALE = 10_000
/** Milliseconds for which a contender must have seen a lock unchanged. */
const OBSERVED = 12_000

/** One that ends with the test. */
function startLockProcess(
  directory: string,
  mode: 'lock' | 'open' = 'lock',
  begin: 'at-once' | 'gated' = 'at-once',
): LockProcess {
  const started = spawnLockProcess(directory, mode, begin)
  onTestFinished(() => started.kill('SIGKILL'))
  return started
}

async function take(directory: string, onLost: (reason: Error) => void = () => undefined): Promise<DirectoryLock> {
  const lock = await lockDirectory(directory, { onWait: () => undefined, onLost })
  onTestFinished(() => lock.release())
  return lock
}

/** Another directory in the place of the lock, very likely with its inode number. */
function replace(path: string): void {
  rmdirSync(path)
  mkdirSync(path)
}

function age(path: string, seconds: number): void {
  const then = Date.now() / 1000 - seconds
  utimesSync(path, then, then)
}

/** How many hold the lock once all that will have had time to take it. */
async function ownersOf(processes: readonly LockProcess[], milliseconds: number): Promise<number> {
  await Promise.any(processes.map((one) => one.receive('owns')))
  await sleep(milliseconds)
  expect(processes.flatMap(({ messages }) => messages.filter(isBad))).toEqual([])
  return processes.filter(({ messages }) => messages.some(({ event }) => event === 'owns')).length
}

describe('a held lock', () => {
  test('a held lock is named in owner.json and gone after the release', async () => {
    const directory = temporaryDirectory()
    const lock = await take(directory)
    expect(lock.isOurs()).toBe(true)
    expect(JSON.parse(readFileSync(join(directory, 'owner.json'), 'utf8'))).toMatchObject({
      pid: process.pid,
      host: hostname(),
      lock_inode: String(statSync(lock.lockPath).ino),
    })
    expect(statSync(join(directory, 'owner.json')).mode & 0o777).toBe(0o600)
    await lock.release()
    expect(readdirSync(directory)).toEqual([])
    await lock.release()
  })

  test('a held lock is refreshed while it is held, and reported as lost once when it is removed or replaced', async () => {
    const removals = [rmdirSync, replace].map(async (remove) => {
      const losses: Error[] = []
      const lock = await take(temporaryDirectory(), (reason) => losses.push(reason))
      remove(lock.lockPath)
      expect(lock.isOurs()).toBe(false)
      await expect.poll(() => losses.length).toBe(1)
      return losses
    })
    const held = await take(temporaryDirectory())
    const first = statSync(held.lockPath).mtimeMs
    const losses = await Promise.all(removals)
    await expect.poll(() => statSync(held.lockPath).mtimeMs).toBeGreaterThan(first)
    expect(losses.map(({ length }) => length)).toEqual([1, 1])
    expect(held.isOurs()).toBe(true)
  })

  test('a held lock that became the lock of another is not released, nor is its record', async () => {
    const directory = temporaryDirectory()
    const lock = await take(directory)
    replace(lock.lockPath)
    writeFileSync(join(directory, 'owner.json'), '{"pid":1}')
    await lock.release()
    expect(readdirSync(directory).toSorted()).toEqual(['lock', 'owner.json'])
    expect(readFileSync(join(directory, 'owner.json'), 'utf8')).toBe('{"pid":1}')
  })

  test('a held lock that was abandoned is not touched any more, not even when it belongs to another and the process exits', async () => {
    const directory = temporaryDirectory()
    const holder = startLockProcess(directory)
    await holder.receive('owns')
    const path = join(directory, 'lock')
    replace(path)
    age(path, 60)
    const before = statSync(path, { bigint: true })
    holder.send('abandon')
    await holder.ended
    expect(readdirSync(directory)).toContain('lock')
    // A rename aside and back would show here: for a moment its owner would have found it gone.
    expect(statSync(path, { bigint: true }).ctimeNs).toBe(before.ctimeNs)
  })

  test('a held lock is released by a process that exits', async () => {
    const directory = temporaryDirectory()
    const holder = startLockProcess(directory)
    await holder.receive('owns')
    holder.send('release')
    await holder.ended
    expect(readdirSync(directory)).toEqual([])
  })
})

describe('a contender', () => {
  test('a contender waits for a holder that lives or is unknown, then names the one and succeeds the other', () =>
    Promise.all([failsNamingTheHolder(), ...UNKNOWN.map(outwaits)]))

  test('a contender takes over at once after the holder was killed', async () => {
    const directory = temporaryDirectory()
    const holder = startLockProcess(directory)
    await holder.receive('owns')
    await holder.kill('SIGKILL')
    expect(await takeoverTime(directory)).toBeLessThan(STALE)
  })

  test('a contender takes over at once when the pid of the killed holder belongs to another process', async () => {
    const directory = temporaryDirectory()
    const holder = startLockProcess(directory)
    await holder.receive('owns')
    await holder.kill('SIGKILL')
    editOwner(directory, { pid: process.pid })
    expect(await takeoverTime(directory)).toBeLessThan(STALE)
  })

  test('a contender is not disturbed by what the owner sweeps, and gets the lock when it is released', async () => {
    const directory = temporaryDirectory()
    const lock = await take(directory)
    const owned = new DataDirectory(directory)
    owned.create()
    const contender = take(directory)
    owned.sweep()
    await lock.release()
    expect((await contender).isOurs()).toBe(true)
  })

  test('a contender is not disturbed by a sweep in what it moved aside just now, however old the lock is', () => {
    const directory = temporaryDirectory()
    const owned = new DataDirectory(directory)
    owned.create()
    mkdirSync(join(directory, 'lock'))
    age(join(directory, 'lock'), 3600)
    renameSync(join(directory, 'lock'), join(directory, 'lock.stale-1'))
    owned.sweep()
    expect(readdirSync(directory)).toContain('lock.stale-1')
  })

  test('a contender says what to remove when the lock holds something', async () => {
    const directory = temporaryDirectory()
    mkdirSync(join(directory, 'lock'))
    writeFileSync(join(directory, 'lock', 'notes.txt'), '')
    await expect(take(directory)).rejects.toThrow(`rm -r ${join(directory, 'lock')}`)
    expect(readdirSync(join(directory, 'lock'))).toEqual(['notes.txt'])
  })

  test('a contender says what to remove when the lock is a file', async () => {
    const directory = temporaryDirectory()
    writeFileSync(join(directory, 'lock'), '')
    await expect(take(directory)).rejects.toThrow(`rm ${join(directory, 'lock')}`)
    expect(readdirSync(directory)).toEqual(['lock'])
  })

  test('a contender tries again when another takes the lock away that it has just made', async () => {
    const directory = temporaryDirectory()
    const path = join(directory, 'lock')
    // At every turn of the event loop: the library looks twice at what it made, each time for a turn or more.
    const steal = () => {
      if (existsSync(path)) rmdirSync(path)
      else setImmediate(steal)
    }
    steal()
    expect((await take(directory)).isOurs()).toBe(true)
  })

  test('a contender does not wait for itself when the lock that it has just made is moved aside and put back', async () => {
    const directory = temporaryDirectory()
    const path = join(directory, 'lock')
    const borrow = () => {
      if (!existsSync(path)) return void setImmediate(borrow)
      renameSync(path, `${path}.aside`)
      setTimeout(() => {
        renameSync(`${path}.aside`, path)
      }, 50)
    }
    borrow()
    const began = performance.now()
    expect((await take(directory)).isOurs()).toBe(true)
    expect(performance.now() - began).toBeLessThan(STALE)
  })

  test('a contender leaves a lock alone that another took for its own before it', async () => {
    const directory = temporaryDirectory()
    const path = join(directory, 'lock')
    const claim = () => {
      if (!existsSync(path)) return void setImmediate(claim)
      writeFileSync(join(directory, 'owner.json'), JSON.stringify(recordOf(path)))
    }
    claim()
    const waits: string[] = []
    const contender = lockDirectory(directory, { onWait: (holder) => waits.push(holder), onLost: () => undefined })
    onTestFinished(async () => (await contender).release())
    await expect.poll(() => waits.length).toBe(1)
    expect(readOwnerRecord(join(directory, 'owner.json'))).toMatchObject({ token: 'of another' })
    rmdirSync(path)
    expect((await contender).isOurs()).toBe(true)
    expect(readOwnerRecord(join(directory, 'owner.json'))).toMatchObject({ pid: process.pid })
  })

  test('a contender that stands still at its second check while another takes the lock goes on waiting', async () => {
    const directory = temporaryDirectory()
    const path = join(directory, 'lock')
    mkdirSync(path)
    age(path, 60)
    const losses: Error[] = []
    const contender = take(directory, (reason) => losses.push(reason))
    await expect.poll(() => existsSync(join(directory, 'owner.json'))).toBe(true)
    replace(path)
    // Longer than a refresh, at which the library sees that the lock is another's.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000)
    setTimeout(() => rmdirSync(path), 1000)
    expect((await contender).isOurs()).toBe(true)
    expect(losses).toEqual([])
  })

  test('a contender that cannot write its record fails, and leaves no lock behind', async () => {
    const directory = temporaryDirectory()
    mkdirSync(join(directory, 'owner.json'))
    await expect(take(directory)).rejects.toThrow('owner.json')
    expect(readdirSync(directory)).toEqual(['owner.json'])
  })

  test.skipIf(!canTrace())('a contender takes no holder for dead of which it can read nothing', async () => {
    const directory = temporaryDirectory()
    const holder = startLockProcess(directory)
    await holder.receive('owns')
    const contender = startLockProcess(directory, 'lock', 'gated')
    await contender.receive('starts')
    const options = ['-f', '-P', `/proc/${holder.pid}/stat`, '-e', 'inject=openat:error=ENFILE']
    const output = join(temporaryDirectory(), 'trace')
    const tracer = await attach(contender.pid, output, options, (child) => onTestFinished(() => void child.kill()))
    contender.send('go')
    await contender.receive('waits')
    expect(tracer.output()).toContain('(INJECTED)')
    await sleep(1500)
    await tracer.detach()
    expect(holder.messages.map(({ event }) => event)).toEqual(['starts', 'owns'])
    expect(contender.messages.map(({ event }) => event)).toEqual(['starts', 'waits'])
  })

  test('a contender fails at once where there is no directory', async () => {
    await expect(take(join(temporaryDirectory(), 'missing'))).rejects.toThrow('ENOENT')
  })
})

/** One that is blocked for less than the wait keeps its lock. */
async function failsNamingTheHolder(): Promise<void> {
  const directory = temporaryDirectory()
  const holder = startLockProcess(directory)
  await holder.receive('owns')
  holder.send('block 7000')
  const began = performance.now()
  const contender = startLockProcess(directory)
  const named = `process ${holder.pid} on ${hostname()} since 20`
  const { holder: found, seconds } = await contender.receive('waits')
  expect(found).toContain(named)
  expect(seconds).toBe(15)
  const { message } = await contender.receive('failed')
  expect(message).toContain(named)
  expect(message).toContain(directory)
  expect(performance.now() - began).toBeGreaterThan(OBSERVED)
  expect(holder.messages.map(({ event }) => event)).toEqual(['starts', 'owns'])
}

/** Edits of the record of a dead owner, after which it cannot be told that it is dead. */
const UNKNOWN: readonly ((directory: string) => void)[] = [
  (directory) => {
    editOwner(directory, { pid_namespace: 'pid:[1]' })
  },
  (directory) => {
    editOwner(directory, { time_namespace: 'time:[1]' })
  },
  // As the version before wrote it.
  (directory) => {
    editOwner(directory, { time_namespace: undefined })
  },
  (directory) => {
    editOwner(directory, { boot_id: 'another' })
  },
  // However long ago it was refreshed by the clock of whoever did.
  (directory) => {
    editOwner(directory, { boot_id: 'another' })
    age(join(directory, 'lock'), 3600)
  },
  (directory) => {
    writeFileSync(join(directory, 'owner.json'), 'torn')
  },
]

async function outwaits(edit: (directory: string) => void): Promise<void> {
  const directory = temporaryDirectory()
  const holder = startLockProcess(directory)
  await holder.receive('owns')
  await holder.kill('SIGKILL')
  edit(directory)
  const waited = await takeoverTime(directory)
  expect(waited).toBeGreaterThan(OBSERVED)
  expect(waited).toBeLessThan(TIME_LIMIT)
}

/** Milliseconds that a new process, once it runs, takes to get the lock. */
async function takeoverTime(directory: string): Promise<number> {
  const contender = startLockProcess(directory)
  await contender.receive('starts')
  const began = performance.now()
  await contender.receive('owns')
  return performance.now() - began
}

/** Of a process of which nothing can be known, that took the lock directory for its own. */
function recordOf(path: string): OwnerRecord {
  const { ino, birthtimeNs } = statSync(path, { bigint: true })
  const identity = { inode: ino, birthtimeNs }
  return { ...describeThisProcess(identity, '2026-03-01T12:00:00.000Z'), pid: 1, token: 'of another', boot_id: null }
}

function editOwner(directory: string, given: object): void {
  const path = join(directory, 'owner.json')
  const record = JSON.parse(readFileSync(path, 'utf8')) as object
  writeFileSync(path, JSON.stringify({ ...record, ...given }))
}

describe('of many contenders exactly one gets', () => {
  async function round(directory: string, count: number, mode: 'lock' | 'open' = 'lock'): Promise<void> {
    const processes = Array.from({ length: count }, () => startLockProcess(directory, mode))
    expect(await ownersOf(processes, 1500)).toBe(1)
    await Promise.all(processes.map((one) => one.kill('SIGKILL')))
  }

  test('of many contenders exactly one gets a lock that is stale, every round', async () => {
    const rounds = Array.from({ length: 3 }, () => {
      const directory = temporaryDirectory()
      mkdirSync(join(directory, 'lock'))
      return round(directory, 8)
    })
    await Promise.all(rounds)
  })

  test('of many contenders exactly one gets the lock of one that was killed', async () => {
    const directory = temporaryDirectory()
    const holder = startLockProcess(directory)
    await holder.receive('owns')
    await holder.kill('SIGKILL')
    const processes = Array.from({ length: 3 }, () => startLockProcess(directory))
    // Longer than a refresh, by which an owner learns that another one came after it.
    expect(await ownersOf(processes, 3000)).toBe(1)
  })

  test('of many contenders exactly one gets a new store, and the others wait for it', () =>
    round(temporaryDirectory(), 4, 'open'))
})

type Done = (error: NodeJS.ErrnoException | null) => void

interface LibraryFs {
  mkdir(path: string, done: Done): void
  stat(path: string, done: Done): void
  utimes(path: string, accessed: Date, modified: Date, done: Done): void
  rmdirSync(path: string): void
}

describe('what the library is handed', () => {
  function ownFs(directory: string) {
    const path = join(directory, 'lock')
    let now = 0
    const clock = new WakingClock(() => now)
    const fs = new OwnedLockFs(path, STALE, true, new LockObservation(clock, 1000))
    const library = fs.forLibrary() as unknown as LibraryFs
    return {
      ...{ fs, path },
      /** Looks at the lock twice, a second of its clock apart. */
      observe: async () => {
        for (let looks = 0; looks < 2; looks += 1) {
          await new Promise((resolve) => library.stat(path, resolve))
          now += 1000
        }
      },
      rmdir: () => {
        library.rmdirSync(path)
      },
      make: () => new Promise((resolve) => library.mkdir(path, resolve)),
      refresh: (at: Date) => new Promise((resolve) => library.utimes(path, at, at, resolve)),
    }
  }

  test('the lock library refreshes the lock that this process made', async () => {
    const { path, make, refresh } = ownFs(temporaryDirectory())
    await make()
    const at = new Date('2026-03-01T12:00:00Z')
    expect(await refresh(at)).toBeNull()
    expect(statSync(path).mtime).toEqual(at)
  })

  // Its owner would take the other time for the loss of its lock.
  test.each(['another made', 'was abandoned'] as const)('the lock library refreshes none that %s', async (which) => {
    const { fs, path, make, refresh } = ownFs(temporaryDirectory())
    await make()
    if (which === 'another made') replace(path)
    else fs.abandon()
    const before = statSync(path, { bigint: true }).ctimeNs
    expect(await refresh(new Date('2026-03-01T12:00:00Z'))).toMatchObject({ code: 'ENOENT' })
    expect(statSync(path, { bigint: true }).ctimeNs).toBe(before)
  })

  test('the loss of a lock is one only once it is held, and once', async () => {
    const directory = temporaryDirectory()
    const { fs, make } = ownFs(directory)
    await make()
    const identity = fs.identity ?? { inode: 0n, birthtimeNs: null }
    const lock = new DirectoryLock(fs, identity, new OwnerFile(directory), () => Promise.resolve())
    expect(await lock.hold(false)).toBe(true)
    expect([lock.lose(), lock.lose()]).toEqual([true, false])
    const other = ownFs(temporaryDirectory())
    await other.make()
    const notHeld = new DirectoryLock(other.fs, identity, new OwnerFile(directory), () => Promise.resolve())
    expect(notHeld.lose()).toBe(false)
    expect(await notHeld.hold(false)).toBe(false)
  })

  test('a lock that is gone when it was moved aside is taken for gone', () => {
    const directory = temporaryDirectory()
    const { fs, path } = ownFs(directory)
    mkdirSync(path)
    let looks = 0
    const removeAtSecond = () => {
      looks += 1
      if (looks === 2) for (const name of readdirSync(directory)) rmdirSync(join(directory, name))
      return true
    }
    expect(fs.takeAside(removeAtSecond)).toBe(true)
    expect(readdirSync(directory)).toEqual([])
  })

  test('the lock library removes a stale lock, and does not even move a fresh one', async () => {
    const directory = temporaryDirectory()
    const { path, rmdir, observe } = ownFs(directory)
    mkdirSync(path)
    age(path, 3600)
    const { ino, ctimeMs } = statSync(path)
    rmdir()
    expect(readdirSync(directory)).toEqual(['lock'])
    // A move would show in the time of its last change, and for its moment leave the place free for another.
    expect(statSync(path)).toMatchObject({ ino, ctimeMs })
    await observe()
    age(path, 60)
    rmdir()
    expect(readdirSync(directory)).toEqual(['lock'])
    await observe()
    rmdir()
    expect(readdirSync(directory)).toEqual([])
  })

  test('a lock that came alive just as it was moved aside is put back', () => {
    const directory = temporaryDirectory()
    const { fs, path } = ownFs(directory)
    mkdirSync(path)
    const { ino } = statSync(path)
    const looks = [true, false]
    expect(fs.takeAside(() => looks.shift() ?? false)).toBe(false)
    expect(statSync(path).ino).toBe(ino)
    expect(readdirSync(directory)).toEqual(['lock'])
  })

  test('a lock that was moved aside is not put back into the place of one that another took meanwhile', () => {
    const directory = temporaryDirectory()
    const { fs, path } = ownFs(directory)
    mkdirSync(path)
    let looks = 0
    let taken = 0n
    const taker = () => {
      looks += 1
      if (looks === 1) return true
      mkdirSync(path)
      taken = statSync(path, { bigint: true }).ino
      return false
    }
    expect(fs.takeAside(taker)).toBe(false)
    expect(statSync(path, { bigint: true }).ino).toBe(taken)
    expect(readdirSync(directory)).toEqual(['lock'])
  })

  test('after a lock was abandoned the library removes none, however stale', async () => {
    const directory = temporaryDirectory()
    const { fs, path, rmdir, observe } = ownFs(directory)
    mkdirSync(path)
    await observe()
    fs.abandon()
    rmdir()
    expect(readdirSync(directory)).toEqual(['lock'])
  })
})

describe('the record of an owner', () => {
  test('the record of an owner is taken by one that knows that this one is dead, and put back by others', () => {
    const directory = temporaryDirectory()
    const path = join(directory, 'owner.json')
    mkdirSync(join(directory, 'lock'))
    const record = recordOf(join(directory, 'lock'))
    writeFileSync(path, JSON.stringify(record))
    const file = new OwnerFile(directory)
    expect(file.take({ ...record, token: 'of one before' })).toBe(false)
    expect(file.read()).toEqual(record)
    expect(readdirSync(directory)).toEqual(['lock', 'owner.json'])
    expect(file.take(record)).toBe(true)
    expect(file.take(record)).toBe(false)
    expect(readdirSync(directory)).toEqual(['lock'])
  })

  test('the record of an owner is written by one at a time of those that took the same lock for their own', () => {
    const directory = temporaryDirectory()
    mkdirSync(join(directory, 'lock'))
    const { ino, birthtimeNs } = statSync(join(directory, 'lock'), { bigint: true })
    const identity = { inode: ino, birthtimeNs }
    const file = new OwnerFile(directory)
    const record = describeThisProcess(identity, '2026-03-01T12:00:00.000Z')
    const scratch = join(directory, `owner-${ino}-${birthtimeNs}`)
    mkdirSync(scratch)
    expect(file.claim(record, identity)).toBe(false)
    rmdirSync(scratch)
    expect(file.claim(record, identity)).toBe(true)
    expect(file.claim({ ...record, token: 'of another' }, identity)).toBe(false)
    expect(file.claimAgain(record, identity)).toBe(true)
    expect(file.read()).toEqual(record)
  })
})
