import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { CommitThreads } from '#campaignd/repository/file/commit/commit-threads.js'
import type { FileJob } from '#campaignd/repository/file/commit/file-job.js'
import { commitDirectory } from '../../../support/store/commit-directory.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'

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
  const pipe = join(temporaryDirectory(), 'pipe')
  execFileSync('mkfifo', [pipe])
  // Opening it waits until somebody writes to it.
  const hanging = threads.run({ kind: 'flush', paths: [pipe] })
  for (const name of ['a', 'b', 'c', 'd']) {
    expect((await threads.run(creation(directory, name))).outcome).toMatchObject({ kind: 'done' })
  }
  expect(readdirSync(directory).sort()).toEqual(['a', 'b', 'c', 'd'])
  closeSync(openSync(pipe, 'w'))
  expect((await hanging).outcome).toMatchObject({ kind: 'refused', errno: 'EINVAL' })
})

test('a failure that ends all writing in one thread ends it in all', async () => {
  const { threads, directory, lockPath } = await startThreads()
  renameSync(lockPath, `${lockPath}.aside`)
  expect((await threads.run(creation(directory, 'first'))).outcome).toEqual({ kind: 'lock-lost' })
  // As before, but a thread that missed it would now take the directory for ours again.
  renameSync(`${lockPath}.aside`, lockPath)
  const names = Array.from({ length: 12 }, (_, index) => `late-${String(index)}`)
  const late = await Promise.all(names.map((name) => threads.run(creation(directory, name))))
  expect(new Set(late.map(({ outcome }) => outcome.kind))).toEqual(new Set(['lock-lost']))
  expect(readdirSync(directory)).toEqual([])
})
