import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fastify } from 'fastify'
import { CommitThreads } from '#campaignd/repository/file/commit/commit-threads.js'
import type { FileIdentity } from '#campaignd/repository/file/commit/file-identity.js'
import type { FileOutcome } from '#campaignd/repository/file/commit/file-job.js'
import { lockIdentity } from '#campaignd/repository/file/lock/lock-identity.js'

/**
 * What is left when there is nothing of the service but its way to the disk: Fastify, the threads that write, one file for all
 * that wait, and replies that are sent together. It has no campaigns, rules, checks or log: the limit of a service that keeps those
 * promises in this way. Arguments: a directory, the bytes of the file, those of an answer. Prints its address.
 */

const [root = '', fileSize, answerSize] = process.argv.slice(2)
const [directory, trash, lockPath] = [join(root, 'files'), join(root, 'trash'), join(root, 'lock')]
for (const path of [directory, trash, lockPath]) mkdirSync(path)
const lock = lockIdentity(lockPath, true)
if (lock === null) throw new Error(`${lockPath} is gone`)
const threads = await CommitThreads.start({ directory, trash, flush: true, lockPath, lock }, (reason) => {
  throw reason
})

const path = join(directory, 'manifest.json')
const part = new Uint8Array(new SharedArrayBuffer(Number(fileSize))).fill(0x20)
const answer = JSON.stringify('x'.repeat(Number(answerSize) - 2))
const state: { identity: FileIdentity; waiting: (() => void)[]; isBusy: boolean } = {
  identity: identityIn(await write(null)),
  waiting: [],
  isBusy: false,
}

const app = fastify()
app.patch('/*', (_request, reply) => {
  if (state.waiting.length === 0) setImmediate(() => void commit())
  state.waiting.push(() => void reply.header('content-type', 'application/json; charset=utf-8').send(answer))
})

async function commit(): Promise<void> {
  if (state.isBusy) return
  state.isBusy = true
  while (state.waiting.length > 0) {
    const answers = state.waiting
    state.waiting = []
    state.identity = identityIn(await write(state.identity))
    setImmediate(() => {
      for (const send of answers) send()
    })
  }
  state.isBusy = false
}

async function write(expected: FileIdentity | null): Promise<FileOutcome> {
  const job = { path, temp: `${path}.tmp`, parts: [part] }
  const { outcome } = await threads.run(
    expected === null ? { kind: 'create', ...job } : { kind: 'replace', expected, ...job },
  )
  return outcome
}

function identityIn(outcome: FileOutcome): FileIdentity {
  if (outcome.kind !== 'done' || outcome.identity === null) throw new Error(`not written: ${JSON.stringify(outcome)}`)
  return outcome.identity
}

process.stdout.write(`${await app.listen({ host: '127.0.0.1', port: 0 })}\n`)
