import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { LockObservation, WakingClock } from '#campaignd/repository/file/lock/lock-observation.js'
import { type LockProcess, spawnLockProcess } from '../../../support/service/lock-process.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { attach, canTrace, isUsable } from '../../../support/tools.js'

/** Milliseconds for which a contender must have seen a lock unchanged. */
const OBSERVED = 12_000
/** Milliseconds by which a wall clock is set. */
const STEP = 60_000

/** One that ends with the test. */
function start(directory: string, wrapper: readonly string[] = []): LockProcess {
  const started = spawnLockProcess(directory, 'lock', 'at-once', wrapper)
  onTestFinished(() => started.kill('SIGKILL'))
  return started
}

async function hold(directory: string): Promise<LockProcess> {
  const holder = start(directory)
  await holder.receive('owns')
  return holder
}

function eventsOf({ messages }: LockProcess): string[] {
  return messages.map(({ event }) => event)
}

interface Pair {
  readonly holder: LockProcess
  readonly contender: LockProcess
}

/** Has a contender wait for a live holder to the end, and changes something meanwhile. */
async function keepsItsLock(change: (pair: Pair) => Promise<void> | void): Promise<void> {
  const directory = temporaryDirectory()
  const holder = await hold(directory)
  const contender = start(directory)
  await contender.receive('waits')
  await change({ holder, contender })
  expect((await contender.receive('failed')).message).toContain(`process ${holder.pid}`)
  expect(eventsOf(holder)).toEqual(['starts', 'owns'])
}

/** Both are stopped for longer than a lock is observed, as in a machine that is suspended; the contender wakes first. */
async function stopBoth({ holder, contender }: Pair): Promise<void> {
  for (const one of [holder, contender]) process.kill(one.pid, 'SIGSTOP')
  await sleep(OBSERVED + 1000)
  process.kill(contender.pid, 'SIGCONT')
  await sleep(700)
  process.kill(holder.pid, 'SIGCONT')
}

describe('a live holder keeps its lock', () => {
  test('a live holder keeps its lock when a wall clock is set, or both processes were stopped', () =>
    Promise.all([
      ...[STEP, -STEP].flatMap((step) => [
        keepsItsLock(({ holder }) => holder.send(`step ${step}`)),
        keepsItsLock(({ contender }) => contender.send(`step ${step}`)),
      ]),
      keepsItsLock(stopBoth),
    ]))

  test.skipIf(!canTrace())('a live holder keeps its lock when a refresh fails and its wall clock is set', async () => {
    const directory = temporaryDirectory()
    const holder = await hold(directory)
    const path = join(directory, 'lock')
    const before = statSync(path).mtimeMs
    const options = ['-f', '-P', path, '-e', 'inject=utimensat:error=EIO:when=1']
    const output = join(temporaryDirectory(), 'trace')
    const tracer = await attach(holder.pid, output, options, (child) => onTestFinished(() => void child.kill()))
    holder.send(`step ${STEP}`)
    await expect.poll(() => tracer.output()).toContain('(INJECTED)')
    await expect.poll(() => statSync(path).mtimeMs).toBeGreaterThan(before + STEP / 2)
    await tracer.detach()
    expect(eventsOf(holder)).toEqual(['starts', 'owns'])
  })

  const timeNamespace = ['unshare', '-T', '--boottime', '100000']
  test.skipIf(!isUsable('unshare with a time namespace', [...timeNamespace, 'true']))(
    'a live holder keeps its lock from a contender in another time namespace',
    async () => {
      const directory = temporaryDirectory()
      const holder = await hold(directory)
      const contender = start(directory, timeNamespace)
      await contender.receive('waits')
      // Longer than a takeover takes, and than the refresh at which the holder would find out.
      await sleep(4000)
      expect(eventsOf(contender)).toEqual(['starts', 'waits'])
      expect(eventsOf(holder)).toEqual(['starts', 'owns'])
    },
  )

  test.skipIf(!canTrace())(
    'a holder that cannot refresh its lock for ten seconds has lost it, whatever the wall clock says',
    async () => {
      const directory = temporaryDirectory()
      const holder = await hold(directory)
      const options = ['-f', '-P', join(directory, 'lock'), '-e', 'inject=utimensat:error=EIO']
      const output = join(temporaryDirectory(), 'trace')
      await attach(holder.pid, output, options, (child) => onTestFinished(() => void child.kill()))
      const began = performance.now()
      holder.send(`step -${STEP}`)
      expect((await holder.receive('lost')).reason).toContain('EIO')
      expect(performance.now() - began).toBeGreaterThan(OBSERVED / 2)
    },
  )
})

describe('what was observed of a lock', () => {
  /** Looks at a lock directory as a contender does, by a clock that the test sets. */
  function observe() {
    const path = join(temporaryDirectory(), 'lock')
    mkdirSync(path)
    const stat = statSync(path, { bigint: true })
    let now = 0
    const observation = new LockObservation(new WakingClock(() => now), 2000)
    return (after: number, given: { mtimeNs?: bigint; ino?: bigint; birthtimeNs?: bigint } = {}) => {
      now += after
      const found = Object.assign(Object.create(stat) as typeof stat, given)
      return observation.see(found, { inode: found.ino, birthtimeNs: found.birthtimeNs })
    }
  }

  test('what was observed of a lock for long enough is stale', () => {
    const look = observe()
    expect([look(0), look(1000), look(999), look(1)]).toEqual([false, false, false, true])
  })

  test.each(['mtimeNs', 'ino', 'birthtimeNs'] as const)(
    'what was observed of a lock counts no more after a change of %s',
    (key) => {
      const look = observe()
      const change = { [key]: 1n }
      const looks = [look(0), look(1000), look(999, change), look(1000, change), look(999, change), look(1, change)]
      expect(looks).toEqual([false, false, false, false, false, true])
    },
  )

  test('what was observed of a lock is not what happened while nobody looked', () => {
    const look = observe()
    look(0)
    expect([look(60_000), look(500), look(500)]).toEqual([false, false, true])
  })
})
