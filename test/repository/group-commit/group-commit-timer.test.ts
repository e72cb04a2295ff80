import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { GroupCommitTimer } from '#campaignd/repository/group-commit/group-commit-timer.js'

/** Milliseconds that the commits here take: the next waits for one more call for 10, and for all of them for 40. */
const TOOK = 40

/** Calls that come while the next commit waits to begin, and whether it has begun. */
class Gathering {
  hasBegun = false

  constructor(
    private readonly timer: GroupCommitTimer,
    private waiting: number,
  ) {
    void timer
      .waitForMore(() => this.waiting)
      .then(() => {
        this.hasBegun = true
      })
  }

  come(): void {
    this.waiting += 1
    this.timer.onCall(this.waiting)
  }
}

function after(last: { answered: number; waiting: number; took?: number }, waiting: number): Gathering {
  const timer = new GroupCommitTimer()
  timer.onCommitted({ took: TOOK, ...last })
  return new Gathering(timer, waiting)
}

const passing = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds)

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance'] })
})

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

test('a lone writer never waits', async () => {
  const commit = after({ answered: 1, waiting: 0 }, 1)
  await passing(0)
  expect(commit.hasBegun).toBe(true)
})

test.each([
  { writers: 'a lone writer', answered: 1, waiting: 0, took: 0.4, enough: Infinity },
  { writers: 'few, to whom a commit takes longer than all else', answered: 8, waiting: 0, took: 0.4, enough: Infinity },
  { writers: 'many, who keep the event loop busy', answered: 40, waiting: 24, took: 0.4, enough: 32 },
  { writers: 'as many, with a slow disk', answered: 40, waiting: 24, took: 4, enough: Infinity },
])(
  'of $writers writers a minimum batch of $enough begins before the end of the turn',
  ({ answered, waiting, took, enough }) => {
    const timer = new GroupCommitTimer()
    timer.onCommitted({ answered, waiting, took })
    expect(timer.minimumBatch).toBe(enough)
  },
)

test('no commit waits for more where commits are quick', async () => {
  const commit = after({ answered: 64, waiting: 0, took: 1 }, 1)
  await passing(0)
  expect(commit.hasBegun).toBe(true)
})

test('no commit waits for more where the writers keep the event loop busy for longer than the disk', async () => {
  const timer = new GroupCommitTimer()
  timer.onCommitted({ answered: 1000, waiting: 1000, took: TOOK })
  expect(timer.isWaitWorthwhile).toBe(false)
  const commit = new Gathering(timer, 1)
  await passing(0)
  expect(commit.hasBegun).toBe(true)
})

test('a commit begins once all have called that were answered or waiting at the end of the last', async () => {
  const commit = after({ answered: 2, waiting: 1 }, 1)
  await passing(5)
  commit.come()
  await passing(2)
  expect(commit.hasBegun).toBe(false)
  commit.come()
  await passing(0)
  expect(commit.hasBegun).toBe(true)
})

test('a commit begins without the others after a quarter of the time of a commit without a call', async () => {
  const commit = after({ answered: 3, waiting: 0 }, 1)
  await passing(9)
  expect(commit.hasBegun).toBe(false)
  await passing(2)
  expect(commit.hasBegun).toBe(true)
})

test('a commit waits while calls arrive, for as long as a commit takes', async () => {
  const commit = after({ answered: 64, waiting: 0 }, 1)
  for (let passed = 0; passed < TOOK - 10; passed += 5) {
    commit.come()
    await passing(5)
    expect(commit.hasBegun).toBe(false)
  }
  commit.come()
  await passing(11)
  expect(commit.hasBegun).toBe(true)
})
