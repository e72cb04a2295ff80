import { readdirSync } from 'node:fs'
import { expect, onTestFinished } from 'vitest'
import { openFileStore, type FileStoreOptions } from '#campaignd/repository/file/open-file-store.js'
import type { CommitReport, CampaignStore } from '#campaignd/repository/campaign-store.js'
import { leftovers } from './files.js'
import { temporaryDirectory } from '../temporary-directory.js'

export { leftovers, manifestPath, readManifest } from './files.js'

export interface TestStore {
  readonly dataDir: string
  readonly repository: CampaignStore
  /** Closes the repository and opens the same directory again. */
  reopen(): Promise<CampaignStore>
  close(): Promise<void>
  /** What was told beside answers, a sentence each. */
  readonly notices: string[]
  readonly corrupt: Map<string, string>
  /** How each commit went. */
  readonly reports: CommitReport[]
  readonly fatal: Error[]
}

/** Opens a data directory in this process; it is closed with the test. */
export async function openTestStore(dataDir: string = temporaryDirectory()): Promise<TestStore> {
  const notices: string[] = []
  const corrupt = new Map<string, string>()
  const reports: CommitReport[] = []
  const fatal: Error[] = []
  const options: FileStoreOptions = {
    dataDir,
    durability: 'fsync',
    onWait: (holder) => notices.push(`waits for ${holder}`),
    onNotice: (sentence) => notices.push(sentence),
    onCorrupt: (id, reason) => corrupt.set(id, reason),
    onCommit: (report) => reports.push(report),
    onFatal: (reason) => fatal.push(reason),
  }
  let repository = await openFileStore(options)
  onTestFinished(() => repository.close())
  return {
    dataDir,
    repository,
    reopen: async () => {
      await repository.close()
      expect(readdirSync(dataDir)).toEqual(['campaigns'])
      expect(leftovers(dataDir)).toEqual([])
      repository = await openFileStore(options)
      return repository
    },
    close: () => repository.close(),
    notices,
    corrupt,
    reports,
    fatal,
  }
}
