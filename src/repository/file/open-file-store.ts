import { CommitThreads } from './commit/commit-threads.ts'
import { DataDirectory } from './data-directory.ts'
import { FileStore, type FileStoreOptions } from './file-store.ts'
import { lockDirectory, type LockEvents } from './lock/directory-lock.ts'

export interface OpenFileStoreOptions extends FileStoreOptions {
  readonly dataDir: string
  /** What acknowledged means: `fsync`: on disk, `os`: handed to the operating system. */
  readonly durability: 'fsync' | 'os'
  readonly onWait: LockEvents['onWait']
  /** For the operator; it stops nothing. */
  readonly onNotice: (sentence: string) => void
}

/**
 * Opens a data directory for this process alone. The order matters: nothing is removed before the lock is held, nothing is read
 * before what others left half-written is gone, and nothing is served before what was read is durable.
 * @throws Error that says who holds the directory or what is wrong with it
 */
export async function openFileStore(options: OpenFileStoreOptions): Promise<FileStore> {
  const directory = new DataDirectory(options.dataDir)
  directory.create()
  let fence = (reason: Error) => options.onFatal(reason)
  const onLost = (reason: Error) => fence(reason)
  const lock = await lockDirectory(directory.root, { onWait: options.onWait, onLost })
  const flush = options.durability === 'fsync'
  let threads: CommitThreads | null = null
  try {
    // mutation: no-sweep-at-take-over
    const swept = directory.sweep()
    if (swept > 0) options.onNotice(`removed ${swept} unfinished writes of an earlier run`)
    for (const name of directory.unrecognisedFiles()) {
      options.onNotice(`${directory.campaigns}/${name} is ignored: its name is no campaign_id`)
    }
    for (const sentence of directory.restrictAccess()) options.onNotice(sentence)
    directory.openTrash()
    const { campaigns, trash } = directory
    const { lockPath, identity } = lock
    threads = await CommitThreads.start({ directory: campaigns, trash, flush, lockPath, lock: identity }, onLost)
    const store = new FileStore({ directory, lock, threads }, options)
    fence = (reason) => store.failStop(reason)
    await store.load()
    if (flush) directory.flush()
    return store
  } catch (error) {
    await threads?.close()
    directory.closeTrash()
    await lock.release()
    throw error
  }
}
