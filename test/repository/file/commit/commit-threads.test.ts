import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { CommitThreads } from '#campaignd/repository/file/commit/commit-threads.js'
import type { FileJob } from '#campaignd/repository/file/commit/file-job.js'
import { commitDirectory } from '../../../support/store/commit-directory.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { TIME_LIMIT } from '../../../support/time-limit.js'

const { O_RDWR, O_NONBLOCK } = constants

async function startThreads() {
  const at = commitDirectory()
  const threads = await CommitThreads.start(at, (reason) => {
    throw reason
  })
  onTestFinished(() => threads.close())
  return { ...at, threads }
}

function creation(directory: string, name: string): FileJob {
  const path = join(directory, name)
  return { kind: 'create', path, temp: `${path}.tmp`, parts: [new TextEncoder().encode(name)] }
}

test('while one commit thread waits for its disk another works', async () => {
  const { threads, directory } = await startThreads()
  const file = join(temporaryDirectory(), 'file')
  writeFileSync(file, '')
  // Flushed again and again until it is gone.
  const long = threads.run({ kind: 'flush', paths: Array.from({ length: 100_000 }, () => file) })
  for (const name of ['a', 'b', 'c', 'd']) {
    expect((await threads.run(creation(directory, name))).outcome).toMatchObject({ kind: 'done' })
  }
  expect(readdirSync(directory).sort()).toEqual(['a', 'b', 'c', 'd'])
  rmSync(file)
  expect((await long).outcome).toMatchObject({ kind: 'refused', errno: 'ENOENT' })
})

test('a commit thread does not wait at a pipe that somebody put in the place of a file', async () => {
  const { threads, directory } = await startThreads()
  const path = join(directory, 'pipe')
  execFileSync('mkfifo', [path])
  const parts = [new TextEncoder().encode('new')]
  const expected = { inode: 1n, size: 1n, mtimeNs: 1n }
  const reports = Promise.all([
    threads.run({ kind: 'flush', paths: [path] }),
    threads.run({ kind: 'replace', path, temp: `${path}.tmp`, parts, expected }),
  ])
  const hangs = new Promise<null>((resolve) => setTimeout(resolve, TIME_LIMIT, null).unref())
  const outcomes = (await Promise.race([reports, hangs]))?.map(({ outcome }) => outcome)
  // Lets go of a thread that hangs there.
  closeSync(openSync(path, O_RDWR | O_NONBLOCK))
  expect(outcomes).toMatchObject([
    { kind: 'refused', errno: 'EINVAL' },
    { kind: 'refused', because: 'changed-outside' },
  ])
})

test('a failure that ends all writing in one thread ends it in all', async () => {
  const { threads, directory, lockPath } = await startThreads()
  renameSync(lockPath, `${lockPath}.aside`)
  expect((await threads.run(creation(directory, 'first'))).outcome).toEqual({ kind: 'lock-lost' })
  // As before, but a thread that missed it would now take the directory for ours again.
  renameSync(`${lockPath}.aside`, lockPath)
  const names = Array.from({ length: 12 }, (_, index) => `late-${String(index)}`)
  const late = await Promise.all(names.map((name) => threads.run(creation(directory, name))))
  expect(new Set(late.map(({ outcome }) => outcome.kind))).toEqual(new Set(['stopped']))
  expect(readdirSync(directory)).toEqual([])
})

test('commit threads that were stopped change nothing more', async () => {
  const { threads, directory } = await startThreads()
  threads.stop()
  const reports = await Promise.all(['a', 'b', 'c', 'd'].map((name) => threads.run(creation(directory, name))))
  expect(new Set(reports.map(({ outcome }) => outcome.kind))).toEqual(new Set(['stopped']))
  expect(readdirSync(directory)).toEqual([])
})
