import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { CommitThread } from '#campaignd/repository/file/commit/commit-thread.js'
import type { FileJob } from '#campaignd/repository/file/commit/file-job.js'
import { type CommitDirectory, commitDirectory } from '../../../support/store/commit-directory.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { TIME_LIMIT } from '../../../support/time-limit.js'

async function startThread(replaced: Partial<CommitDirectory> = {}) {
  const data = { ...commitDirectory(), ...replaced, stopped: new Int32Array(new SharedArrayBuffer(4)) }
  const deaths: Error[] = []
  /** Another one on the same directory. */
  const another = async () => {
    const thread = await CommitThread.start(data, (reason) => deaths.push(reason))
    onTestFinished(() => thread.close())
    return thread
  }
  return { thread: await another(), directory: data.directory, deaths, another }
}

test('a commit thread that cannot open the directory does not start, and reports why', async () => {
  const directory = join(temporaryDirectory(), 'missing')
  await expect(startThread({ directory })).rejects.toThrow(`ENOENT: no such file or directory, open '${directory}'`)
})

let temps = 0

function creation(directory: string, name: string): FileJob {
  const path = join(directory, name)
  temps += 1
  return { kind: 'create', path, temp: `${path}.${temps}.tmp`, parts: [new TextEncoder().encode(name)] }
}

test('jobs that wait are done in order, each with its own outcome', async () => {
  const { thread, directory, deaths } = await startThread()
  const names = Array.from({ length: 20 }, (_, index) => `file-${String(index % 10)}`)
  const reports = await Promise.all(names.map((name) => thread.run(creation(directory, name))))
  expect(reports.map(({ outcome }) => outcome.kind)).toEqual(names.map((_, index) => (index < 10 ? 'done' : 'refused')))
  expect(readdirSync(directory)).toHaveLength(10)
  expect(deaths).toEqual([])
})

test('a commit thread that ends by itself is reported, and fails the jobs that wait and later ones', async () => {
  const { thread, directory, deaths } = await startThread()
  // Whatever it is that a thread dies of: this is a job that it cannot even read.
  const poison = thread.run(null as unknown as FileJob)
  const behind = thread.run(creation(directory, 'behind'))
  await expect.poll(() => deaths.length).toBeGreaterThan(0)
  const late = thread.run(creation(directory, 'late'))
  const hangs = new Promise<string>((resolve) => setTimeout(resolve, TIME_LIMIT, 'hangs').unref())
  for (const job of [poison, behind, late]) {
    expect(await Promise.race([job, hangs])).toMatchObject({ outcome: { kind: 'unknown' } })
  }
})

test('a commit thread that ends by itself ends all writing in the others', async () => {
  const { thread, directory, deaths, another } = await startThread()
  const other = await another()
  await thread.run(null as unknown as FileJob)
  expect(deaths).toHaveLength(1)
  expect(await other.run(creation(directory, 'late'))).toMatchObject({ outcome: { kind: 'stopped' } })
  expect(readdirSync(directory)).toEqual([])
})
