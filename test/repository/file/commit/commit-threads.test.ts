import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { CommitThreads } from '#campaignd/repository/file/commit/commit-threads.js'
import type { FileJob } from '#campaignd/repository/file/commit/file-job.js'
import { lockIdentity } from '#campaignd/repository/file/lock/lock-identity.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'

async function startThreads(): Promise<{ threads: CommitThreads; directory: string; lockPath: string }> {
  const root = temporaryDirectory()
  const [directory, lockPath, trash] = [join(root, 'files'), join(root, 'lock'), join(root, 'trash')]
  for (const path of [directory, lockPath, trash]) mkdirSync(path)
  const lock = lockIdentity(lockPath, true) ?? { inode: 0n, birthtimeNs: null }
  const threads = await CommitThreads.start({ directory, trash, flush: true, lockPath, lock }, (reason) => {
    throw reason
  })
  onTestFinished(() => threads.close())
  return { threads, directory, lockPath }
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
